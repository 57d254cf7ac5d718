r"""Hock-Schittkowski 81: Exponential of Powell's product, less the square of a constraint.

f(x) = exp(x_1 x_2 x_3 x_4 x_5) - 0.5 (x_1^3 + x_2^3 + 1)^2,
subject to x_1^2 + x_2^2 + x_3^2 + x_4^2 + x_5^2 - 10 = 0, x_2 x_3 - 5 x_4 x_5 = 0, x_1^3 + x_2^3 + 1 = 0, -2.3 <= x_1
  <= 2.3, -2.3 <= x_2 <= 2.3, -3.2 <= x_3 <= 3.2, -3.2 <= x_4 <= 3.2, -3.2 <= x_5 <= 3.2.

On the feasible set it is problem 80. x_4 and x_5 may change their signs together: several minima. Source: Hock &
Schittkowski (1981), problem 81 (Powell 1969).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides
from optbench.problems.hock_schittkowski.hs080 import constraints, curvature
from optbench.problems.hock_schittkowski.hs080 import fun_grad as exponential
from optbench.problems.hock_schittkowski.hs080 import hess as exponential_hess
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = exponential(x, g, data)
    p = x[0] ** 3 + x[1] ** 3 + 1.0
    g[0] -= 3.0 * p * x[0] ** 2
    g[1] -= 3.0 * p * x[1] ** 2
    return f - 0.5 * p**2


def hess(x, h, data):
    """Hessian into `h`."""
    exponential_hess(x, h, data)
    p = x[0] ** 3 + x[1] ** 3 + 1.0
    h[0, 0] -= 9.0 * x[0] ** 4 + 6.0 * p * x[0]
    h[1, 1] -= 9.0 * x[1] ** 4 + 6.0 * p * x[1]
    h[0, 1] -= 9.0 * x[0] ** 2 * x[1] ** 2
    h[1, 0] -= 9.0 * x[0] ** 2 * x[1] ** 2


@problem(
    source="Hock & Schittkowski 1981, problem 81",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs081() -> Problem:
    """Exponential of Powell's product, less the square of a constraint."""
    return Problem(
        fun_grad,
        (-2.0, 2.0, 2.0, -1.0, -1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=13,
        m_eq=3,
        data=sides(5, low=(-2.3, -2.3, -3.2, -3.2, -3.2), high=(2.3, 2.3, 3.2, 3.2, 3.2)),
        multipliers=(0.04016274464930938, -0.03795777439637439, 0.005222643331410114, *(0.0,) * 10),
        x_opt=(-1.7171435703943823, 1.5957096901835544, 1.8272457529271946, -0.7636430781841304, -0.7636430781841304),
        f_opt=0.05394984777027201,
        bounds=((-2.3, 2.3), (-2.3, 2.3), (-3.2, 3.2), (-3.2, 3.2), (-3.2, 3.2)),
    )
