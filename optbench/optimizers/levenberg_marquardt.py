"""Levenberg-Marquardt for f = sum of r_i^2: d minimizes ||r + J d|| over ||D d|| <= radius.

D holds the largest length that each column of J has had. d solves (J'J + lam D'D) d = -J'r, by orthogonal triangulation
of J and then of its triangle with sqrt(lam) D below it; lam is found by Newton's method on ||D d|| with safeguards.

Source: More (1978), The Levenberg-Marquardt algorithm, Lecture Notes in Mathematics 630, 105-116, Algorithm 7.1.
||D d|| may miss the radius by a tenth; the first radius is `factor` times ||D x_0||. The columns are not pivoted: a
triangle with a diagonal entry below n eps times the largest counts as deficient in rank, and lam stays above 0. The
radius is adapted as for any trust region here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.optimizers._linear_algebra import (
    EPSILON,
    dot,
    householder,
    norm,
    solve_upper,
    solve_upper_transposed,
)
from optbench.records import Matrix, Positive, Vector
from optbench.registry import descent

TRIES = 12  # values of lam for one step
INSIDE = 0.1  # relative width of the boundary
SMALLEST = 2.2250738585072014e-308


class Params(NamedTuple):
    """First radius as a multiple of ||D x_0||, or as it is where that is zero."""

    factor: Positive = 100.0


class Memory(NamedTuple):
    """Work space of the method.

    J made triangular, shape (max(m, n), n), and r with it; the triangle over sqrt(lam) D, (2n, n), and its right side;
    D and a vector for lam's Newton steps, (n,) each; the t that J was made triangular for (-1: none) and lam, (2,).
    """

    triangle: Matrix
    rotated: Vector
    stack: Matrix
    right: Vector
    scale: Vector
    work: Vector
    state: Vector


def memory(n, m, params):
    """Memory for n variables and m residuals."""
    rows = max(m, n)
    start = np.array([-1.0, 0.0])
    return Memory(
        np.zeros((rows, n)), np.zeros(rows), np.zeros((2 * n, n)), np.zeros(2 * n), np.zeros(n), np.zeros(n), start
    )


def rescale(jac, scale, first):
    """Let D grow to the lengths of the columns of J; a column of zeros counts 1 at the start."""
    for j in range(scale.size):
        length = 0.0
        for i in range(jac.shape[0]):
            length = math.hypot(length, jac[i, j])
        if first:
            scale[j] = length if length > 0.0 else 1.0
        scale[j] = max(scale[j], length)


def triangulate(at, memory):
    """Make J triangular, and r with it."""
    m = at.r.size
    for i in range(memory.rotated.size):
        memory.rotated[i] = at.r[i] if i < m else 0.0
        for j in range(at.x.size):
            memory.triangle[i, j] = at.jac[i, j] if i < m else 0.0
    householder(memory.triangle, memory.rotated)
    at.factorisations[0] += 1.0


def full_rank(triangle):
    """Whether no diagonal entry is negligible."""
    least, top = abs(triangle[0, 0]), abs(triangle[0, 0])
    for j in range(triangle.shape[1]):
        least, top = min(least, abs(triangle[j, j])), max(top, abs(triangle[j, j]))
    return least > triangle.shape[1] * EPSILON * top


def damped(at, memory, lam, d):
    """Put the step for lam > 0 into d; its triangle stays in the stack."""
    n, root = d.size, math.sqrt(lam)
    for i in range(n):
        memory.right[i], memory.right[n + i] = memory.rotated[i], 0.0
        for j in range(n):
            memory.stack[i, j] = memory.triangle[i, j] if j >= i else 0.0
            memory.stack[n + i, j] = 0.0
        memory.stack[n + i, i] = root * memory.scale[i]
    householder(memory.stack, memory.right)
    at.factorisations[0] += 1.0
    for i in range(n):
        d[i] = -memory.right[i]
    solve_upper(memory.stack, d)


def scaled_length(scale, d):
    """||D d||."""
    total = 0.0
    for i in range(d.size):
        total = math.hypot(total, scale[i] * d[i])
    return total


def newton_term(upper, memory, d, size):
    """Square of ||R^-T D (D d / ||D d||)||: minus the derivative of ||D d|| by lam, over ||D d||."""
    for i in range(d.size):
        memory.work[i] = memory.scale[i] * (memory.scale[i] * d[i] / size)
    solve_upper_transposed(upper, memory.work)
    return dot(memory.work, memory.work)


def solve(at, d, memory, radius):
    """Put the step into d and lam into the state; ||D d||."""
    lower = 0.0
    if full_rank(memory.triangle):
        for i in range(d.size):
            d[i] = -memory.rotated[i]
        solve_upper(memory.triangle, d)
        size = scaled_length(memory.scale, d)
        if size <= radius * (1.0 + INSIDE):
            memory.state[1] = 0.0
            return size
        lower = (size - radius) / radius / newton_term(memory.triangle, memory, d, size)
    for i in range(d.size):
        memory.work[i] = 0.5 * at.g[i] / memory.scale[i]
    slope = norm(memory.work)
    upper = max(slope / radius, SMALLEST / min(radius, INSIDE))
    size, lam = 0.0, min(max(memory.state[1], lower), upper)
    for _ in range(TRIES):
        if lam == 0.0:
            lam = max(SMALLEST, 1e-3 * upper)
        damped(at, memory, lam, d)
        size = scaled_length(memory.scale, d)
        excess = size - radius
        if abs(excess) <= INSIDE * radius or (lower == 0.0 and excess < 0.0 and lam <= 1e-12 * upper):
            break
        if excess > 0.0:
            lower = max(lower, lam)
        else:
            upper = min(upper, lam)
        lam = min(max(lower, lam + excess / radius / newton_term(memory.stack, memory, d, size)), upper)
    memory.state[1] = lam
    return size


def predicted(at, d, memory):
    """Reduction of ||r + J d||^2 by the step: ||J d||^2 + 2 lam ||D d||^2."""
    total, length = 0.0, scaled_length(memory.scale, d)
    for i in range(at.r.size):
        change = dot(at.jac[i], d)
        total += change * change
    return total + 2.0 * memory.state[1] * length * length


@descent(params=Params, memory=memory, needs="jacobian", search="trust", source="More 1978, Algorithm 7.1")
def levenberg_marquardt(t, at, d, memory, params):
    """Step into d, its scaled length into the radius; the reduction that the model predicts."""
    if memory.state[0] != t:
        first = memory.state[0] < 0.0
        rescale(at.jac, memory.scale, first)
        if first:
            length = scaled_length(memory.scale, at.x)
            at.radius[0] = params.factor * (length if length > 0.0 else 1.0)
        triangulate(at, memory)
        memory.state[0] = t
    at.radius[0] = solve(at, d, memory, at.radius[0])
    return predicted(at, d, memory)
