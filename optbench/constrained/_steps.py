"""The two steps of a Newton method for constraints: on the KKT system of a working set, and on a convex model.

The KKT matrix of a working set with Jacobian A has the inertia (n, m, 0) of a minimum exactly where the Hessian is
positive definite on the null space of A and A has full rank (Gould 1985, Mathematical Programming 32, 90-99). So A is
factored as L Q' with pivoting, dependent rows drop out, and the part of Q'HQ of the null space is factored. Where
that fails, delta I is added, as Wachter & Biegler (2006), Mathematical Programming 106, 25-57, Algorithm IC.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.constrained._box import FREE, solve_box
from optbench.constrained._dense import backward, cholesky, dot, forward, largest, orthogonalise
from optbench.records import Matrix, Vector

NU, DELTA, BEST, SINCE, FIRST_F, RANK, MOVED, LENGTH, RELAXED = range(9)  # places in `state`
DEPENDENT_ROWS = 1e-10  # relative length of what is left of a row that depends on others
DUAL = 1e-11  # relative regularisation of the dual program
GROWTH, DECAY, FIRST = 8.0, 1.0 / 3.0, 1e-4  # of delta


class Memory(NamedTuple):
    """What lives from iteration to iteration (`state`) and work space.

    Shapes: (9,) for `state`; (n,) for steps, points and gradients; (m,) for multipliers, constraints and orders.
    """

    state: Vector
    step: Vector
    convex_step: Vector
    correction: Vector
    best_point: Vector
    point: Vector
    g: Vector
    w: Vector
    v: Vector
    c: Vector
    lam: Vector
    convex_lam: Vector
    side: Vector
    order: Vector
    right: Vector
    target: Vector
    jac: Matrix
    rows: Matrix
    z: Matrix
    dual: Matrix
    factor: Matrix
    convex: Matrix
    q: Matrix
    turned: Matrix
    reduced: Matrix


def memory_of(n, m):
    """Memory for n variables and m constraints."""
    vectors = [np.zeros(9), *(np.zeros(n) for _ in range(8)), *(np.zeros(m) for _ in range(7))]
    matrices = [np.zeros((m, n)) for _ in range(3)] + [np.zeros((m, m)) for _ in range(2)]
    return Memory(*vectors, *matrices, *(np.zeros((n, n)) for _ in range(4)))


def violation(c, m_eq):
    """Sum of the violations of the constraints."""
    total = 0.0
    for i in range(c.size):
        total += abs(c[i]) if i < m_eq else max(0.0, c[i])
    return total


def linear_violation(c, jac, d, m_eq):
    """Sum of the violations of the linearised constraints c + J d."""
    total = 0.0
    for i in range(c.size):
        value = c[i] + dot(jac[i], d)
        total += abs(value) if i < m_eq else max(0.0, value)
    return total


# ------------------------------------------------------------------------------------------------ the convex model


def convexify(h, out, least):
    """Cholesky factor of h + delta I into `out`, with a delta of at least `least` that makes it safely positive."""
    n, scale, delta = h.shape[0], max(largest(h), 1e-8), least
    for _ in range(80):
        for i in range(n):
            for j in range(i + 1):
                out[i, j] = h[i, j]
            out[i, i] += delta
        if cholesky(out, 0, n, 1e-8 * scale):
            break
        delta = max(FIRST * scale, GROWTH * delta)
    return delta


def make_dual(s, g, c, jac, lam):
    """The dual program of the model with the factor in `s.convex`: Z = (L^-1 J')', L^-1 g, M and b."""
    n, m = g.size, c.size
    for j in range(n):
        s.w[j] = g[j]
    forward(s.convex, 0, n, s.w)
    for i in range(m):
        for j in range(n):
            s.z[i, j] = jac[i, j]
        forward(s.convex, 0, n, s.z[i])
    for i in range(m):
        for k in range(i + 1):
            s.dual[i, k] = s.dual[k, i] = dot(s.z[i], s.z[k])
        extra = DUAL * s.dual[i, i] + 1e-300
        s.dual[i, i] += extra
        s.right[i] = c[i] - dot(s.z[i], s.w) + extra * lam[i]


def convex_step(s, c, jac, m_eq, nu):
    """Minimize the model with penalty `nu`, from and into `s.convex_lam`; the linearised violation that it leaves."""
    solve_box(s.dual, s.right, s.convex_lam, s.side, s.factor, s.target, m_eq, nu)
    n = s.convex_step.size
    for j in range(n):
        total = s.w[j]
        for i in range(c.size):
            total += s.convex_lam[i] * s.z[i, j]
        s.convex_step[j] = -total
    backward(s.convex, 0, n, s.convex_step)
    return linear_violation(c, jac, s.convex_step, m_eq)


# ------------------------------------------------------------------------------------------------- the KKT system


def factor_rows(s, jac, m_eq, every):
    """Factor the rows, scaled to length 1, of equalities and (unless `every`) of inequalities with a free multiplier.

    Returns how many they are; the rank goes to the state. The length of row k stands in ``s.target[k]``.
    """
    count = 0
    for i in range(jac.shape[0]):
        if i < m_eq or every or (s.side[i] == FREE and s.convex_lam[i] > 0.0):
            s.target[i] = max(math.sqrt(dot(jac[i], jac[i])), 1e-300)
            for j in range(jac.shape[1]):
                s.rows[count, j] = jac[i, j] / s.target[i]
            s.order[count] = i
            count += 1
    s.state[RANK] = orthogonalise(s.rows, s.order, count, s.q, s.v, DEPENDENT_ROWS)
    return count


def turn(q, h, out, work):
    """Q'HQ into `out`."""
    n = q.shape[0]
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += h[i, k] * q[k, j]
            work[i, j] = total
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += q[k, i] * work[k, j]
            out[i, j] = total


def correct_inertia(s, rank, least):
    """Factor the Hessian on the null space into `s.reduced`, with delta I added where it must be; delta."""
    n, scale, delta = s.q.shape[0], max(largest(s.turned), 1e-8), least
    for _ in range(80):
        for i in range(rank, n):
            for j in range(rank, i + 1):
                s.reduced[i, j] = s.turned[i, j]
            s.reduced[i, i] += delta
        if cholesky(s.reduced, rank, n, 1e-11 * scale):
            break
        if delta == 0.0:
            delta = max(DECAY * s.state[DELTA], FIRST * scale)
        else:
            delta *= GROWTH
    if delta > 0.0:
        s.state[DELTA] = delta
    return delta


def range_step(s, c, rank, y):
    """The first `rank` entries of y solve L y = -c, for the scaled rows."""
    for k in range(rank):
        i = int(s.order[k])
        total = -c[i] / s.target[i]
        for j in range(k):
            total -= s.rows[k, j] * y[j]
        y[k] = total / s.rows[k, k]


def newton_step(s, h, g, c, least):
    """Step into `s.step` and multipliers into `s.lam` from the KKT system of the rows that are factored; delta."""
    n, rank = g.size, int(s.state[RANK])
    y, u = s.v, s.w
    turn(s.q, h, s.turned, s.reduced)
    delta = correct_inertia(s, rank, least)
    for j in range(n):
        u[j] = 0.0
        for k in range(n):
            u[j] += s.q[k, j] * g[k]
    range_step(s, c, rank, y)
    for j in range(rank, n):
        y[j] = -u[j]
        for k in range(rank):
            y[j] -= s.turned[j, k] * y[k]
    forward(s.reduced, rank, n, y)
    backward(s.reduced, rank, n, y)
    spread(s.q, y, n, s.step)
    for i in range(c.size):
        s.lam[i] = 0.0
    for k in range(rank - 1, -1, -1):
        total = -u[k]
        for j in range(n):
            total -= s.turned[k, j] * y[j]
        for i in range(k + 1, rank):
            total -= s.rows[i, k] * s.lam[int(s.order[i])] * s.target[int(s.order[i])]
        s.lam[int(s.order[k])] = total / s.rows[k, k] / s.target[int(s.order[k])]
    return delta


def spread(q, y, count, out):
    """The first `count` columns of Q times y."""
    for j in range(out.size):
        total = 0.0
        for k in range(count):
            total += q[j, k] * y[k]
        out[j] = total
