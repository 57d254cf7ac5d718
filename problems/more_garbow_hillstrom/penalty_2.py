r"""Penalty function II.

r_1 = x_1 - 1/5,  r_i = sqrt(1e-5) (exp(x_i / 10) + exp(x_{i-1} / 10) - y_i), i = 2, ..., n,
r_i = sqrt(1e-5) (exp(x_{i-n+1} / 10) - exp(-1/10)), i = n + 1, ..., 2n - 1,  r_{2n} = sum (n - j + 1) x_j^2 - 1,
y_i = exp(i / 10) + exp((i - 1) / 10).  f = 9.37629e-6 for n = 4, 2.93661e-4 for n = 10.

Source: More, Garbow & Hillstrom (1981), problem 24 (Gill, Murray & Pitfield 1972), n = 4 and 10 as tabulated there.
Start: (1/2, ..., 1/2).
"""

from __future__ import annotations

import math

import numpy as np

from optbench.evaluation import zero
from optbench.registry import problem
from optbench.types import Problem

ROOT = math.sqrt(1e-5)
FLOOR = math.exp(-0.1)
MINIMA = {  # n: f_opt, x_opt
    4: (9.376293007355442e-06, (0.1999993333503804, 0.19131670099277245, 0.48010148533262315, 0.5188454043902005)),
    10: (
        0.00029366053745674594,
        (
            *(
                0.1999836051978236,
                0.010350648471292297,
                0.019604934480438402,
                0.03208906722068565,
                0.049932677399641294,
            ),
            *(0.07651399515399361, 0.11862407286950417, 0.19214487233557667, 0.34732058694184365, 0.3691643741593508),
        ),
    ),
}


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    zero(jac)
    r[0], jac[0, 0] = x[0] - 0.2, 1.0
    total, last = n * x[0] * x[0], math.exp(0.1 * x[0])
    jac[2 * n - 1, 0] = 2.0 * n * x[0]
    for i in range(1, n):
        e = math.exp(0.1 * x[i])
        r[i] = ROOT * (e + last - math.exp(0.1 * (i + 1)) - math.exp(0.1 * i))
        r[n + i - 1] = ROOT * (e - FLOOR)
        jac[i, i], jac[i, i - 1], jac[n + i - 1, i] = 0.1 * ROOT * e, 0.1 * ROOT * last, 0.1 * ROOT * e
        jac[2 * n - 1, i] = 2.0 * (n - i) * x[i]
        total += (n - i) * x[i] * x[i]
        last = e
    r[2 * n - 1] = total - 1.0


def curvature(x, w, h, data):
    """Second derivatives."""
    n = x.size
    for i in range(n):
        weight = w[i + 1] if i < n - 1 else 0.0  # of the residuals that hold exp(x_i / 10)
        if i > 0:
            weight += w[i] + w[n + i - 1]
        h[i, i] += 0.01 * ROOT * math.exp(0.1 * x[i]) * weight + 2.0 * (n - i) * w[2 * n - 1]


@problem(
    source="Gill, Murray & Pitfield 1972; More, Garbow & Hillstrom 1981, problem 24",
    tags=("least-squares", "nonconvex", "smooth", "ill-conditioned"),
)
def penalty_2(n: int = 4) -> Problem:
    """An ellipsoid as a penalty on small exponentials, in n = 4 or 10 dimensions."""
    if n not in MINIMA:
        raise ValueError(f"problem 'penalty_2': n must be one of 4, 10, not {n}")
    f_opt, x_opt = MINIMA[n]
    return Problem(
        None,
        np.full(n, 0.5),
        residuals=residuals,
        curvature=curvature,
        m=2 * n,
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=(-1.0, 1.0),
    )
