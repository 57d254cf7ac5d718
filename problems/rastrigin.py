r"""Rastrigin's function.

f(x) = 10 n + sum_{i=1}^n [ x_i^2 - 10 cos(2 pi x_i) ],  f(0) = 0. Evaluated as sum [ x_i^2 + 20 sin(pi x_i)^2 ],
which is the same without cancellation near the minimum.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Rastrigin Function".
Start: (2.2, -1.3), repeated, a choice of this package.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        s, c = math.sin(math.pi * x[i]), math.cos(math.pi * x[i])
        f += x[i] * x[i] + 20.0 * s * s
        g[i] = 2.0 * x[i] + 40.0 * math.pi * s * c
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        h[i, i] = 2.0 + 40.0 * math.pi * math.pi * math.cos(2.0 * math.pi * x[i])


@problem(source="Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth", "separable", "scalable"))
def rastrigin(n: int = 2) -> Problem:
    """Rastrigin's function in n dimensions: a bowl with a local minimum near every whole-numbered point."""
    return Problem(
        fun_grad,
        np.where(np.arange(n) % 2 == 0, 2.2, -1.3),
        hess=hess,
        x_opt=np.zeros(n),
        f_opt=0.0,
        bounds=(-5.12, 5.12),
    )
