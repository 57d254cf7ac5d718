r"""Box's three-dimensional function.

r_i = exp(-t_i x_1) - exp(-t_i x_2) - x_3 (exp(-t_i) - exp(-10 t_i)),  t_i = i / 10,  i = 1, ..., 10;
f = 0 at (1, 10, 1), at (10, 1, -1), and wherever x_1 = x_2 and x_3 = 0: the minimizer is not unique, and `x_opt` and
`minimizers` name the two isolated ones.

Source: More, Garbow & Hillstrom (1981), problem 12 (Box 1966), m = 10. Start: (0, 10, 20).
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the residual at t."""
    a, b = math.exp(-t * x[0]), math.exp(-t * x[1])
    c = math.exp(-t) - math.exp(-10.0 * t)
    g[0], g[1], g[2] = -t * a, t * b, -c
    return a - b - x[2] * c


def bend(t, x, w, h):
    """Second derivatives of the residual at t."""
    h[0, 0] += w * t * t * math.exp(-t * x[0])
    h[1, 1] -= w * t * t * math.exp(-t * x[1])


residuals, curvature = fit(model, bend)


@problem(
    source="Box 1966; More, Garbow & Hillstrom 1981, problem 12",
    tags=("least-squares", "nonconvex", "smooth"),
)
def box_3d() -> Problem:
    """Box's exponentials: two isolated minimizers and a line of them."""
    return Problem(
        None,
        (0.0, 10.0, 20.0),
        residuals=residuals,
        curvature=curvature,
        m=10,
        data=observations(np.arange(1.0, 11.0) / 10.0, np.zeros(10)),
        x_opt=((1.0, 10.0, 1.0), (10.0, 1.0, -1.0)),
        f_opt=0.0,
        bounds=((0.0, 20.0), (0.0, 20.0), (-5.0, 25.0)),
    )
