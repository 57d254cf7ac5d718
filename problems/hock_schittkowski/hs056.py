r"""Hock-Schittkowski 56: The largest parcel, its bounds written with squares of sines.

f(x) = -x_1 x_2 x_3,
subject to x_1 - 4.2 (sin(x_4))^2 = 0, x_2 - 4.2 (sin(x_5))^2 = 0, x_3 - 4.2 (sin(x_6))^2 = 0, x_1 + 2 x_2 + 2 x_3 -
  7.2 (sin(x_7))^2 = 0.

The last four coordinates are angles: each may change its sign or grow by pi.

Source: Hock & Schittkowski (1981), problem 56 (Brusch 1974).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = -x[1] * x[2]
    g[1] = -x[0] * x[2]
    g[2] = -x[0] * x[1]
    g[3] = 0.0
    g[4] = 0.0
    g[5] = 0.0
    g[6] = 0.0
    return -x[0] * x[1] * x[2]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 1] = h[1, 0] = -x[2]
    h[0, 2] = h[2, 0] = -x[1]
    h[1, 2] = h[2, 1] = -x[0]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    p = math.sin(x[3])
    q = math.sin(x[4])
    r = math.sin(x[5])
    s = math.sin(x[6])
    c[0] = x[0] - 4.2 * p**2
    c[1] = x[1] - 4.2 * q**2
    c[2] = x[2] - 4.2 * r**2
    c[3] = x[0] + 2.0 * x[1] + 2.0 * x[2] - 7.2 * s**2
    jac[0, 0] = 1.0
    jac[0, 3] = -8.4 * p * math.cos(x[3])
    jac[1, 1] = 1.0
    jac[1, 4] = -8.4 * q * math.cos(x[4])
    jac[2, 2] = 1.0
    jac[2, 5] = -8.4 * r * math.cos(x[5])
    jac[3, 0] = 1.0
    jac[3, 1] = 2.0
    jac[3, 2] = 2.0
    jac[3, 6] = -14.4 * s * math.cos(x[6])


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[3, 3] += 8.4 * w[0] * ((math.sin(x[3])) ** 2 - (math.cos(x[3])) ** 2)
    h[4, 4] += 8.4 * w[1] * ((math.sin(x[4])) ** 2 - (math.cos(x[4])) ** 2)
    h[5, 5] += 8.4 * w[2] * ((math.sin(x[5])) ** 2 - (math.cos(x[5])) ** 2)
    h[6, 6] += 14.4 * w[3] * ((math.sin(x[6])) ** 2 - (math.cos(x[6])) ** 2)


@problem(
    source="Hock & Schittkowski 1981, problem 56",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs056() -> Problem:
    """The largest parcel, its bounds written with squares of sines."""
    return Problem(
        fun_grad,
        (1.0, 1.0, 1.0, *(math.asin(math.sqrt(1.0 / 4.2)),) * 3, math.asin(math.sqrt(5.0 / 7.2))),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=4,
        m_eq=4,
        multipliers=(0.0, 0.0, 0.0, 1.44),
        x_opt=(2.4, 1.2, 1.2, 0.857071947850131, 0.5639426413606289, 0.5639426413606289, 1.5707963267948966),
        f_opt=-3.456,
        bounds=(-3.0, 3.0),
    )
