r"""Hock-Schittkowski 21: A flat bowl right of a line.

f(x) = x_2^2 + 0.01 x_1^2 - 100,
subject to x_2 + 10 - 10 x_1 <= 0, 2 <= x_1 <= 50, -50 <= x_2 <= 50.

Source: Hock & Schittkowski (1981), problem 21 (Betts 1977).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import flat, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 0.02 * x[0]
    g[1] = 2.0 * x[1]
    return x[1] ** 2 + 0.01 * x[0] ** 2 - 100.0


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 0.02
    h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[1] + 10.0 - 10.0 * x[0]
    jac[0, 0] = -10.0
    jac[0, 1] = 1.0
    write_sides(x, c, jac, 1, data)


@problem(
    source="Hock & Schittkowski 1981, problem 21",
    tags=("convex", "smooth", "constrained"),
)
def hs021() -> Problem:
    """A flat bowl right of a line."""
    return Problem(
        fun_grad,
        (-1.0, -1.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=5,
        data=sides(2, low=(2.0, -50.0), high=50.0),
        multipliers=(0.0, 0.04, *(0.0,) * 3),
        x_opt=(2.0, 0.0),
        f_opt=-99.96,
        bounds=((-5.0, 50.0), (-50.0, 50.0)),
    )
