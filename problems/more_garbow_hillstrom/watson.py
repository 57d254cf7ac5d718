r"""Watson's function.

r_i = sum_{j=2}^n (j - 1) x_j t_i^{j-2} - (sum_{j=1}^n x_j t_i^{j-1})^2 - 1,  t_i = i / 29,  i = 1, ..., 29,
r_30 = x_1,  r_31 = x_2 - x_1^2 - 1.  A polynomial that solves a differential equation: the more coefficients, the
smaller the minimum and the worse the conditioning. f = 2.28767e-3, 1.39976e-6, 4.72238e-10 for n = 6, 9, 12.

Source: More, Garbow & Hillstrom (1981), problem 20 (Kowalik & Osborne 1968), n = 6, 9, 12 as tabulated there. Start: 0.
"""

from __future__ import annotations

import numpy as np

from optbench.evaluation import zero
from optbench.registry import problem
from optbench.types import Problem

MINIMA = {  # n: f_opt, x_opt
    6: (
        0.002287670053552436,
        (
            *(-0.015725086401458456, 1.0124348693691099, -0.2329916259567377),
            *(1.2604300877996084, -1.5137289227222797, 0.9929964324311346),
        ),
    ),
    9: (
        1.3997601380990200e-06,
        (
            *(-1.5307036521394342e-05, 0.9997897039319483, 0.014763963693556958),
            *(0.14634232829936222, 1.0008211030047092, -2.617731140519015),
            *(4.104403164478857, -3.1436122785564424, 1.0526264080101668),
        ),
    ),
    12: (
        4.722381105891757e-10,
        (
            *(-6.638060464520687e-09, 1.000001644117862, -0.0005639322103423058, 0.34782054050404243),
            *(-0.15673150409616513, 1.0528151772071777, -3.2472711534596677, 7.288434897938061),
            *(-10.271848241321724, 9.074113647075317, -4.541375466692512, 1.0120118885528104),
        ),
    ),
}


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    zero(jac)
    for i in range(29):
        t = (i + 1.0) / 29.0
        value, slope, lower, power = x[0], 0.0, 0.0, 1.0
        for j in range(1, n):
            lower, power = power, power * t
            value += x[j] * power
            slope += j * x[j] * lower
        r[i] = slope - value * value - 1.0
        jac[i, 0] = -2.0 * value
        power = 1.0
        for j in range(1, n):
            lower, power = power, power * t
            jac[i, j] = j * lower - 2.0 * value * power
    r[29], r[30] = x[0], x[1] - x[0] * x[0] - 1.0
    jac[29, 0], jac[30, 0], jac[30, 1] = 1.0, -2.0 * x[0], 1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    for i in range(29):
        t = (i + 1.0) / 29.0
        row = 1.0
        for j in range(x.size):
            power = row
            for k in range(x.size):
                h[j, k] -= 2.0 * w[i] * power
                power *= t
            row *= t
    h[0, 0] -= 2.0 * w[30]


@problem(
    source="Kowalik & Osborne 1968; More, Garbow & Hillstrom 1981, problem 20",
    tags=("least-squares", "nonconvex", "smooth", "ill-conditioned"),
)
def watson(n: int = 6) -> Problem:
    """Watson's polynomial of n = 6, 9 or 12 coefficients."""
    if n not in MINIMA:
        raise ValueError(f"problem 'watson': n must be one of 6, 9, 12, not {n}")
    f_opt, x_opt = MINIMA[n]
    return Problem(
        None,
        np.zeros(n),
        residuals=residuals,
        curvature=curvature,
        m=31,
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=(-12.0, 12.0),
    )
