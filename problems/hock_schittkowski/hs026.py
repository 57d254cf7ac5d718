r"""Hock-Schittkowski 26: Squares and a fourth power on a surface: a degenerate minimum.

f(x) = (x_1 - x_2)^2 + (x_2 - x_3)^4,
subject to x_3^4 + x_1 (x_2^2 + 1) - 3 = 0.

The Lagrangian is flat along one tangent at x*, so Newton's method on the KKT system converges linearly. Points with f
= 0 are the roots t of t^4 + t^3 + t = 3 on x_1 = x_2 = x_3 = t: t = 1 and another near -1.81.

Source: Hock & Schittkowski (1981), problem 26 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 4.0 * (x[1] - x[2]) ** 3
    g[0] = 2.0 * x[0] - 2.0 * x[1]
    g[1] = p + 2.0 * x[1] - 2.0 * x[0]
    g[2] = -p
    return (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 12.0 * (x[1] - x[2]) ** 2 + 2.0
    h[1, 2] = h[2, 1] = -12.0 * (x[1] - x[2]) ** 2
    h[2, 2] = 12.0 * (x[1] - x[2]) ** 2


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[2] ** 4 + x[0] * (x[1] ** 2 + 1.0) - 3.0
    jac[0, 0] = x[1] ** 2 + 1.0
    jac[0, 1] = 2.0 * x[0] * x[1]
    jac[0, 2] = 4.0 * x[2] ** 3


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    bend = 2.0 * w[0] * x[1]
    h[0, 1] += bend
    h[1, 0] += bend
    h[1, 1] += 2.0 * w[0] * x[0]
    h[2, 2] += 12.0 * w[0] * x[2] ** 2


@problem(
    source="Hock & Schittkowski 1981, problem 26",
    tags=("nonconvex", "smooth", "constrained", "degenerate"),
)
def hs026() -> Problem:
    """Squares and a fourth power on a surface: a degenerate minimum."""
    return Problem(
        fun_grad,
        (-2.6, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        m_eq=1,
        multipliers=(0.0,),
        x_opt=(1.0, 1.0, 1.0),
        f_opt=0.0,
        bounds=(-3.0, 3.0),
    )
