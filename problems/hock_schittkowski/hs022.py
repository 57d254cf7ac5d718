r"""Hock-Schittkowski 22: The point of a parabola's segment next to a point outside.

f(x) = (x_2 - 1)^2 + (x_1 - 2)^2,
subject to x_1 + x_2 - 2 <= 0, x_1^2 - x_2 <= 0.

Source: Hock & Schittkowski (1981), problem 22 (Bracken & McCormick 1968).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski.hs014 import fun_grad, hess
from optbench.registry import problem
from optbench.types import Problem


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] + x[1] - 2.0
    c[1] = x[0] ** 2 - x[1]
    jac[0, 0] = 1.0
    jac[0, 1] = 1.0
    jac[1, 0] = 2.0 * x[0]
    jac[1, 1] = -1.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 22",
    tags=("convex", "smooth", "constrained"),
)
def hs022() -> Problem:
    """The point of a parabola's segment next to a point outside."""
    return Problem(
        fun_grad,
        (2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=2,
        multipliers=(0.6666666666666666, 0.6666666666666666),
        x_opt=(1.0, 1.0),
        f_opt=1.0,
        bounds=(-3.0, 3.0),
    )
