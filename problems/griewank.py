r"""Griewank's function.

f(x) = 1 + sum_{i=1}^n x_i^2 / 4000 - prod_{i=1}^n cos(x_i / sqrt(i)),  f(0) = 0.

One minus the product is summed factor by factor, 1 - P c = (1 - P) + P (1 - c) with 1 - c = 2 sin^2, so that nothing
cancels near the minimum. The products without one (two) of the factors come from running products, never from a
division by a cosine.

Source: Griewank (1981), J. Optim. Theory Appl. 34, 11-39; Surjanovic & Bingham, "Griewank Function".
Start: (300, -200), repeated, a choice of this package.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    squares, defect, product = 0.0, 0.0, 1.0
    for i in range(x.size):
        t = x[i] / math.sqrt(i + 1.0)
        s = math.sin(0.5 * t)
        squares += x[i] * x[i]
        defect += 2.0 * product * s * s
        g[i] = product  # of the cosines before i
        product *= math.cos(t)
    after = 1.0
    for k in range(x.size):
        i = x.size - 1 - k
        root = math.sqrt(i + 1.0)
        t = x[i] / root
        g[i] = x[i] / 2000.0 + g[i] * after * math.sin(t) / root
        after *= math.cos(t)
    return squares / 4000.0 + defect


def hess(x, h, data):
    """Hessian into `h`."""
    n = x.size
    before = 1.0
    for i in range(n):
        root = math.sqrt(i + 1.0)
        after = 1.0
        for k in range(n - 1 - i):
            j = n - 1 - k
            h[i, j] = after  # product of the cosines after j
            after *= math.cos(x[j] / math.sqrt(j + 1.0))
        others = before  # product of the cosines before j, without i
        slope = math.sin(x[i] / root) / root
        for j in range(i + 1, n):
            t = x[j] / math.sqrt(j + 1.0)
            h[i, j] *= -others * slope * math.sin(t) / math.sqrt(j + 1.0)
            h[j, i] = h[i, j]
            others *= math.cos(t)
        before *= math.cos(x[i] / root)
        h[i, i] = 1.0 / 2000.0 + before * after / (i + 1.0)


@problem(source="Griewank 1981; Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth", "scalable"))
def griewank(n: int = 2) -> Problem:
    """Griewank's function in n dimensions: a wide bowl with many regular local minima."""
    return Problem(
        fun_grad,
        np.where(np.arange(n) % 2 == 0, 300.0, -200.0),
        hess=hess,
        x_opt=np.zeros(n),
        f_opt=0.0,
        bounds=(-600.0, 600.0),
    )
