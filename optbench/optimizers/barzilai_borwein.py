"""Barzilai and Borwein's gradient method: a step length from the last change of point and gradient.

d = -g. The steps are s's / s'y (BB1, long) and s'y / y'y (BB2, short), s = x_t - x_{t-1}, y = g_t - g_{t-1}:
in turn by default, or one of them alone. They lie between 1e-30 and 1e30; where s'y <= 0 the next one goes ten times as
far as the last. The first one goes as far as 1, at most. The search only asks for less than the largest of the last
ten values.

Source: Barzilai & Borwein (1988), IMA J. Numer. Anal. 8, 141-148; Raydan (1997), SIAM J. Optim. 7, 26-33, for
the non-monotone search; Dai & Fletcher (2005), Numer. Math. 100, 21-47, for the alternation.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from optbench.optimizers._linear_algebra import dot, negate, norm
from optbench.records import Empty
from optbench.registry import descent

SHORTEST, LONGEST = 1e-30, 1e30
GROWTH = 10.0  # of the length of a step where the curvature is not positive
ALTERNATING, BB1 = 0, 1


class Params(NamedTuple):
    """Which of the two formulas gives the step."""

    formula: Literal["alternating", "bb1", "bb2"] = "alternating"


def memory(n, m, params):
    """None: the driver keeps the last point and gradient."""
    return Empty()


@descent(
    params=Params,
    memory=memory,
    search="nonmonotone",
    source="Barzilai & Borwein 1988; Raydan 1997; Dai & Fletcher 2005",
)
def barzilai_borwein(t, at, d, memory, params):
    """Direction into d; the first step to try."""
    negate(at.g, d)
    if t == 0:
        return min(1.0, 1.0 / norm(at.g))
    ss, sy, yy = 0.0, 0.0, 0.0
    for i in range(d.size):
        s, y = at.x[i] - at.x_last[i], at.g[i] - at.g_last[i]
        ss += s * s
        sy += s * y
        yy += y * y
    if sy > 0.0:
        long = params.formula == BB1 or (params.formula == ALTERNATING and t % 2 == 1)
        step = ss / sy if long else sy / yy
    else:
        step = GROWTH * (ss / dot(at.g, at.g)) ** 0.5
    return min(max(step, SHORTEST), LONGEST)
