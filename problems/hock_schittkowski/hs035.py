r"""Hock-Schittkowski 35: Beale's quadratic program.

f(x) = x_3^2 + 2 x_1^2 + 2 x_2^2 + 2 x_1 x_2 + 2 x_1 x_3 + 9 - 8 x_1 - 6 x_2 - 4 x_3,
subject to x_1 + x_2 + 2 x_3 - 3 <= 0, x_i >= 0.

Source: Hock & Schittkowski (1981), problem 35 (Asaadi 1973 (Beale)).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import flat, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[1] + 2.0 * x[2] + 4.0 * x[0] - 8.0
    g[1] = 2.0 * x[0] + 4.0 * x[1] - 6.0
    g[2] = 2.0 * x[0] + 2.0 * x[2] - 4.0
    return (
        x[2] ** 2
        + 2.0 * x[0] ** 2
        + 2.0 * x[1] ** 2
        + 2.0 * x[0] * x[1]
        + 2.0 * x[0] * x[2]
        + 9.0
        - 8.0 * x[0]
        - 6.0 * x[1]
        - 4.0 * x[2]
    )


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 4.0
    h[0, 1] = h[1, 0] = 2.0
    h[0, 2] = h[2, 0] = 2.0
    h[1, 1] = 4.0
    h[2, 2] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] + x[1] + 2.0 * x[2] - 3.0
    jac[0, 0] = 1.0
    jac[0, 1] = 1.0
    jac[0, 2] = 2.0
    write_sides(x, c, jac, 1, data)


@problem(
    source="Hock & Schittkowski 1981, problem 35",
    tags=("convex", "smooth", "constrained"),
)
def hs035() -> Problem:
    """Beale's quadratic program."""
    return Problem(
        fun_grad,
        (0.5, 0.5, 0.5),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=4,
        data=sides(3, low=0.0),
        multipliers=(0.2222222222222222, *(0.0,) * 3),
        x_opt=(1.3333333333333333, 0.7777777777777778, 0.4444444444444444),
        f_opt=0.1111111111111111,
        bounds=(0.0, 3.0),
    )
