r"""Hock-Schittkowski 49: Even powers under linear equations: a degenerate minimum.

f(x) = (x_3 - 1)^2 + (x_4 - 1)^4 + (x_5 - 1)^6 + (x_1 - x_2)^2,
subject to x_1 + x_2 + x_3 + 4 x_4 - 7 = 0, x_3 + 5 x_5 - 6 = 0.

The Lagrangian is flat along a tangent at x*, so Newton's method on the KKT system converges linearly.

Source: Hock & Schittkowski (1981), problem 49 (Huang & Aggerwal 1973).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, flat
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = 2.0 * x[0] - 2.0 * x[1]
    g[0] = p
    g[1] = -p
    g[2] = 2.0 * x[2] - 2.0
    g[3] = 4.0 * (x[3] - 1.0) ** 3
    g[4] = 6.0 * (x[4] - 1.0) ** 5
    return (x[2] - 1.0) ** 2 + (x[3] - 1.0) ** 4 + (x[4] - 1.0) ** 6 + (x[0] - x[1]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[0, 1] = h[1, 0] = -2.0
    h[1, 1] = 2.0
    h[2, 2] = 2.0
    h[3, 3] = 12.0 * (x[3] - 1.0) ** 2
    h[4, 4] = 30.0 * (x[4] - 1.0) ** 4


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + x[1] + x[2] + 4.0 * x[3] - 7.0
    c[1] = x[2] + 5.0 * x[4] - 6.0
    jac[0, 0] = 1.0
    jac[0, 1] = 1.0
    jac[0, 2] = 1.0
    jac[0, 3] = 4.0
    jac[1, 2] = 1.0
    jac[1, 4] = 5.0


@problem(
    source="Hock & Schittkowski 1981, problem 49",
    tags=("convex", "smooth", "constrained", "degenerate"),
)
def hs049() -> Problem:
    """Even powers under linear equations: a degenerate minimum."""
    return Problem(
        fun_grad,
        (10.0, 7.0, 2.0, -3.0, 0.8),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=2,
        m_eq=2,
        multipliers=(0.0,) * 2,
        x_opt=(1.0, 1.0, 1.0, 1.0, 1.0),
        f_opt=0.0,
        bounds=(-10.0, 10.0),
    )
