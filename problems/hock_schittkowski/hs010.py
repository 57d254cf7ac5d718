r"""Hock-Schittkowski 10: A linear function in an ellipse.

f(x) = x_1 - x_2,
subject to x_2^2 + 3 x_1^2 - 2 x_1 x_2 - 1 <= 0.

Source: Hock & Schittkowski (1981), problem 10 (Biggs 1971).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import linear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 1.0
    g[1] = -1.0
    return x[0] - x[1]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[1] ** 2 + 3.0 * x[0] ** 2 - 2.0 * x[0] * x[1] - 1.0
    jac[0, 0] = 6.0 * x[0] - 2.0 * x[1]
    jac[0, 1] = 2.0 * x[1] - 2.0 * x[0]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 6.0 * w[0]
    bend = -2.0 * w[0]
    h[0, 1] += bend
    h[1, 0] += bend
    h[1, 1] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 10",
    tags=("convex", "smooth", "constrained"),
)
def hs010() -> Problem:
    """A linear function in an ellipse."""
    return Problem(
        fun_grad,
        (-10.0, 10.0),
        hess=linear,
        constraints=constraints,
        curvature=curvature,
        m=1,
        multipliers=(0.5,),
        x_opt=(0.0, 1.0),
        f_opt=-1.0,
        bounds=(-10.0, 10.0),
    )
