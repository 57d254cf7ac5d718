r"""Wood's function (Colville's function).

f(x) = 100 (x_2 - x_1^2)^2 + (1 - x_1)^2 + 90 (x_4 - x_3^2)^2 + (1 - x_3)^2 + 10 (x_2 + x_4 - 2)^2 + (x_2 - x_4)^2 / 10,
f(1, 1, 1, 1) = 0.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 14 (Colville 1968). Start: (-3, -1, -3, -1), their
standard start. Plotting domain: Surjanovic & Bingham, "Colville Function".
"""

from __future__ import annotations

import math

from optbench.evaluation import zero
from optbench.registry import problem
from optbench.types import Problem

ROOT_10, ROOT_90 = math.sqrt(10.0), math.sqrt(90.0)


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    zero(jac)
    r[0], r[1] = 10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]
    r[2], r[3] = ROOT_90 * (x[3] - x[2] * x[2]), 1.0 - x[2]
    r[4], r[5] = ROOT_10 * (x[1] + x[3] - 2.0), (x[1] - x[3]) / ROOT_10
    jac[0, 0], jac[0, 1], jac[1, 0] = -20.0 * x[0], 10.0, -1.0
    jac[2, 2], jac[2, 3], jac[3, 2] = -2.0 * ROOT_90 * x[2], ROOT_90, -1.0
    jac[4, 1] = jac[4, 3] = ROOT_10
    jac[5, 1], jac[5, 3] = 1.0 / ROOT_10, -1.0 / ROOT_10


def curvature(x, w, h, data):
    """Second derivatives."""
    h[0, 0] -= 20.0 * w[0]
    h[2, 2] -= 2.0 * ROOT_90 * w[2]


@problem(
    source="Colville 1968; More, Garbow & Hillstrom 1981, problem 14",
    tags=("least-squares", "nonconvex", "unimodal", "smooth", "ill-conditioned"),
)
def wood() -> Problem:
    """Wood's function of four variables: two coupled Rosenbrock valleys with a saddle on the way."""
    return Problem(
        None,
        (-3.0, -1.0, -3.0, -1.0),
        residuals=residuals,
        curvature=curvature,
        m=6,
        x_opt=(1.0, 1.0, 1.0, 1.0),
        f_opt=0.0,
        bounds=(-10.0, 10.0),
    )
