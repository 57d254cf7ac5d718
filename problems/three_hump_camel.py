r"""Three-hump camel function.

f(x) = 2 x_1^2 - 1.05 x_1^4 + x_1^6 / 6 + x_1 x_2 + x_2^2,  f(0, 0) = 0. Evaluated as
(x_2 + x_1 / 2)^2 + x_1^2 (1.75 - 1.05 x_1^2 + x_1^4 / 6), whose second bracket is positive: f >= 0 in floating point
too.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Three-Hump Camel Function".
Start: (1, 2), a choice of this package.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    s = x[0] * x[0]
    d = x[1] + 0.5 * x[0]
    g[0] = x[0] * (4.0 - 4.2 * s + s * s) + x[1]
    g[1] = 2.0 * d
    return d * d + s * (1.75 - 1.05 * s + s * s / 6.0)


def hess(x, h, data):
    """Hessian into `h`."""
    s = x[0] * x[0]
    h[0, 0] = 4.0 - 12.6 * s + 5.0 * s * s
    h[0, 1], h[1, 0] = 1.0, 1.0
    h[1, 1] = 2.0


@problem(source="Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth"))
def three_hump_camel() -> Problem:
    """Three-hump camel function of two variables: three minima, one of them global."""
    return Problem(fun_grad, (1.0, 2.0), hess=hess, x_opt=(0.0, 0.0), f_opt=0.0, bounds=(-5.0, 5.0))
