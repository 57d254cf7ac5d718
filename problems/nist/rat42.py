r"""Pasture yield against growing time: y = b_1 / (1 + exp(b_2 - b_3 t)), a logistic curve.

Source: Ratkowsky (1983), Nonlinear Regression Modeling, 61, 88.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    p = 1.0 / (1.0 + math.exp(x[1] - x[2] * t))
    g[0], g[1] = p, -x[0] * p * (1.0 - p)
    g[2] = -t * g[1]
    return x[0] * p


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    p = 1.0 / (1.0 + math.exp(x[1] - x[2] * t))
    slope = w * p * (1.0 - p)
    c = x[0] * slope * (1.0 - 2.0 * p)
    h[0, 1] -= slope
    h[0, 2] += t * slope
    h[1, 1] += c
    h[1, 2] -= t * c
    h[2, 2] += t * t * c


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_rat42(start: int = 1) -> Problem:
    """Ratkowsky's pasture: a logistic curve of three parameters."""
    return strd("Rat42", start, FIT)
