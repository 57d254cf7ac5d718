r"""Ackley's function.

f(x) = -20 exp(-0.2 r) - exp(mean cos(2 pi x_i)) + 20 + e,  r = sqrt(mean x_i^2),  f(0) = 0.

Evaluated as -20 expm1(-0.2 r) - e expm1(-2 mean sin(pi x_i)^2): two terms that are never negative, without
cancellation near the minimum. f has a cone's tip at its minimizer 0: there is no gradient there. By definition of
this file the gradient and the Hessian at 0 are zero.

Source: Ackley (1987), A Connectionist Machine for Genetic Hillclimbing; Surjanovic & Bingham, "Ackley Function"
(a = 20, b = 0.2, c = 2 pi). Start: (15.4, -9.3), repeated, a choice of this package.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def means(x):
    """Root mean square r and mean sin(pi x_i)^2."""
    squares, sines = 0.0, 0.0
    for i in range(x.size):
        s = math.sin(math.pi * x[i])
        squares += x[i] * x[i]
        sines += s * s
    return math.sqrt(squares / x.size), sines / x.size


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    n = x.size
    r, s = means(x)
    radial = 4.0 * math.exp(-0.2 * r) / (n * r) if r > 0.0 else 0.0
    waves = 2.0 * math.pi * math.exp(1.0 - 2.0 * s) / n
    for i in range(n):
        g[i] = radial * x[i] + waves * math.sin(2.0 * math.pi * x[i])
    return -20.0 * math.expm1(-0.2 * r) - math.e * math.expm1(-2.0 * s)


def hess(x, h, data):
    """Hessian into `h`; zero at the minimizer."""
    n = x.size
    r, s = means(x)
    if r > 0.0:
        radial = 4.0 * math.exp(-0.2 * r) / (n * r)
        waves = 4.0 * math.pi * math.pi * math.exp(1.0 - 2.0 * s) / n
        for i in range(n):
            wave = waves * math.sin(2.0 * math.pi * x[i]) / n
            row = radial * (1.0 / r + 0.2) * x[i] / (n * r)
            for j in range(i, n):
                h[i, j] = -row * x[j] - wave * math.sin(2.0 * math.pi * x[j])
                h[j, i] = h[i, j]
            h[i, i] += radial + waves * math.cos(2.0 * math.pi * x[i])


@problem(source="Ackley 1987; Surjanovic & Bingham", tags=("nonconvex", "multimodal", "nonsmooth", "scalable"))
def ackley(n: int = 2) -> Problem:
    """Ackley's function in n dimensions: a rippled plain around one narrow cone."""
    return Problem(
        fun_grad,
        np.where(np.arange(n) % 2 == 0, 15.4, -9.3),
        hess=hess,
        x_opt=np.zeros(n),
        f_opt=0.0,
        bounds=(-32.768, 32.768),
    )
