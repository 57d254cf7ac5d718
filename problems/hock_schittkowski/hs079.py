r"""Hock-Schittkowski 79: Squares and fourth powers on a curved surface.

f(x) = (x_1 - 1)^2 + (x_1 - x_2)^2 + (x_2 - x_3)^2 + (x_3 - x_4)^4 + (x_4 - x_5)^4,
subject to x_1 + x_2^2 + x_3^3 - 2 - 3 sqrt(2) = 0, x_2 + x_4 + 2 - x_3^2 - 2 sqrt(2) = 0, x_1 x_5 - 2 = 0.

Source: Hock & Schittkowski (1981), problem 79 (Betts 1977; Miele et al. 1972).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 4.0 * (x[2] - x[3]) ** 3
    q = -4.0 * (x[3] - x[4]) ** 3
    g[0] = 4.0 * x[0] - 2.0 * x[1] - 2.0
    g[1] = 4.0 * x[1] - 2.0 * x[0] - 2.0 * x[2]
    g[2] = p + 2.0 * x[2] - 2.0 * x[1]
    g[3] = -p - q
    g[4] = q
    return (x[0] - 1.0) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 2 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 4


def hess(x, h, data):
    """Hessian into `h`."""
    p = 12.0 * (x[2] - x[3]) ** 2
    q = 12.0 * (x[3] - x[4]) ** 2
    h[0, 0] = 4.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 4.0
    h[1, 2] = h[2, 1] = -2.0
    h[2, 2] = p + 2.0
    h[2, 3] = h[3, 2] = -p
    h[3, 3] = p + q
    h[3, 4] = h[4, 3] = -q
    h[4, 4] = q


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    p = math.sqrt(2.0)
    c[0] = x[0] + x[1] ** 2 + x[2] ** 3 - 3.0 * p - 2.0
    c[1] = x[1] + x[3] + 2.0 - x[2] ** 2 - 2.0 * p
    c[2] = x[0] * x[4] - 2.0
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
    source="Hock & Schittkowski 1981, problem 79",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs079() -> Problem:
    """Squares and fourth powers on a curved surface."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        m_eq=3,
        multipliers=(-0.03882104852265309, -0.01672651703248945, -0.0002873278136941053),
        x_opt=(1.1911274563110514, 1.362603164961742, 1.4728179315120877, 1.6350166191679927, 1.6790814361664075),
        f_opt=0.0787768208710569,
        bounds=(-3.0, 3.0),
    )
