r"""Biggs's EXP6 function.

r_i = x_3 exp(-t_i x_1) - x_4 exp(-t_i x_2) + x_6 exp(-t_i x_5) - y_i,  t_i = i / 10,  i = 1, ..., 13,
y_i = exp(-t_i) - 5 exp(-10 t_i) + 3 exp(-4 t_i);  f = 0 at (1, 10, 1, 5, 4, 3).

The three terms may change places, so there are six such minimizers; the source names one. There is a local minimum with
f = 5.65565e-3 near (1.711, 17.68, 1.163, 5.187, 1.711, 1.163).

Source: More, Garbow & Hillstrom (1981), problem 18 (Biggs 1971), m = 13. Start: (1, 2, 1, 1, 1, 1).
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

TERMS = ((1.0, 1.0), (10.0, -5.0), (4.0, 3.0))  # rate and amplitude of the terms of y


def model(t, x, g):
    """Value and gradient of the model at t."""
    a, b, c = math.exp(-t * x[0]), math.exp(-t * x[1]), math.exp(-t * x[4])
    g[0], g[1], g[4] = -t * x[2] * a, t * x[3] * b, -t * x[5] * c
    g[2], g[3], g[5] = a, -b, c
    return x[2] * a - x[3] * b + x[5] * c


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    a, b, c = w * t * math.exp(-t * x[0]), w * t * math.exp(-t * x[1]), w * t * math.exp(-t * x[4])
    h[0, 0] += x[2] * t * a
    h[0, 2] -= a
    h[1, 1] -= x[3] * t * b
    h[1, 3] += b
    h[4, 4] += x[5] * t * c
    h[4, 5] -= c


residuals, curvature = fit(model, bend)


@problem(
    source="Biggs 1971; More, Garbow & Hillstrom 1981, problem 18",
    tags=("least-squares", "nonconvex", "multimodal", "smooth"),
)
def biggs_exp6() -> Problem:
    """Biggs's sum of three exponentials: six minimizers and a local minimum."""
    t = np.arange(1.0, 14.0) / 10.0
    orders = itertools.permutations(TERMS)
    return Problem(
        None,
        (1.0, 2.0, 1.0, 1.0, 1.0, 1.0),
        residuals=residuals,
        curvature=curvature,
        m=13,
        data=observations(t, np.exp(-t) - 5.0 * np.exp(-10.0 * t) + 3.0 * np.exp(-4.0 * t)),
        x_opt=[(p[0], q[0], p[1], -q[1], s[0], s[1]) for p, q, s in orders],
        f_opt=0.0,
        bounds=((0.0, 20.0), (0.0, 20.0), (-6.0, 6.0), (-6.0, 6.0), (0.0, 20.0), (-6.0, 6.0)),
    )
