r"""Hock-Schittkowski 1: Rosenbrock's valley above a line that the minimum does not touch.

f(x) = (1 - x_1)^2 + 100 (x_2 - x_1^2)^2,
subject to x_2 >= -1.5.

Source: Hock & Schittkowski (1981), problem 1 (Betts 1977).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import flat, only_sides, sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = x[1] - x[0] ** 2
    g[0] = 2.0 * x[0] - 400.0 * p * x[0] - 2.0
    g[1] = 200.0 * x[1] - 200.0 * x[0] ** 2
    return (1.0 - x[0]) ** 2 + 100.0 * p**2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 1200.0 * x[0] ** 2 + 2.0 - 400.0 * x[1]
    h[0, 1] = h[1, 0] = -400.0 * x[0]
    h[1, 1] = 200.0


@problem(
    source="Hock & Schittkowski 1981, problem 1",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs001() -> Problem:
    """Rosenbrock's valley above a line that the minimum does not touch."""
    return Problem(
        fun_grad,
        (-2.0, 1.0),
        hess=hess,
        constraints=only_sides,
        curvature=flat,
        m=1,
        data=sides(2, low=(-math.inf, -1.5)),
        multipliers=(0.0,),
        x_opt=(1.0, 1.0),
        f_opt=0.0,
        bounds=(-3.0, 3.0),
    )
