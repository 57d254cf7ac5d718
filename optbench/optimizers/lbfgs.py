"""L-BFGS: a quasi-Newton direction from the last m changes of point and gradient.

H_0 = (s'y / y'y) I, updated by the m latest pairs s = x_t - x_{t-1}, y = g_t - g_{t-1} through the two-loop recursion;
d = -H g.

Source: Nocedal (1980), Math. Comp. 35, 773-782; Nocedal & Wright (2006), Numerical Optimization, Algorithms 7.4 and
7.5. A pair without positive curvature, s'y <= eps y'y, is left out. The first step goes as far as 1, at most; later
ones are tried at 1.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from optbench.optimizers._linear_algebra import EPSILON, add, dot, negate, norm
from optbench.records import Count, Matrix, Vector
from optbench.registry import descent


class Params(NamedTuple):
    """Number of pairs that are remembered, and the line search."""

    m: Count = 10
    line_search: Literal["wolfe", "armijo", "none"] = "wolfe"


class Memory(NamedTuple):
    """Pairs, shape (m, n) each; 1/s'y and the recursion's coefficients, (m,); number of pairs and the newest, (2,)."""

    s: Matrix
    y: Matrix
    rho: Vector
    alpha: Vector
    state: Vector


def memory(n, m, params):
    """Memory for n variables."""
    k = params.m
    return Memory(np.zeros((k, n)), np.zeros((k, n)), np.zeros(k), np.zeros(k), np.zeros(2))


def remember(at, memory):
    """Put the newest pair in the place of the oldest."""
    size = memory.rho.size
    slot = (int(memory.state[1]) + 1) % size
    curvature, length = 0.0, 0.0
    for i in range(at.x.size):
        change = at.g[i] - at.g_last[i]
        curvature += (at.x[i] - at.x_last[i]) * change
        length += change * change
    if curvature > EPSILON * length:
        s, y = memory.s[slot], memory.y[slot]
        for i in range(at.x.size):
            s[i] = at.x[i] - at.x_last[i]
            y[i] = at.g[i] - at.g_last[i]
        memory.rho[slot] = 1.0 / curvature
        memory.state[0] = min(memory.state[0] + 1.0, float(size))
        memory.state[1] = float(slot)


@descent(params=Params, memory=memory, source="Nocedal 1980; Nocedal & Wright 2006, Algorithms 7.4, 7.5")
def lbfgs(t, at, d, memory, params):
    """Direction into d; the first step to try."""
    if t == 0:
        memory.state[0] = 0.0
    else:
        remember(at, memory)
    negate(at.g, d)
    count, newest, size = int(memory.state[0]), int(memory.state[1]), memory.rho.size
    if count == 0:
        return min(1.0, 1.0 / norm(at.g))
    for k in range(count):
        j = (newest - k + size) % size
        memory.alpha[j] = memory.rho[j] * dot(memory.s[j], d)
        add(d, -memory.alpha[j], memory.y[j])
    y = memory.y[newest]
    scale = 1.0 / (memory.rho[newest] * dot(y, y))
    for i in range(d.size):
        d[i] *= scale
    for k in range(count):
        j = (newest - count + 1 + k + size) % size
        add(d, memory.alpha[j] - memory.rho[j] * dot(memory.y[j], d), memory.s[j])
    return 1.0
