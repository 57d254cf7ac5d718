"""Convex quadratic programs in a box: the dual of a step that minimizes a model of an exact penalty function.

min g'd + d'Bd / 2 + nu (sum of violations of c + J d) has the dual min lam'M lam / 2 - b'lam with M = J B^-1 J',
b = c - J B^-1 g and |lam_i| <= nu, for inequalities 0 <= lam_i <= nu: always feasible, whatever the constraints.

Source: the active-set scheme of Lawson & Hanson (1974), Solving Least Squares Problems, chapter 23, with bounds on both
sides as Stark & Parker (1995), Computational Statistics 10, 129-141.
"""

from __future__ import annotations

from optbench.constrained._dense import backward, cholesky, forward

FREE, LOW, HIGH = 0.0, -1.0, 1.0


def place(lam, side, m_eq, bound):
    """Put a start into the box; `side` says which entries stand at which bound."""
    for i in range(lam.size):
        low = -bound if i < m_eq else 0.0
        lam[i] = min(max(lam[i], low), bound)
        side[i] = LOW if lam[i] == low else HIGH if lam[i] == bound else FREE


def free_minimum(mat, b, lam, side, factor, target):
    """The minimizer over the free entries into `target`, (m,), first entries, in their order; how many."""
    count = 0
    for i in range(lam.size):
        if side[i] != FREE:
            continue
        total, k = b[i], 0
        for j in range(lam.size):
            if side[j] == FREE:
                if k <= count:
                    factor[count, k] = mat[i, j]
                k += 1
            else:
                total -= mat[i, j] * lam[j]
        target[count] = total
        count += 1
    if not cholesky(factor, 0, count, 0.0):
        return -1
    forward(factor, 0, count, target)
    backward(factor, 0, count, target)
    return count


def advance(lam, side, target, m_eq, bound):
    """Move the free entries towards `target` as far as the box allows; whether a bound stopped them."""
    part, hit, k = 1.0, -1, 0
    for i in range(lam.size):
        if side[i] == FREE:
            end = min(max(target[k], -bound if i < m_eq else 0.0), bound)
            if end != target[k]:
                share = (end - lam[i]) / (target[k] - lam[i])
                if hit < 0 or share < part:
                    part, hit = share, i
            k += 1
    k = 0
    for i in range(lam.size):
        if side[i] == FREE:
            if i == hit:
                side[i] = HIGH if target[k] > lam[i] else LOW
                lam[i] = bound if side[i] == HIGH else (-bound if i < m_eq else 0.0)
            else:
                lam[i] += part * (target[k] - lam[i])
            k += 1
    return hit


def release(mat, b, lam, side):
    """Free the entry whose bound holds f up most; -1 where there is none."""
    best, top = -1, 0.0
    for i in range(lam.size):
        if side[i] == FREE:
            continue
        slope, size = -b[i], abs(b[i])
        for j in range(lam.size):
            term = mat[i, j] * lam[j]
            slope += term
            size += abs(term)
        gain = side[i] * slope / size if size > 0.0 else 0.0
        if gain > max(top, 1e-13):
            best, top = i, gain
    if best >= 0:
        side[best] = FREE
    return best


def solve_box(mat, b, lam, side, factor, target, m_eq, bound):
    """Minimize lam'M lam / 2 - b'lam in the box, from `lam` and into it; M, (m, m), positive definite."""
    place(lam, side, m_eq, bound)
    freed, start = -1, 0.0
    for _ in range(50 + 20 * lam.size):
        if free_minimum(mat, b, lam, side, factor, target) < 0:
            return
        hit = advance(lam, side, target, m_eq, bound)
        if hit >= 0 and hit == freed and lam[hit] == start:
            return  # what was just freed wants back: rounding level
        if hit < 0:
            freed = release(mat, b, lam, side)
            if freed < 0:
                return
            start = lam[freed]
        else:
            freed = -1
