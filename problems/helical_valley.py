r"""Helical valley.

f(x) = 100 (x_3 - 10 theta)^2 + 100 (r - 1)^2 + x_3^2,  r = sqrt(x_1^2 + x_2^2),  f(1, 0, 0) = 0,
theta = arctan(x_2 / x_1) / (2 pi) for x_1 > 0, and that plus 1/2 for x_1 < 0.

theta is left open at x_1 = 0 by the source; here it takes its limit from the right there, +1/4 or -1/4 by the sign of
x_2. It is continuous across x_1 = 0 where x_2 > 0 and jumps by 1 where x_2 < 0: f is discontinuous on that
half-plane, and the gradient given is that of either side. On the axis x_1 = x_2 = 0, theta and the derivatives of
theta and r are taken as 0.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 7 (Fletcher & Powell 1963). Start: (-1, 0, 0), their
standard start.
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem


def turn(x, y):
    """Angle theta of the formula, in turns."""
    if x == 0.0:
        return 0.0 if y == 0.0 else math.copysign(0.25, y)
    return math.atan(y / x) / (2.0 * math.pi) + (0.0 if x > 0.0 else 0.5)


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    radius = math.sqrt(x[0] * x[0] + x[1] * x[1])
    r[0], r[1], r[2] = 10.0 * (x[2] - 10.0 * turn(x[0], x[1])), 10.0 * (radius - 1.0), x[2]
    c, s, tilt = 0.0, 0.0, 0.0
    if radius > 0.0:
        c, s, tilt = x[0] / radius, x[1] / radius, 50.0 / (math.pi * radius)
    jac[0, 0], jac[0, 1], jac[0, 2] = tilt * s, -tilt * c, 10.0
    jac[1, 0], jac[1, 1], jac[1, 2] = 10.0 * c, 10.0 * s, 0.0
    jac[2, 0], jac[2, 1], jac[2, 2] = 0.0, 0.0, 1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    radius = math.sqrt(x[0] * x[0] + x[1] * x[1])
    if radius > 0.0:
        c, s = x[0] / radius, x[1] / radius
        twist, bend = 50.0 * w[0] / (math.pi * radius * radius), 10.0 * w[1] / radius
        h[0, 0] += bend * s * s - 2.0 * twist * s * c
        h[1, 1] += bend * c * c + 2.0 * twist * s * c
        h[0, 1] += twist * (c * c - s * s) - bend * s * c
        h[1, 0] = h[0, 1]


@problem(
    source="Fletcher & Powell 1963; More, Garbow & Hillstrom 1981, problem 7",
    tags=("least-squares", "nonconvex", "unimodal", "nonsmooth"),
)
def helical_valley() -> Problem:
    """Fletcher and Powell's helical valley of three variables."""
    return Problem(
        None,
        (-1.0, 0.0, 0.0),
        residuals=residuals,
        curvature=curvature,
        m=3,
        x_opt=(1.0, 0.0, 0.0),
        f_opt=0.0,
        bounds=(-2.0, 2.0),
    )
