r"""Hock-Schittkowski 112: Chemical equilibrium of ten compounds.

f(x) = sum_j x_j (cost_j + log(x_j / (x_1 + ... + x_10))), cost as `COST` says,
subject to x_1 + 2 x_2 + 2 x_3 + x_6 + x_10 - 2 = 0, x_4 + 2 x_5 + x_6 + x_7 - 1 = 0,
  x_3 + x_7 + x_8 + 2 x_9 + x_10 - 1 = 0, x_i >= 1e-6.

The minimum is inside the bounds.

Source: Hock & Schittkowski (1981), problem 112 (Bracken & McCormick 1968; White 1958).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.problems.hock_schittkowski._sides import clear, flat, sides, write_sides
from optbench.records import Vector
from optbench.registry import problem
from optbench.types import Problem

COST = (-6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662, -22.179)


class Mixture(NamedTuple):
    """Free energy of the compounds, shape (n,), and the bounds as `_sides.Sides` has them."""

    cost: Vector
    which: Vector
    sign: Vector
    limit: Vector


def total(x):
    """Sum of the coordinates."""
    s = 0.0
    for j in range(x.size):
        s += x[j]
    return s


def fun_grad(x, g, data):
    """Value; gradient into `g`: what the logarithm of the sum adds to it cancels."""
    s = total(x)
    f = 0.0
    for j in range(x.size):
        g[j] = data.cost[j] + math.log(x[j] / s)
        f += x[j] * g[j]
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    s = total(x)
    for i in range(x.size):
        for j in range(x.size):
            h[i, j] = -1.0 / s
        h[i, i] += 1.0 / x[i]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + 2.0 * x[1] + 2.0 * x[2] + x[5] + x[9] - 2.0
    c[1] = x[3] + 2.0 * x[4] + x[5] + x[6] - 1.0
    c[2] = x[2] + x[6] + x[7] + 2.0 * x[8] + x[9] - 1.0
    jac[0, 0] = jac[0, 5] = jac[0, 9] = 1.0
    jac[0, 1] = jac[0, 2] = 2.0
    jac[1, 3] = jac[1, 5] = jac[1, 6] = 1.0
    jac[1, 4] = 2.0
    jac[2, 2] = jac[2, 6] = jac[2, 7] = jac[2, 9] = 1.0
    jac[2, 8] = 2.0
    write_sides(x, c, jac, 3, data)


@problem(
    source="Hock & Schittkowski 1981, problem 112",
    tags=("convex", "smooth", "constrained"),
)
def hs112() -> Problem:
    """Chemical equilibrium of ten compounds."""
    return Problem(
        fun_grad,
        (0.1,) * 10,
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=13,
        m_eq=3,
        data=Mixture(np.array(COST), *sides(10, low=1e-6)),
        multipliers=(9.785055008529767, 12.968920691636928, 15.222060150669403, *(0.0,) * 10),
        x_opt=(
            0.04066808735569017,
            0.14773035434082232,
            0.7831533540092335,
            0.0014142198090301217,
            0.48524664869927275,
            0.0006931720784210657,
            0.027399310714003262,
            0.017947279584925417,
            0.03731436591303036,
            0.09687132386577708,
        ),
        f_opt=-47.761090859365865,
        bounds=(1e-6, 1.0),
    )
