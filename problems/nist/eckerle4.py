r"""Circular interference transmittance against wavelength: y = (b_1 / b_2) exp(-((t - b_3) / b_2)^2 / 2).

Source: Eckerle, K., NIST (197?), Circular Interference Transmittance Study.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    z = (t - x[2]) / x[1]
    e = math.exp(-0.5 * z * z) / x[1]
    slope = x[0] * e / x[1]
    g[0], g[1], g[2] = e, slope * (z * z - 1.0), slope * z
    return x[0] * e


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    z = (t - x[2]) / x[1]
    e = w * math.exp(-0.5 * z * z) / (x[1] * x[1])
    a = x[0] * e / x[1]
    h[0, 1] += e * (z * z - 1.0)
    h[0, 2] += e * z
    h[1, 1] += a * ((z * z - 5.0) * z * z + 2.0)
    h[1, 2] += a * z * (z * z - 3.0)
    h[2, 2] += a * (z * z - 1.0)


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_eckerle4(start: int = 1) -> Problem:
    """Eckerle's transmittance: a peak that start 1 misses."""
    return strd("Eckerle4", start, FIT)
