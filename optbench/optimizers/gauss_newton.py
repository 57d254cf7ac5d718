"""Gauss-Newton for f = sum of r_i^2: d solves J'J d = -J'r.

J'J is factorised by Cholesky with its columns scaled to unit length. Where J is deficient in rank, or so nearly that
a pivot falls below n eps, mu is added to every scaled diagonal entry, from 1e-10 on and tenfold until the pivots
stand; d then still leads downhill. The step is tried at 1; with line_search "none" it is the schedule's.

Source: Gauss (1809); Bjorck (1996), Numerical Methods for Least Squares Problems, Sections 2.2 and 9.2; Nocedal &
Wright (2006), Numerical Optimization, Section 10.3.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from optbench.optimizers._linear_algebra import (
    EPSILON,
    cholesky,
    solve_lower,
    solve_lower_transposed,
)
from optbench.records import Matrix, Vector
from optbench.registry import descent

FIRST, TRIES = 1e-10, 12


class Params(NamedTuple):
    """The line search."""

    line_search: Literal["wolfe", "armijo", "none"] = "wolfe"


class Memory(NamedTuple):
    """Scaled J'J and its factor, shape (n, n) each; lengths of the columns, (n,); the mu that was added, (1,)."""

    normal: Matrix
    factor: Matrix
    scale: Vector
    added: Vector


def memory(n, m, params):
    """Memory for n variables."""
    return Memory(np.zeros((n, n)), np.zeros((n, n)), np.zeros(n), np.zeros(1))


def normal_matrix(jac, normal, scale):
    """J'J with columns of unit length; their lengths, 1 for a column of zeros."""
    m, n = jac.shape
    for j in range(n):
        for k in range(n):
            normal[j, k] = 0.0
    for i in range(m):
        for j in range(n):
            for k in range(n):
                normal[j, k] += jac[i, j] * jac[i, k]
    for j in range(n):
        scale[j] = math.sqrt(normal[j, j]) if normal[j, j] > 0.0 else 1.0
    for j in range(n):
        for k in range(n):
            normal[j, k] /= scale[j] * scale[k]


def smallest_pivot(factor):
    """Smallest pivot of a factorisation."""
    least = factor[0, 0]
    for i in range(factor.shape[0]):
        least = min(least, factor[i, i])
    return least * least


def factorise(at, memory):
    """Factorise the scaled J'J + mu I with the least mu that makes it safe."""
    n, mu = at.x.size, 0.0
    for k in range(TRIES):
        count, _missing = cholesky(memory.normal, mu, memory.factor)
        at.factorisations[0] += 1.0
        if count == n and smallest_pivot(memory.factor) > n * EPSILON:
            break
        mu = FIRST * 10.0**k
    memory.added[0] = mu


@descent(
    params=Params,
    memory=memory,
    needs="jacobian",
    source="Bjorck 1996, 9.2; Nocedal & Wright 2006, 10.3",
)
def gauss_newton(t, at, d, memory, params):
    """Direction into d; the first step to try."""
    normal_matrix(at.jac, memory.normal, memory.scale)
    factorise(at, memory)
    for j in range(d.size):
        d[j] = -0.5 * at.g[j] / memory.scale[j]
    solve_lower(memory.factor, d)
    solve_lower_transposed(memory.factor, d, d.size)
    for j in range(d.size):
        d[j] /= memory.scale[j]
    return 1.0
