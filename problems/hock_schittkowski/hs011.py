r"""Hock-Schittkowski 11: The point of a parabola's inside next to a point outside.

f(x) = x_2^2 + (x_1 - 5)^2 - 25,
subject to x_1^2 - x_2 <= 0.

The start is infeasible.

Source: Hock & Schittkowski (1981), problem 11 (Biggs 1971).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - 10.0
    g[1] = 2.0 * x[1]
    return x[1] ** 2 + (x[0] - 5.0) ** 2 - 25.0


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = x[0] ** 2 - x[1]
    jac[0, 0] = 2.0 * x[0]
    jac[0, 1] = -1.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 11",
    tags=("convex", "smooth", "constrained"),
)
def hs011() -> Problem:
    """The point of a parabola's inside next to a point outside."""
    return Problem(
        fun_grad,
        (4.9, 0.1),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        multipliers=(3.0493278589801998,),
        x_opt=(1.234772825053297, 1.5246639294900999),
        f_opt=-8.498464223154677,
        bounds=(-5.0, 6.0),
    )
