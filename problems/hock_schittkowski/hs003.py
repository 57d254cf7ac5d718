r"""Hock-Schittkowski 3: A linear function with a tiny curvature, above a line.

f(x) = x_2 + 1e-05 (x_2 - x_1)^2,
subject to x_2 >= 0.

Source: Hock & Schittkowski (1981), problem 3 (Schuldt 1975).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import flat, only_sides, sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2e-05 * x[0] - 2e-05 * x[1]
    g[1] = 2e-05 * x[1] + 1.0 - 2e-05 * x[0]
    return x[1] + 1e-05 * (x[1] - x[0]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2e-05
    h[0, 1] = h[1, 0] = -2e-05
    h[1, 1] = 2e-05


@problem(
    source="Hock & Schittkowski 1981, problem 3",
    tags=("convex", "smooth", "constrained", "ill-conditioned"),
)
def hs003() -> Problem:
    """A linear function with a tiny curvature, above a line."""
    return Problem(
        fun_grad,
        (10.0, 1.0),
        hess=hess,
        constraints=only_sides,
        curvature=flat,
        m=1,
        data=sides(2, low=(-math.inf, 0.0)),
        multipliers=(1.0,),
        x_opt=(0.0, 0.0),
        f_opt=0.0,
        bounds=(-5.0, 15.0),
    )
