r"""Levy's function.

f(x) = sin(pi w_1)^2 + sum_{i=1}^{n-1} (w_i - 1)^2 [1 + 10 sin(pi w_i + 1)^2] + (w_n - 1)^2 [1 + sin(2 pi w_n)^2],
w_i = 1 + (x_i - 1) / 4,  f(1, ..., 1) = 0. With u = w - 1 the sines become those of pi u, pi u + 1 and 2 pi u: no pi
is rounded at the minimizer and nothing cancels.

Several functions carry this name; this is the form of Surjanovic & Bingham, Virtual Library of Simulation Experiments,
"Levy Function" (not "Levy Function N. 13"). Start: (-4, 6), repeated, a choice of this package.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def weighted(u, amplitude, rate, shift):
    """u^2 [1 + amplitude sin(rate u + shift)^2] and its first two derivatives in u."""
    t = rate * u + shift
    s, c = math.sin(t), math.cos(t)
    weight = 1.0 + amplitude * s * s
    first = 2.0 * amplitude * rate * s * c
    second = 2.0 * amplitude * rate * rate * (c * c - s * s)
    return u * u * weight, u * (2.0 * weight + u * first), 2.0 * weight + u * (4.0 * first + u * second)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    last = x.size - 1
    f = 0.0
    for i in range(last):
        value, slope, _ = weighted(0.25 * (x[i] - 1.0), 10.0, math.pi, 1.0)
        f += value
        g[i] = 0.25 * slope
    value, slope, _ = weighted(0.25 * (x[last] - 1.0), 1.0, 2.0 * math.pi, 0.0)
    g[last] = 0.25 * slope
    t = 0.25 * math.pi * (x[0] - 1.0)
    s = math.sin(t)
    g[0] += 0.5 * math.pi * s * math.cos(t)
    return f + value + s * s


def hess(x, h, data):
    """Hessian into `h`."""
    last = x.size - 1
    for i in range(last):
        h[i, i] = weighted(0.25 * (x[i] - 1.0), 10.0, math.pi, 1.0)[2] / 16.0
    h[last, last] = weighted(0.25 * (x[last] - 1.0), 1.0, 2.0 * math.pi, 0.0)[2] / 16.0
    h[0, 0] += 0.125 * math.pi * math.pi * math.cos(0.5 * math.pi * (x[0] - 1.0))


@problem(source="Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth", "separable", "scalable"))
def levy(n: int = 2) -> Problem:
    """Levy's function in n dimensions: rippled valleys around one minimum."""
    return Problem(
        fun_grad,
        np.where(np.arange(n) % 2 == 0, -4.0, 6.0),
        hess=hess,
        x_opt=np.ones(n),
        f_opt=0.0,
        bounds=(-10.0, 10.0),
    )
