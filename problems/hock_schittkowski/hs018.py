r"""Hock-Schittkowski 18: A flat bowl behind a hyperbola and outside a circle.

f(x) = x_2^2 + 0.01 x_1^2,
subject to 25 - x_1 x_2 <= 0, 25 - x_1^2 - x_2^2 <= 0, 2 <= x_1 <= 50, 0 <= x_2 <= 50.

Source: Hock & Schittkowski (1981), problem 18 (Betts 1977).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 0.02 * x[0]
    g[1] = 2.0 * x[1]
    return x[1] ** 2 + 0.01 * x[0] ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 0.02
    h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 25.0 - x[0] * x[1]
    c[1] = 25.0 - x[0] ** 2 - x[1] ** 2
    jac[0, 0] = -x[1]
    jac[0, 1] = -x[0]
    jac[1, 0] = -2.0 * x[0]
    jac[1, 1] = -2.0 * x[1]
    write_sides(x, c, jac, 2, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] -= 2.0 * w[1]
    h[0, 1] -= w[0]
    h[1, 0] -= w[0]
    h[1, 1] -= 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 18",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs018() -> Problem:
    """A flat bowl behind a hyperbola and outside a circle."""
    return Problem(
        fun_grad,
        (2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=6,
        data=sides(2, low=(2.0, 0.0), high=50.0),
        multipliers=(0.2, *(0.0,) * 5),
        x_opt=(15.811388300841896, 1.5811388300841898),
        f_opt=5.0,
        bounds=((2.0, 50.0), (0.0, 50.0)),
    )
