r"""Dry weight of onion bulbs against growing time: y = b_1 / (1 + exp(b_2 - b_3 t))^{1 / b_4}.

Source: Ratkowsky (1983), Nonlinear Regression Modeling, 62, 88.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    e = math.exp(x[1] - x[2] * t)
    log = math.log1p(e)
    p = math.exp(-log / x[3])
    g[0], g[1], g[3] = p, -x[0] * p * e / ((1.0 + e) * x[3]), x[0] * p * log / (x[3] * x[3])
    g[2] = -t * g[1]
    return x[0] * p


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    e = math.exp(x[1] - x[2] * t)
    log, b = math.log1p(e), 1.0 / x[3]
    s, p = b * e / (1.0 + e), w * math.exp(-b * log)
    a = x[0] * p
    c, mixed = a * s * (s - 1.0 / (1.0 + e)), a * s * b * (1.0 - b * log)
    h[0, 1] -= p * s
    h[0, 2] += t * p * s
    h[0, 3] += p * log * b * b
    h[1, 1] += c
    h[1, 2] -= t * c
    h[1, 3] += mixed
    h[2, 2] += t * t * c
    h[2, 3] -= t * mixed
    h[3, 3] += a * log * b * b * b * (log * b - 2.0)


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_rat43(start: int = 1) -> Problem:
    """Ratkowsky's onions: a generalized logistic curve of four parameters."""
    return strd("Rat43", start, FIT)
