r"""Hock-Schittkowski 113: Wong's problem of ten variables: a quadratic in eight ellipsoids and half-spaces.

f(x) = x_1^2 + x_2^2 + (x_3 - 10)^2 + (x_10 - 7)^2 + (x_5 - 3)^2 + 2 (x_6 - 1)^2 + 2 (x_9 - 10)^2 + 4 (x_4 - 5)^2 + 5
  x_7^2 + 7 (x_8 - 11)^2 + x_1 x_2 + 45 - 16 x_2 - 14 x_1,
subject to 4 x_1 + 5 x_2 + 9 x_8 - 3 x_7 - 105 <= 0, 2 x_8 + 10 x_1 - 17 x_7 - 8 x_2 <= 0, 2 x_2 + 5 x_9 - 8 x_1 - 2
  x_10 - 12 <= 0, 2 x_3^2 + 3 (x_1 - 2)^2 + 4 (x_2 - 3)^2 - 7 x_4 - 120 <= 0, (x_3 - 6)^2 + 5 x_1^2 + 8 x_2 - 2 x_4 -
  40 <= 0, 0.5 (x_1 - 8)^2 + 2 (x_2 - 4)^2 + 3 x_5^2 - x_6 - 30 <= 0, x_1^2 + 2 (x_2 - 2)^2 + 14 x_5 - 6 x_6 - 2 x_1
  x_2 <= 0, 6 x_2 + 12 (x_9 - 8)^2 - 7 x_10 - 3 x_1 <= 0.

Source: Hock & Schittkowski (1981), problem 113 (Asaadi 1973; Wong 1974).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = x[1] + 2.0 * x[0] - 14.0
    g[1] = x[0] + 2.0 * x[1] - 16.0
    g[2] = 2.0 * x[2] - 20.0
    g[3] = 8.0 * x[3] - 40.0
    g[4] = 2.0 * x[4] - 6.0
    g[5] = 4.0 * x[5] - 4.0
    g[6] = 10.0 * x[6]
    g[7] = 14.0 * x[7] - 154.0
    g[8] = 4.0 * x[8] - 40.0
    g[9] = 2.0 * x[9] - 14.0
    return (
        x[0] ** 2
        + x[1] ** 2
        + (x[2] - 10.0) ** 2
        + (x[9] - 7.0) ** 2
        + (x[4] - 3.0) ** 2
        + 2.0 * (x[5] - 1.0) ** 2
        + 2.0 * (x[8] - 10.0) ** 2
        + 4.0 * (x[3] - 5.0) ** 2
        + 5.0 * x[6] ** 2
        + 7.0 * (x[7] - 11.0) ** 2
        + x[0] * x[1]
        + 45.0
        - 16.0 * x[1]
        - 14.0 * x[0]
    )


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = 1.0
    h[1, 1] = 2.0
    h[2, 2] = 2.0
    h[3, 3] = 8.0
    h[4, 4] = 2.0
    h[5, 5] = 4.0
    h[6, 6] = 10.0
    h[7, 7] = 14.0
    h[8, 8] = 4.0
    h[9, 9] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = 4.0 * x[0] + 5.0 * x[1] + 9.0 * x[7] - 3.0 * x[6] - 105.0
    c[1] = 2.0 * x[7] + 10.0 * x[0] - 17.0 * x[6] - 8.0 * x[1]
    c[2] = 2.0 * x[1] + 5.0 * x[8] - 8.0 * x[0] - 2.0 * x[9] - 12.0
    c[3] = 2.0 * x[2] ** 2 + 3.0 * (x[0] - 2.0) ** 2 + 4.0 * (x[1] - 3.0) ** 2 - 7.0 * x[3] - 120.0
    c[4] = (x[2] - 6.0) ** 2 + 5.0 * x[0] ** 2 + 8.0 * x[1] - 2.0 * x[3] - 40.0
    c[5] = 0.5 * (x[0] - 8.0) ** 2 + 2.0 * (x[1] - 4.0) ** 2 + 3.0 * x[4] ** 2 - x[5] - 30.0
    c[6] = x[0] ** 2 + 2.0 * (x[1] - 2.0) ** 2 + 14.0 * x[4] - 6.0 * x[5] - 2.0 * x[0] * x[1]
    c[7] = 6.0 * x[1] + 12.0 * (x[8] - 8.0) ** 2 - 7.0 * x[9] - 3.0 * x[0]
    jac[0, 0] = 4.0
    jac[0, 1] = 5.0
    jac[0, 6] = -3.0
    jac[0, 7] = 9.0
    jac[1, 0] = 10.0
    jac[1, 1] = -8.0
    jac[1, 6] = -17.0
    jac[1, 7] = 2.0
    jac[2, 0] = -8.0
    jac[2, 1] = 2.0
    jac[2, 8] = 5.0
    jac[2, 9] = -2.0
    jac[3, 0] = 6.0 * x[0] - 12.0
    jac[3, 1] = 8.0 * x[1] - 24.0
    jac[3, 2] = 4.0 * x[2]
    jac[3, 3] = -7.0
    jac[4, 0] = 10.0 * x[0]
    jac[4, 1] = 8.0
    jac[4, 2] = 2.0 * x[2] - 12.0
    jac[4, 3] = -2.0
    jac[5, 0] = x[0] - 8.0
    jac[5, 1] = 4.0 * x[1] - 16.0
    jac[5, 4] = 6.0 * x[4]
    jac[5, 5] = -1.0
    jac[6, 0] = 2.0 * x[0] - 2.0 * x[1]
    jac[6, 1] = 4.0 * x[1] - 2.0 * x[0] - 8.0
    jac[6, 4] = 14.0
    jac[6, 5] = -6.0
    jac[7, 0] = -3.0
    jac[7, 1] = 6.0
    jac[7, 8] = 24.0 * x[8] - 192.0
    jac[7, 9] = -7.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += w[5] + 2.0 * w[6] + 6.0 * w[3] + 10.0 * w[4]
    bend = -2.0 * w[6]
    h[0, 1] += bend
    h[1, 0] += bend
    h[1, 1] += 4.0 * w[5] + 4.0 * w[6] + 8.0 * w[3]
    h[2, 2] += 2.0 * w[4] + 4.0 * w[3]
    h[4, 4] += 6.0 * w[5]
    h[8, 8] += 24.0 * w[7]


@problem(
    source="Hock & Schittkowski 1981, problem 113",
    tags=("convex", "smooth", "constrained"),
)
def hs113() -> Problem:
    """Wong's problem of ten variables: a quadratic in eight ellipsoids and half-spaces."""
    return Problem(
        fun_grad,
        (2.0, 3.0, 5.0, 5.0, 1.0, 2.0, 7.0, 3.0, 6.0, 10.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=8,
        bounds=(-10.0, 15.0),
    )
