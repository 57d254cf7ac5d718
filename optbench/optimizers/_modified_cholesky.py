"""Modified Cholesky factorisation: P'(A + E)P = L D L' with E diagonal, zero where A is safely positive definite.

Source: Gill, Murray & Wright (1981), Practical Optimization, Section 4.4.2.2, with diagonal pivoting. The smallest
pivot is eps (gamma + xi), gamma and xi the largest diagonal and other entry, without their floor of eps, so that the
factorisation does not depend on the scale of f; a matrix of zeros becomes the identity.
"""

from __future__ import annotations

import math

from optbench.optimizers._linear_algebra import EPSILON


def factorise(a, factor, order, added):
    """Factorise a + diag(added), all (n, n) and (n,): L below and D on the diagonal of `factor`, pivots in `order`."""
    n, gamma, xi = a.shape[0], 0.0, 0.0
    for i in range(n):
        order[i] = i
        gamma = max(gamma, abs(a[i, i]))
        for j in range(n):
            factor[i, j] = a[i, j]
            if j < i:
                xi = max(xi, abs(a[i, j]))
    bound = max(gamma, xi / math.sqrt(max(1.0, n * n - 1.0)))
    least = EPSILON * (gamma + xi) if gamma + xi > 0.0 else 1.0
    for j in range(n):
        exchange(factor, order, j)
        widest = 0.0
        for i in range(j + 1, n):
            widest = max(widest, abs(factor[j, i]))
        pivot = max(abs(factor[j, j]), least)
        if widest > 0.0:
            pivot = max(pivot, widest * widest / bound)
        added[int(order[j])] = pivot - factor[j, j]
        factor[j, j] = pivot
        for i in range(j + 1, n):
            ratio = factor[j, i] / pivot
            for k in range(j + 1, n):
                factor[i, k] -= ratio * factor[j, k]
            factor[i, j] = ratio


def exchange(factor, order, j):
    """Bring the largest diagonal entry that is left to place j, rows and columns alike."""
    n, q = factor.shape[0], j
    for i in range(j + 1, n):
        if abs(factor[i, i]) > abs(factor[q, q]):
            q = i
    if q == j:
        return
    order[j], order[q] = order[q], order[j]
    for k in range(n):
        factor[j, k], factor[q, k] = factor[q, k], factor[j, k]
    for k in range(j, n):
        factor[k, j], factor[k, q] = factor[k, q], factor[k, j]


def solve(factor, order, work, b, x):
    """Put the solution of (A + E) x = b into x; work, (n,), is overwritten."""
    n = b.size
    for i in range(n):
        work[i] = b[int(order[i])]
        for k in range(i):
            work[i] -= factor[i, k] * work[k]
    for i in range(n):
        work[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i):
            work[k] -= factor[i, k] * work[i]
    for i in range(n):
        x[int(order[i])] = work[i]
