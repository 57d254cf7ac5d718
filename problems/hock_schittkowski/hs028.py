r"""Hock-Schittkowski 28: A quadratic on a plane that touches its minima.

f(x) = (x_1 + x_2)^2 + (x_2 + x_3)^2,
subject to x_1 + 2 x_2 + 3 x_3 - 1 = 0.

Source: Hock & Schittkowski (1981), problem 28 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import flat
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] + 2.0 * x[1]
    g[1] = 2.0 * x[0] + 2.0 * x[2] + 4.0 * x[1]
    g[2] = 2.0 * x[1] + 2.0 * x[2]
    return (x[0] + x[1]) ** 2 + (x[1] + x[2]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = 2.0
    h[1, 1] = 4.0
    h[1, 2] = h[2, 1] = 2.0
    h[2, 2] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] + 2.0 * x[1] + 3.0 * x[2] - 1.0
    jac[0, 0] = 1.0
    jac[0, 1] = 2.0
    jac[0, 2] = 3.0


@problem(
    source="Hock & Schittkowski 1981, problem 28",
    tags=("convex", "smooth", "constrained"),
)
def hs028() -> Problem:
    """A quadratic on a plane that touches its minima."""
    return Problem(
        fun_grad,
        (-4.0, 1.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=1,
        m_eq=1,
        multipliers=(0.0,),
        x_opt=(0.5, -0.5, 0.5),
        f_opt=0.0,
        bounds=(-5.0, 5.0),
    )
