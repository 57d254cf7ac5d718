r"""Sphere.

f(x) = sum_{i=1}^n x_i^2,  f(0) = 0.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Sphere Function" (De Jong 1975, F1).
Start: (4, ..., 4), a choice of this package.
"""

from __future__ import annotations

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        f += x[i] * x[i]
        g[i] = 2.0 * x[i]
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        h[i, i] = 2.0


@problem(source="De Jong 1975; Surjanovic & Bingham", tags=("convex", "unimodal", "smooth", "separable", "scalable"))
def sphere(n: int = 2) -> Problem:
    """Sum of squares in n dimensions: the best conditioned problem there is."""
    return Problem(fun_grad, np.full(n, 4.0), hess=hess, x_opt=np.zeros(n), f_opt=0.0, bounds=(-5.12, 5.12))
