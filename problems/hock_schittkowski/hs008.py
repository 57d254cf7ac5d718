r"""Hock-Schittkowski 8: A circle meets a hyperbola: a constant objective, two equations.

f(x) = -1,
subject to x_1^2 + x_2^2 - 25 = 0, x_1 x_2 - 9 = 0.

The four intersections are (a, b), (-a, -b), (b, a), (-b, -a); x* is the one that the start is nearest to, and all
multipliers are 0.

Source: Hock & Schittkowski (1981), problem 8 (Betts 1977).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import linear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 0.0
    g[1] = 0.0
    return -1.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] ** 2 + x[1] ** 2 - 25.0
    c[1] = x[0] * x[1] - 9.0
    jac[0, 0] = 2.0 * x[0]
    jac[0, 1] = 2.0 * x[1]
    jac[1, 0] = x[1]
    jac[1, 1] = x[0]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0]
    h[0, 1] += w[1]
    h[1, 0] += w[1]
    h[1, 1] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 8",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs008() -> Problem:
    """A circle meets a hyperbola: a constant objective, two equations."""
    return Problem(
        fun_grad,
        (2.0, 1.0),
        hess=linear,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=2,
        multipliers=(0.0,) * 2,
        x_opt=(4.601594917683296, 1.955843606618705),
        f_opt=-1.0,
        bounds=(-6.0, 6.0),
    )
