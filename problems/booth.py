r"""Booth's function.

f(x) = (x_1 + 2 x_2 - 7)^2 + (2 x_1 + x_2 - 5)^2,  f(1, 3) = 0.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Booth Function".
Start: (-5, -5), a choice of this package.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    a = x[0] + 2.0 * x[1] - 7.0
    b = 2.0 * x[0] + x[1] - 5.0
    g[0] = 2.0 * a + 4.0 * b
    g[1] = 4.0 * a + 2.0 * b
    return a * a + b * b


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0], h[1, 1] = 10.0, 10.0
    h[0, 1], h[1, 0] = 8.0, 8.0


@problem(source="Surjanovic & Bingham", tags=("convex", "unimodal", "smooth"))
def booth() -> Problem:
    """Booth's convex quadratic of two variables, condition number 9."""
    return Problem(fun_grad, (-5.0, -5.0), hess=hess, x_opt=(1.0, 3.0), f_opt=0.0, bounds=(-10.0, 10.0))
