r"""Hock-Schittkowski 15: Rosenbrock's valley behind a hyperbola: a minimum in a corner.

f(x) = (1 - x_1)^2 + 100 (x_2 - x_1^2)^2,
subject to 1 - x_1 x_2 <= 0, -x_1 - x_2^2 <= 0, x_1 <= 0.5.

A second local minimum lies near (-0.79, -1.26), with f = 360.4.

Source: Hock & Schittkowski (1981), problem 15 (Betts 1977).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.problems.hock_schittkowski.hs001 import fun_grad, hess
from optbench.registry import problem
from optbench.types import Problem


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 1.0 - x[0] * x[1]
    c[1] = -x[0] - x[1] ** 2
    jac[0, 0] = -x[1]
    jac[0, 1] = -x[0]
    jac[1, 0] = -1.0
    jac[1, 1] = -2.0 * x[1]
    write_sides(x, c, jac, 2, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 1] -= w[0]
    h[1, 0] -= w[0]
    h[1, 1] -= 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 15",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs015() -> Problem:
    """Rosenbrock's valley behind a hyperbola: a minimum in a corner."""
    return Problem(
        fun_grad,
        (-2.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        data=sides(2, high=(0.5, math.inf)),
        multipliers=(700.0, 0.0, 1751.0),
        x_opt=(0.5, 2.0),
        f_opt=306.5,
        bounds=(-3.0, 3.0),
    )
