r"""Brown and Dennis's function.

r_i = (x_1 + t_i x_2 - exp(t_i))^2 + (x_3 + x_4 sin t_i - cos t_i)^2,  t_i = i / 5,  i = 1, ..., 20;
f = 85822.2 at (-11.594, 13.204, -0.403, 0.237): very large residuals, where Gauss-Newton converges slowly or not.

Source: More, Garbow & Hillstrom (1981), problem 16 (Brown & Dennis 1971), m = 20. Start: (25, 5, -5, -1).
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the residual at t."""
    s = math.sin(t)
    p, q = x[0] + t * x[1] - math.exp(t), x[2] + s * x[3] - math.cos(t)
    g[0], g[1], g[2], g[3] = 2.0 * p, 2.0 * p * t, 2.0 * q, 2.0 * q * s
    return p * p + q * q


def bend(t, x, w, h):
    """Second derivatives of the residual at t."""
    s = math.sin(t)
    h[0, 0] += 2.0 * w
    h[0, 1] += 2.0 * w * t
    h[1, 1] += 2.0 * w * t * t
    h[2, 2] += 2.0 * w
    h[2, 3] += 2.0 * w * s
    h[3, 3] += 2.0 * w * s * s


residuals, curvature = fit(model, bend)


@problem(
    source="Brown & Dennis 1971; More, Garbow & Hillstrom 1981, problem 16",
    tags=("least-squares", "convex", "smooth"),
)
def brown_dennis() -> Problem:
    """Brown and Dennis's four parameters: the residuals at the minimum are large."""
    return Problem(
        None,
        (25.0, 5.0, -5.0, -1.0),
        residuals=residuals,
        curvature=curvature,
        m=20,
        data=observations(np.arange(1.0, 21.0) / 5.0, np.zeros(20)),
        x_opt=(-11.594439904762165, 13.203630051207204, -0.40343948817685954, 0.2367787744557363),
        f_opt=85822.20162635634,
        bounds=(-30.0, 30.0),
    )
