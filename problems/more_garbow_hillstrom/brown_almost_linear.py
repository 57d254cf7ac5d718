r"""Brown's almost-linear function.

r_i = x_i + sum_{j=1}^n x_j - (n + 1), i = 1, ..., n - 1,  r_n = prod_{j=1}^n x_j - 1.

f = 0 at (a, ..., a, a^{1-n}) for every real root a of n a^n - (n + 1) a^{n-1} + 1 = 0: 1, one more between 0 and 1, and
one between -1 and 0 where n is odd; `minimizers` holds them in that order. There is a local minimum with f = 1 at
(0, ..., 0, n + 1).

Source: More, Garbow & Hillstrom (1981), problem 27 (Brown 1969). Start: (1/2, ..., 1/2).
"""

from __future__ import annotations

import numpy as np

from optbench.problems.more_garbow_hillstrom._systems import check_size
from optbench.registry import problem
from optbench.types import Problem


def product_without(x, i, j):
    """Product of all coordinates but those two."""
    p = 1.0
    for k in range(x.size):
        if k not in (i, j):
            p *= x[k]
    return p


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    total = -(n + 1.0)
    for j in range(n):
        total += x[j]
    for i in range(n - 1):
        r[i] = x[i] + total
        for j in range(n):
            jac[i, j] = 1.0
        jac[i, i] = 2.0
    for j in range(n):
        jac[n - 1, j] = product_without(x, j, j)
    r[n - 1] = x[0] * jac[n - 1, 0] - 1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    for i in range(x.size):
        for j in range(i):
            bend = w[x.size - 1] * product_without(x, i, j)
            h[i, j] += bend
            h[j, i] += bend


def roots(n: int) -> list[np.longdouble]:
    """Real roots of n a^n - (n + 1) a^{n-1} + 1, which falls from 1 at 0 until (n^2 - 1) / n^2."""
    lowest = (n * n - 1.0) / (n * n)
    return [np.longdouble(1.0), bisect(n, 0.0, lowest), *([bisect(n, -1.0, 0.0)] if n % 2 else [])]


def bisect(n: int, low: float, high: float) -> np.longdouble:
    """Root of the polynomial between two ends where it has opposite signs, in the longest type there is."""
    ends = [np.longdouble(low), np.longdouble(high)]
    signs = [a ** (n - 1) * (n * a - (n + 1)) + 1 > 0 for a in ends]
    while True:
        middle = (ends[0] + ends[1]) / 2
        if middle in ends:
            return middle
        ends[int((middle ** (n - 1) * (n * middle - (n + 1)) + 1 > 0) == signs[1])] = middle


@problem(
    source="Brown 1969; More, Garbow & Hillstrom 1981, problem 27",
    tags=("least-squares", "nonconvex", "multimodal", "smooth", "scalable"),
)
def brown_almost_linear(n: int = 10) -> Problem:
    """Brown's system of n - 1 linear equations and a product, n >= 2."""
    check_size("brown_almost_linear", n, 2)
    x_opt = [np.array([*[a] * (n - 1), n + 1 - n * a], dtype=np.float64) for a in roots(n)]
    return Problem(
        None,
        np.full(n, 0.5),
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=x_opt,
        f_opt=0.0,
        bounds=(-1.0, 2.0 * n + 2.0),
    )
