r"""Lanczos's sum of three exponentials: y = b_1 exp(-b_2 t) + b_3 exp(-b_4 t) + b_5 exp(-b_6 t).

Generated to 14, 6 and 5 digits. The sum of squares of Lanczos1, 1.43e-25, is below what double precision resolves: f
near the minimum is rounding error.

Source: Lanczos (1956), Applied Analysis, 272-280.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    value = 0.0
    for k in range(0, 6, 2):
        e = math.exp(-x[k + 1] * t)
        g[k], g[k + 1] = e, -t * x[k] * e
        value += x[k] * e
    return value


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    for k in range(0, 6, 2):
        e = w * t * math.exp(-x[k + 1] * t)
        h[k, k + 1] -= e
        h[k + 1, k + 1] += t * x[k] * e


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_lanczos1(start: int = 1) -> Problem:
    """Lanczos's exponentials, 14 digits."""
    return strd("Lanczos1", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_lanczos2(start: int = 1) -> Problem:
    """Lanczos's exponentials, 6 digits."""
    return strd("Lanczos2", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_lanczos3(start: int = 1) -> Problem:
    """Lanczos's exponentials, 5 digits."""
    return strd("Lanczos3", start, FIT)
