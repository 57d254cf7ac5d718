r"""Hock-Schittkowski 47: A square, a cube and fourth powers on a surface.

f(x) = (x_1 - x_2)^2 + (x_2 - x_3)^3 + (x_3 - x_4)^4 + (x_4 - x_5)^4,
subject to x_1 + x_2^2 + x_3^3 - 3 = 0, x_2 + x_4 - x_3^2 - 1 = 0, x_1 x_5 - 1 = 0.

The point (1, 1, 1, 1, 1) with f = 0 that the book gives is stationary but no minimum: along the tangent (1, 1, -1,
-3, -1) f is a cube to leading order. x* is the lowest point that 40 random starts lead to.

Source: Hock & Schittkowski (1981), problem 47 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 3.0 * (x[1] - x[2]) ** 2
    q = 4.0 * (x[2] - x[3]) ** 3
    r = -4.0 * (x[3] - x[4]) ** 3
    g[0] = 2.0 * x[0] - 2.0 * x[1]
    g[1] = p + 2.0 * x[1] - 2.0 * x[0]
    g[2] = q - p
    g[3] = -q - r
    g[4] = r
    return (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 3 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 4


def hess(x, h, data):
    """Hessian into `h`."""
    p = 6.0 * x[1] - 6.0 * x[2]
    q = 12.0 * (x[2] - x[3]) ** 2
    r = 12.0 * (x[3] - x[4]) ** 2
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = p + 2.0
    h[1, 2] = h[2, 1] = -p
    h[2, 2] = p + q
    h[2, 3] = h[3, 2] = -q
    h[3, 3] = q + r
    h[3, 4] = h[4, 3] = -r
    h[4, 4] = r


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + x[1] ** 2 + x[2] ** 3 - 3.0
    c[1] = x[1] + x[3] - x[2] ** 2 - 1.0
    c[2] = x[0] * x[4] - 1.0
    jac[0, 0] = 1.0
    jac[0, 1] = 2.0 * x[1]
    jac[0, 2] = 3.0 * x[2] ** 2
    jac[1, 1] = 1.0
    jac[1, 2] = -2.0 * x[2]
    jac[1, 3] = 1.0
    jac[2, 0] = x[4]
    jac[2, 4] = x[0]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 4] += w[2]
    h[4, 0] += w[2]
    h[1, 1] += 2.0 * w[0]
    h[2, 2] += 6.0 * w[0] * x[2] - 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 47",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs047() -> Problem:
    """A square, a cube and fourth powers on a surface."""
    return Problem(
        fun_grad,
        (2.0, math.sqrt(2.0), -1.0, 2.0 - math.sqrt(2.0), 0.5),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        m_eq=3,
        multipliers=(-0.08181701311503735, -0.6978994057569455, 0.12185210421990403),
        x_opt=(0.6770043948666402, 0.7260894726520319, 1.2154912142370975, 1.7513294192355415, 1.4770952856177324),
        f_opt=-0.026714182693940842,
        bounds=(-3.0, 3.0),
    )
