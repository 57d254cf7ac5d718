r"""Hock-Schittkowski 43: The Rosen-Suzuki problem: a quadratic in three ellipsoids.

f(x) = x_1^2 + x_2^2 + x_4^2 + 2 x_3^2 + 7 x_4 - 21 x_3 - 5 x_1 - 5 x_2,
subject to x_1 + x_3 + x_1^2 + x_2^2 + x_3^2 + x_4^2 - x_2 - x_4 - 8 <= 0, x_1^2 + x_3^2 + 2 x_2^2 + 2 x_4^2 - x_1 -
  x_4 - 10 <= 0, x_2^2 + x_3^2 + 2 x_1 + 2 x_1^2 - x_2 - x_4 - 5 <= 0.

Source: Hock & Schittkowski (1981), problem 43 (Betts 1977 (Rosen & Suzuki)).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - 5.0
    g[1] = 2.0 * x[1] - 5.0
    g[2] = 4.0 * x[2] - 21.0
    g[3] = 2.0 * x[3] + 7.0
    return x[0] ** 2 + x[1] ** 2 + x[3] ** 2 + 2.0 * x[2] ** 2 + 7.0 * x[3] - 21.0 * x[2] - 5.0 * x[0] - 5.0 * x[1]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[1, 1] = 2.0
    h[2, 2] = 4.0
    h[3, 3] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    p = x[2] ** 2 - x[3]
    q = p + x[0] ** 2
    r = x[1] ** 2 - x[1]
    s = 2.0 * x[1] - 1.0
    c[0] = q + r + x[0] + x[2] + x[3] ** 2 - 8.0
    c[1] = q + 2.0 * x[1] ** 2 + 2.0 * x[3] ** 2 - x[0] - 10.0
    c[2] = p + r + 2.0 * x[0] + 2.0 * x[0] ** 2 - 5.0
    jac[0, 0] = 2.0 * x[0] + 1.0
    jac[0, 1] = s
    jac[0, 2] = 2.0 * x[2] + 1.0
    jac[0, 3] = 2.0 * x[3] - 1.0
    jac[1, 0] = 2.0 * x[0] - 1.0
    jac[1, 1] = 4.0 * x[1]
    jac[1, 2] = 2.0 * x[2]
    jac[1, 3] = 4.0 * x[3] - 1.0
    jac[2, 0] = 4.0 * x[0] + 2.0
    jac[2, 1] = s
    jac[2, 2] = 2.0 * x[2]
    jac[2, 3] = -1.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    p = 2.0 * w[0] + 2.0 * w[1]
    q = 2.0 * w[0] + 4.0 * w[1]
    h[0, 0] += p + 4.0 * w[2]
    h[1, 1] += q + 2.0 * w[2]
    h[2, 2] += p + 2.0 * w[2]
    h[3, 3] += q


@problem(
    source="Hock & Schittkowski 1981, problem 43",
    tags=("convex", "smooth", "constrained"),
)
def hs043() -> Problem:
    """The Rosen-Suzuki problem: a quadratic in three ellipsoids."""
    return Problem(
        fun_grad,
        (0.0, 0.0, 0.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        multipliers=(1.0, 0.0, 2.0),
        x_opt=(0.0, 1.0, 2.0, -1.0),
        f_opt=-44.0,
        bounds=(-3.0, 3.0),
    )
