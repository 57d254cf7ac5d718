r"""Ultrasonic response against metal distance: y = exp(-b_1 t) / (b_2 + b_3 t).

Source: Chwirut, D., NIST (197?), Ultrasonic Reference Block Study.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    q = x[1] + x[2] * t
    m = math.exp(-x[0] * t) / q
    g[0], g[1], g[2] = -t * m, -m / q, -t * m / q
    return m


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    q = x[1] + x[2] * t
    m = w * math.exp(-x[0] * t) / q
    h[0, 0] += t * t * m
    h[0, 1] += t * m / q
    h[0, 2] += t * t * m / q
    h[1, 1] += 2.0 * m / (q * q)
    h[1, 2] += 2.0 * t * m / (q * q)
    h[2, 2] += 2.0 * t * t * m / (q * q)


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_chwirut1(start: int = 1) -> Problem:
    """Chwirut's ultrasonic calibration, 214 observations."""
    return strd("Chwirut1", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_chwirut2(start: int = 1) -> Problem:
    """Chwirut's ultrasonic calibration, 54 observations."""
    return strd("Chwirut2", start, FIT)
