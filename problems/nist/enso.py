r"""El Nino: monthly pressure differences, a yearly cycle and two of unknown periods b_4 and b_7.

y = b_1 + b_2 cos(2 pi t / 12) + b_3 sin(2 pi t / 12) + b_5 cos(2 pi t / b_4) + b_6 sin(2 pi t / b_4)
+ b_8 cos(2 pi t / b_7) + b_9 sin(2 pi t / b_7).

Source: Kahaner, Moler & Nash (1989), Numerical Methods and Software, 441-445.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    year = 2.0 * math.pi * t / 12.0
    g[0], g[1], g[2] = 1.0, math.cos(year), math.sin(year)
    value = x[0] + x[1] * g[1] + x[2] * g[2]
    for k in range(3, 9, 3):
        angle = 2.0 * math.pi * t / x[k]
        c, s = math.cos(angle), math.sin(angle)
        g[k], g[k + 1], g[k + 2] = (x[k + 1] * s - x[k + 2] * c) * angle / x[k], c, s
        value += x[k + 1] * c + x[k + 2] * s
    return value


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    for k in range(3, 9, 3):
        angle = 2.0 * math.pi * t / x[k]
        c, s = math.cos(angle), math.sin(angle)
        slope = angle / x[k]
        wave, turn = x[k + 1] * c + x[k + 2] * s, x[k + 2] * c - x[k + 1] * s
        h[k, k] += w * slope * (2.0 * turn / x[k] - slope * wave)
        h[k, k + 1] += w * s * slope
        h[k, k + 2] -= w * c * slope


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_enso(start: int = 1) -> Problem:
    """The southern oscillation: nine parameters, many local minima in the periods."""
    return strd("ENSO", start, FIT)
