r"""Linear function of rank 1.

r_i = i sum_{j=1}^n j x_j - 1, i = 1, ..., m;  f = m (m - 1) / (2 (2m + 1)) wherever sum j x_j = 3 / (2m + 1): the
minimizer is not unique, and `x_opt` is the one whose first coordinate alone is not 0. A convex quadratic.

Source: More, Garbow & Hillstrom (1981), problem 33. Start: (1, ..., 1).
"""

from __future__ import annotations

import numpy as np

from optbench.problems.more_garbow_hillstrom._systems import straight
from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    total = 0.0
    for j in range(x.size):
        total += (j + 1.0) * x[j]
    for i in range(r.size):
        r[i] = (i + 1.0) * total - 1.0
        for j in range(x.size):
            jac[i, j] = (i + 1.0) * (j + 1.0)


@problem(
    source="More, Garbow & Hillstrom 1981, problem 33",
    tags=("least-squares", "convex", "smooth", "singular", "scalable"),
)
def linear_rank_1(n: int = 10, m: int = 20) -> Problem:
    """A linear least-squares problem of rank 1: n parameters, m >= n residuals, a hyperplane of minimizers."""
    if m < n:
        raise ValueError(f"problem 'linear_rank_1': m must be at least n = {n}, not {m}")
    x_opt = np.zeros(n)
    x_opt[0] = 3.0 / (2.0 * m + 1.0)
    return Problem(
        None,
        np.ones(n),
        residuals=residuals,
        curvature=straight,
        m=m,
        x_opt=x_opt,
        f_opt=m * (m - 1.0) / (2.0 * (2.0 * m + 1.0)),
        bounds=(-5.0, 5.0),
    )
