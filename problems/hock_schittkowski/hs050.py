r"""Hock-Schittkowski 50: Squares and a fourth power under linear equations.

f(x) = (x_1 - x_2)^2 + (x_2 - x_3)^2 + (x_3 - x_4)^4 + (x_4 - x_5)^2,
subject to x_1 + 2 x_2 + 3 x_3 - 6 = 0, x_2 + 2 x_3 + 3 x_4 - 6 = 0, x_3 + 2 x_4 + 3 x_5 - 6 = 0.

Source: Hock & Schittkowski (1981), problem 50 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, flat
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 4.0 * (x[2] - x[3]) ** 3
    g[0] = 2.0 * x[0] - 2.0 * x[1]
    g[1] = 4.0 * x[1] - 2.0 * x[0] - 2.0 * x[2]
    g[2] = p + 2.0 * x[2] - 2.0 * x[1]
    g[3] = 2.0 * x[3] - p - 2.0 * x[4]
    g[4] = 2.0 * x[4] - 2.0 * x[3]
    return (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 2 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    p = 12.0 * (x[2] - x[3]) ** 2
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 4.0
    h[1, 2] = h[2, 1] = -2.0
    h[2, 2] = p + 2.0
    h[2, 3] = h[3, 2] = -p
    h[3, 3] = p + 2.0
    h[3, 4] = h[4, 3] = -2.0
    h[4, 4] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + 2.0 * x[1] + 3.0 * x[2] - 6.0
    c[1] = x[1] + 2.0 * x[2] + 3.0 * x[3] - 6.0
    c[2] = x[2] + 2.0 * x[3] + 3.0 * x[4] - 6.0
    jac[0, 0] = 1.0
    jac[0, 1] = 2.0
    jac[0, 2] = 3.0
    jac[1, 1] = 1.0
    jac[1, 2] = 2.0
    jac[1, 3] = 3.0
    jac[2, 2] = 1.0
    jac[2, 3] = 2.0
    jac[2, 4] = 3.0


@problem(
    source="Hock & Schittkowski 1981, problem 50",
    tags=("convex", "smooth", "constrained"),
)
def hs050() -> Problem:
    """Squares and a fourth power under linear equations."""
    return Problem(
        fun_grad,
        (35.0, -31.0, 11.0, 5.0, -5.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=3,
        m_eq=3,
        multipliers=(0.0,) * 3,
        x_opt=(1.0, 1.0, 1.0, 1.0, 1.0),
        f_opt=0.0,
        bounds=(-35.0, 35.0),
    )
