"""Quadratic penalty around any optimizer of the registry: the baseline that shows why multipliers are needed.

x_{k+1} minimizes f + rho/2 (sum over equalities of c_i^2, over inequalities of max(0, c_i)^2), from x_k; then rho
grows. The multipliers it reports are the estimate rho c, rho max(0, c): x_{k+1} misses the constraints by lam* / rho,
so the KKT residual comes down only as rho goes up, and with rho the condition number of what the inner run minimizes.

Source: Courant (1943); Nocedal & Wright (2006), Numerical Optimization, Framework 17.1.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from optbench.constrained._residual import fallen, stationary_violation
from optbench.records import Count, Name, Positive, Range, Vector
from optbench.registry import lagrangian

DIVERGED = 5  # what the inner run returns
INFEASIBLE, UNBOUNDED = 2.0, 3.0
PENALTY, FIRST_F = range(2)


class Params(NamedTuple):
    """The inner optimizer and its iterations at most; first penalty, its growth, and the last one."""

    inner: Name = "lbfgs"
    inner_iter: Count = 1000
    penalty: Positive = 1.0
    growth: Annotated[float, Range(1.0, open_low=True)] = 10.0
    largest_penalty: Positive = 1e10


class Memory(NamedTuple):
    """Penalty and f(x_0), (2,); the point before, (n,)."""

    state: Vector
    before: Vector


def memory(n, m, params):
    """Memory for n variables and m constraints."""
    return Memory(np.array([params.penalty, 0.0]), np.zeros(n))


@lagrangian(
    params=Params, memory=memory, inner="minimize", source="Courant 1943; Nocedal & Wright 2006, Framework 17.1"
)
def quadratic_penalty(t, at, evaluate, inner, memory, params):
    """One minimization; none beyond the last penalty."""
    s = memory.state
    if t == 0:
        s[FIRST_F] = at.values[0]
    penalty, last = s[PENALTY], s[PENALTY] >= params.largest_penalty
    if penalty > params.largest_penalty:
        return -INFEASIBLE if stationary_violation(at.c, at.jac, at.m_eq) else -0.0
    for j in range(at.x.size):
        memory.before[j] = at.x[j]
    for i in range(at.lam.size):
        at.lam[i] = 0.0
    code = inner(at, at.x, penalty, max(1e-10, 1e-2 / penalty))
    at.values[0] = evaluate(at, at.x, at.g, at.c, at.jac)
    s[PENALTY] = params.growth * penalty
    if code == DIVERGED or fallen(at.values[0], s[FIRST_F]):
        if last:
            return -UNBOUNDED if at.values[0] == at.values[0] else 1.0  # the driver sees NaN
        for j in range(at.x.size):
            at.x[j] = memory.before[j]
        at.values[0] = evaluate(at, at.x, at.g, at.c, at.jac)
    for i in range(at.lam.size):
        at.lam[i] = penalty * (at.c[i] if i < at.m_eq else max(0.0, at.c[i]))
    return 1.0
