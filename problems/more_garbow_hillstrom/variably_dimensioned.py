r"""Variably dimensioned function.

r_i = x_i - 1, i = 1, ..., n,  r_{n+1} = s,  r_{n+2} = s^2,  s = sum_{j=1}^n j (x_j - 1);  f(1, ..., 1) = 0. Convex.

Source: More, Garbow & Hillstrom (1981), problem 25. Start: x_j = 1 - j / n.
"""

from __future__ import annotations

import numpy as np

from optbench.evaluation import zero
from optbench.problems.more_garbow_hillstrom._fit import mirror
from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    zero(jac)
    s = 0.0
    for j in range(n):
        r[j] = x[j] - 1.0
        jac[j, j] = 1.0
        s += (j + 1.0) * r[j]
    r[n], r[n + 1] = s, s * s
    for j in range(n):
        jac[n, j], jac[n + 1, j] = j + 1.0, 2.0 * s * (j + 1.0)


def curvature(x, w, h, data):
    """Second derivatives."""
    weight = 2.0 * w[x.size + 1]
    for j in range(x.size):
        for k in range(j, x.size):
            h[j, k] += weight * (j + 1.0) * (k + 1.0)
    mirror(h)


@problem(
    source="More, Garbow & Hillstrom 1981, problem 25",
    tags=("least-squares", "convex", "unimodal", "smooth", "ill-conditioned", "scalable"),
)
def variably_dimensioned(n: int = 10) -> Problem:
    """A sphere with the square and the fourth power of one direction, in n dimensions."""
    return Problem(
        None,
        1.0 - np.arange(1.0, n + 1.0) / n,
        residuals=residuals,
        curvature=curvature,
        m=n + 2,
        x_opt=np.ones(n),
        f_opt=0.0,
        bounds=(-1.0, 3.0),
    )
