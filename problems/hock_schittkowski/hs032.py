r"""Hock-Schittkowski 32: A quadratic on a simplex: a minimum in a corner.

f(x) = (x_1 + x_3 + 3 x_2)^2 + 4 (x_1 - x_2)^2,
subject to 1 - x_1 - x_2 - x_3 = 0, x_1^3 + 3 - 6 x_2 - 4 x_3 <= 0, x_i >= 0.

The multiplier of the active bound x_1 >= 0 is 0: complementarity is not strict.

Source: Hock & Schittkowski (1981), problem 32 (Evtushenko 1974).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[2] + 10.0 * x[0] - 2.0 * x[1]
    g[1] = 6.0 * x[2] + 26.0 * x[1] - 2.0 * x[0]
    g[2] = 2.0 * x[0] + 2.0 * x[2] + 6.0 * x[1]
    return (x[0] + x[2] + 3.0 * x[1]) ** 2 + 4.0 * (x[0] - x[1]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 10.0
    h[0, 1] = h[1, 0] = -2.0
    h[0, 2] = h[2, 0] = 2.0
    h[1, 1] = 26.0
    h[1, 2] = h[2, 1] = 6.0
    h[2, 2] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 1.0 - x[0] - x[1] - x[2]
    c[1] = x[0] ** 3 + 3.0 - 6.0 * x[1] - 4.0 * x[2]
    jac[0, 0] = -1.0
    jac[0, 1] = -1.0
    jac[0, 2] = -1.0
    jac[1, 0] = 3.0 * x[0] ** 2
    jac[1, 1] = -6.0
    jac[1, 2] = -4.0
    write_sides(x, c, jac, 2, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 6.0 * w[1] * x[0]


@problem(
    source="Hock & Schittkowski 1981, problem 32",
    tags=("convex", "smooth", "constrained"),
)
def hs032() -> Problem:
    """A quadratic on a simplex: a minimum in a corner."""
    return Problem(
        fun_grad,
        (0.1, 0.7, 0.2),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=5,
        m_eq=1,
        data=sides(3, low=0.0),
        multipliers=(2.0, 0.0, 0.0, 4.0, 0.0),
        x_opt=(0.0, 0.0, 1.0),
        f_opt=1.0,
        bounds=(0.0, 2.0),
    )
