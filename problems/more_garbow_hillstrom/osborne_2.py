r"""Osborne's function 2.

r_i = x_1 exp(-t_i x_5) + sum_{k=2}^4 x_k exp(-(t_i - x_{k+7})^2 x_{k+4}) - y_i,  t_i = (i - 1) / 10,  i = 1, ..., 65;
f = 4.01377e-2. The three peaks may change places, so there are six minimizers; the source's is the first.

Source: More, Garbow & Hillstrom (1981), problem 19 (Osborne 1972). Start: (1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5,
5.5).
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

Y = (
    *(1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608),
    *(0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661),
    *(0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428),
    *(0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559),
    *(0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054),
)
DECAY = (1.3099771546273005, 0.7541832263280113)  # x_1, x_5
PEAKS = (  # height, width, position
    (0.4315537946029889, 0.9042885798596336, 2.3986848661317546),
    (0.633661698960724, 1.3658118352370285, 4.568874597667672),
    (0.5994305347859163, 4.8236988172271555, 5.6753414705806415),
)


def model(t, x, g):
    """Value and gradient of the model at t."""
    e = math.exp(-t * x[4])
    g[0], g[4] = e, -t * x[0] * e
    value = x[0] * e
    for k in range(1, 4):
        d = t - x[k + 7]
        e = math.exp(-d * d * x[k + 4])
        g[k], g[k + 4], g[k + 7] = e, -x[k] * d * d * e, 2.0 * x[k] * d * x[k + 4] * e
        value += x[k] * e
    return value


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    e = w * t * math.exp(-t * x[4])
    h[0, 4] -= e
    h[4, 4] += x[0] * t * e
    for k in range(1, 4):
        d, s = t - x[k + 7], x[k + 4]
        e = w * math.exp(-d * d * s)
        a = x[k] * e
        h[k, k + 4] -= d * d * e
        h[k, k + 7] += 2.0 * d * s * e
        h[k + 4, k + 4] += a * d * d * d * d
        h[k + 4, k + 7] += 2.0 * a * d * (1.0 - d * d * s)
        h[k + 7, k + 7] += 2.0 * a * s * (2.0 * d * d * s - 1.0)


residuals, curvature = fit(model, bend)


@problem(
    source="Osborne 1972; More, Garbow & Hillstrom 1981, problem 19",
    tags=("least-squares", "nonconvex", "multimodal", "smooth"),
)
def osborne_2() -> Problem:
    """Osborne's three peaks over a decay: eleven parameters."""
    orders = [np.array(peaks).T for peaks in itertools.permutations(PEAKS)]
    return Problem(
        None,
        (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5),
        residuals=residuals,
        curvature=curvature,
        m=65,
        data=observations(np.arange(65.0) / 10.0, Y),
        x_opt=[(DECAY[0], *heights, DECAY[1], *widths, *positions) for heights, widths, positions in orders],
        f_opt=0.040137736293547735,
        bounds=((0.0, 2.0),) * 5 + ((0.0, 10.0),) * 3 + ((0.0, 7.0),) * 3,
    )
