r"""Hock-Schittkowski 52: A quadratic under linear equations that its minimum does not meet.

f(x) = (x_4 - 1)^2 + (x_5 - 1)^2 + (4 x_1 - x_2)^2 + (x_2 + x_3 - 2)^2,
subject to x_1 + 3 x_2 = 0, x_3 + x_4 - 2 x_5 = 0, x_2 - x_5 = 0.

Source: Hock & Schittkowski (1981), problem 52 (Miele et al. 1972).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear, flat
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 32.0 * x[0] - 8.0 * x[1]
    g[1] = 2.0 * x[2] + 4.0 * x[1] - 8.0 * x[0] - 4.0
    g[2] = 2.0 * x[1] + 2.0 * x[2] - 4.0
    g[3] = 2.0 * x[3] - 2.0
    g[4] = 2.0 * x[4] - 2.0
    return (x[3] - 1.0) ** 2 + (x[4] - 1.0) ** 2 + (4.0 * x[0] - x[1]) ** 2 + (x[1] + x[2] - 2.0) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 32.0
    h[0, 1] = h[1, 0] = -8.0
    h[1, 1] = 4.0
    h[1, 2] = h[2, 1] = 2.0
    h[2, 2] = 2.0
    h[3, 3] = 2.0
    h[4, 4] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + 3.0 * x[1]
    c[1] = x[2] + x[3] - 2.0 * x[4]
    c[2] = x[1] - x[4]
    jac[0, 0] = 1.0
    jac[0, 1] = 3.0
    jac[1, 2] = 1.0
    jac[1, 3] = 1.0
    jac[1, 4] = -2.0
    jac[2, 1] = 1.0
    jac[2, 4] = -1.0


@problem(
    source="Hock & Schittkowski 1981, problem 52",
    tags=("convex", "smooth", "constrained"),
)
def hs052() -> Problem:
    """A quadratic under linear equations that its minimum does not meet."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=flat,
        m=3,
        m_eq=3,
        multipliers=(3.2779369627507164, 2.9054441260744985, -7.747851002865329),
        x_opt=(
            -0.09455587392550144,
            0.03151862464183381,
            0.5157593123209169,
            -0.45272206303724927,
            0.03151862464183381,
        ),
        f_opt=5.326647564469914,
        bounds=(-5.0, 5.0),
    )
