r"""Hock-Schittkowski 63: Paviani's concave quadratic on a circle.

f(x) = 1000 - x_1^2 - x_3^2 - 2 x_2^2 - x_1 x_2 - x_1 x_3,
subject to 7 x_3 + 8 x_1 + 14 x_2 - 56 = 0, x_1^2 + x_2^2 + x_3^2 - 25 = 0, x_i >= 0.

Source: Hock & Schittkowski (1981), problem 63 (Himmelblau 1972 (Paviani)).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = -x[1] - x[2] - 2.0 * x[0]
    g[1] = -x[0] - 4.0 * x[1]
    g[2] = -x[0] - 2.0 * x[2]
    return 1000.0 - x[0] ** 2 - x[2] ** 2 - 2.0 * x[1] ** 2 - x[0] * x[1] - x[0] * x[2]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = -2.0
    h[0, 1] = h[1, 0] = -1.0
    h[0, 2] = h[2, 0] = -1.0
    h[1, 1] = -4.0
    h[2, 2] = -2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 7.0 * x[2] + 8.0 * x[0] + 14.0 * x[1] - 56.0
    c[1] = x[0] ** 2 + x[1] ** 2 + x[2] ** 2 - 25.0
    jac[0, 0] = 8.0
    jac[0, 1] = 14.0
    jac[0, 2] = 7.0
    jac[1, 0] = 2.0 * x[0]
    jac[1, 1] = 2.0 * x[1]
    jac[1, 2] = 2.0 * x[2]
    write_sides(x, c, jac, 2, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[1]
    h[1, 1] += 2.0 * w[1]
    h[2, 2] += 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 63",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs063() -> Problem:
    """Paviani's concave quadratic on a circle."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=5,
        m_eq=2,
        data=sides(3, low=0.0),
        multipliers=(0.2749371020656298, 1.2234635604844077, *(0.0,) * 3),
        x_opt=(3.5121213418747197, 0.21698794151522302, 3.552171154827017),
        f_opt=961.7151721300522,
        bounds=(0.0, 10.0),
    )
