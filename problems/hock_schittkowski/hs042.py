r"""Hock-Schittkowski 42: The point of a plane's cylinder next to (1, 2, 3, 4).

f(x) = (x_1 - 1)^2 + (x_4 - 4)^2 + (x_3 - 3)^2 + (x_2 - 2)^2,
subject to x_1 - 2 = 0, x_3^2 + x_4^2 - 2 = 0.

Source: Hock & Schittkowski (1981), problem 42 (Brusch 1973).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - 2.0
    g[1] = 2.0 * x[1] - 4.0
    g[2] = 2.0 * x[2] - 6.0
    g[3] = 2.0 * x[3] - 8.0
    return (x[0] - 1.0) ** 2 + (x[3] - 4.0) ** 2 + (x[2] - 3.0) ** 2 + (x[1] - 2.0) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0
    h[1, 1] = 2.0
    h[2, 2] = 2.0
    h[3, 3] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] - 2.0
    c[1] = x[2] ** 2 + x[3] ** 2 - 2.0
    jac[0, 0] = 1.0
    jac[1, 2] = 2.0 * x[2]
    jac[1, 3] = 2.0 * x[3]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[2, 2] += 2.0 * w[1]
    h[3, 3] += 2.0 * w[1]


@problem(
    source="Hock & Schittkowski 1981, problem 42",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs042() -> Problem:
    """The point of a plane's cylinder next to (1, 2, 3, 4)."""
    return Problem(
        fun_grad,
        (1.0, 1.0, 1.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=2,
        m_eq=2,
        multipliers=(-2.0, 2.5355339059327378),
        x_opt=(2.0, 2.0, 0.848528137423857, 1.131370849898476),
        f_opt=13.857864376269049,
        bounds=(-5.0, 5.0),
    )
