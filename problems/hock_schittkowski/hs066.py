r"""Hock-Schittkowski 66: A linear function above two exponentials.

f(x) = 0.2 x_3 - 0.8 x_1,
subject to exp(x_1) - x_2 <= 0, exp(x_2) - x_3 <= 0, 0 <= x_1 <= 100, 0 <= x_2 <= 100, 0 <= x_3 <= 10.

Source: Hock & Schittkowski (1981), problem 66 (Eckhardt 1975).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear, linear, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = -0.8
    g[1] = 0.0
    g[2] = 0.2
    return 0.2 * x[2] - 0.8 * x[0]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = math.exp(x[0]) - x[1]
    c[1] = math.exp(x[1]) - x[2]
    jac[0, 0] = math.exp(x[0])
    jac[0, 1] = -1.0
    jac[1, 1] = math.exp(x[1])
    jac[1, 2] = -1.0
    write_sides(x, c, jac, 2, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += w[0] * math.exp(x[0])
    h[1, 1] += w[1] * math.exp(x[1])


@problem(
    source="Hock & Schittkowski 1981, problem 66",
    tags=("convex", "smooth", "constrained"),
)
def hs066() -> Problem:
    """A linear function above two exponentials."""
    return Problem(
        fun_grad,
        (0.0, 1.05, 2.9),
        hess=linear,
        constraints=constraints,
        curvature=curvature,
        m=8,
        data=sides(3, low=0.0, high=(100.0, 100.0, 10.0)),
        multipliers=(0.6654644645198191, 0.2, *(0.0,) * 6),
        x_opt=(0.1841264879228477, 1.2021678731970429, 3.3273223225990955),
        f_opt=0.518163274181541,
        bounds=((0.0, 5.0), (0.0, 5.0), (0.0, 10.0)),
    )
