r"""Hock-Schittkowski 61: A quadratic on the curve of two parabolic cylinders.

f(x) = 2 x_2^2 + 2 x_3^2 + 4 x_1^2 + 16 x_2 - 33 x_1 - 24 x_3,
subject to 3 x_1 - 2 x_2^2 - 7 = 0, 4 x_1 - x_3^2 - 11 = 0.

At the start the Jacobian has rank 1.

Source: Hock & Schittkowski (1981), problem 61 (Fletcher & Lill 1970).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 8.0 * x[0] - 33.0
    g[1] = 4.0 * x[1] + 16.0
    g[2] = 4.0 * x[2] - 24.0
    return 2.0 * x[1] ** 2 + 2.0 * x[2] ** 2 + 4.0 * x[0] ** 2 + 16.0 * x[1] - 33.0 * x[0] - 24.0 * x[2]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 8.0
    h[1, 1] = 4.0
    h[2, 2] = 4.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = 3.0 * x[0] - 2.0 * x[1] ** 2 - 7.0
    c[1] = 4.0 * x[0] - x[2] ** 2 - 11.0
    jac[0, 0] = 3.0
    jac[0, 1] = -4.0 * x[1]
    jac[1, 0] = 4.0
    jac[1, 2] = -2.0 * x[2]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[1, 1] -= 4.0 * w[0]
    h[2, 2] -= 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 61",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs061() -> Problem:
    """A quadratic on the curve of two parabolic cylinders."""
    return Problem(
        fun_grad,
        (0.0, 0.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=2,
        multipliers=(-0.8876840877482182, -1.737777205316692),
        x_opt=(5.326770135563928, -2.118998632218976, 3.2104642253505506),
        f_opt=-143.64614219778025,
        bounds=(-5.0, 10.0),
    )
