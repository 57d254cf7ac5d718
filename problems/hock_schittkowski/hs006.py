r"""Hock-Schittkowski 6: Rosenbrock's valley, its floor made a constraint.

f(x) = (1 - x_1)^2,
subject to 10 x_2 - 10 x_1^2 = 0.

Source: Hock & Schittkowski (1981), problem 6 (Betts 1977).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0] - 2.0
    g[1] = 0.0
    return (1.0 - x[0]) ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 10.0 * x[1] - 10.0 * x[0] ** 2
    jac[0, 0] = -20.0 * x[0]
    jac[0, 1] = 10.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] -= 20.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 6",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs006() -> Problem:
    """Rosenbrock's valley, its floor made a constraint."""
    return Problem(
        fun_grad,
        (-1.2, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        m_eq=1,
        multipliers=(0.0,),
        x_opt=(1.0, 1.0),
        f_opt=0.0,
        bounds=(-2.0, 2.0),
    )
