r"""Gaussian function.

r_i = x_1 exp(-x_2 (t_i - x_3)^2 / 2) - y_i,  t_i = (8 - i) / 2,  i = 1, ..., 15;
f = 1.12793e-8 at (0.3990, 1.0000, 0). The y_i are a density of the normal distribution to four
decimals, symmetric about 0.

Source: More, Garbow & Hillstrom (1981), problem 9. Start: (0.4, 1, 0).
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

HALF = (0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521)


def model(t, x, g):
    """Value and gradient of the model at t."""
    d = t - x[2]
    e = math.exp(-0.5 * x[1] * d * d)
    g[0], g[1], g[2] = e, -0.5 * x[0] * e * d * d, x[0] * e * x[1] * d
    return x[0] * e


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    d = t - x[2]
    e = w * math.exp(-0.5 * x[1] * d * d)
    a = x[0] * e
    h[0, 1] -= 0.5 * e * d * d
    h[0, 2] += e * x[1] * d
    h[1, 1] += 0.25 * a * d * d * d * d
    h[1, 2] += a * d * (1.0 - 0.5 * x[1] * d * d)
    h[2, 2] += a * x[1] * (x[1] * d * d - 1.0)


residuals, curvature = fit(model, bend)


@problem(source="More, Garbow & Hillstrom 1981, problem 9", tags=("least-squares", "nonconvex", "smooth"))
def gaussian() -> Problem:
    """A bell curve fitted to a table of the normal density: the start is very close to the minimum."""
    return Problem(
        None,
        (0.4, 1.0, 0.0),
        residuals=residuals,
        curvature=curvature,
        m=15,
        data=observations((8.0 - np.arange(1.0, 16.0)) / 2.0, (*HALF, 0.3989, *HALF[::-1])),
        x_opt=(0.39895613783875666, 1.0000190844878056, 0.0),
        f_opt=1.127932769618648e-08,
        bounds=((0.0, 1.0), (0.0, 2.0), (-1.0, 1.0)),
    )
