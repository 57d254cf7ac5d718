r"""Dixon-Price function.

f(x) = (x_1 - 1)^2 + sum_{i=2}^n i (2 x_i^2 - x_{i-1})^2, zero at x_i = 2^(-(2^i - 2) / 2^i) and, for n >= 2, also
with -x_n in place of x_n.

Source: Dixon & Price (1989), J. Optim. Theory Appl. 60, 261-275, in the form of Surjanovic & Bingham, "Dixon-Price
Function" (weights i, start of the chain at x_1 = 1). Start: (2, ..., 2), a choice of this package.
"""

from __future__ import annotations

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * (x[0] - 1.0)
    f = (x[0] - 1.0) * (x[0] - 1.0)
    for i in range(1, x.size):
        a = 2.0 * x[i] * x[i] - x[i - 1]
        f += (i + 1.0) * a * a
        g[i - 1] -= 2.0 * (i + 1.0) * a
        g[i] = 8.0 * (i + 1.0) * a * x[i]
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    for i in range(1, x.size):
        w = i + 1.0
        h[i - 1, i - 1] += 2.0 * w
        h[i - 1, i] = -8.0 * w * x[i]
        h[i, i - 1] = -8.0 * w * x[i]
        h[i, i] = 8.0 * w * (6.0 * x[i] * x[i] - x[i - 1])


@problem(source="Dixon & Price 1989; Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth", "scalable"))
def dixon_price(n: int = 2) -> Problem:
    """Dixon and Price's function in n dimensions: a chain with two mirrored minima."""
    x_opt = np.exp2(np.exp2(-np.arange(n, dtype=np.float64)) - 1.0)
    mirrored = np.concatenate((x_opt[:-1], -x_opt[-1:]))
    return Problem(
        fun_grad,
        np.full(n, 2.0),
        hess=hess,
        x_opt=x_opt if n == 1 else np.stack((x_opt, mirrored)),
        f_opt=0.0,
        bounds=(-10.0, 10.0),
    )
