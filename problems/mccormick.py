r"""McCormick's function.

f(x) = sin(x_1 + x_2) + (x_1 - x_2)^2 - 1.5 x_1 + 2.5 x_2 + 1.

The gradient vanishes where cos(x_1 + x_2) = -1/2 and x_1 - x_2 = 1. The lowest such minimum in the box
-1.5 <= x_1 <= 4, -3 <= x_2 <= 4 is (1/2 - pi/3, -1/2 - pi/3) with f = -sqrt(3)/2 - pi/3. It is the minimum over that
box only: f is unbounded below, it falls by pi each time both coordinates fall by pi.

Source: McCormick (1976), Math. Programming 10, 147-175; Surjanovic & Bingham, "McCormick Function". Start: (0, 0).
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    d = x[0] - x[1]
    c = math.cos(x[0] + x[1])
    g[0] = c + 2.0 * d - 1.5
    g[1] = c - 2.0 * d + 2.5
    return math.sin(x[0] + x[1]) + d * d - 1.5 * x[0] + 2.5 * x[1] + 1.0


def hess(x, h, data):
    """Hessian into `h`."""
    s = math.sin(x[0] + x[1])
    h[0, 0] = h[1, 1] = 2.0 - s
    h[0, 1] = h[1, 0] = -2.0 - s


@problem(source="McCormick 1976; Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth", "box"))
def mccormick() -> Problem:
    """McCormick's function of two variables; its minimum is that over the box."""
    return Problem(
        fun_grad,
        (0.0, 0.0),
        hess=hess,
        x_opt=(0.5 - math.pi / 3.0, -0.5 - math.pi / 3.0),
        f_opt=-math.sqrt(3.0) / 2.0 - math.pi / 3.0,
        bounds=((-1.5, 4.0), (-3.0, 4.0)),
    )
