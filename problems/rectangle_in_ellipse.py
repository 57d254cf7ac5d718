r"""Rectangle of largest area in an ellipse.

f(x) = -4 x_1 x_2, the area with its sign turned, of the rectangle with corners (+-x_1, +-x_2), subject to
(x_1 / a)^2 + (x_2 / b)^2 - 1 = 0, -x_1 <= 0, -x_2 <= 0.

x* = (a, b) / sqrt(2), f* = -2 a b, lambda* = (2 a b, 0, 0): an ellipse that is larger by 1 % of its area, hence a right
side that is larger by 0.01, lets the area grow by lambda* times as much. Without the signs (-a, -b) / sqrt(2) were a
minimum as well. f is a saddle: only the constraint makes it a minimum. Start: (a, b) / 2, inside the ellipse.

Source: Kepler's problem in the plane, as lectures on Lagrange multipliers have it; Bertsekas (1996), Constrained
Optimization and Lagrange Multiplier Methods, section 1.2, for the theorem.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.registry import problem
from optbench.types import Problem


class Ellipse(NamedTuple):
    """Semi-axes."""

    a: float
    b: float


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = -4.0 * x[1]
    g[1] = -4.0 * x[0]
    return -4.0 * x[0] * x[1]


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 1] = h[1, 0] = -4.0


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    u, v = x[0] / data.a, x[1] / data.b
    c[0] = u * u + v * v - 1.0
    c[1] = -x[0]
    c[2] = -x[1]
    jac[0, 0] = 2.0 * u / data.a
    jac[0, 1] = 2.0 * v / data.b
    jac[1, 0] = jac[2, 1] = -1.0
    jac[1, 1] = jac[2, 0] = 0.0


def curvature(x, w, h, data):
    """Hessian of the sum of w_i c_i, added to `h`."""
    h[0, 0] += 2.0 * w[0] / data.a**2
    h[1, 1] += 2.0 * w[0] / data.b**2


@problem(source="Bertsekas 1996, section 1.2", tags=("nonconvex", "smooth", "constrained", "teaching"))
def rectangle_in_ellipse(a: float = 2.0, b: float = 1.0) -> Problem:
    """Rectangle of largest area in an ellipse with semi-axes `a` and `b`."""
    if not (0.0 < a < math.inf and 0.0 < b < math.inf):
        raise ValueError(f"problem 'rectangle_in_ellipse': the semi-axes must be positive and finite, not {a} and {b}")
    return Problem(
        fun_grad,
        (0.5 * a, 0.5 * b),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=3,
        m_eq=1,
        multipliers=(2.0 * a * b, 0.0, 0.0),
        data=Ellipse(a, b),
        x_opt=(a * math.sqrt(0.5), b * math.sqrt(0.5)),
        f_opt=-2.0 * a * b,
        bounds=((0.0, 1.5 * a), (0.0, 1.5 * b)),
    )
