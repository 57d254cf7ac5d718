r"""Hock-Schittkowski 71: A cubic on a sphere, under a product: the example of many a solver's manual.

f(x) = x_3 + x_1 x_4 (x_1 + x_2 + x_3),
subject to x_1^2 + x_2^2 + x_3^2 + x_4^2 - 40 = 0, 25 - x_1 x_2 x_3 x_4 <= 0, 1 <= x_i <= 5.

Source: Hock & Schittkowski (1981), problem 71 (Bartholomew-Biggs 1976).
"""

from __future__ import annotations

from optbench.problems.hock_schittkowski._sides import sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    p = x[0] + x[1] + x[2]
    g[0] = p * x[3] + x[0] * x[3]
    g[1] = x[0] * x[3]
    g[2] = x[0] * x[3] + 1.0
    g[3] = p * x[0]
    return x[2] + p * x[0] * x[3]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0 * x[3]
    h[0, 1] = h[1, 0] = x[3]
    h[0, 2] = h[2, 0] = x[3]
    h[0, 3] = h[3, 0] = x[1] + x[2] + 2.0 * x[0]
    h[1, 3] = h[3, 1] = x[0]
    h[2, 3] = h[3, 2] = x[0]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    p = x[1] * x[2] * x[3]
    c[0] = x[0] ** 2 + x[1] ** 2 + x[2] ** 2 + x[3] ** 2 - 40.0
    c[1] = 25.0 - p * x[0]
    jac[0, 0] = 2.0 * x[0]
    jac[0, 1] = 2.0 * x[1]
    jac[0, 2] = 2.0 * x[2]
    jac[0, 3] = 2.0 * x[3]
    jac[1, 0] = -p
    jac[1, 1] = -x[0] * x[2] * x[3]
    jac[1, 2] = -x[0] * x[1] * x[3]
    jac[1, 3] = -x[0] * x[1] * x[2]
    write_sides(x, c, jac, 2, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0]
    bend = -w[1] * x[2] * x[3]
    h[0, 1] += bend
    h[1, 0] += bend
    bend = -w[1] * x[1] * x[3]
    h[0, 2] += bend
    h[2, 0] += bend
    bend = -w[1] * x[1] * x[2]
    h[0, 3] += bend
    h[3, 0] += bend
    h[1, 1] += 2.0 * w[0]
    bend = -w[1] * x[0] * x[3]
    h[1, 2] += bend
    h[2, 1] += bend
    bend = -w[1] * x[0] * x[2]
    h[1, 3] += bend
    h[3, 1] += bend
    h[2, 2] += 2.0 * w[0]
    bend = -w[1] * x[0] * x[1]
    h[2, 3] += bend
    h[3, 2] += bend
    h[3, 3] += 2.0 * w[0]


@problem(
    source="Hock & Schittkowski 1981, problem 71",
    tags=("nonconvex", "smooth", "constrained"),
)
def hs071() -> Problem:
    """A cubic on a sphere, under a product: the example of many a solver's manual."""
    return Problem(
        fun_grad,
        (1.0, 5.0, 5.0, 1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=10,
        m_eq=1,
        data=sides(4, low=1.0, high=5.0),
        multipliers=(0.16146856677050583, 0.5522936601207268, 1.087871228666941, *(0.0,) * 7),
        x_opt=(1.0, 4.742999637264417, 3.8211499841848737, 1.3794082931726723),
        f_opt=17.014017289156303,
        bounds=(1.0, 5.0),
    )
