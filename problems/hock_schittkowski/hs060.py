r"""Hock-Schittkowski 60: Squares and a fourth power on a surface, in a box.

f(x) = (x_1 - 1)^2 + (x_1 - x_2)^2 + (x_2 - x_3)^4,
subject to x_3^4 + x_1 (x_2^2 + 1) - 4 - 3 sqrt(2) = 0, -10 <= x_i <= 10.

Source: Hock & Schittkowski (1981), problem 60 (Betts 1977; Miele et al. 1972).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 4.0 * (x[1] - x[2]) ** 3
    g[0] = 4.0 * x[0] - 2.0 * x[1] - 2.0
    g[1] = p + 2.0 * x[1] - 2.0 * x[0]
    g[2] = -p
    return (x[0] - 1.0) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 4.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 12.0 * (x[1] - x[2]) ** 2 + 2.0
    h[1, 2] = h[2, 1] = -12.0 * (x[1] - x[2]) ** 2
    h[2, 2] = 12.0 * (x[1] - x[2]) ** 2


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    p = x[1] ** 2 + 1.0
    c[0] = x[2] ** 4 + p * x[0] - 4.0 - 3.0 * math.sqrt(2.0)
    jac[0, 0] = p
    jac[0, 1] = 2.0 * x[0] * x[1]
    jac[0, 2] = 4.0 * x[2] ** 3
    write_sides(x, c, jac, 1, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    bend = 2.0 * w[0] * x[1]
    h[0, 1] += bend
    h[1, 0] += bend
    h[1, 1] += 2.0 * w[0] * x[0]
    h[2, 2] += 12.0 * w[0] * x[2] ** 2


@problem(
    source="Hock & Schittkowski 1981, problem 60",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs060() -> Problem:
    """Squares and a fourth power on a surface, in a box."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=7,
        m_eq=1,
        data=sides(3, low=-10.0, high=10.0),
        multipliers=(-0.010726727888350166, *(0.0,) * 6),
        x_opt=(1.1048590197333166, 1.1966741822882572, 1.535262260325326),
        f_opt=0.03256820025506984,
        bounds=(-10.0, 10.0),
    )
