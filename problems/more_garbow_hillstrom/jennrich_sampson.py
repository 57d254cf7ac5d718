r"""Jennrich and Sampson's function.

r_i = exp(i x_1) + exp(i x_2) - (2 + 2 i),  i = 1, ..., 10,  f = 124.362 at x_1 = x_2 = 0.2578.

Source: More, Garbow & Hillstrom (1981), problem 6 (Jennrich & Sampson 1968), m = 10. Start: (0.3, 0.4).
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    a, b = math.exp(t * x[0]), math.exp(t * x[1])
    g[0], g[1] = t * a, t * b
    return a + b


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    h[0, 0] += w * t * t * math.exp(t * x[0])
    h[1, 1] += w * t * t * math.exp(t * x[1])


residuals, curvature = fit(model, bend)


@problem(
    source="Jennrich & Sampson 1968; More, Garbow & Hillstrom 1981, problem 6",
    tags=("least-squares", "nonconvex", "smooth"),
)
def jennrich_sampson() -> Problem:
    """Two exponentials that have to fit a straight line: large residuals at the minimum."""
    i = np.arange(1.0, 11.0)
    return Problem(
        None,
        (0.3, 0.4),
        residuals=residuals,
        curvature=curvature,
        m=10,
        data=observations(i, 2.0 + 2.0 * i),
        x_opt=(0.2578252136703641, 0.2578252136703641),
        f_opt=124.36218235561485,
        bounds=(-0.5, 0.5),
    )
