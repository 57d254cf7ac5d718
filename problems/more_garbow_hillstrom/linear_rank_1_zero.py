r"""Linear function of rank 1 with zero columns and rows.

r_1 = r_m = -1,  r_i = (i - 1) s - 1, i = 2, ..., m - 1,  s = sum_{j=2}^{n-1} j x_j;
f = (m^2 + 3m - 6) / (2 (2m - 3)) wherever s = 3 / (2m - 3): the minimizer is not unique, and `x_opt` is the one whose
second coordinate alone is not 0. A convex quadratic.

Source: More, Garbow & Hillstrom (1981), problem 34; n >= 3. Start: (1, ..., 1).
"""

from __future__ import annotations

import numpy as np

from optbench.evaluation import zero
from optbench.problems.more_garbow_hillstrom._systems import check_size, straight
from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n, last = x.size, r.size - 1
    zero(jac)
    s = 0.0
    for j in range(1, n - 1):
        s += (j + 1.0) * x[j]
    r[0], r[last] = -1.0, -1.0
    for i in range(1, last):
        r[i] = i * s - 1.0
        for j in range(1, n - 1):
            jac[i, j] = i * (j + 1.0)


@problem(
    source="More, Garbow & Hillstrom 1981, problem 34",
    tags=("least-squares", "convex", "smooth", "singular", "scalable"),
)
def linear_rank_1_zero(n: int = 10, m: int = 20) -> Problem:
    """A linear least-squares problem of rank 1 that ignores its first and last parameter; 3 <= n <= m."""
    check_size("linear_rank_1_zero", n, 3)
    if m < n:
        raise ValueError(f"problem 'linear_rank_1_zero': m must be at least n = {n}, not {m}")
    x_opt = np.zeros(n)
    x_opt[1] = 1.5 / (2.0 * m - 3.0)
    return Problem(
        None,
        np.ones(n),
        residuals=residuals,
        curvature=straight,
        m=m,
        x_opt=x_opt,
        f_opt=(m * m + 3.0 * m - 6.0) / (2.0 * (2.0 * m - 3.0)),
        bounds=(-5.0, 5.0),
    )
