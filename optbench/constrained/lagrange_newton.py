"""Newton's method on the KKT system: sequential quadratic programming with the exact Hessian of the Lagrangian.

To find the working set, an iteration minimizes a convex model (H + delta I) plus nu times the violation of the
linearised constraints, which is never infeasible; then it solves the KKT system of that set with the exact Hessian, its
inertia corrected. The Newton step goes first, with a second-order correction where its end is refused, the convex step
after it; both are judged by the l1 merit function f + nu (sum of violations), and near a solution by the KKT residual,
which the merit function's rounding and the Maratos effect do not touch. Where equalities are all there is, the Newton
step needs no model. Iteration 0 only estimates the multipliers.

Constraints that depend on others drop out of the working set: one that says the same twice is no obstacle. A run that
can go no further with dependent gradients, or whose multipliers grow beyond all bounds, ends with that as its reason.

Source: Han (1977), Powell (1978), Fletcher (1987), Practical Methods of Optimization, chapter 12; for the two steps
Gould & Robinson (2010), SIAM J. Optim. 20, 2023-2048; for nu Byrd, Nocedal & Waltz (2008), Optim. Methods Softw. 23,
197-213.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.constrained._residual import fallen, infeasibility, kkt_residual
from optbench.constrained._steps import (
    BEST,
    FIRST_F,
    LENGTH,
    MOVED,
    NU,
    RANK,
    RELAXED,
    SINCE,
    convex_step,
    convexify,
    factor_rows,
    linear_violation,
    make_dual,
    memory_of,
    newton_step,
    range_step,
    spread,
    violation,
)
from optbench.records import Count, Positive
from optbench.registry import lagrangian

DEPENDENT, INFEASIBLE, UNBOUNDED = 1.0, 2.0, 3.0
ATTEMPTS = 8  # with ever more of the identity in the Hessian
PATIENCE, STILL = 10, 1e-9  # iterations with neither a smaller KKT residual nor a relative step above STILL
DECREASE = 1e-4  # of the merit function, as a part of what is predicted
NEAR = 0.1  # KKT residual below which its own decrease is enough
FEASIBLE = 1e-6
SHORT, RELAXATIONS = 0.1, 10.0
LARGEST_NU, LARGEST_START = 1e12, 1e3
LARGE_LAM, LARGEST_LAM = 1e6, 1e9  # multipliers that tell of dependent gradients: where a run is stuck, and anywhere


class Params(NamedTuple):
    """First weight of the constraints in the merit function; most trial points along a step."""

    penalty: Positive = 10.0
    trials: Count = 20


def memory(n, m, params):
    """Memory for n variables and m constraints."""
    s = memory_of(n, m)
    s.state[NU] = params.penalty
    return s


def estimate(at, s):
    """Multipliers that come closest to stationarity at x_0; none where that asks for large ones."""
    n, m = at.x.size, at.lam.size
    for i in range(n):
        for j in range(n):
            s.convex[i, j] = 1.0 if i == j else 0.0
    for i in range(m):
        s.c[i] = 0.0 if i < at.m_eq else min(0.0, at.c[i])
    make_dual(s, at.g, s.c, at.jac, at.lam)
    convex_step(s, s.c, at.jac, at.m_eq, LARGEST_START)
    top = 0.0
    for i in range(m):
        top = max(top, abs(s.convex_lam[i]))
    for i in range(m):
        at.lam[i] = s.convex_lam[i] if top < LARGEST_START else 0.0


def bound_holds(s, m_eq, nu):
    """Whether a multiplier stands at the bound nu: a linearised constraint stays violated."""
    bound = False
    for i in range(s.convex_lam.size):
        bound = bound or s.convex_lam[i] >= nu or (i < m_eq and s.convex_lam[i] <= -nu)
    return bound


def steer(at, s, now):
    """The convex step, with nu raised where that brings the linearised constraints closer; its violation."""
    m, nu = at.lam.size, s.state[NU]
    for i in range(m):
        s.convex_lam[i] = at.lam[i]
    left = convex_step(s, at.c, at.jac, at.m_eq, nu)
    for _ in range(3):
        if nu >= LARGEST_NU or not bound_holds(s, at.m_eq, nu):
            break
        nu *= 10.0
        better = convex_step(s, at.c, at.jac, at.m_eq, nu)
        if better <= 0.9 * left or better <= left - 0.1 * now:
            s.state[NU] = nu
        left = better
    if s.state[NU] < nu:
        left = convex_step(s, at.c, at.jac, at.m_eq, s.state[NU])
    return left


def violation_is_stationary(at, s, now):
    """Whether no direction lowers the violation of the linearised constraints, which then stands at `now` > 0."""
    n = at.x.size
    for i in range(n):
        s.v[i] = 0.0
        for j in range(n):
            s.convex[i, j] = 1.0 if i == j else 0.0
    for i in range(at.lam.size):
        s.convex_lam[i] = 0.0
    make_dual(s, s.v, at.c, at.jac, s.convex_lam)
    left = convex_step(s, at.c, at.jac, at.m_eq, 1.0)
    size = 0.0
    for i in range(n):
        size += s.convex_step[i] * s.convex_step[i]
    return now - left - 0.5 * size <= 1e-8 * now


def trial(at, evaluate, s, step, alpha):
    """Evaluate at x + alpha step, into the trial arrays; f there."""
    for j in range(step.size):
        s.point[j] = at.x[j] + alpha * step[j]
    return evaluate(at, s.point, s.g, s.c, s.jac)


def accept(at, s, f, lam, alpha):
    """Make the trial point the point, with all of the new multipliers: they tell the next Hessian what bends."""
    s.state[MOVED], s.state[LENGTH] = 0.0, alpha
    for j in range(at.x.size):
        if abs(s.point[j] - at.x[j]) > STILL * max(1.0, abs(at.x[j])):
            s.state[MOVED] = 1.0
        at.x[j], at.g[j] = s.point[j], s.g[j]
    for i in range(lam.size):
        at.c[i] = s.c[i]
        at.lam[i] = lam[i]
        for j in range(at.x.size):
            at.jac[i, j] = s.jac[i, j]
    at.values[0] = f
    return alpha


def search(at, evaluate, s, step, lam, predicted, mode, trials):
    """Go along `step` until the merit function has fallen enough; the step length, 0 where it never has.

    `predicted` is the fall of the linear model. Mode 2: a Newton step with the right inertia, whose full length is also
    taken when the KKT residual falls; 1: a corrected one; 0: a convex step. The first two may be bent.
    """
    nu, before = s.state[NU], violation(at.c, at.m_eq)
    merit = at.values[0] + nu * before
    rounding = 1e-15 * (abs(at.values[0]) + nu * before)
    alpha = 1.0
    for k in range(trials):
        f = trial(at, evaluate, s, step, alpha)
        value = f + nu * violation(s.c, at.m_eq)
        if value <= merit - DECREASE * alpha * predicted + rounding:
            return accept(at, s, f, lam, alpha)
        if k == 0 and mode == 2 and at.values[1] < NEAR:
            residual = kkt_residual(s.g, s.c, s.jac, lam, at.m_eq, s.w)
            if residual <= 0.5 * at.values[1]:
                return accept(at, s, f, lam, 1.0)
        if k == 0 and mode > 0 and math.isfinite(value):
            range_step(s, s.c, int(s.state[RANK]), s.v)
            spread(s.q, s.v, int(s.state[RANK]), s.correction)
            for j in range(step.size):
                s.correction[j] += step[j]
            f = trial(at, evaluate, s, s.correction, 1.0)
            if f + nu * violation(s.c, at.m_eq) <= merit - DECREASE * predicted + rounding:
                return accept(at, s, f, lam, 1.0)
        alpha *= 0.5
    return 0.0


def predict(at, s, step, before):
    """Fall of the merit function that its linear model promises along `step`, and the violation it leaves."""
    slope = 0.0
    for j in range(step.size):
        slope += at.g[j] * step[j]
    left = linear_violation(at.c, at.jac, step, at.m_eq)
    return s.state[NU] * (before - left) - slope, left


def raise_nu(at, s, step, before, left):
    """Raise nu where the Newton step would not lower the merit function although it lowers the violation."""
    slope, bend = 0.0, 0.0
    for j in range(step.size):
        slope += at.g[j] * step[j]
        for k in range(step.size):
            bend += 0.5 * step[j] * at.h[j, k] * step[k]
    if before - left > 0.1 * before:
        wanted = (slope + max(0.0, bend)) / (0.7 * (before - left))
        if s.state[NU] < wanted <= LARGEST_NU:
            s.state[NU] = 2.0 * wanted


def try_newton(at, evaluate, s, least, before, allowed, trials):
    """The Newton step of the working set; its length, 0 where it is not one to take."""
    at.factorisations[0] += 1.0
    factor_rows(s, at.jac, at.m_eq, False)
    delta = newton_step(s, at.h, at.g, at.c, least)
    for i in range(at.m_eq, s.lam.size):
        s.lam[i] = max(0.0, s.lam[i])
    predicted, left = predict(at, s, s.step, before)
    if not left <= allowed:
        return 0.0
    if not predicted > 0.0:
        raise_nu(at, s, s.step, before, left)
        predicted, left = predict(at, s, s.step, before)
    if not (predicted > 0.0 or at.values[1] < NEAR):
        return 0.0
    return search(at, evaluate, s, s.step, s.lam, max(predicted, 0.0), 2 if delta == 0.0 else 1, trials)


def reason(at, s, before):
    """Why there is no step: minus the code."""
    if infeasibility(at.c, at.m_eq) > FEASIBLE:
        return -INFEASIBLE if violation_is_stationary(at, s, before) else -0.0
    top, count = 0.0, factor_rows(s, at.jac, at.m_eq, False)
    for i in range(at.lam.size):
        top = max(top, abs(at.lam[i]))
    return -DEPENDENT if s.state[RANK] < count or top > LARGE_LAM else -0.0


def hopeless(at, s, t):
    """What ends the run before a step: minus the code of the reason, 1 where there is none."""
    if t == 0:
        s.state[FIRST_F], s.state[BEST] = at.values[0], math.inf
    if fallen(at.values[0], s.state[FIRST_F]) and infeasibility(at.c, at.m_eq) <= FEASIBLE:
        return -UNBOUNDED
    for i in range(at.lam.size):
        if abs(at.lam[i]) > LARGEST_LAM:
            return -DEPENDENT
    s.state[SINCE] = 0.0 if at.values[1] < 0.999 * s.state[BEST] or s.state[MOVED] > 0.0 else s.state[SINCE] + 1.0
    s.state[BEST] = min(s.state[BEST], at.values[1])
    return -0.0 if s.state[SINCE] > PATIENCE else 1.0


def relax(at, s, penalty):
    """Lower a nu that the multipliers have long left below, a few times a run, where it makes the steps short."""
    top = 0.0
    for i in range(at.lam.size):
        top = max(top, abs(at.lam[i]))
    if s.state[LENGTH] < SHORT and s.state[RELAXED] < RELAXATIONS and s.state[NU] > 10.0 * max(penalty, top):
        s.state[NU] = max(penalty, 2.0 * top)
        s.state[RELAXED] += 1.0


@lagrangian(
    params=Params,
    memory=memory,
    hessian=True,
    source="Han 1977; Powell 1978; Fletcher 1987, chapter 12; Gould & Robinson 2010",
)
def lagrange_newton(t, at, evaluate, inner, memory, params):
    """One iteration."""
    s, before, least = memory, violation(at.c, at.m_eq), 0.0
    end = hopeless(at, s, t)
    if end <= 0.0:
        return end if end < 0.0 else reason(at, s, before)
    if t == 0:
        estimate(at, s)
        return 1.0
    relax(at, s, params.penalty)
    for _ in range(ATTEMPTS):
        if at.m_eq == at.lam.size:
            length = try_newton(at, evaluate, s, least, before, 0.5 * before + 1e-12, params.trials)
            if length > 0.0:
                return length
        at.factorisations[0] += 1.0
        delta = convexify(at.h, s.convex, least)
        make_dual(s, at.g, at.c, at.jac, at.lam)
        left = steer(at, s, before)
        if left > 0.5 * before > FEASIBLE and violation_is_stationary(at, s, before):
            return -INFEASIBLE
        if at.m_eq < at.lam.size:
            length = try_newton(at, evaluate, s, least, before, left + 1e-9 * (1.0 + before), params.trials)
            if length > 0.0:
                return length
        predicted, left = predict(at, s, s.convex_step, before)
        if predicted > 0.0:
            length = search(at, evaluate, s, s.convex_step, s.convex_lam, predicted, 0, params.trials)
            if length > 0.0:
                return length
        least = max(10.0 * delta, 1e-2)
    return reason(at, s, before)
