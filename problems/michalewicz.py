r"""Michalewicz' function.

f(x) = -sum_{i=1}^n sin(x_i) sin(i x_i^2 / pi)^20 over the box 0 <= x_i <= pi: steepness m = 10, exponent 2 m.

The minimum is that over the box, coordinate by coordinate; outside there are lower values. The second factor has its
ridges at x = pi sqrt((k + 1/2) / i), and the best of them is one next to pi/2, where the first factor is largest: the
factory solves the stationarity condition from the ridges around it.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Michalewicz Function" (m = 10), where the
index i counts from 1. Start: (2, ..., 2), a choice of this package; in most coordinates it lies on a plateau, as
nearly every point does.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def term(i, t):
    """sin(t) sin(i t^2 / pi)^20 and its first two derivatives in t."""
    a = i * t * t / math.pi
    da = 2.0 * i * t / math.pi
    s, c = math.sin(a), math.cos(a)
    p2 = s * s
    p4 = p2 * p2
    p8 = p4 * p4
    p18 = p8 * p8 * p2
    p20 = p18 * p2
    slope = 20.0 * p18 * s * c * da
    bend = 20.0 * p18 * ((19.0 * c * c - p2) * da * da + s * c * 2.0 * i / math.pi)
    st, ct = math.sin(t), math.cos(t)
    return st * p20, ct * p20 + st * slope, -st * p20 + 2.0 * ct * slope + st * bend


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        value, slope, _ = term(i + 1.0, x[i])
        f -= value
        g[i] = -slope
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        h[i, i] = -term(i + 1.0, x[i])[2]


def best_coordinate(i: int) -> float:
    """Global maximizer of sin(t) sin(i t^2 / pi)^20 over [0, pi], by Newton's method from the ridges next to pi/2."""
    nearest = i // 4
    ridges = [math.pi * math.sqrt((k + 0.5) / i) for k in range(max(nearest - 2, 0), min(nearest + 2, i - 1) + 1)]
    for _ in range(8):
        ridges = [t - term(i, t)[1] / term(i, t)[2] for t in ridges]
    return max(ridges, key=lambda t: term(i, t)[0])


@problem(source="Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth", "separable", "scalable", "box"))
def michalewicz(n: int = 2) -> Problem:
    """Michalewicz' function in n dimensions: narrow valleys in a plain; its minimum is that over the box."""
    x_opt = [best_coordinate(i) for i in range(1, n + 1)]
    f_opt = -math.fsum(term(i, t)[0] for i, t in enumerate(x_opt, 1))
    return Problem(fun_grad, np.full(n, 2.0), hess=hess, x_opt=x_opt, f_opt=f_opt, bounds=(0.0, math.pi))
