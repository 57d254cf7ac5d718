r"""Hock-Schittkowski 2: Rosenbrock's valley, cut off above its minimum.

f(x) = (1 - x_1)^2 + 100 (x_2 - x_1^2)^2,
subject to x_2 >= 1.5.

The start is infeasible. A second local minimum lies on the bound near x_1 = -1.22, with f = 4.94.

Source: Hock & Schittkowski (1981), problem 2 (Betts 1977).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import flat, only_sides, sides
from optbench.problems.hock_schittkowski.hs001 import fun_grad, hess
from optbench.registry import problem
from optbench.types import Problem


@problem(
    source="Hock & Schittkowski 1981, problem 2",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs002() -> Problem:
    """Rosenbrock's valley, cut off above its minimum."""
    return Problem(
        fun_grad,
        (-2.0, 1.0),
        hess=hess,
        constraints=only_sides,
        curvature=flat,
        m=1,
        data=sides(2, low=(-math.inf, 1.5)),
        multipliers=(0.18325392775670352,),
        x_opt=(1.2243707487363524, 1.5),
        f_opt=0.05042618789360708,
        bounds=(-3.0, 3.0),
    )
