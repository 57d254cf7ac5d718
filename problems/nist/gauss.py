r"""Two peaks over a decay: y = b_1 exp(-b_2 t) + b_3 exp(-(t - b_4)^2 / b_5^2) + b_6 exp(-(t - b_7)^2 / b_8^2).

Generated with normal noise of variance 6.25; the peaks are well separated, close, and merged.

Source: Rust, B., NIST (1996).
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    e = math.exp(-x[1] * t)
    g[0], g[1] = e, -t * x[0] * e
    value = x[0] * e
    for k in range(2, 8, 3):
        z = (t - x[k + 1]) / x[k + 2]
        e = math.exp(-z * z)
        g[k], g[k + 1] = e, 2.0 * x[k] * e * z / x[k + 2]
        g[k + 2] = z * g[k + 1]
        value += x[k] * e
    return value


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    e = w * t * math.exp(-x[1] * t)
    h[0, 1] -= e
    h[1, 1] += t * x[0] * e
    for k in range(2, 8, 3):
        s = x[k + 2]
        z = (t - x[k + 1]) / s
        e = 2.0 * w * math.exp(-z * z) / s
        a = x[k] * e / s
        h[k, k + 1] += e * z
        h[k, k + 2] += e * z * z
        h[k + 1, k + 1] += a * (2.0 * z * z - 1.0)
        h[k + 1, k + 2] += 2.0 * a * z * (z * z - 1.0)
        h[k + 2, k + 2] += a * z * z * (2.0 * z * z - 3.0)


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_gauss1(start: int = 1) -> Problem:
    """Two well separated peaks over a decay."""
    return strd("Gauss1", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_gauss2(start: int = 1) -> Problem:
    """Two close peaks over a decay."""
    return strd("Gauss2", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_gauss3(start: int = 1) -> Problem:
    """Two merged peaks over a decay."""
    return strd("Gauss3", start, FIT)
