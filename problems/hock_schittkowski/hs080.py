r"""Hock-Schittkowski 80: Exponential of Powell's product, in a box.

f(x) = exp(x_1 x_2 x_3 x_4 x_5),
subject to x_1^2 + x_2^2 + x_3^2 + x_4^2 + x_5^2 - 10 = 0, x_2 x_3 - 5 x_4 x_5 = 0, x_1^3 + x_2^3 + 1 = 0, -2.3 <= x_1
  <= 2.3, -2.3 <= x_2 <= 2.3, -3.2 <= x_3 <= 3.2, -3.2 <= x_4 <= 3.2, -3.2 <= x_5 <= 3.2.

x_4 and x_5 may change their signs together: several minima. Source: Hock & Schittkowski (1981), problem 80 (Powell
1969).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def product(x, i, j):
    """Product of the coordinates other than x_i and x_j."""
    p = 1.0
    for k in range(x.size):
        if k not in (i, j):
            p *= x[k]
    return p


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = math.exp(x[0] * product(x, 0, 0))
    for i in range(x.size):
        g[i] = f * product(x, i, i)
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    f = math.exp(x[0] * product(x, 0, 0))
    for i in range(x.size):
        for j in range(x.size):
            h[i, j] = f * product(x, i, i) * product(x, j, j)
            if i != j:
                h[i, j] += f * product(x, i, j)


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] ** 2 + x[1] ** 2 + x[2] ** 2 + x[3] ** 2 + x[4] ** 2 - 10.0
    c[1] = x[1] * x[2] - 5.0 * x[3] * x[4]
    c[2] = x[0] ** 3 + x[1] ** 3 + 1.0
    jac[0, 0] = 2.0 * x[0]
    jac[0, 1] = 2.0 * x[1]
    jac[0, 2] = 2.0 * x[2]
    jac[0, 3] = 2.0 * x[3]
    jac[0, 4] = 2.0 * x[4]
    jac[1, 1] = x[2]
    jac[1, 2] = x[1]
    jac[1, 3] = -5.0 * x[4]
    jac[1, 4] = -5.0 * x[3]
    jac[2, 0] = 3.0 * x[0] ** 2
    jac[2, 1] = 3.0 * x[1] ** 2
    write_sides(x, c, jac, 3, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0] + 6.0 * w[2] * x[0]
    h[1, 1] += 2.0 * w[0] + 6.0 * w[2] * x[1]
    h[1, 2] += w[1]
    h[2, 1] += w[1]
    h[2, 2] += 2.0 * w[0]
    h[3, 3] += 2.0 * w[0]
    bend = -5.0 * w[1]
    h[3, 4] += bend
    h[4, 3] += bend
    h[4, 4] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 80",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs080() -> Problem:
    """Exponential of Powell's product, in a box."""
    return Problem(
        fun_grad,
        (-2.0, 2.0, 2.0, -1.0, -1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=13,
        m_eq=3,
        data=sides(5, low=(-2.3, -2.3, -3.2, -3.2, -3.2), high=(2.3, 2.3, 3.2, 3.2, 3.2)),
        multipliers=(0.04016274464930938, -0.03795777439637439, 0.005222643331410114, *(0.0,) * 10),
        x_opt=(-1.7171435703943823, 1.5957096901835544, 1.8272457529271946, -0.7636430781841304, -0.7636430781841304),
        f_opt=0.05394984777027201,
        bounds=((-2.3, 2.3), (-2.3, 2.3), (-3.2, 3.2), (-3.2, 3.2), (-3.2, 3.2)),
    )
