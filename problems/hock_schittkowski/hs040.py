r"""Hock-Schittkowski 40: A product on a curve.

f(x) = -x_1 x_2 x_3 x_4,
subject to x_1^3 + x_2^2 - 1 = 0, x_4 x_1^2 - x_3 = 0, x_4^2 - x_2 = 0.

x_3 and x_4 may change their signs together: two minima.

Source: Hock & Schittkowski (1981), problem 40 (Beltrami 1970).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = x[1] * x[2] * x[3]
    g[0] = -p
    g[1] = -x[0] * x[2] * x[3]
    g[2] = -x[0] * x[1] * x[3]
    g[3] = -x[0] * x[1] * x[2]
    return -p * x[0]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 1] = h[1, 0] = -x[2] * x[3]
    h[0, 2] = h[2, 0] = -x[1] * x[3]
    h[0, 3] = h[3, 0] = -x[1] * x[2]
    h[1, 2] = h[2, 1] = -x[0] * x[3]
    h[1, 3] = h[3, 1] = -x[0] * x[2]
    h[2, 3] = h[3, 2] = -x[0] * x[1]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] ** 3 + x[1] ** 2 - 1.0
    c[1] = x[3] * x[0] ** 2 - x[2]
    c[2] = x[3] ** 2 - x[1]
    jac[0, 0] = 3.0 * x[0] ** 2
    jac[0, 1] = 2.0 * x[1]
    jac[1, 0] = 2.0 * x[0] * x[3]
    jac[1, 2] = -1.0
    jac[1, 3] = x[0] ** 2
    jac[2, 1] = -1.0
    jac[2, 3] = 2.0 * x[3]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[1] * x[3] + 6.0 * w[0] * x[0]
    bend = 2.0 * w[1] * x[0]
    h[0, 3] += bend
    h[3, 0] += bend
    h[1, 1] += 2.0 * w[0]
    h[3, 3] += 2.0 * w[2]


@problem(
    source="Hock & Schittkowski 1981, problem 40",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs040() -> Problem:
    """A product on a curve."""
    return Problem(
        fun_grad,
        (0.8, 0.8, 0.8, 0.8),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        m_eq=3,
        multipliers=(0.5, -0.47193715634084676, 0.3535533905932738),
        x_opt=(0.7937005259840998, 0.7071067811865476, 0.5297315471796477, 0.8408964152537145),
        f_opt=-0.25,
        bounds=(-2.0, 2.0),
    )
