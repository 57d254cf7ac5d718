"""Small dense linear algebra on memory that the caller owns."""

from __future__ import annotations

import math


def dot(a, b):
    """Inner product."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


def largest(a):
    """Largest magnitude of a matrix."""
    top = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            top = max(top, abs(a[i, j]))
    return top


def cholesky(a, first, end, floor):
    """Factor the block [first, end) of `a` in place, lower triangle; False once a pivot is not above `floor`."""
    for j in range(first, end):
        pivot = a[j, j]
        for k in range(first, j):
            pivot -= a[j, k] * a[j, k]
        if not floor < pivot < math.inf:
            return False
        pivot = math.sqrt(pivot)
        a[j, j] = pivot
        for i in range(j + 1, end):
            total = a[i, j]
            for k in range(first, j):
                total -= a[i, k] * a[j, k]
            a[i, j] = total / pivot
    return True


def forward(a, first, end, b):
    """Solve L y = b with the lower triangle of the block [first, end), in place of b."""
    for i in range(first, end):
        total = b[i]
        for k in range(first, i):
            total -= a[i, k] * b[k]
        b[i] = total / a[i, i]


def backward(a, first, end, b):
    """Solve L' y = b with the lower triangle of the block [first, end), in place of b."""
    for i in range(end - 1, first - 1, -1):
        total = b[i]
        for k in range(i + 1, end):
            total -= a[k, i] * b[k]
        b[i] = total / a[i, i]


def reflect(a, count, v, r, beta):
    """Multiply the first `count` rows of `a`, their entries from r on, by I - beta v v'."""
    for i in range(count):
        total = 0.0
        for j in range(r, v.size):
            total += a[i, j] * v[j]
        total *= beta
        for j in range(r, v.size):
            a[i, j] -= total * v[j]


def swap(rows, order, i, k):
    """Exchange two rows and their places in `order`."""
    order[i], order[k] = order[k], order[i]
    for j in range(rows.shape[1]):
        rows[i, j], rows[k, j] = rows[k, j], rows[i, j]


def orthogonalise(rows, order, count, q, v, tolerance):
    """Factor the first `count` rows, shape (m, n), as L Q' with pivoting; L in their place, Q into `q`, (n, n).

    Rows and their numbers in `order` are exchanged so that independent ones come first; their number, the rank, is
    returned. A row counts as dependent when what is left of it is at most `tolerance`. `v` is work space, (n,).
    """
    n = q.shape[0]
    for i in range(n):
        for j in range(n):
            q[i, j] = 1.0 if i == j else 0.0
    for r in range(min(count, n)):
        best, top = r, -1.0
        for i in range(r, count):
            total = 0.0
            for j in range(r, n):
                total += rows[i, j] * rows[i, j]
            if total > top:
                best, top = i, total
        norm = math.sqrt(top)
        if not norm > tolerance:
            return r
        swap(rows, order, r, best)
        for j in range(r, n):
            v[j] = rows[r, j]
        v[r] += norm if v[r] >= 0.0 else -norm
        beta = 1.0 / (norm * abs(v[r]))
        reflect(rows, count, v, r, beta)
        reflect(q, n, v, r, beta)
    return min(count, n)
