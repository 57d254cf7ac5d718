r"""Broyden's banded function.

r_i = x_i (2 + 5 x_i^2) + 1 - sum_j x_j (1 + x_j), j != i from max(1, i - 5) to min(n, i + 1);  f = 0. There are local
minima with f > 0.

Source: More, Garbow & Hillstrom (1981), problem 31 (Broyden 1971). Start: (-1, ..., -1). The minimizer is found by
Newton's method when the problem is made.
"""

from __future__ import annotations

import numpy as np

from optbench.evaluation import zero
from optbench.problems.more_garbow_hillstrom._systems import Real, root
from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    zero(jac)
    for i in range(n):
        r[i] = x[i] * (2.0 + 5.0 * x[i] * x[i]) + 1.0
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                r[i] -= x[j] * (1.0 + x[j])
                jac[i, j] = -1.0 - 2.0 * x[j]
        jac[i, i] = 2.0 + 15.0 * x[i] * x[i]


def curvature(x, w, h, data):
    """Second derivatives."""
    n = x.size
    for i in range(n):
        h[i, i] += 30.0 * x[i] * w[i]
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                h[j, j] -= 2.0 * w[i]


def system(x: Real) -> tuple[Real, Real]:
    """Residuals and Jacobian in the precision of x."""
    n = x.size
    band = np.tri(n, k=1) - np.tri(n, k=-6) - np.eye(n)
    return x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x)), np.diag(2 + 15 * x**2) - band * (1 + 2 * x)


@problem(
    source="Broyden 1971; More, Garbow & Hillstrom 1981, problem 31",
    tags=("least-squares", "nonconvex", "multimodal", "smooth", "scalable"),
)
def broyden_banded(n: int = 10) -> Problem:
    """Broyden's n cubic equations with a banded Jacobian."""
    start = np.full(n, -1.0)
    return Problem(
        None,
        start,
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=root(system, start),
        f_opt=0.0,
        bounds=(-2.0, 2.0),
    )
