"""Augmented Lagrangian (method of multipliers) around any optimizer of the registry.

x_{k+1} minimizes L_A(x) = f + sum over equalities of lam_i c_i + rho/2 c_i^2 + sum over inequalities of
(max(0, lam_i + rho c_i)^2 - lam_i^2) / (2 rho); then lam_i <- lam_i + rho c_i, for inequalities
max(0, lam_i + rho c_i). rho grows where the constraints, or the complementarity, have not come down far enough although
the inner run has reached its tolerance or an end of its own, and where L_A has no minimum.

Source: Hestenes (1969), Powell (1969), Rockafellar (1973); Nocedal & Wright (2006), Numerical Optimization, Algorithm
17.4; the rule for rho as Birgin & Martinez (2014), Algorithm 4.1.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from optbench.constrained._residual import fallen, infeasibility, stationary_violation
from optbench.records import Count, Fraction, Name, Positive, Range, Vector
from optbench.registry import lagrangian

BUDGET, DIVERGED = 3, 5  # what the inner run returns
INFEASIBLE, UNBOUNDED = 2.0, 3.0
PENALTY, LAST, TOLERANCE, FIRST_F = range(4)


class Params(NamedTuple):
    """The inner optimizer and its iterations at most; first penalty, its growth, the decrease that spares it."""

    inner: Name = "lbfgs"
    inner_iter: Count = 1000
    penalty: Positive = 10.0
    growth: Annotated[float, Range(1.0, open_low=True)] = 10.0
    decrease: Fraction = 0.25
    largest_penalty: Positive = 1e8


class Memory(NamedTuple):
    """Penalty, last violation, inner tolerance and f(x_0), (4,); the point before, (n,)."""

    state: Vector
    before: Vector


def memory(n, m, params):
    """Memory for n variables and m constraints."""
    return Memory(np.array([params.penalty, np.inf, 1e-2, 0.0]), np.zeros(n))


def violation(c, lam, m_eq, penalty):
    """Largest |c_i| of equalities and |max(c_i, -lam_i / rho)| of inequalities: infeasibility and complementarity."""
    top = 0.0
    for i in range(c.size):
        top = max(top, abs(c[i] if i < m_eq else max(c[i], -lam[i] / penalty)))
    return top


@lagrangian(
    params=Params,
    memory=memory,
    inner="minimize",
    source="Hestenes 1969; Powell 1969; Nocedal & Wright 2006, Algorithm 17.4",
)
def augmented_lagrangian(t, at, evaluate, inner, memory, params):
    """One outer iteration."""
    s = memory.state
    penalty = s[PENALTY]
    if t == 0:
        s[FIRST_F] = at.values[0]
    for j in range(at.x.size):
        memory.before[j] = at.x[j]
    code = inner(at, at.x, penalty, s[TOLERANCE])
    at.values[0] = evaluate(at, at.x, at.g, at.c, at.jac)
    if code == DIVERGED or fallen(at.values[0], s[FIRST_F]):
        if penalty >= params.largest_penalty or infeasibility(at.c, at.m_eq) <= 1e-6:
            return -UNBOUNDED if at.values[0] == at.values[0] else 1.0  # the driver sees NaN
        for j in range(at.x.size):
            at.x[j] = memory.before[j]
        at.values[0] = evaluate(at, at.x, at.g, at.c, at.jac)
        s[PENALTY] = min(params.growth * penalty, params.largest_penalty)
        return 1.0
    now = violation(at.c, at.lam, at.m_eq, penalty)
    for i in range(at.lam.size):
        at.lam[i] += penalty * at.c[i]
        if i >= at.m_eq:
            at.lam[i] = max(0.0, at.lam[i])
    if penalty >= params.largest_penalty and now > 0.5 * s[LAST] and stationary_violation(at.c, at.jac, at.m_eq):
        return -INFEASIBLE
    if code != BUDGET and now > params.decrease * s[LAST]:
        s[PENALTY] = min(params.growth * penalty, params.largest_penalty)
    s[LAST] = now
    s[TOLERANCE] = max(1e-12, 0.1 * s[TOLERANCE])
    return 1.0
