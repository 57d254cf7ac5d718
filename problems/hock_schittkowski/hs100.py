r"""Hock-Schittkowski 100: Wong's problem of seven variables.

f(x) = x_3^4 + x_7^4 + (x_1 - 10)^2 + 3 (x_4 - 11)^2 + 5 (x_2 - 12)^2 + 7 x_6^2 + 10 x_5^6 - 10 x_6 - 8 x_7 - 4 x_6
  x_7,
subject to x_3 + 2 x_1^2 + 3 x_2^4 + 4 x_4^2 + 5 x_5 - 127 <= 0, x_4 + 3 x_2 + 7 x_1 + 10 x_3^2 - x_5 - 282 <= 0,
  x_2^2 + 6 x_6^2 + 23 x_1 - 8 x_7 - 196 <= 0, x_2^2 + 2 x_3^2 + 4 x_1^2 + 5 x_6 - 11 x_7 - 3 x_1 x_2 <= 0.

Source: Hock & Schittkowski (1981), problem 100 (Asaadi 1973; Wong 1974).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - 20.0
    g[1] = 10.0 * x[1] - 120.0
    g[2] = 4.0 * x[2] ** 3
    g[3] = 6.0 * x[3] - 66.0
    g[4] = 60.0 * x[4] ** 5
    g[5] = 14.0 * x[5] - 4.0 * x[6] - 10.0
    g[6] = 4.0 * x[6] ** 3 - 4.0 * x[5] - 8.0
    return (
        x[2] ** 4
        + x[6] ** 4
        + (x[0] - 10.0) ** 2
        + 3.0 * (x[3] - 11.0) ** 2
        + 5.0 * (x[1] - 12.0) ** 2
        + 7.0 * x[5] ** 2
        + 10.0 * x[4] ** 6
        - 10.0 * x[5]
        - 8.0 * x[6]
        - 4.0 * x[5] * x[6]
    )


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[1, 1] = 10.0
    h[2, 2] = 12.0 * x[2] ** 2
    h[3, 3] = 6.0
    h[4, 4] = 300.0 * x[4] ** 4
    h[5, 5] = 14.0
    h[5, 6] = h[6, 5] = -4.0
    h[6, 6] = 12.0 * x[6] ** 2


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[2] + 2.0 * x[0] ** 2 + 3.0 * x[1] ** 4 + 4.0 * x[3] ** 2 + 5.0 * x[4] - 127.0
    c[1] = x[3] + 3.0 * x[1] + 7.0 * x[0] + 10.0 * x[2] ** 2 - x[4] - 282.0
    c[2] = x[1] ** 2 + 6.0 * x[5] ** 2 + 23.0 * x[0] - 8.0 * x[6] - 196.0
    c[3] = x[1] ** 2 + 2.0 * x[2] ** 2 + 4.0 * x[0] ** 2 + 5.0 * x[5] - 11.0 * x[6] - 3.0 * x[0] * x[1]
    jac[0, 0] = 4.0 * x[0]
    jac[0, 1] = 12.0 * x[1] ** 3
    jac[0, 2] = 1.0
    jac[0, 3] = 8.0 * x[3]
    jac[0, 4] = 5.0
    jac[1, 0] = 7.0
    jac[1, 1] = 3.0
    jac[1, 2] = 20.0 * x[2]
    jac[1, 3] = 1.0
    jac[1, 4] = -1.0
    jac[2, 0] = 23.0
    jac[2, 1] = 2.0 * x[1]
    jac[2, 5] = 12.0 * x[5]
    jac[2, 6] = -8.0
    jac[3, 0] = 8.0 * x[0] - 3.0 * x[1]
    jac[3, 1] = 2.0 * x[1] - 3.0 * x[0]
    jac[3, 2] = 4.0 * x[2]
    jac[3, 5] = 5.0
    jac[3, 6] = -11.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 4.0 * w[0] + 8.0 * w[3]
    bend = -3.0 * w[3]
    h[0, 1] += bend
    h[1, 0] += bend
    h[1, 1] += 2.0 * w[2] + 2.0 * w[3] + 36.0 * w[0] * x[1] ** 2
    h[2, 2] += 4.0 * w[3] + 20.0 * w[1]
    h[3, 3] += 8.0 * w[0]
    h[5, 5] += 12.0 * w[2]


@problem(
    source="Hock & Schittkowski 1981, problem 100",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs100() -> Problem:
    """Wong's problem of seven variables."""
    return Problem(
        fun_grad,
        (1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=4,
        multipliers=(1.1397199591673761, 0.0, 0.0, 0.3686145171872114),
        x_opt=(
            2.33049937287957,
            1.951372372896889,
            -0.4775413923888716,
            4.36572623365581,
            -0.6244869705268175,
            1.0381310186079584,
            1.5942267116118685,
        ),
        f_opt=680.6300573744021,
        bounds=(-5.0, 5.0),
    )
