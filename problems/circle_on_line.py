r"""Smallest circle around the origin that touches a line.

f(x) = x_1^2 + x_2^2 subject to a x_1 + b x_2 - c = 0.

The gradients of f and of the constraint are parallel where they touch: x* = c (a, b) / (a^2 + b^2), f* = c^2 / (a^2 +
b^2), lambda* = -2 c / (a^2 + b^2). Start: (2, -1), off the line by default.

Source: the first example of most lectures on Lagrange multipliers; Bertsekas (1996), Constrained Optimization and
Lagrange Multiplier Methods, section 1.2, for the theorem.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.registry import problem
from optbench.types import Problem


class Line(NamedTuple):
    """Points with a x_1 + b x_2 = c."""

    a: float
    b: float
    c: float


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    g[0] = 2.0 * x[0]
    g[1] = 2.0 * x[1]
    return x[0] ** 2 + x[1] ** 2


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = h[1, 1] = 2.0


def constraints(x, c, jac, data):
    """Constraint function into `c`, Jacobian into `jac`."""
    c[0] = data.a * x[0] + data.b * x[1] - data.c
    jac[0, 0] = data.a
    jac[0, 1] = data.b


def curvature(x, w, h, data):
    """Curvature of the line: none."""


@problem(source="Bertsekas 1996, section 1.2", tags=("convex", "smooth", "constrained", "teaching"))
def circle_on_line(a: float = 1.0, b: float = 2.0, c: float = 5.0) -> Problem:
    """Smallest circle around the origin that touches the line a x_1 + b x_2 = c."""
    if not all(map(math.isfinite, (a, b, c))) or a == b == 0.0:
        raise ValueError(f"problem 'circle_on_line': a x + b y = c must be a line, not a={a}, b={b}, c={c}")
    scale = c / (a * a + b * b)
    return Problem(
        fun_grad,
        (2.0, -1.0),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=1,
        m_eq=1,
        multipliers=(-2.0 * scale,),
        data=Line(a, b, c),
        x_opt=(scale * a, scale * b),
        f_opt=scale * c,
    )
