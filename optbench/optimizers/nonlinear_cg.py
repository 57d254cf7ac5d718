"""Nonlinear conjugate gradients of Polak and Ribiere, never with a negative beta (PR+).

d = -g + beta d_last, beta = max(0, g'(g - g_last) / g_last'g_last). It starts afresh from -g where d would hardly lead
downhill, and where consecutive gradients are far from orthogonal, |g'g_last| >= 0.1 g'g (Powell). The first
step to try promises the same first-order change of f as the step before.

Source: Polak & Ribiere (1969); Powell (1977); Gilbert & Nocedal (1992); Nocedal & Wright (2006), Numerical
Optimization, Algorithm 5.4 with formulas 5.45, 5.52 and Section 3.5 for the first step.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.optimizers._linear_algebra import dot, negate, norm
from optbench.records import Empty
from optbench.registry import descent


class Params(NamedTuple):
    """Fraction nu of g'g that |g'g_last| must stay below for the last direction to be used."""

    restart: float = 0.1


def memory(n, m, params):
    """None: the driver keeps the last gradient and direction."""
    return Empty()


@descent(
    params=Params, memory=memory, curvature=0.1, source="Polak & Ribiere 1969; Nocedal & Wright 2006, Algorithm 5.4"
)
def nonlinear_cg(t, at, d, memory, params):
    """Direction into d; the first step to try."""
    square = dot(at.g, at.g)
    first = min(1.0, 1.0 / norm(at.g))
    if t == 0:
        negate(at.g, d)
        return first
    across = dot(at.g, at.g_last)
    beta = (square - across) / dot(at.g_last, at.g_last)
    if beta > 0.0 and abs(across) < params.restart * square:
        for i in range(d.size):
            d[i] = beta * d[i] - at.g[i]
    else:
        negate(at.g, d)
    slope = dot(at.g, d)
    if not slope < -0.01 * square:
        negate(at.g, d)
        slope = -square
    change = 0.0  # of f along the last step, to first order
    for i in range(d.size):
        change += at.g_last[i] * (at.x[i] - at.x_last[i])
    return change / slope if change < 0.0 else first
