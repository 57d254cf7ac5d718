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


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    r = math.sqrt(x[0] * x[0] + x[1] * x[1])
    a, b = x[2] - 10.0 * turn(x[0], x[1]), r - 1.0
    g[0], g[1] = 0.0, 0.0
    if r > 0.0:
        c, s = x[0] / r, x[1] / r
        around = 1000.0 * a / (math.pi * r)
        g[0] = around * s + 200.0 * b * c
        g[1] = -around * c + 200.0 * b * s
    g[2] = 200.0 * a + 2.0 * x[2]
    return 100.0 * (a * a + b * b) + x[2] * x[2]


def hess(x, h, data):
    """Hessian into `h`."""
    r = math.sqrt(x[0] * x[0] + x[1] * x[1])
    h[2, 2] = 202.0
    if r > 0.0:
        a = x[2] - 10.0 * turn(x[0], x[1])
        c, s = x[0] / r, x[1] / r
        tilt = 5.0 / (math.pi * r)  # size of the gradient of 10 theta
        twist = 400.0 * a * tilt / r
        across = 200.0 * (tilt * tilt + (r - 1.0) / r)
        h[0, 0] = across * s * s + 200.0 * c * c - twist * s * c
        h[1, 1] = across * c * c + 200.0 * s * s + twist * s * c
        h[0, 1] = h[1, 0] = (200.0 - across) * s * c + 0.5 * twist * (c * c - s * s)
        h[0, 2] = h[2, 0] = 200.0 * tilt * s
        h[1, 2] = h[2, 1] = -200.0 * tilt * c


@problem(
    source="Fletcher & Powell 1963; More, Garbow & Hillstrom 1981, problem 7",
    tags=("nonconvex", "unimodal", "nonsmooth"),
)
def helical_valley() -> Problem:
    """Fletcher and Powell's helical valley of three variables."""
    return Problem(fun_grad, (-1.0, 0.0, 0.0), hess=hess, x_opt=(1.0, 0.0, 0.0), f_opt=0.0, bounds=(-2.0, 2.0))
