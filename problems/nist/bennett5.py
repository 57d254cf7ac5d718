r"""Magnetization of superconductors against log time: y = b_1 (b_2 + t)^{-1 / b_3}.

Source: Bennett, L., Swartzendruber, L. & Brown, H., NIST (1994), Superconductivity Magnetization Modeling.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    s = x[1] + t
    log = math.log(s)
    p = math.exp(-log / x[2])
    g[0], g[1], g[2] = p, -x[0] * p / (x[2] * s), x[0] * p * log / (x[2] * x[2])
    return x[0] * p


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    s, b = x[1] + t, 1.0 / x[2]
    log = math.log(s)
    p = w * b * math.exp(-b * log)
    a = x[0] * p
    h[0, 1] -= p / s
    h[0, 2] += p * log * b
    h[1, 1] += a * (b + 1.0) / (s * s)
    h[1, 2] += a * b * (1.0 - b * log) / s
    h[2, 2] += a * b * b * log * (b * log - 2.0)


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_bennett5(start: int = 1) -> Problem:
    """Bennett's magnetization: three parameters in a long narrow valley."""
    return strd("Bennett5", start, FIT)
