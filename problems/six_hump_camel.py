r"""Six-hump camel function.

f(x) = (4 - 2.1 x_1^2 + x_1^4 / 3) x_1^2 + x_1 x_2 + (4 x_2^2 - 4) x_2^2, lowest at two points that are each other's
negative.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Six-Hump Camel Function".
Start: (1, 1), a choice of this package.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem

MINIMIZER = (0.08984201310031806, -0.7126564030207396)
F_OPT = -1.0316284534898774


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    s, t = x[0] * x[0], x[1] * x[1]
    g[0] = x[0] * (8.0 - 8.4 * s + 2.0 * s * s) + x[1]
    g[1] = x[0] + x[1] * (16.0 * t - 8.0)
    return s * (4.0 - 2.1 * s + s * s / 3.0) + x[0] * x[1] + t * (4.0 * t - 4.0)


def hess(x, h, data):
    """Hessian into `h`."""
    s = x[0] * x[0]
    h[0, 0] = 8.0 - 25.2 * s + 10.0 * s * s
    h[0, 1], h[1, 0] = 1.0, 1.0
    h[1, 1] = 48.0 * x[1] * x[1] - 8.0


@problem(source="Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth"))
def six_hump_camel() -> Problem:
    """Six-hump camel function of two variables: six minima, two of them global."""
    return Problem(
        fun_grad,
        (1.0, 1.0),
        hess=hess,
        x_opt=(MINIMIZER, (-MINIMIZER[0], -MINIMIZER[1])),
        f_opt=F_OPT,
        bounds=((-3.0, 3.0), (-2.0, 2.0)),
    )
