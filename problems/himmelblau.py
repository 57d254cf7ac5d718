r"""Himmelblau's function.

f(x) = (x_1^2 + x_2 - 11)^2 + (x_1 + x_2^2 - 7)^2, zero at four points, of which (3, 2) is one.

Source: Himmelblau (1972), Applied Nonlinear Programming, McGraw-Hill. Start: (0, 0).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem

MINIMIZERS = (
    (3.0, 2.0),
    (-2.805118086952745, 3.131312518250573),
    (-3.779310253377747, -3.2831859912861694),
    (3.5844283403304917, -1.8481265269644036),
)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    a = x[0] * x[0] + x[1] - 11.0
    b = x[0] + x[1] * x[1] - 7.0
    g[0] = 4.0 * a * x[0] + 2.0 * b
    g[1] = 2.0 * a + 4.0 * b * x[1]
    return a * a + b * b


def hess(x, h, data):
    """Hessian into `h`."""
    a = x[0] * x[0] + x[1] - 11.0
    b = x[0] + x[1] * x[1] - 7.0
    h[0, 0] = 4.0 * a + 8.0 * x[0] * x[0] + 2.0
    h[1, 1] = 4.0 * b + 8.0 * x[1] * x[1] + 2.0
    h[0, 1] = 4.0 * (x[0] + x[1])
    h[1, 0] = h[0, 1]


@problem(source="Himmelblau 1972", tags=("nonconvex", "multimodal", "smooth"))
def himmelblau() -> Problem:
    """Himmelblau's function of two variables: four equal minima."""
    return Problem(fun_grad, (0.0, 0.0), hess=hess, x_opt=MINIMIZERS, f_opt=0.0, bounds=(-5.0, 5.0))
