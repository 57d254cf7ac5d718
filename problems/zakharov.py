r"""Zakharov's function.

f(x) = sum_{i=1}^n x_i^2 + s^2 + s^4,  s = sum_{i=1}^n i x_i / 2,  f(0) = 0. Convex: squares of the coordinates plus a
convex function of a linear form.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Zakharov Function".
Start: (1, ..., 1), a choice of this package.
"""

from __future__ import annotations

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    squares, s = 0.0, 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
        s += 0.5 * (i + 1.0) * x[i]
    slope = s * (1.0 + 2.0 * s * s)
    for i in range(x.size):
        g[i] = 2.0 * x[i] + (i + 1.0) * slope
    return squares + s * s * (1.0 + s * s)


def hess(x, h, data):
    """Hessian into `h`."""
    s = 0.0
    for i in range(x.size):
        s += 0.5 * (i + 1.0) * x[i]
    curvature = 0.5 + 3.0 * s * s
    for i in range(x.size):
        for j in range(i, x.size):
            h[i, j] = curvature * (i + 1.0) * (j + 1.0)
            h[j, i] = h[i, j]
        h[i, i] += 2.0


@problem(source="Surjanovic & Bingham", tags=("convex", "unimodal", "smooth", "ill-conditioned", "scalable"))
def zakharov(n: int = 2) -> Problem:
    """Zakharov's function in n dimensions: a bowl that is very steep in one direction."""
    return Problem(fun_grad, np.ones(n), hess=hess, x_opt=np.zeros(n), f_opt=0.0, bounds=(-5.0, 10.0))
