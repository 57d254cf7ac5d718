r"""Hock-Schittkowski 7: A logarithm on an oval.

f(x) = log(x_1^2 + 1) - x_2,
subject to x_2^2 + (x_1^2 + 1)^2 - 4 = 0.

Source: Hock & Schittkowski (1981), problem 7 (Miele et al. 1972).
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] / (x[0] ** 2 + 1.0)
    g[1] = -1.0
    return math.log(x[0] ** 2 + 1.0) - x[1]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0 / (x[0] ** 2 + 1.0) - 4.0 * x[0] ** 2 / (x[0] ** 2 + 1.0) ** 2


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[1] ** 2 + (x[0] ** 2 + 1.0) ** 2 - 4.0
    jac[0, 0] = 4.0 * x[0] * (x[0] ** 2 + 1.0)
    jac[0, 1] = 2.0 * x[1]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 4.0 * w[0] * (3.0 * x[0] ** 2 + 1.0)
    h[1, 1] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 7",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs007() -> Problem:
    """A logarithm on an oval."""
    return Problem(
        fun_grad,
        (2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        m_eq=1,
        multipliers=(0.28867513459481287,),
        x_opt=(0.0, 1.7320508075688772),
        f_opt=-1.7320508075688772,
        bounds=(-3.0, 3.0),
    )
