"""BFGS: a quasi-Newton direction from a dense approximation of the inverse Hessian.

d = -H g, with H updated by s = x_t - x_{t-1}, y = g_t - g_{t-1}. H starts as the identity and becomes (s'y / y'y) I
just before its first update.

Source: Broyden, Fletcher, Goldfarb, Shanno (1970); Nocedal & Wright (2006), Numerical Optimization, Algorithm 6.1 with
formulas 6.17 and 6.20. A pair without positive curvature, s'y <= eps y'y, is left out. The first step is at most
1/||g||, later ones are tried at 1.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from optbench.optimizers._linear_algebra import EPSILON, dot, norm
from optbench.records import Matrix, Vector
from optbench.registry import descent


class Params(NamedTuple):
    """The line search."""

    line_search: Literal["wolfe", "armijo", "none"] = "wolfe"


class Memory(NamedTuple):
    """The inverse Hessian, shape (n, n); s, y and H y, (n,) each; whether there has been an update, (1,)."""

    inverse: Matrix
    s: Vector
    y: Vector
    hy: Vector
    updated: Vector


def memory(n, m, params):
    """Memory for n variables."""
    return Memory(np.eye(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(1))


def reset(inverse, scale):
    """Make it `scale` times the identity."""
    for i in range(inverse.shape[0]):
        for j in range(inverse.shape[0]):
            inverse[i, j] = 0.0
        inverse[i, i] = scale


def update(at, memory):
    """Take in the newest pair."""
    h, s, y, hy = memory.inverse, memory.s, memory.y, memory.hy
    for i in range(s.size):
        s[i] = at.x[i] - at.x_last[i]
        y[i] = at.g[i] - at.g_last[i]
    curvature, length = dot(s, y), dot(y, y)
    if not curvature > EPSILON * length:
        return
    if memory.updated[0] == 0.0:
        reset(h, curvature / length)
        memory.updated[0] = 1.0
    for i in range(s.size):
        hy[i] = dot(h[i], y)
    outer = (1.0 + dot(y, hy) / curvature) / curvature
    for i in range(s.size):
        a, b = outer * s[i] - hy[i] / curvature, s[i] / curvature
        for j in range(s.size):
            h[i, j] += a * s[j] - b * hy[j]


@descent(
    params=Params,
    memory=memory,
    source="Broyden, Fletcher, Goldfarb, Shanno 1970; Nocedal & Wright 2006, Algorithm 6.1",
)
def bfgs(t, at, d, memory, params):
    """Direction into d; the first step to try."""
    if t == 0:
        reset(memory.inverse, 1.0)
        memory.updated[0] = 0.0
    else:
        update(at, memory)
    for i in range(d.size):
        d[i] = -dot(memory.inverse[i], at.g)
    return 1.0 if memory.updated[0] > 0.0 else min(1.0, 1.0 / norm(at.g))
