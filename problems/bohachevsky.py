r"""Bohachevsky's function 1.

f(x) = x_1^2 + 2 x_2^2 - 0.3 cos(3 pi x_1) - 0.4 cos(4 pi x_2) + 0.7,  f(0, 0) = 0. Evaluated as
x_1^2 + 2 x_2^2 + 0.6 sin(1.5 pi x_1)^2 + 0.8 sin(2 pi x_2)^2, which is the same without cancellation near the minimum.

Source: Bohachevsky, Johnson & Stein (1986), Technometrics 28, 209-217; the first of the three forms in Surjanovic &
Bingham, "Bohachevsky Functions". Start: (10, -7), a choice of this package.
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    s, t = math.sin(1.5 * math.pi * x[0]), math.sin(2.0 * math.pi * x[1])
    g[0] = 2.0 * x[0] + 0.9 * math.pi * math.sin(3.0 * math.pi * x[0])
    g[1] = 4.0 * x[1] + 1.6 * math.pi * math.sin(4.0 * math.pi * x[1])
    return x[0] * x[0] + 2.0 * x[1] * x[1] + 0.6 * s * s + 0.8 * t * t


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0 + 2.7 * math.pi * math.pi * math.cos(3.0 * math.pi * x[0])
    h[1, 1] = 4.0 + 6.4 * math.pi * math.pi * math.cos(4.0 * math.pi * x[1])


@problem(
    source="Bohachevsky, Johnson & Stein 1986; Surjanovic & Bingham",
    tags=("nonconvex", "multimodal", "smooth", "separable"),
)
def bohachevsky() -> Problem:
    """Bohachevsky's first function of two variables: a rippled bowl."""
    return Problem(fun_grad, (10.0, -7.0), hess=hess, x_opt=(0.0, 0.0), f_opt=0.0, bounds=(-100.0, 100.0))
