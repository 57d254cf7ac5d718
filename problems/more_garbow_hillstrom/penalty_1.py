r"""Penalty function I.

r_i = sqrt(1e-5) (x_i - 1), i = 1, ..., n,  r_{n+1} = sum_{j=1}^n x_j^2 - 1/4.

At a stationary point all coordinates equal the same t, a root of 1e-5 (t - 1) + 2 t (n t^2 - 1/4) = 0; the minimizer is
the positive one. f = 2.24998e-5 for n = 4, 7.08765e-5 for n = 10.

Source: More, Garbow & Hillstrom (1981), problem 23 (Gill, Murray & Pitfield 1972). Start: x_j = j.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.evaluation import zero
from optbench.registry import problem
from optbench.types import Problem

A = 1e-5
ROOT = math.sqrt(A)


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    zero(jac)
    total = 0.0
    for j in range(n):
        r[j] = ROOT * (x[j] - 1.0)
        jac[j, j] = ROOT
        jac[n, j] = 2.0 * x[j]
        total += x[j] * x[j]
    r[n] = total - 0.25


def curvature(x, w, h, data):
    """Second derivatives."""
    for j in range(x.size):
        h[j, j] += 2.0 * w[x.size]


@problem(
    source="Gill, Murray & Pitfield 1972; More, Garbow & Hillstrom 1981, problem 23",
    tags=("least-squares", "nonconvex", "smooth", "ill-conditioned", "scalable"),
)
def penalty_1(n: int = 4) -> Problem:
    """A sphere as a penalty on a small distance, in n dimensions."""
    t = 0.5 / math.sqrt(n)
    for _ in range(20):
        t -= (A * (t - 1.0) + 2.0 * t * (n * t * t - 0.25)) / (A + 6.0 * n * t * t - 0.5)
    gap = A * (1.0 - t) / (2.0 * t)  # n t^2 - 1/4 without its cancellation
    return Problem(
        None,
        np.arange(1.0, n + 1.0),
        residuals=residuals,
        curvature=curvature,
        m=n + 1,
        x_opt=np.full(n, t),
        f_opt=n * A * (1.0 - t) ** 2 + gap * gap,
        bounds=np.column_stack((np.full(n, -1.0), np.arange(1.0, n + 1.0))),
    )
