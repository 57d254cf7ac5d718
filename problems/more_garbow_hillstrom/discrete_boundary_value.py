r"""Discrete boundary value function.

r_i = 2 x_i - x_{i-1} - x_{i+1} + h^2 (x_i + t_i + 1)^3 / 2,  h = 1 / (n + 1),  t_i = i h,  x_0 = x_{n+1} = 0;  f = 0.

Source: More, Garbow & Hillstrom (1981), problem 28 (More & Cosnard 1979). Start: x_i = t_i (t_i - 1). The minimizer is
found by Newton's method when the problem is made.
"""

from __future__ import annotations

import numpy as np

from optbench.evaluation import zero
from optbench.problems.more_garbow_hillstrom._systems import Real, root
from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n, step = x.size, 1.0 / (x.size + 1.0)
    zero(jac)
    for i in range(n):
        u = x[i] + (i + 1.0) * step + 1.0
        r[i] = 2.0 * x[i] + 0.5 * step * step * u * u * u
        jac[i, i] = 2.0 + 1.5 * step * step * u * u
        if i > 0:
            r[i] -= x[i - 1]
            jac[i, i - 1] = -1.0
        if i < n - 1:
            r[i] -= x[i + 1]
            jac[i, i + 1] = -1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    step = 1.0 / (x.size + 1.0)
    for i in range(x.size):
        h[i, i] += 3.0 * step * step * w[i] * (x[i] + (i + 1.0) * step + 1.0)


def system(x: Real) -> tuple[Real, Real]:
    """Residuals and Jacobian in the precision of x."""
    n = x.size
    step = 1 / (x.dtype.type(n) + 1)
    u = x + step * np.arange(1, n + 1) + 1
    padded = np.pad(x, 1)
    neighbours = np.eye(n, k=1) + np.eye(n, k=-1)
    return 2 * x - padded[:-2] - padded[2:] + step**2 * u**3 / 2, np.diag(2 + 3 * step**2 * u**2 / 2) - neighbours


@problem(
    source="More & Cosnard 1979; More, Garbow & Hillstrom 1981, problem 28",
    tags=("least-squares", "nonconvex", "smooth", "scalable"),
)
def discrete_boundary_value(n: int = 10) -> Problem:
    """A boundary value problem in n points by differences: a tridiagonal Jacobian."""
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
