r"""Dielectric breakdown of electrical insulation: log y = b_1 - b_2 t_1 exp(-b_3 t_2), time t_1 and temperature t_2.

Source: Nelson (1981), Analysis of Performance-Degradation Data, IEEE Trans. Reliability R-30, 149-155.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.problems.nist._strd import SOURCE, TAGS, read, strd
from optbench.records import Vector
from optbench.registry import problem
from optbench.types import Problem


class Breakdown(NamedTuple):
    """Logarithm of the voltage, time and temperature, all of shape (m,)."""

    y: Vector
    time: Vector
    temperature: Vector


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    for i in range(r.size):
        e = data.time[i] * math.exp(-x[2] * data.temperature[i])
        r[i] = x[0] - x[1] * e - data.y[i]
        jac[i, 0], jac[i, 1], jac[i, 2] = 1.0, -e, x[1] * e * data.temperature[i]


def curvature(x, w, h, data):
    """Second derivatives."""
    for i in range(w.size):
        t = data.temperature[i]
        e = w[i] * t * data.time[i] * math.exp(-x[2] * t)
        h[1, 2] += e
        h[2, 2] -= x[1] * e * t
    h[2, 1] = h[1, 2]


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_nelson(start: int = 1) -> Problem:
    """Nelson's insulation: three parameters, two predictors, the logarithm of the response."""
    voltage, time, temperature = read("Nelson").columns
    return strd("Nelson", start, (residuals, curvature), Breakdown(np.log(voltage), time, temperature))
