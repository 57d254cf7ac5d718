r"""Powell's singular function, extended.

For every block (a, b, c, d) of four coordinates
(a + 10 b)^2 + 5 (c - d)^2 + (b - 2 c)^4 + 10 (a - d)^4,  f(0) = 0.
Convex; the Hessian at the minimizer is singular (rank 2 in every block).

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problems 13 and 22 (Powell 1962), sum of squares without a
factor; n a multiple of 4. Start: (3, -1, 0, 1), repeated: their standard start. Plotting domain: Surjanovic &
Bingham, "Powell Function".
"""

from __future__ import annotations

import math

import numpy as np

from optbench.evaluation import zero
from optbench.registry import problem
from optbench.types import Problem

ROOT_5, ROOT_10 = math.sqrt(5.0), math.sqrt(10.0)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for k in range(0, x.size, 4):
        p, q = x[k] + 10.0 * x[k + 1], x[k + 2] - x[k + 3]
        r, s = x[k + 1] - 2.0 * x[k + 2], x[k] - x[k + 3]
        f += p * p + 5.0 * q * q + r * r * r * r + 10.0 * s * s * s * s
        dr, ds = 4.0 * r * r * r, 40.0 * s * s * s
        g[k] = 2.0 * p + ds
        g[k + 1] = 20.0 * p + dr
        g[k + 2] = 10.0 * q - 2.0 * dr
        g[k + 3] = -10.0 * q - ds
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for k in range(0, x.size, 4):
        r, s = x[k + 1] - 2.0 * x[k + 2], x[k] - x[k + 3]
        ddr, dds = 12.0 * r * r, 120.0 * s * s
        h[k, k], h[k, k + 1], h[k, k + 3] = 2.0 + dds, 20.0, -dds
        h[k + 1, k], h[k + 1, k + 1], h[k + 1, k + 2] = 20.0, 200.0 + ddr, -2.0 * ddr
        h[k + 2, k + 1], h[k + 2, k + 2], h[k + 2, k + 3] = -2.0 * ddr, 10.0 + 4.0 * ddr, -10.0
        h[k + 3, k], h[k + 3, k + 2], h[k + 3, k + 3] = -dds, -10.0, 10.0 + dds


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    zero(jac)
    for k in range(0, x.size, 4):
        p, q = x[k + 1] - 2.0 * x[k + 2], x[k] - x[k + 3]
        r[k], r[k + 1] = x[k] + 10.0 * x[k + 1], ROOT_5 * (x[k + 2] - x[k + 3])
        r[k + 2], r[k + 3] = p * p, ROOT_10 * q * q
        jac[k, k], jac[k, k + 1] = 1.0, 10.0
        jac[k + 1, k + 2], jac[k + 1, k + 3] = ROOT_5, -ROOT_5
        jac[k + 2, k + 1], jac[k + 2, k + 2] = 2.0 * p, -4.0 * p
        jac[k + 3, k], jac[k + 3, k + 3] = 2.0 * ROOT_10 * q, -2.0 * ROOT_10 * q


def curvature(x, w, h, data):
    """Second derivatives."""
    for k in range(0, x.size, 4):
        p, q = 2.0 * w[k + 2], 2.0 * ROOT_10 * w[k + 3]
        h[k + 1, k + 1] += p
        h[k + 1, k + 2] -= 2.0 * p
        h[k + 2, k + 1] -= 2.0 * p
        h[k + 2, k + 2] += 4.0 * p
        h[k, k] += q
        h[k, k + 3] -= q
        h[k + 3, k] -= q
        h[k + 3, k + 3] += q


@problem(
    source="Powell 1962; More, Garbow & Hillstrom 1981, problems 13 and 22",
    tags=("least-squares", "convex", "unimodal", "smooth", "ill-conditioned", "singular", "scalable"),
)
def powell_singular(n: int = 4) -> Problem:
    """Powell's singular function in n dimensions, n a multiple of 4: a flat-bottomed minimum."""
    if n % 4:
        raise ValueError(f"problem 'powell_singular': n must be a multiple of 4, not {n}")
    start, x_opt, bounds = np.tile((3.0, -1.0, 0.0, 1.0), n // 4), np.zeros(n), (-4.0, 5.0)
    return Problem(
        fun_grad,
        start,
        hess=hess,
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=x_opt,
        f_opt=0.0,
        bounds=bounds,
    )
