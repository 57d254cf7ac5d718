r"""Hock-Schittkowski 12: A quadratic in an ellipse.

f(x) = x_2^2 + 0.5 x_1^2 - 7 x_1 - 7 x_2 - x_1 x_2,
subject to x_2^2 + 4 x_1^2 - 25 <= 0.

Source: Hock & Schittkowski (1981), problem 12 (Mine et al. 1976).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = x[0] - x[1] - 7.0
    g[1] = 2.0 * x[1] - x[0] - 7.0
    return x[1] ** 2 + 0.5 * x[0] ** 2 - 7.0 * x[0] - 7.0 * x[1] - x[0] * x[1]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 1.0
    h[0, 1] = h[1, 0] = -1.0
    h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[1] ** 2 + 4.0 * x[0] ** 2 - 25.0
    jac[0, 0] = 8.0 * x[0]
    jac[0, 1] = 2.0 * x[1]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 8.0 * w[0]
    h[1, 1] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 12",
    tags=("convex", "smooth", "constrained"),
)
def hs012() -> Problem:
    """A quadratic in an ellipse."""
    return Problem(
        fun_grad,
        (0.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        multipliers=(0.5,),
        x_opt=(2.0, 3.0),
        f_opt=-30.0,
        bounds=(-5.0, 5.0),
    )
