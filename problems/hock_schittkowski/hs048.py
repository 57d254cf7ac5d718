r"""Hock-Schittkowski 48: A quadratic on a space that touches its minima.

f(x) = (x_1 - 1)^2 + (x_2 - x_3)^2 + (x_4 - x_5)^2,
subject to x_1 + x_2 + x_3 + x_4 + x_5 - 5 = 0, x_3 + 3 - 2 x_4 - 2 x_5 = 0.

Source: Hock & Schittkowski (1981), problem 48 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, flat
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 2.0 * x[1] - 2.0 * x[2]
    q = 2.0 * x[3] - 2.0 * x[4]
    g[0] = 2.0 * x[0] - 2.0
    g[1] = p
    g[2] = -p
    g[3] = q
    g[4] = -q
    return (x[0] - 1.0) ** 2 + (x[1] - x[2]) ** 2 + (x[3] - x[4]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[1, 1] = 2.0
    h[1, 2] = h[2, 1] = -2.0
    h[2, 2] = 2.0
    h[3, 3] = 2.0
    h[3, 4] = h[4, 3] = -2.0
    h[4, 4] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + x[1] + x[2] + x[3] + x[4] - 5.0
    c[1] = x[2] + 3.0 - 2.0 * x[3] - 2.0 * x[4]
    jac[0, 0] = 1.0
    jac[0, 1] = 1.0
    jac[0, 2] = 1.0
    jac[0, 3] = 1.0
    jac[0, 4] = 1.0
    jac[1, 2] = 1.0
    jac[1, 3] = -2.0
    jac[1, 4] = -2.0


@problem(
    source="Hock & Schittkowski 1981, problem 48",
    tags=("convex", "smooth", "constrained"),
)
def hs048() -> Problem:
    """A quadratic on a space that touches its minima."""
    return Problem(
        fun_grad,
        (3.0, 5.0, -3.0, 2.0, -2.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=2,
        m_eq=2,
        multipliers=(0.0,) * 2,
        x_opt=(1.0, 1.0, 1.0, 1.0, 1.0),
        f_opt=0.0,
        bounds=(-5.0, 5.0),
    )
