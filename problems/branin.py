r"""Branin's function (Branin-Hoo).

f(x) = (x_2 - b x_1^2 + c x_1 - 6)^2 + 10 (1 - t) cos(x_1) + 10,  b = 5.1 / (4 pi^2), c = 5 / pi, t = 1 / (8 pi).
Evaluated with 10 (1 - t) cos(x_1) + 10 = 10 t + 20 (1 - t) cos(x_1 / 2)^2, so that f >= 10 t in floating point too.

The minimum 10 t = 5 / (4 pi) is reached where x_1 is an odd multiple of pi and the bracket vanishes: infinitely
often, three times in the box: (-pi, 12.275), (pi, 2.275), (3 pi, 2.475).

Source: Dixon & Szego (1978), Towards Global Optimisation 2; Surjanovic & Bingham, "Branin Function".
Start: (2.5, 7.5), the centre of the box.
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem

B = 5.1 / (4.0 * math.pi * math.pi)
C = 5.0 / math.pi
T = 1.0 / (8.0 * math.pi)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    a = x[1] - B * x[0] * x[0] + C * x[0] - 6.0
    s, c = math.sin(0.5 * x[0]), math.cos(0.5 * x[0])
    g[0] = 2.0 * a * (C - 2.0 * B * x[0]) - 20.0 * (1.0 - T) * s * c
    g[1] = 2.0 * a
    return a * a + 20.0 * (1.0 - T) * c * c + 10.0 * T


def hess(x, h, data):
    """Hessian into `h`."""
    a = x[1] - B * x[0] * x[0] + C * x[0] - 6.0
    d = C - 2.0 * B * x[0]
    h[0, 0] = 2.0 * d * d - 4.0 * B * a - 10.0 * (1.0 - T) * math.cos(x[0])
    h[0, 1] = h[1, 0] = 2.0 * d
    h[1, 1] = 2.0


@problem(source="Dixon & Szego 1978; Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth"))
def branin() -> Problem:
    """Branin's function of two variables: three equal minima in the box."""
    return Problem(
        fun_grad,
        (2.5, 7.5),
        hess=hess,
        x_opt=((-math.pi, 12.275), (math.pi, 2.275), (3.0 * math.pi, 2.475)),
        f_opt=1.25 / math.pi,
        bounds=((-5.0, 10.0), (0.0, 15.0)),
    )
