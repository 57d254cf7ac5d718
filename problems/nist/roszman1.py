r"""Quantum defects of iodine atoms: y = b_1 - b_2 t - arctan(b_3 / (t - b_4)) / pi.

The arctangent jumps by pi where t = b_4: as a function of b_4, f is discontinuous at every t_i.

Source: Roszman, L., NIST (1979), Quantum Defects for Sulfur I Atom.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    d = t - x[3]
    s = math.pi * (d * d + x[2] * x[2])
    g[0], g[1], g[2], g[3] = 1.0, -t, -d / s, -x[2] / s
    return x[0] - x[1] * t - math.atan(x[2] / d) / math.pi


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    d, b = t - x[3], x[2]
    s = d * d + b * b
    scale = w / (math.pi * s * s)
    h[2, 2] += 2.0 * d * b * scale
    h[2, 3] += (b * b - d * d) * scale
    h[3, 3] -= 2.0 * d * b * scale


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_roszman1(start: int = 1) -> Problem:
    """Roszman's quantum defects: four parameters."""
    return strd("Roszman1", start, FIT)
