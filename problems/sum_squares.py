r"""Sum squares (axis-parallel hyper-ellipsoid).

f(x) = sum_{i=1}^n i x_i^2,  f(0) = 0; the condition number is n.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Sum Squares Function".
Start: (5, ..., 5), a choice of this package.
"""

from __future__ import annotations

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        f += (i + 1.0) * x[i] * x[i]
        g[i] = 2.0 * (i + 1.0) * x[i]
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        h[i, i] = 2.0 * (i + 1.0)


@problem(source="Surjanovic & Bingham", tags=("convex", "unimodal", "smooth", "separable", "scalable"))
def sum_squares(n: int = 2) -> Problem:
    """Weighted sum of squares in n dimensions."""
    return Problem(fun_grad, np.full(n, 5.0), hess=hess, x_opt=np.zeros(n), f_opt=0.0, bounds=(-10.0, 10.0))
