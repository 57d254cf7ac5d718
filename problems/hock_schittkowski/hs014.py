r"""Hock-Schittkowski 14: The point of a chord of an ellipse next to a point outside.

f(x) = (x_2 - 1)^2 + (x_1 - 2)^2,
subject to x_1 + 1 - 2 x_2 = 0, x_2^2 + 0.25 x_1^2 - 1 <= 0.

Source: Hock & Schittkowski (1981), problem 14 (Bracken & McCormick 1968).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - 4.0
    g[1] = 2.0 * x[1] - 2.0
    return (x[1] - 1.0) ** 2 + (x[0] - 2.0) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] + 1.0 - 2.0 * x[1]
    c[1] = x[1] ** 2 + 0.25 * x[0] ** 2 - 1.0
    jac[0, 0] = 1.0
    jac[0, 1] = -2.0
    jac[1, 0] = 0.5 * x[0]
    jac[1, 1] = 2.0 * x[1]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 0.5 * w[1]
    h[1, 1] += 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 14",
    tags=("convex", "smooth", "constrained"),
)
def hs014() -> Problem:
    """The point of a chord of an ellipse next to a point outside."""
    return Problem(
        fun_grad,
        (2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=1,
        multipliers=(1.5944911182523067, 1.8465914396061132),
        x_opt=(0.8228756555322952, 0.9114378277661477),
        f_opt=1.393464980689302,
        bounds=(-3.0, 3.0),
    )
