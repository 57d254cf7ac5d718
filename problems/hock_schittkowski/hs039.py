r"""Hock-Schittkowski 39: A coordinate as large as two equations with slack squares allow.

f(x) = -x_1,
subject to x_2 - x_1^3 - x_3^2 = 0, x_1^2 - x_2 - x_4^2 = 0.

Source: Hock & Schittkowski (1981), problem 39 (Miele et al. 1972).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, linear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = -1.0
    g[1] = 0.0
    g[2] = 0.0
    g[3] = 0.0
    return -x[0]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[1] - x[0] ** 3 - x[2] ** 2
    c[1] = x[0] ** 2 - x[1] - x[3] ** 2
    jac[0, 0] = -3.0 * x[0] ** 2
    jac[0, 1] = 1.0
    jac[0, 2] = -2.0 * x[2]
    jac[1, 0] = 2.0 * x[0]
    jac[1, 1] = -1.0
    jac[1, 3] = -2.0 * x[3]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[1] - 6.0 * w[0] * x[0]
    h[2, 2] -= 2.0 * w[0]
    h[3, 3] -= 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 39",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs039() -> Problem:
    """A coordinate as large as two equations with slack squares allow."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0, 2.0),
        hess=linear,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=2,
        multipliers=(-1.0, -1.0),
        x_opt=(1.0, 1.0, 0.0, 0.0),
        f_opt=-1.0,
        bounds=(-3.0, 3.0),
    )
