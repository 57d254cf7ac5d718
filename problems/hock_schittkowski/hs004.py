r"""Hock-Schittkowski 4: A cubic whose minimum is the corner of its bounds.

f(x) = x_2 + (x_1 + 1)^3 / 3,
subject to x_1 >= 1, x_2 >= 0.

Source: Hock & Schittkowski (1981), problem 4 (Asaadi 1973).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import flat, only_sides, sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = (x[0] + 1.0) ** 2
    g[1] = 1.0
    return x[1] + (x[0] + 1.0) ** 3 / 3.0


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0 * x[0] + 2.0


@problem(
    source="Hock & Schittkowski 1981, problem 4",
    tags=("convex", "smooth", "constrained"),
)
def hs004() -> Problem:
    """A cubic whose minimum is the corner of its bounds."""
    return Problem(
        fun_grad,
        (1.125, 0.125),
        hess=hess,
        constraints=only_sides,
        curvature=flat,
        m=2,
        data=sides(2, low=(1.0, 0.0)),
        multipliers=(4.0, 1.0),
        x_opt=(1.0, 0.0),
        f_opt=2.6666666666666665,
        bounds=(1.0, 5.0),
    )
