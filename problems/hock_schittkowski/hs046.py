r"""Hock-Schittkowski 46: Even powers on a curved surface: a degenerate minimum.

f(x) = (x_3 - 1)^2 + (x_4 - 1)^4 + (x_5 - 1)^6 + (x_1 - x_2)^2,
subject to x_4 x_1^2 + sin(x_4 - x_5) - 1 = 0, x_2 + x_3^4 x_4^2 - 2 = 0.

The Lagrangian is flat along one tangent at x*, so Newton's method on the KKT system converges linearly.

Source: Hock & Schittkowski (1981), problem 46 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 2.0 * x[0] - 2.0 * x[1]
    g[0] = p
    g[1] = -p
    g[2] = 2.0 * x[2] - 2.0
    g[3] = 4.0 * (x[3] - 1.0) ** 3
    g[4] = 6.0 * (x[4] - 1.0) ** 5
    return (x[2] - 1.0) ** 2 + (x[3] - 1.0) ** 4 + (x[4] - 1.0) ** 6 + (x[0] - x[1]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 2.0
    h[2, 2] = 2.0
    h[3, 3] = 12.0 * (x[3] - 1.0) ** 2
    h[4, 4] = 30.0 * (x[4] - 1.0) ** 4


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    p = math.cos(x[3] - x[4])
    c[0] = x[3] * x[0] ** 2 + math.sin(x[3] - x[4]) - 1.0
    c[1] = x[1] + x[2] ** 4 * x[3] ** 2 - 2.0
    jac[0, 0] = 2.0 * x[0] * x[3]
    jac[0, 3] = p + x[0] ** 2
    jac[0, 4] = -p
    jac[1, 1] = 1.0
    jac[1, 2] = 4.0 * x[2] ** 3 * x[3] ** 2
    jac[1, 3] = 2.0 * x[3] * x[2] ** 4


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    p = w[0] * math.sin(x[3] - x[4])
    h[0, 0] += 2.0 * w[0] * x[3]
    bend = 2.0 * w[0] * x[0]
    h[0, 3] += bend
    h[3, 0] += bend
    h[2, 2] += 12.0 * w[1] * x[2] ** 2 * x[3] ** 2
    bend = 8.0 * w[1] * x[3] * x[2] ** 3
    h[2, 3] += bend
    h[3, 2] += bend
    h[3, 3] += 2.0 * w[1] * x[2] ** 4 - p
    h[3, 4] += p
    h[4, 3] += p
    h[4, 4] -= p


@problem(
    source="Hock & Schittkowski 1981, problem 46",
    tags=("nonconvex", "smooth", "constrained", "degenerate"),
)
def hs046() -> Problem:
    """Even powers on a curved surface: a degenerate minimum."""
    return Problem(
        fun_grad,
        (0.5 * math.sqrt(2.0), 1.75, 0.5, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=2,
        multipliers=(0.0,) * 2,
        x_opt=(1.0, 1.0, 1.0, 1.0, 1.0),
        f_opt=0.0,
        bounds=(-3.0, 3.0),
    )
