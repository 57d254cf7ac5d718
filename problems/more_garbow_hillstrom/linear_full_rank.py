r"""Linear function of full rank.

r_i = x_i - (2 / m) sum_j x_j - 1, i = 1, ..., n,  r_i = -(2 / m) sum_j x_j - 1, i = n + 1, ..., m;
f(-1, ..., -1) = m - n. A convex quadratic.

Source: More, Garbow & Hillstrom (1981), problem 32; m >= n. Start: (1, ..., 1).
"""

from __future__ import annotations

import numpy as np

from optbench.problems.more_garbow_hillstrom._systems import straight
from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n, slope = x.size, 2.0 / r.size
    total = 0.0
    for j in range(n):
        total += x[j]
    for i in range(r.size):
        r[i] = -slope * total - 1.0
        for j in range(n):
            jac[i, j] = -slope
        if i < n:
            r[i] += x[i]
            jac[i, i] += 1.0


@problem(
    source="More, Garbow & Hillstrom 1981, problem 32",
    tags=("least-squares", "convex", "unimodal", "smooth", "scalable"),
)
def linear_full_rank(n: int = 10, m: int = 20) -> Problem:
    """A linear least-squares problem of full rank: n parameters, m >= n residuals."""
    if m < n:
        raise ValueError(f"problem 'linear_full_rank': m must be at least n = {n}, not {m}")
    return Problem(
        None,
        np.ones(n),
        residuals=residuals,
        curvature=straight,
        m=m,
        x_opt=np.full(n, -1.0),
        f_opt=float(m - n),
        bounds=(-5.0, 5.0),
    )
