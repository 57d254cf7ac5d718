r"""Hock-Schittkowski 5: McCormick's function in its box: a minimum inside, all multipliers 0.

f(x) = (x_1 - x_2)^2 + 2.5 x_2 + sin(x_1 + x_2) + 1 - 1.5 x_1,
subject to -1.5 <= x_1 <= 4, -3 <= x_2 <= 3.

Source: Hock & Schittkowski (1981), problem 5 (McCormick 1976).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import flat, only_sides, sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = math.cos(x[0] + x[1])
    g[0] = p + 2.0 * x[0] - 2.0 * x[1] - 1.5
    g[1] = p + 2.0 * x[1] + 2.5 - 2.0 * x[0]
    return (x[0] - x[1]) ** 2 + 2.5 * x[1] + math.sin(x[0] + x[1]) + 1.0 - 1.5 * x[0]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0 - math.sin(x[0] + x[1])
    h[0, 1] = h[1, 0] = -math.sin(x[0] + x[1]) - 2.0
    h[1, 1] = 2.0 - math.sin(x[0] + x[1])


@problem(
    source="Hock & Schittkowski 1981, problem 5",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs005() -> Problem:
    """McCormick's function in its box: a minimum inside, all multipliers 0."""
    return Problem(
        fun_grad,
        (0.0, 0.0),
        hess=hess,
        constraints=only_sides,
        curvature=flat,
        m=4,
        data=sides(2, low=(-1.5, -3.0), high=(4.0, 3.0)),
        multipliers=(0.0,) * 4,
        x_opt=(-0.5471975511965977, -1.5471975511965979),
        f_opt=-1.9132229549810364,
        bounds=((-1.5, 4.0), (-3.0, 3.0)),
    )
