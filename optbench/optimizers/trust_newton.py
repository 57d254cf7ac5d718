"""Newton's method in a trust region: d minimizes g'd + d'H d / 2 over ||d|| <= radius, nearly exactly.

d solves (H + lam I) d = -g with H + lam I positive semidefinite and lam (radius - ||d||) = 0; lam is found by Newton's
method on 1/||d|| with Cholesky factors and safeguards. Where g lacks the part along the smallest eigenvalue (the hard
case), a vector of nearly that eigenspace is added up to the boundary, so that it leaves saddle points.

Source: More & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4, 553-572, Algorithm 3.14; Conn, Gould & Toint (2000),
Trust-Region Methods, Section 7.3. ||d|| may miss the radius by a tenth, the model's minimum by a tenth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.optimizers._linear_algebra import (
    cholesky,
    dot,
    negate,
    norm,
    quadratic_form,
    solve_lower,
    solve_lower_transposed,
)
from optbench.records import Matrix, Positive, Vector
from optbench.registry import descent

TRIES = 60  # factorisations for one step
MARGIN = 1.001  # of the upper bound, which an eigenvalue may equal
INSIDE = 0.1  # relative width of the boundary


class Params(NamedTuple):
    """First trust radius."""

    radius: Positive = 1.0


class Memory(NamedTuple):
    """Factor, shape (n, n); work space and a direction of small curvature, (n,) each; whether it has begun, (1,)."""

    factor: Matrix
    work: Vector
    flat: Vector
    begun: Vector


def memory(n, m, params):
    """Memory for n variables."""
    return Memory(np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(1))


def bounds(h, length, radius):
    """Lower and upper bound of lam, and a lower bound of minus the smallest eigenvalue (Gershgorin)."""
    least, lower, upper = -math.inf, -math.inf, -math.inf
    for i in range(h.shape[0]):
        others = 0.0
        for j in range(h.shape[0]):
            if j != i:
                others += abs(h[i, j])
        least = max(least, -h[i, i])
        lower, upper = max(lower, h[i, i] + others), max(upper, others - h[i, i])
    return max(0.0, least, length / radius - lower), max(0.0, length / radius + MARGIN * upper), least


def flattest(factor, z):
    """Unit vector z for which ||factor' z|| is small, and the square of that (LINPACK's condition estimate)."""
    n = z.size
    for i in range(n):
        z[i] = 0.0
    for i in range(n):  # factor w = e with signs that make w grow
        sign = 1.0 if z[i] <= 0.0 else -1.0
        z[i] = (sign - z[i]) / factor[i, i]
        for k in range(i + 1, n):
            z[k] += factor[k, i] * z[i]
    solve_lower_transposed(factor, z, n)
    length, square = norm(z), 0.0
    for i in range(n):
        z[i] /= length
    for i in range(n):
        total = 0.0
        for k in range(i, n):
            total += factor[k, i] * z[k]
        square += total * total
    return square


def to_boundary(d, z, radius):
    """The tau of smaller magnitude with ||d + tau z|| = radius, z a unit vector and ||d|| < radius."""
    across, gap = dot(d, z), radius * radius - dot(d, d)
    root = math.sqrt(across * across + gap)
    return gap / (across + root) if across > 0.0 else gap / (across - root)


def deficient(memory, k, missing):
    """How much more than lam minus the smallest eigenvalue is at least, after a factorisation that failed at k."""
    work = memory.work
    for i in range(k):
        work[i] = -memory.factor[k, i]
    solve_lower_transposed(memory.factor, work, k)
    square = 1.0
    for i in range(k):
        square += work[i] * work[i]
    return missing / square


def solve(at, d, memory, radius):
    """Put the step into d."""
    length, work = norm(at.g), memory.work
    lower, upper, least = bounds(at.h, length, radius)
    lam = lower
    for _ in range(TRIES):
        if lam > 0.0 and lam <= least:
            lam = max(1e-3 * upper, math.sqrt(lower * upper))
        count, missing = cholesky(at.h, lam, memory.factor)
        at.factorisations[0] += 1.0
        if count < d.size:
            least = max(least, lam + deficient(memory, count, missing))
            lower = max(lower, least)
            lam = max(1e-3 * upper, math.sqrt(lower * upper))
            continue
        negate(at.g, d)
        solve_lower(memory.factor, d)
        decrease = dot(d, d)
        solve_lower_transposed(memory.factor, d, d.size)
        size = norm(d)
        if size <= radius * (1.0 + INSIDE) and (lam == 0.0 or size >= radius * (1.0 - INSIDE)):
            return
        if size < radius:
            upper = min(upper, lam)
            small = flattest(memory.factor, memory.flat)
            tau = to_boundary(d, memory.flat, radius)
            least = max(least, lam - small)
            if tau * tau * small <= INSIDE * (2.0 - INSIDE) * (decrease + lam * radius * radius):
                for i in range(d.size):
                    d[i] += tau * memory.flat[i]
                return
        else:
            lower = max(lower, lam)
        lower = max(lower, least)
        if size == 0.0:
            lam = math.sqrt(lower * upper)
            continue
        for i in range(d.size):
            work[i] = d[i] / size
        solve_lower(memory.factor, work)
        lam = min(max(lam + (size - radius) / radius / dot(work, work), lower), upper)
    cauchy(at, d, radius)


def cauchy(at, d, radius):
    """The best step along -g: what remains where rounding leaves no other."""
    length = norm(at.g)
    curvature = quadratic_form(at.h, at.g) / length**2
    step = min(radius / length, 1.0 / curvature) if curvature > 0.0 else radius / length
    for i in range(d.size):
        d[i] = -step * at.g[i]


@descent(params=Params, memory=memory, needs="hessian", search="trust", source="More & Sorensen 1983, Algorithm 3.14")
def trust_newton(t, at, d, memory, params):
    """Step into d, its length into the radius; the reduction that the model predicts."""
    if memory.begun[0] == 0.0:
        memory.begun[0], at.radius[0] = 1.0, params.radius
    solve(at, d, memory, at.radius[0])
    at.radius[0] = norm(d)
    return -dot(at.g, d) - 0.5 * quadratic_form(at.h, d)
