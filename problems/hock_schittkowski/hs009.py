r"""Hock-Schittkowski 9: A product of waves along a line.

f(x) = cos(0.0625 pi x_2) sin(pi x_1 / 12),
subject to 4 x_1 - 3 x_2 = 0.

Every (12 k - 3, 16 k - 4) with whole k is a minimum; x* is the one nearest to the start.

Source: Hock & Schittkowski (1981), problem 9 (Miele et al. 1972).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import flat
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 0.0625 * math.pi * x[1]
    q = math.cos(p)
    r = math.pi * x[0] / 12.0
    s = math.sin(r)
    g[0] = math.pi * q * math.cos(r) / 12.0
    g[1] = -0.0625 * math.pi * s * math.sin(p)
    return q * s


def hess(x, h, data):
    """Hessian into `h`."""
    p = 0.0625 * math.pi * x[1]
    q = math.pi * x[0] / 12.0
    r = (math.pi) ** 2 * math.cos(p) * math.sin(q)
    h[0, 0] = -r / 144.0
    h[0, 1] = h[1, 0] = -((math.pi) ** 2) * math.cos(q) * math.sin(p) / 192.0
    h[1, 1] = -0.00390625 * r


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 4.0 * x[0] - 3.0 * x[1]
    jac[0, 0] = 4.0
    jac[0, 1] = -3.0


@problem(
    source="Hock & Schittkowski 1981, problem 9",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs009() -> Problem:
    """A product of waves along a line."""
    return Problem(
        fun_grad,
        (0.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=1,
        m_eq=1,
        multipliers=(-0.03272492347489368,),
        x_opt=(-3.0, -4.0),
        f_opt=-0.5,
        bounds=(-12.0, 12.0),
    )
