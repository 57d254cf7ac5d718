r"""Energy radiated by a carbon filament against temperature: y = b_1 t^{b_2}.

Source: Daniel & Wood (1980), Fitting Equations to Data, 428-431.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model(t, x, g):
    """Value and gradient of the model at t."""
    p = t ** x[1]
    g[0], g[1] = p, x[0] * p * math.log(t)
    return x[0] * p


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    log = math.log(t)
    p = w * t ** x[1] * log
    h[0, 1] += p
    h[1, 1] += x[0] * p * log


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_danwood(start: int = 1) -> Problem:
    """Daniel and Wood's filament: a power law."""
    return strd("DanWood", start, FIT)
