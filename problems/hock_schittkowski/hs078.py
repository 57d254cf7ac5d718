r"""Hock-Schittkowski 78: Powell's product on a curve of the sphere.

f(x) = x_1 x_2 x_3 x_4 x_5,
subject to x_1^2 + x_2^2 + x_3^2 + x_4^2 + x_5^2 - 10 = 0, x_2 x_3 - 5 x_4 x_5 = 0, x_1^3 + x_2^3 + 1 = 0.

x_4 and x_5 may change their signs together: several minima.

Source: Hock & Schittkowski (1981), problem 78 (Asaadi 1973; Powell 1969).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = x[2] * x[3] * x[4]
    q = x[0] * x[1] * x[4]
    g[0] = p * x[1]
    g[1] = p * x[0]
    g[2] = q * x[3]
    g[3] = q * x[2]
    g[4] = x[0] * x[1] * x[2] * x[3]
    return p * x[0] * x[1]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 1] = h[1, 0] = x[2] * x[3] * x[4]
    h[0, 2] = h[2, 0] = x[1] * x[3] * x[4]
    h[0, 3] = h[3, 0] = x[1] * x[2] * x[4]
    h[0, 4] = h[4, 0] = x[1] * x[2] * x[3]
    h[1, 2] = h[2, 1] = x[0] * x[3] * x[4]
    h[1, 3] = h[3, 1] = x[0] * x[2] * x[4]
    h[1, 4] = h[4, 1] = x[0] * x[2] * x[3]
    h[2, 3] = h[3, 2] = x[0] * x[1] * x[4]
    h[2, 4] = h[4, 2] = x[0] * x[1] * x[3]
    h[3, 4] = h[4, 3] = x[0] * x[1] * x[2]


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
    source="Hock & Schittkowski 1981, problem 78",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs078() -> Problem:
    """Powell's product on a curve of the sphere."""
    return Problem(
        fun_grad,
        (-2.0, 1.5, 2.0, -1.0, -1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        m_eq=3,
        multipliers=(0.7444459309751799, -0.7035751900173157, 0.09680552489506648),
        x_opt=(-1.7171435703943823, 1.5957096901835544, 1.8272457529271946, -0.7636430781841304, -0.7636430781841304),
        f_opt=-2.9197004089636795,
        bounds=(-3.0, 3.0),
    )
