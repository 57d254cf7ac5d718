r"""Hock-Schittkowski 44: A bilinear program: its minima are corners.

f(x) = x_1 + x_1 x_4 + x_2 x_3 - x_2 - x_3 - x_1 x_3 - x_2 x_4,
subject to x_1 + 2 x_2 - 8 <= 0, x_2 + 4 x_1 - 12 <= 0, 3 x_1 + 4 x_2 - 12 <= 0, x_4 + 2 x_3 - 8 <= 0, x_3 + 2 x_4 - 8
  <= 0, x_3 + x_4 - 5 <= 0, x_i >= 0.

The start is a corner. Other local minima: (3, 0, 4, 0) with f = -13.

Source: Hock & Schittkowski (1981), problem 44 (Konno 1968).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, flat, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = x[3] + 1.0 - x[2]
    g[0] = p
    g[1] = -p
    g[2] = x[1] - x[0] - 1.0
    g[3] = x[0] - x[1]
    return x[0] + x[0] * x[3] + x[1] * x[2] - x[1] - x[2] - x[0] * x[2] - x[1] * x[3]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 2] = h[2, 0] = -1.0
    h[0, 3] = h[3, 0] = 1.0
    h[1, 2] = h[2, 1] = 1.0
    h[1, 3] = h[3, 1] = -1.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + 2.0 * x[1] - 8.0
    c[1] = x[1] + 4.0 * x[0] - 12.0
    c[2] = 3.0 * x[0] + 4.0 * x[1] - 12.0
    c[3] = x[3] + 2.0 * x[2] - 8.0
    c[4] = x[2] + 2.0 * x[3] - 8.0
    c[5] = x[2] + x[3] - 5.0
    jac[0, 0] = 1.0
    jac[0, 1] = 2.0
    jac[1, 0] = 4.0
    jac[1, 1] = 1.0
    jac[2, 0] = 3.0
    jac[2, 1] = 4.0
    jac[3, 2] = 2.0
    jac[3, 3] = 1.0
    jac[4, 2] = 1.0
    jac[4, 3] = 2.0
    jac[5, 2] = 1.0
    jac[5, 3] = 1.0
    write_sides(x, c, jac, 6, data)


@problem(
    source="Hock & Schittkowski 1981, problem 44",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs044() -> Problem:
    """A bilinear program: its minima are corners."""
    return Problem(
        fun_grad,
        (0.0, 0.0, 0.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=10,
        data=sides(4, low=0.0),
        multipliers=(0.0, 0.0, 1.25, 0.0, 1.5, 0.0, 8.75, 0.0, 3.5, 0.0),
        x_opt=(0.0, 3.0, 0.0, 4.0),
        f_opt=-15.0,
        bounds=(0.0, 8.0),
    )
