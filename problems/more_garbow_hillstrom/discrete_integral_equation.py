r"""Discrete integral equation function.

r_i = x_i + h / 2 [ (1 - t_i) sum_{j<=i} t_j c_j + t_i sum_{j>i} (1 - t_j) c_j ],  c_j = (x_j + t_j + 1)^3,
h = 1 / (n + 1),  t_i = i h;  f = 0.

Source: More, Garbow & Hillstrom (1981), problem 29 (More & Cosnard 1979). Start: x_i = t_i (t_i - 1). The minimizer is
found by Newton's method when the problem is made.
"""

from __future__ import annotations

import numpy as np

from optbench.problems.more_garbow_hillstrom._systems import Real, root
from optbench.registry import problem
from optbench.types import Problem


def kernel(i, j, step):
    """Weight of c_j in r_i."""
    low, high = (i + 1.0) * step, (j + 1.0) * step
    if i > j:
        low, high = high, low
    return 0.5 * step * low * (1.0 - high)


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n, step = x.size, 1.0 / (x.size + 1.0)
    for i in range(n):
        r[i] = x[i]
    for j in range(n):
        u = x[j] + (j + 1.0) * step + 1.0
        for i in range(n):
            k = kernel(i, j, step) * u * u
            r[i] += k * u
            jac[i, j] = 3.0 * k
        jac[j, j] += 1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    n, step = x.size, 1.0 / (x.size + 1.0)
    for j in range(n):
        total = 0.0
        for i in range(n):
            total += w[i] * kernel(i, j, step)
        h[j, j] += 6.0 * (x[j] + (j + 1.0) * step + 1.0) * total


def system(x: Real) -> tuple[Real, Real]:
    """Residuals and Jacobian in the precision of x."""
    n = x.size
    step = 1 / (x.dtype.type(n) + 1)
    t = step * np.arange(1, n + 1)
    u = x + t + 1
    weights = step / 2 * np.minimum.outer(t, t) * (1 - np.maximum.outer(t, t))
    return x + weights @ u**3, np.eye(n) + weights * (3 * u**2)


@problem(
    source="More & Cosnard 1979; More, Garbow & Hillstrom 1981, problem 29",
    tags=("least-squares", "nonconvex", "smooth", "scalable"),
)
def discrete_integral_equation(n: int = 10) -> Problem:
    """The boundary value problem as an integral equation in n points: a dense, well-conditioned Jacobian."""
    t = np.arange(1.0, n + 1.0) / (n + 1.0)
    start = t * (t - 1.0)
    return Problem(
        None,
        start,
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=root(system, start),
        f_opt=0.0,
        bounds=(-5.0, 5.0),
    )
