r"""Schwefel's function.

f(x) = 418.9829 n - sum_{i=1}^n x_i sin(sqrt|x_i|) over the box |x_i| <= 500.

With r = sqrt(x) every coordinate of the minimizer solves tan(r) = -r / 2; x = 420.9687. The constant is that of
Surjanovic & Bingham, seven digits of it, so the minimum is not zero but 1.27e-5 n. It is the minimum over the box:
outside there are lower values, without bound. The second derivative is infinite at x_i = 0 (the first is 0 there):
the Hessian's entry is set to 0.

Source: Schwefel (1981), Numerical Optimization of Computer Models; Surjanovic & Bingham, "Schwefel Function".
Start: (350, ..., 350), a choice of this package, in the valley of the global minimum.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem

MINIMIZER = 420.96874635998205
F_OPT = 1.2727566293725214e-05  # of one coordinate


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        r = math.sqrt(abs(x[i]))
        s = math.sin(r)
        f += 418.9829 - x[i] * s
        g[i] = -s - 0.5 * r * math.cos(r)
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        r = math.sqrt(abs(x[i]))
        if r > 0.0:
            h[i, i] = math.copysign(0.25, x[i]) * (math.sin(r) - 3.0 * math.cos(r) / r)


@problem(
    source="Schwefel 1981; Surjanovic & Bingham",
    tags=("nonconvex", "multimodal", "nonsmooth", "separable", "scalable", "box"),
)
def schwefel(n: int = 2) -> Problem:
    """Schwefel's function in n dimensions: the best minimum is far from the second best; it is that over the box."""
    return Problem(
        fun_grad,
        np.full(n, 350.0),
        hess=hess,
        x_opt=np.full(n, MINIMIZER),
        f_opt=n * F_OPT,
        bounds=(-500.0, 500.0),
    )
