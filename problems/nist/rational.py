r"""Quotients of two polynomials of degree d: y = (b_1 + ... + b_{d+1} t^d) / (1 + b_{d+2} t + ... + b_{2d+1} t^d).

Kirby2: d = 2, scanning electron microscope line widths. Hahn1: d = 3, thermal expansion of copper. Thurber: d = 3,
electron mobility against log density.

Source: Kirby, R., NIST (197?); Hahn, T., NIST (197?), Copper Thermal Expansion Study; Thurber, R., NIST (197?),
Semiconductor electron mobility modeling.
"""

from __future__ import annotations

from optbench.problems.more_garbow_hillstrom._fit import fit
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


def quotient(t, x):
    """Numerator and denominator at t."""
    d = x.size // 2
    top, q = x[d], x[2 * d]
    for k in range(1, d):
        top = top * t + x[d - k]
        q = q * t + x[2 * d - k]
    return top * t + x[0], q * t + 1.0


def model(t, x, g):
    """Value and gradient of the model at t."""
    d = x.size // 2
    top, q = quotient(t, x)
    m, power = top / q, 1.0 / q
    g[0] = power
    for k in range(1, d + 1):
        power *= t
        g[k], g[d + k] = power, -m * power
    return m


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    d = x.size // 2
    top, q = quotient(t, x)
    m, row = 2.0 * top / q, w / (q * q)
    for k in range(d + 1):
        power = row
        for j in range(1, d + 1):
            power *= t
            h[k, d + j] -= power
            if 0 < k <= j:
                h[d + k, d + j] += m * power
        row *= t


FIT = fit(model, bend)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_kirby2(start: int = 1) -> Problem:
    """Kirby's line widths: quadratics, five parameters."""
    return strd("Kirby2", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_hahn1(start: int = 1) -> Problem:
    """Hahn's thermal expansion of copper: cubics, seven parameters."""
    return strd("Hahn1", start, FIT)


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_thurber(start: int = 1) -> Problem:
    """Thurber's electron mobility: cubics, seven parameters."""
    return strd("Thurber", start, FIT)
