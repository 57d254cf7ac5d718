r"""Hock-Schittkowski 29: The largest box in an ellipsoid, up to a factor.

f(x) = -x_1 x_2 x_3,
subject to x_1^2 + 2 x_2^2 + 4 x_3^2 - 48 <= 0.

Two signs of x* may change together: four minima.

Source: Hock & Schittkowski (1981), problem 29 (Biggs 1971).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = -x[1] * x[2]
    g[1] = -x[0] * x[2]
    g[2] = -x[0] * x[1]
    return -x[0] * x[1] * x[2]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 1] = h[1, 0] = -x[2]
    h[0, 2] = h[2, 0] = -x[1]
    h[1, 2] = h[2, 1] = -x[0]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] ** 2 + 2.0 * x[1] ** 2 + 4.0 * x[2] ** 2 - 48.0
    jac[0, 0] = 2.0 * x[0]
    jac[0, 1] = 4.0 * x[1]
    jac[0, 2] = 8.0 * x[2]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0]
    h[1, 1] += 4.0 * w[0]
    h[2, 2] += 8.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 29",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs029() -> Problem:
    """The largest box in an ellipsoid, up to a factor."""
    return Problem(
        fun_grad,
        (1.0, 1.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        multipliers=(0.7071067811865476,),
        x_opt=(4.0, 2.8284271247461903, 2.0),
        f_opt=-22.627416997969522,
        bounds=(-7.0, 7.0),
    )
