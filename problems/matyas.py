r"""Matyas' function.

f(x) = 0.26 (x_1^2 + x_2^2) - 0.48 x_1 x_2,  f(0, 0) = 0. Evaluated as 0.24 (x_1 - x_2)^2 + 0.02 (x_1^2 + x_2^2),
which is the same and cannot fall below zero by rounding.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Matyas Function".
Start: (8, -5), a choice of this package.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    d = x[0] - x[1]
    g[0] = 0.48 * d + 0.04 * x[0]
    g[1] = -0.48 * d + 0.04 * x[1]
    return 0.24 * d * d + 0.02 * (x[0] * x[0] + x[1] * x[1])


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0], h[1, 1] = 0.52, 0.52
    h[0, 1], h[1, 0] = -0.48, -0.48


@problem(source="Surjanovic & Bingham", tags=("convex", "unimodal", "smooth"))
def matyas() -> Problem:
    """Matyas' convex quadratic of two variables, condition number 25."""
    return Problem(fun_grad, (8.0, -5.0), hess=hess, x_opt=(0.0, 0.0), f_opt=0.0, bounds=(-10.0, 10.0))
