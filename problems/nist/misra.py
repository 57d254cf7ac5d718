r"""Misra's dental research: four models of monomolecular adsorption, volume against pressure.

Misra1a: y = b_1 (1 - exp(-b_2 t)).  Misra1b: y = b_1 (1 - (1 + b_2 t / 2)^-2).
Misra1c: y = b_1 (1 - (1 + 2 b_2 t)^-1/2).  Misra1d: y = b_1 b_2 t / (1 + b_2 t).

Source: Misra, D., NIST (1978), Dental Research Monomolecular Adsorption Study.
"""

from __future__ import annotations

import math

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def model_a(t, x, g):
    """Value and gradient of the model at t."""
    rise = -math.expm1(-x[1] * t)
    g[0], g[1] = rise, x[0] * t * math.exp(-x[1] * t)
    return x[0] * rise


def bend_a(t, x, w, h):
    """Second derivatives of the model at t."""
    e = w * t * math.exp(-x[1] * t)
    h[0, 1] += e
    h[1, 1] -= x[0] * t * e


def model_b(t, x, g):
    """Value and gradient of the model at t."""
    q = 1.0 + 0.5 * x[1] * t
    g[0], g[1] = 1.0 - 1.0 / (q * q), x[0] * t / (q * q * q)
    return x[0] * g[0]


def bend_b(t, x, w, h):
    """Second derivatives of the model at t."""
    q = 1.0 + 0.5 * x[1] * t
    slope = w * t / (q * q * q)
    h[0, 1] += slope
    h[1, 1] -= 1.5 * x[0] * t * slope / q


def model_c(t, x, g):
    """Value and gradient of the model at t."""
    q = 1.0 + 2.0 * x[1] * t
    root = 1.0 / math.sqrt(q)
    g[0], g[1] = 1.0 - root, x[0] * t * root / q
    return x[0] * g[0]


def bend_c(t, x, w, h):
    """Second derivatives of the model at t."""
    q = 1.0 + 2.0 * x[1] * t
    slope = w * t / (q * math.sqrt(q))
    h[0, 1] += slope
    h[1, 1] -= 3.0 * x[0] * t * slope / q


def model_d(t, x, g):
    """Value and gradient of the model at t."""
    q = 1.0 + x[1] * t
    g[0], g[1] = x[1] * t / q, x[0] * t / (q * q)
    return x[0] * g[0]


def bend_d(t, x, w, h):
    """Second derivatives of the model at t."""
    q = 1.0 + x[1] * t
    slope = w * t / (q * q)
    h[0, 1] += slope
    h[1, 1] -= 2.0 * x[0] * t * slope / q


FIT_A, FIT_B, FIT_C, FIT_D = fit(model_a, bend_a), fit(model_b, bend_b), fit(model_c, bend_c), fit(model_d, bend_d)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_misra1a(start: int = 1) -> Problem:
    """Misra's adsorption data, model a of two parameters."""
    return strd("Misra1a", start, FIT_A)


@problem(source=SOURCE, tags=(*TAGS, "lower"))
def nist_misra1b(start: int = 1) -> Problem:
    """Misra's adsorption data, model b of two parameters."""
    return strd("Misra1b", start, FIT_B)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_misra1c(start: int = 1) -> Problem:
    """Misra's adsorption data, model c of two parameters."""
    return strd("Misra1c", start, FIT_C)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_misra1d(start: int = 1) -> Problem:
    """Misra's adsorption data, model d of two parameters."""
    return strd("Misra1d", start, FIT_D)
