r"""Hock-Schittkowski 24: A cubic in a triangle: a minimum in a corner.

f(x) = sqrt(3) x_2^3 ((x_1 - 3)^2 - 9) / 81,
subject to x_2 - x_1 sqrt(3) / 3 <= 0, -x_1 - x_2 sqrt(3) <= 0, x_1 + x_2 sqrt(3) - 6 <= 0, x_i >= 0.

Source: Hock & Schittkowski (1981), problem 24 (Betts 1977; Box 1965).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import flat, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = math.sqrt(3.0)
    q = p * x[1] ** 3 / 81.0
    r = (x[0] - 3.0) ** 2 - 9.0
    g[0] = q * (2.0 * x[0] - 6.0)
    g[1] = p * r * x[1] ** 2 / 27.0
    return q * r


def hess(x, h, data):
    """Hessian into `h`."""
    p = math.sqrt(3.0)
    h[0, 0] = 2.0 * p * x[1] ** 3 / 81.0
    h[0, 1] = h[1, 0] = p * x[1] ** 2 * (2.0 * x[0] - 6.0) / 27.0
    h[1, 1] = 2.0 * p * x[1] * ((x[0] - 3.0) ** 2 - 9.0) / 27.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    p = math.sqrt(3.0)
    q = x[0] + p * x[1]
    c[0] = x[1] - p * x[0] / 3.0
    c[1] = -q
    c[2] = q - 6.0
    jac[0, 0] = -p / 3.0
    jac[0, 1] = 1.0
    jac[1, 0] = -1.0
    jac[1, 1] = -p
    jac[2, 0] = 1.0
    jac[2, 1] = p
    write_sides(x, c, jac, 3, data)


@problem(
    source="Hock & Schittkowski 1981, problem 24",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs024() -> Problem:
    """A cubic in a triangle: a minimum in a corner."""
    return Problem(
        fun_grad,
        (1.0, 0.5),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=5,
        data=sides(2, low=0.0),
        multipliers=(0.8660254037844386, 0.0, 0.5, 0.0, 0.0),
        x_opt=(3.0, 1.7320508075688772),
        f_opt=-1.0,
        bounds=(0.0, 6.0),
    )
