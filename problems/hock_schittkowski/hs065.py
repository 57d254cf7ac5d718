r"""Hock-Schittkowski 65: A quadratic in a ball and a box.

f(x) = (x_3 - 5)^2 + (x_1 - x_2)^2 + (x_1 + x_2 - 10)^2 / 9,
subject to x_1^2 + x_2^2 + x_3^2 - 48 <= 0, -4.5 <= x_1 <= 4.5, -4.5 <= x_2 <= 4.5, -5 <= x_3 <= 5.

Source: Hock & Schittkowski (1981), problem 65 (Murtagh & Sargent 1969).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 20.0 * x[0] / 9.0 - 16.0 * x[1] / 9.0 - 20.0 / 9.0
    g[1] = 20.0 * x[1] / 9.0 - 16.0 * x[0] / 9.0 - 20.0 / 9.0
    g[2] = 2.0 * x[2] - 10.0
    return (x[2] - 5.0) ** 2 + (x[0] - x[1]) ** 2 + (x[0] + x[1] - 10.0) ** 2 / 9.0


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 20.0 / 9.0
    h[0, 1] = h[1, 0] = -16.0 / 9.0
    h[1, 1] = 20.0 / 9.0
    h[2, 2] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] ** 2 + x[1] ** 2 + x[2] ** 2 - 48.0
    jac[0, 0] = 2.0 * x[0]
    jac[0, 1] = 2.0 * x[1]
    jac[0, 2] = 2.0 * x[2]
    write_sides(x, c, jac, 1, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0]
    h[1, 1] += 2.0 * w[0]
    h[2, 2] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 65",
    tags=("convex", "smooth", "constrained"),
)
def hs065() -> Problem:
    """A quadratic in a ball and a box."""
    return Problem(
        fun_grad,
        (-5.0, 5.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=7,
        data=sides(3, low=(-4.5, -4.5, -5.0), high=(4.5, 4.5, 5.0)),
        multipliers=(0.0821532773034626, *(0.0,) * 6),
        x_opt=(3.6504617252130362, 3.6504617252130362, 4.620417555320008),
        f_opt=0.9535288568047828,
        bounds=(-5.0, 5.0),
    )
