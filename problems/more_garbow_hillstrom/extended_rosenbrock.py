r"""Rosenbrock's function, extended.

For every pair of coordinates (a, b) the residuals 10 (b - a^2) and 1 - a; f(1, ..., 1) = 0. A sum of independent
two-dimensional valleys, unlike the chain `rosenbrock`, and the same function for n = 2.

Source: More, Garbow & Hillstrom (1981), problems 1 and 21 (Rosenbrock 1960); n even. Start: (-1.2, 1), repeated.
"""

from __future__ import annotations

import numpy as np

from optbench.evaluation import zero
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for k in range(0, x.size, 2):
        a, b = x[k + 1] - x[k] * x[k], 1.0 - x[k]
        f += 100.0 * a * a + b * b
        g[k] = -400.0 * a * x[k] - 2.0 * b
        g[k + 1] = 200.0 * a
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for k in range(0, x.size, 2):
        h[k, k] = 1200.0 * x[k] * x[k] - 400.0 * x[k + 1] + 2.0
        h[k, k + 1] = h[k + 1, k] = -400.0 * x[k]
        h[k + 1, k + 1] = 200.0


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    zero(jac)
    for k in range(0, x.size, 2):
        r[k], r[k + 1] = 10.0 * (x[k + 1] - x[k] * x[k]), 1.0 - x[k]
        jac[k, k], jac[k, k + 1], jac[k + 1, k] = -20.0 * x[k], 10.0, -1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    for k in range(0, x.size, 2):
        h[k, k] -= 20.0 * w[k]


@problem(
    source="Rosenbrock 1960; More, Garbow & Hillstrom 1981, problem 21",
    tags=("least-squares", "nonconvex", "unimodal", "smooth", "scalable"),
)
def extended_rosenbrock(n: int = 2) -> Problem:
    """Extended Rosenbrock function in n dimensions, n even."""
    if n % 2:
        raise ValueError(f"problem 'extended_rosenbrock': n must be even, not {n}")
    start, bounds = np.tile((-1.2, 1.0), n // 2), (-2.048, 2.048)
    return Problem(
        fun_grad,
        start,
        hess=hess,
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=np.ones(n),
        f_opt=0.0,
        bounds=bounds,
    )
