r"""Styblinski-Tang function.

f(x) = 1/2 sum_{i=1}^n (x_i^4 - 16 x_i^2 + 5 x_i). Every coordinate of the minimizer is the lowest root of
4 x^3 - 32 x + 5 = 0.

Source: Styblinski & Tang (1990), Neural Networks 3, 467-483; Surjanovic & Bingham, "Styblinski-Tang Function".
Start: 0, from where the slope leads towards the global minimum.
"""

from __future__ import annotations

import numpy as np

from optbench.registry import problem
from optbench.types import Problem

MINIMIZER = -2.903534027771177
F_OPT = -39.16616570377141  # of one coordinate


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        s = x[i] * x[i]
        f += 0.5 * (s * (s - 16.0) + 5.0 * x[i])
        g[i] = x[i] * (2.0 * s - 16.0) + 2.5
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        h[i, i] = 6.0 * x[i] * x[i] - 16.0


@problem(
    source="Styblinski & Tang 1990; Surjanovic & Bingham",
    tags=("nonconvex", "multimodal", "smooth", "separable", "scalable"),
)
def styblinski_tang(n: int = 2) -> Problem:
    """Styblinski and Tang's function in n dimensions: 2^n minima, one of them global."""
    return Problem(fun_grad, np.zeros(n), hess=hess, x_opt=np.full(n, MINIMIZER), f_opt=n * F_OPT, bounds=(-5.0, 5.0))
