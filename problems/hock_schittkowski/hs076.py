r"""Hock-Schittkowski 76: A quadratic program of four variables.

f(x) = x_3 + x_1^2 + x_3^2 + 0.5 x_2^2 + 0.5 x_4^2 + x_3 x_4 - x_1 - x_4 - 3 x_2 - x_1 x_3,
subject to x_1 + x_3 + x_4 + 2 x_2 - 5 <= 0, x_2 + 2 x_3 + 3 x_1 - x_4 - 4 <= 0, 1.5 - x_2 - 4 x_3 <= 0, x_i >= 0.

Source: Hock & Schittkowski (1981), problem 76 (Murtagh & Sargent 1969).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, flat, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - x[2] - 1.0
    g[1] = x[1] - 3.0
    g[2] = x[3] + 2.0 * x[2] + 1.0 - x[0]
    g[3] = x[2] + x[3] - 1.0
    return (
        x[2]
        + x[0] ** 2
        + x[2] ** 2
        + 0.5 * x[1] ** 2
        + 0.5 * x[3] ** 2
        + x[2] * x[3]
        - x[0]
        - x[3]
        - 3.0 * x[1]
        - x[0] * x[2]
    )


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[0, 2] = h[2, 0] = -1.0
    h[1, 1] = 1.0
    h[2, 2] = 2.0
    h[2, 3] = h[3, 2] = 1.0
    h[3, 3] = 1.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + x[2] + x[3] + 2.0 * x[1] - 5.0
    c[1] = x[1] + 2.0 * x[2] + 3.0 * x[0] - x[3] - 4.0
    c[2] = 1.5 - x[1] - 4.0 * x[2]
    jac[0, 0] = 1.0
    jac[0, 1] = 2.0
    jac[0, 2] = 1.0
    jac[0, 3] = 1.0
    jac[1, 0] = 3.0
    jac[1, 1] = 1.0
    jac[1, 2] = 2.0
    jac[1, 3] = -1.0
    jac[2, 1] = -1.0
    jac[2, 2] = -4.0
    write_sides(x, c, jac, 3, data)


@problem(
    source="Hock & Schittkowski 1981, problem 76",
    tags=("convex", "smooth", "constrained"),
)
def hs076() -> Problem:
    """A quadratic program of four variables."""
    return Problem(
        fun_grad,
        (0.5, 0.5, 0.5, 0.5),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=7,
        data=sides(4, low=0.0),
        multipliers=(0.45454545454545453, 0.0, 0.0, 0.0, 0.0, 1.7272727272727273, 0.0),
        x_opt=(0.2727272727272727, 2.090909090909091, 0.0, 0.5454545454545454),
        f_opt=-4.681818181818182,
        bounds=(0.0, 3.0),
    )
