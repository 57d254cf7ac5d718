r"""Hock-Schittkowski 74: Power flow in a small network, angles within 0.55.

f(x) = 2 x_2 + 3 x_1 + 1e-06 x_1^3 + x_2^3 / 1500000,
subject to 894.8 - x_1 - 1000 sin(x_3 + 0.25) - 1000 sin(x_4 + 0.25) = 0, 1000 sin(x_3 - 0.25) + 894.8 - x_2 - 1000
  sin(x_4 + 0.25 - x_3) = 0, 1000 sin(x_4 - 0.25) + 1294.8 - 1000 sin(x_3 + 0.25 - x_4) = 0, x_3 - x_4 - 0.55 <= 0,
  x_4 - x_3 - 0.55 <= 0, 0 <= x_1 <= 1200, 0 <= x_2 <= 1200, -0.55 <= x_3 <= 0.55, -0.55 <= x_4 <= 0.55.

Source: Hock & Schittkowski (1981), problem 74 (Beuneu).
"""

from __future__ import annotations

import math

from optbench.problems.hock_schittkowski._sides import clear, sides, write_sides
from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 3e-06 * x[0] ** 2 + 3.0
    g[1] = 2e-06 * x[1] ** 2 + 2.0
    g[2] = 0.0
    g[3] = 0.0
    return 2.0 * x[1] + 3.0 * x[0] + 1e-06 * x[0] ** 3 + x[1] ** 3 / 1500000.0


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 6e-06 * x[0]
    h[1, 1] = 4e-06 * x[1]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    clear(jac)
    p = x[2] + 0.25
    q = x[3] + 0.25
    r = x[2] - 0.25
    s = x[3] - 0.25
    t = 1000.0 * math.cos(q - x[2])
    u = 1000.0 * math.cos(p - x[3])
    c[0] = 894.8 - x[0] - 1000.0 * math.sin(p) - 1000.0 * math.sin(q)
    c[1] = 1000.0 * math.sin(r) + 894.8 - x[1] - 1000.0 * math.sin(q - x[2])
    c[2] = 1000.0 * math.sin(s) + 1294.8 - 1000.0 * math.sin(p - x[3])
    c[3] = x[2] - x[3] - 0.55
    c[4] = x[3] - x[2] - 0.55
    jac[0, 0] = -1.0
    jac[0, 2] = -1000.0 * math.cos(p)
    jac[0, 3] = -1000.0 * math.cos(q)
    jac[1, 1] = -1.0
    jac[1, 2] = t + 1000.0 * math.cos(r)
    jac[1, 3] = -t
    jac[2, 2] = -u
    jac[2, 3] = u + 1000.0 * math.cos(s)
    jac[3, 2] = 1.0
    jac[3, 3] = -1.0
    jac[4, 2] = -1.0
    jac[4, 3] = 1.0
    write_sides(x, c, jac, 5, data)


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    p = x[2] + 0.25
    q = x[3] + 0.25
    r = math.sin(q - x[2])
    s = math.sin(p - x[3])
    t = 1000.0 * s * w[2]
    u = 1000.0 * r * w[1]
    h[2, 2] += t + 1000.0 * w[0] * math.sin(p) + 1000.0 * w[1] * (r - math.sin(x[2] - 0.25))
    bend = -t - u
    h[2, 3] += bend
    h[3, 2] += bend
    h[3, 3] += u + 1000.0 * w[0] * math.sin(q) + 1000.0 * w[2] * (s - math.sin(x[3] - 0.25))


@problem(
    source="Hock & Schittkowski 1981, problem 74",
    tags=("nonconvex", "smooth", "constrained", "ill-conditioned"),
)
def hs074() -> Problem:
    """Power flow in a small network, angles within 0.55."""
    return Problem(
        fun_grad,
        (0.0, 0.0, 0.0, 0.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=13,
        m_eq=3,
        data=sides(4, low=(0.0, 0.0, -0.55, -0.55), high=(1200.0, 1200.0, 0.55, 0.55)),
        multipliers=(4.3869769139627, 4.105627521246922, 5.463278493108374, *(0.0,) * 10),
        x_opt=(679.9453198512117, 1026.0671326104648, 0.11887636449310189, -0.3962335532032103),
        f_opt=5126.498109595273,
        bounds=((0.0, 1200.0), (0.0, 1200.0), (-0.55, 0.55), (-0.55, 0.55)),
    )
