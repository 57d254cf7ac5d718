r"""Beale's function.

f(x) = sum_{k=1}^3 [ c_k - x_1 (1 - x_2^k) ]^2,  c = (1.5, 2.25, 2.625),  f(3, 0.5) = 0.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 5 (Beale 1958); the same function is Surjanovic &
Bingham, "Beale Function", whose domain is used. Start: (1, 1), the standard start of More, Garbow & Hillstrom.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem

C = (1.5, 2.25, 2.625)


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    lower = 1.0
    for k in range(3):
        power = lower * x[1]
        r[k] = C[k] - x[0] * (1.0 - power)
        jac[k, 0], jac[k, 1] = power - 1.0, x[0] * (k + 1.0) * lower
        lower = power


def curvature(x, w, h, data):
    """Second derivatives."""
    lowest, lower = 0.0, 1.0  # y^(k-1) and y^k; the first is multiplied by zero for k = 0
    for k in range(3):
        h[0, 1] += w[k] * (k + 1.0) * lower
        h[1, 1] += w[k] * x[0] * (k + 1.0) * k * lowest
        lowest, lower = lower, lower * x[1]
    h[1, 0] = h[0, 1]


@problem(
    source="Beale 1958; More, Garbow & Hillstrom 1981, problem 5",
    tags=("least-squares", "nonconvex", "unimodal", "smooth"),
)
def beale() -> Problem:
    """Beale's function of two variables: a curved valley with flat corners."""
    return Problem(
        None,
        (1.0, 1.0),
        residuals=residuals,
        curvature=curvature,
        m=3,
        x_opt=(3.0, 0.5),
        f_opt=0.0,
        bounds=(-4.5, 4.5),
    )
