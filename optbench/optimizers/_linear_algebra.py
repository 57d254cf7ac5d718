"""Dense linear algebra of the methods with a matrix: plain loops that allocate nothing.

A lower triangular factor is a full square matrix whose upper triangle is never read. No function may be handed the
same array twice where it writes to it: the kernels are compiled under the promise that arrays do not overlap.
"""

from __future__ import annotations

import math

EPSILON = 2.220446049250313e-16


def dot(a, b):
    """Inner product."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


def norm(a):
    """Euclidean norm."""
    return math.sqrt(dot(a, a))


def add(d, a, v):
    """Add a v to d."""
    for i in range(d.size):
        d[i] += a * v[i]


def negate(g, d):
    """Put -g into d."""
    for i in range(d.size):
        d[i] = -g[i]


def quadratic_form(h, v):
    """Value of v'h v."""
    total = 0.0
    for i in range(v.size):
        total += v[i] * dot(h[i], v)
    return total


def cholesky(a, shift, factor):
    """Lower Cholesky factor of a + shift I; how many pivots are positive, and how far the next one is below 0."""
    for i in range(a.shape[0]):
        for j in range(i):
            total = a[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = total / factor[j, j]
        pivot = a[i, i] + shift
        for k in range(i):
            pivot -= factor[i, k] * factor[i, k]
        if not pivot > 0.0:
            return i, -pivot
        factor[i, i] = math.sqrt(pivot)
    return a.shape[0], 0.0


def solve_lower(factor, b):
    """Replace b by factor^-1 b."""
    for i in range(b.size):
        total = b[i]
        for k in range(i):
            total -= factor[i, k] * b[k]
        b[i] = total / factor[i, i]


def solve_lower_transposed(factor, b, n):
    """Replace the first n entries of b by (leading n x n block of factor)^-T times them."""
    for i in range(n - 1, -1, -1):
        b[i] /= factor[i, i]
        for k in range(i):
            b[k] -= factor[i, k] * b[i]


def solve_upper(r, b):
    """Replace b by r^-1 b, r upper triangular in the first rows."""
    for i in range(b.size - 1, -1, -1):
        total = b[i]
        for k in range(i + 1, b.size):
            total -= r[i, k] * b[k]
        b[i] = total / r[i, i]


def solve_upper_transposed(r, b):
    """Replace b by r^-T b."""
    for i in range(b.size):
        b[i] /= r[i, i]
        for k in range(i + 1, b.size):
            b[k] -= r[i, k] * b[i]


def householder(a, b):
    """Triangularise a, shape (rows, n) with rows >= n, by reflections from the left that b, (rows,), undergoes too.

    Golub & Van Loan (2013), Matrix Computations, Algorithm 5.2.1. The triangle is left in the first n rows; below it
    are remains of the reflections.
    """
    rows, n = a.shape
    for j in range(n):
        length = 0.0
        for i in range(j, rows):
            length = math.hypot(length, a[i, j])
        if length == 0.0:
            continue
        if a[j, j] > 0.0:
            length = -length
        for i in range(j, rows):
            a[i, j] /= -length
        a[j, j] += 1.0
        for k in range(j + 1, n):
            total = 0.0
            for i in range(j, rows):
                total += a[i, j] * a[i, k]
            total /= -a[j, j]
            for i in range(j, rows):
                a[i, k] += total * a[i, j]
        total = 0.0
        for i in range(j, rows):
            total += a[i, j] * b[i]
        total /= -a[j, j]
        for i in range(j, rows):
            b[i] += total * a[i, j]
        a[j, j] = length
