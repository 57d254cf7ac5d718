r"""Hock-Schittkowski 64: Costs of three batch sizes under one capacity.

f(x) = 5 x_1 + 10 x_3 + 20 x_2 + 50000 / x_1 + 72000 / x_2 + 144000 / x_3,
subject to 4 / x_1 + 32 / x_2 + 120 / x_3 - 1 <= 0, x_i >= 1e-5.

Source: Hock & Schittkowski (1981), problem 64 (Best 1975).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 5.0 - 50000.0 / x[0] ** 2
    g[1] = 20.0 - 72000.0 / x[1] ** 2
    g[2] = 10.0 - 144000.0 / x[2] ** 2
    return 5.0 * x[0] + 10.0 * x[2] + 20.0 * x[1] + 50000.0 / x[0] + 72000.0 / x[1] + 144000.0 / x[2]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 100000.0 / x[0] ** 3
    h[1, 1] = 144000.0 / x[1] ** 3
    h[2, 2] = 288000.0 / x[2] ** 3


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    c[0] = 4.0 / x[0] + 32.0 / x[1] + 120.0 / x[2] - 1.0
    jac[0, 0] = -4.0 / x[0] ** 2
    jac[0, 1] = -32.0 / x[1] ** 2
    jac[0, 2] = -120.0 / x[2] ** 2
    write_sides(x, c, jac, 1, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 8.0 * w[0] / x[0] ** 3
    h[1, 1] += 64.0 * w[0] / x[1] ** 3
    h[2, 2] += 240.0 * w[0] / x[2] ** 3


@problem(
    source="Hock & Schittkowski 1981, problem 64",
    tags=("convex", "smooth", "constrained", "ill-conditioned"),
)
def hs064() -> Problem:
    """Costs of three batch sizes under one capacity."""
    return Problem(
        fun_grad,
        (1.0, 1.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=4,
        data=sides(3, low=1e-05),
        multipliers=(2279.0450650753314, *(0.0,) * 3),
        x_opt=(108.73470491089891, 85.1262127908938, 204.32459661260555),
        f_opt=6299.8424279215205,
        bounds=(0.5, 300.0),
    )
