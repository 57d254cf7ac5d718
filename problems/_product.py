"""Products of small matrices whose rows are samples' values, in blocks of 4 x 4 that LLVM turns into vector code.

For layers of some tens of units and batches of some tens of samples OpenBLAS (`np.dot`) takes up to twice the time, for
hundreds about two thirds. Nothing here depends on a number of threads, so neither do the results, and no thread waits
for a core that another process has.
"""

from __future__ import annotations


def add_product(z, w, rows, columns, a, start):
    """Add w a' to z: z of shape (n, m), a' (d, m) the columns of a from `start` on, w (n, d).

    w is a vector; entry (i, k) stands at ``i * rows + k * columns``.
    """
    d, end = a.shape[0], start + z.shape[1]
    for i in range(0, z.shape[0] - 3, 4):
        _four_rows(z, w, rows, columns, a, i, start, end)
    for i in range(z.shape[0] - z.shape[0] % 4, z.shape[0]):
        for k in range(d):
            _add_multiple(z[i], w[i * rows + k * columns], a[k, start:end])


def _four_rows(z, w, rows, columns, a, i, start, end):
    z0, z1, z2, z3 = z[i], z[i + 1], z[i + 2], z[i + 3]
    d, at = a.shape[0], i * rows
    for k in range(0, d - 3, 4):
        a0, a1, a2, a3 = a[k, start:end], a[k + 1, start:end], a[k + 2, start:end], a[k + 3, start:end]
        p, q = at + k * columns, at + (k + 1) * columns
        r, s = at + (k + 2) * columns, at + (k + 3) * columns
        p0, p1, p2, p3 = w[p], w[q], w[r], w[s]
        q0, q1, q2, q3 = w[p + rows], w[q + rows], w[r + rows], w[s + rows]
        r0, r1, r2, r3 = w[p + 2 * rows], w[q + 2 * rows], w[r + 2 * rows], w[s + 2 * rows]
        s0, s1, s2, s3 = w[p + 3 * rows], w[q + 3 * rows], w[r + 3 * rows], w[s + 3 * rows]
        for b in range(z0.size):
            b0, b1, b2, b3 = a0[b], a1[b], a2[b], a3[b]
            z0[b] += p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3
            z1[b] += q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3
            z2[b] += r0 * b0 + r1 * b1 + r2 * b2 + r3 * b3
            z3[b] += s0 * b0 + s1 * b1 + s2 * b2 + s3 * b3
    for k in range(d - d % 4, d):
        row, p = a[k, start:end], at + k * columns
        p0, p1, p2, p3 = w[p], w[p + rows], w[p + 2 * rows], w[p + 3 * rows]
        for b in range(z0.size):
            z0[b] += p0 * row[b]
            z1[b] += p1 * row[b]
            z2[b] += p2 * row[b]
            z3[b] += p3 * row[b]


def _add_multiple(row, factor, other):
    for b in range(row.size):
        row[b] += factor * other[b]


def add_outer(g, u, a, start):
    """Add u a'^T to g: g of shape (n, d), u (n, m), a' the m columns of a from `start` on."""
    n, d = g.shape
    end = start + u.shape[1]
    for i in range(0, n - 3, 4):
        for k in range(0, d - 3, 4):
            _four_by_four(g, u, a, i, k, start, end)
        for k in range(d - d % 4, d):
            for j in range(4):
                g[i + j, k] += _inner(u[i + j], a[k, start:end])
    for i in range(n - n % 4, n):
        for k in range(d):
            g[i, k] += _inner(u[i], a[k, start:end])


def _inner(u, a):
    total = 0.0
    for b in range(u.size):
        total += u[b] * a[b]
    return total


def _four_by_four(g, u, a, i, k, start, end):
    u0, u1, u2, u3 = u[i], u[i + 1], u[i + 2], u[i + 3]
    a0, a1, a2, a3 = a[k, start:end], a[k + 1, start:end], a[k + 2, start:end], a[k + 3, start:end]
    p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = r0 = r1 = r2 = r3 = s0 = s1 = s2 = s3 = 0.0
    for b in range(u0.size):
        p, q, r, s = u0[b], u1[b], u2[b], u3[b]
        b0, b1, b2, b3 = a0[b], a1[b], a2[b], a3[b]
        p0, p1, p2, p3 = p0 + p * b0, p1 + p * b1, p2 + p * b2, p3 + p * b3
        q0, q1, q2, q3 = q0 + q * b0, q1 + q * b1, q2 + q * b2, q3 + q * b3
        r0, r1, r2, r3 = r0 + r * b0, r1 + r * b1, r2 + r * b2, r3 + r * b3
        s0, s1, s2, s3 = s0 + s * b0, s1 + s * b1, s2 + s * b2, s3 + s * b3
    g0, g1, g2, g3 = g[i, k : k + 4], g[i + 1, k : k + 4], g[i + 2, k : k + 4], g[i + 3, k : k + 4]
    g0[0], g0[1], g0[2], g0[3] = g0[0] + p0, g0[1] + p1, g0[2] + p2, g0[3] + p3
    g1[0], g1[1], g1[2], g1[3] = g1[0] + q0, g1[1] + q1, g1[2] + q2, g1[3] + q3
    g2[0], g2[1], g2[2], g2[3] = g2[0] + r0, g2[1] + r1, g2[2] + r2, g2[3] + r3
    g3[0], g3[1], g3[2], g3[3] = g3[0] + s0, g3[1] + s1, g3[2] + s2, g3[3] + s3
