r"""Hock-Schittkowski 27: A tame Rosenbrock valley, one coordinate bound to a third.

f(x) = (x_2 - x_1^2)^2 + 0.01 (x_1 - 1)^2,
subject to x_1 + x_3^2 + 1 = 0.

Source: Hock & Schittkowski (1981), problem 27 (Miele et al. 1972).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import clear
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = x[1] - x[0] ** 2
    g[0] = 0.02 * x[0] - 4.0 * p * x[0] - 0.02
    g[1] = 2.0 * x[1] - 2.0 * x[0] ** 2
    g[2] = 0.0
    return p**2 + 0.01 * (x[0] - 1.0) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 12.0 * x[0] ** 2 + 0.02 - 4.0 * x[1]
    h[0, 1] = h[1, 0] = -4.0 * x[0]
    h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    c[0] = x[0] + x[2] ** 2 + 1.0
    jac[0, 0] = 1.0
    jac[0, 2] = 2.0 * x[2]


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[2, 2] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 27",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs027() -> Problem:
    """A tame Rosenbrock valley, one coordinate bound to a third."""
    return Problem(
        fun_grad,
        (2.0, 2.0, 2.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        m_eq=1,
        multipliers=(0.04,),
        x_opt=(-1.0, 1.0, 0.0),
        f_opt=0.04,
        bounds=(-3.0, 3.0),
    )
