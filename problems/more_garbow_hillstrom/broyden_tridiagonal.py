r"""Broyden's tridiagonal function.

r_i = (3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1,  x_0 = x_{n+1} = 0;  f = 0. There are local minima with f > 0.

Source: More, Garbow & Hillstrom (1981), problem 30 (Broyden 1965). Start: (-1, ..., -1). The minimizer is found by
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
        r[i] = (3.0 - 2.0 * x[i]) * x[i] + 1.0
        jac[i, i] = 3.0 - 4.0 * x[i]
        if i > 0:
            r[i] -= x[i - 1]
            jac[i, i - 1] = -1.0
        if i < n - 1:
            r[i] -= 2.0 * x[i + 1]
            jac[i, i + 1] = -2.0


def curvature(x, w, h, data):
    """Second derivatives."""
    for i in range(x.size):
        h[i, i] -= 4.0 * w[i]


def system(x: Real) -> tuple[Real, Real]:
    """Residuals and Jacobian in the precision of x."""
    padded = np.pad(x, 1)
    neighbours = 2.0 * np.eye(x.size, k=1) + np.eye(x.size, k=-1)
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1, np.diag(3 - 4 * x) - neighbours


@problem(
    source="Broyden 1965; More, Garbow & Hillstrom 1981, problem 30",
    tags=("least-squares", "nonconvex", "multimodal", "smooth", "scalable"),
)
def broyden_tridiagonal(n: int = 10) -> Problem:
    """Broyden's n quadratic equations with a tridiagonal Jacobian."""
    start = np.full(n, -1.0)
    return Problem(
        None,
        start,
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=root(system, start),
        f_opt=0.0,
        bounds=(-3.0, 3.0),
    )
