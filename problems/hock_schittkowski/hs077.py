r"""Hock-Schittkowski 77: Even powers on a curved surface.

f(x) = (x_1 - 1)^2 + (x_3 - 1)^2 + (x_4 - 1)^4 + (x_5 - 1)^6 + (x_1 - x_2)^2,
subject to x_4 x_1^2 + sin(x_4 - x_5) - 2 sqrt(2) = 0, x_2 + x_3^4 x_4^2 - 8 - sqrt(2) = 0.

Source: Hock & Schittkowski (1981), problem 77 (Betts 1977; Miele et al. 1972).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 4.0 * x[0] - 2.0 * x[1] - 2.0
    g[1] = 2.0 * x[1] - 2.0 * x[0]
    g[2] = 2.0 * x[2] - 2.0
    g[3] = 4.0 * (x[3] - 1.0) ** 3
    g[4] = 6.0 * (x[4] - 1.0) ** 5
    return (x[0] - 1.0) ** 2 + (x[2] - 1.0) ** 2 + (x[3] - 1.0) ** 4 + (x[4] - 1.0) ** 6 + (x[0] - x[1]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 4.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 2.0
    h[2, 2] = 2.0
    h[3, 3] = 12.0 * (x[3] - 1.0) ** 2
    h[4, 4] = 30.0 * (x[4] - 1.0) ** 4


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    p = math.sqrt(2.0)
    q = math.cos(x[3] - x[4])
    c[0] = x[3] * x[0] ** 2 + math.sin(x[3] - x[4]) - 2.0 * p
    c[1] = x[1] + x[2] ** 4 * x[3] ** 2 - p - 8.0
    jac[0, 0] = 2.0 * x[0] * x[3]
    jac[0, 3] = q + x[0] ** 2
    jac[0, 4] = -q
    jac[1, 1] = 1.0
    jac[1, 2] = 4.0 * x[2] ** 3 * x[3] ** 2
    jac[1, 3] = 2.0 * x[3] * x[2] ** 4


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    p = w[0] * math.sin(x[3] - x[4])
    h[0, 0] += 2.0 * w[0] * x[3]
    bend = 2.0 * w[0] * x[0]
    h[0, 3] += bend
    h[3, 0] += bend
    h[2, 2] += 12.0 * w[1] * x[2] ** 2 * x[3] ** 2
    bend = 8.0 * w[1] * x[3] * x[2] ** 3
    h[2, 3] += bend
    h[3, 2] += bend
    h[3, 3] += 2.0 * w[1] * x[2] ** 4 - p
    h[3, 4] += p
    h[4, 3] += p
    h[4, 4] -= p


@problem(
    source="Hock & Schittkowski 1981, problem 77",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs077() -> Problem:
    """Even powers on a curved surface."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=2,
        multipliers=(-0.0855395970428199, -0.03187839818681156),
        x_opt=(1.1661721897092985, 1.1821113888027042, 1.3802570431454597, 1.5060362736230457, 0.6109201960430908),
        f_opt=0.24150512879017869,
        bounds=(-3.0, 3.0),
    )
