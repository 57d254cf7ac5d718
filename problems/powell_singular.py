r"""Powell's singular function, extended.

For every block (a, b, c, d) of four coordinates
(a + 10 b)^2 + 5 (c - d)^2 + (b - 2 c)^4 + 10 (a - d)^4,  f(0) = 0.
Convex; the Hessian at the minimizer is singular (rank 2 in every block).

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problems 13 and 22 (Powell 1962), sum of squares without a
factor; n a multiple of 4. Start: (3, -1, 0, 1), repeated: their standard start. Plotting domain: Surjanovic &
Bingham, "Powell Function".
"""

from __future__ import annotations

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


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


@problem(
    source="Powell 1962; More, Garbow & Hillstrom 1981, problems 13 and 22",
    tags=("convex", "unimodal", "smooth", "ill-conditioned", "scalable"),
)
def powell_singular(n: int = 4) -> Problem:
    """Powell's singular function in n dimensions, n a multiple of 4: a flat-bottomed minimum."""
    if n % 4:
        raise ValueError(f"problem 'powell_singular': n must be a multiple of 4, not {n}")
    return Problem(
        fun_grad,
        np.tile((3.0, -1.0, 0.0, 1.0), n // 4),
        hess=hess,
        x_opt=np.zeros(n),
        f_opt=0.0,
        bounds=(-4.0, 5.0),
    )
