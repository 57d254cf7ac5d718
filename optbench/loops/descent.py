"""The driver of methods that find their own step: a direction, then a line search or a trust region.

An iteration evaluates what the method needs at x_t (Hessian, residuals), asks its kernel for a direction, and searches.
The direction's kernel returns the first step to try, or with a trust region the reduction that its model predicts.
Evaluations are counted where they happen.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from optbench import jit
from optbench.loops import first_order as fo
from optbench.loops.first_order import largest
from optbench.loops.line_search import armijo, wolfe
from optbench.records import Matrix, Vector

NONE, ARMIJO, WOLFE, NONMONOTONE, TRUST = range(5)
GRADIENT, HESSIAN, JACOBIAN = range(3)
SEARCH_FAILED = 6  # return code, besides those of `first_order`
NFEV, NHEV, RESTARTS = fo.N_INTS, fo.N_INTS + 1, fo.N_INTS + 2
N_INTS = fo.N_INTS + 3
LOOK_BACK = 10  # values of f that the non-monotone search compares with
LOWEST, SINCE = LOOK_BACK, LOOK_BACK + 1  # places of the lowest f so far, and of the steps since
HISTORY = LOOK_BACK + 2
PATIENCE = 200  # steps without a new lowest f before a run counts as stalled
RADIUS, LARGEST_RADIUS = 1.0, 1e10
REJECTIONS = 60
ROUNDING = 1e-14  # relative changes of f that a trust region takes for none
ACCEPT, POOR, GOOD = 1e-4, 0.25, 0.75  # ratios of actual to predicted reduction


class Setup(NamedTuple):
    """What a run is, as the driver reads it; see `first_order.Setup`."""

    objective: int
    hessian: int
    parts: int
    direction: int
    schedule: int
    observes: bool
    needs: int
    search: int
    curvature: float
    n: int
    m: int
    data: int
    frame: int
    h: int
    live: Vector
    pristine: Vector
    x: Vector
    g: Vector
    d: Vector
    trial: Vector
    g_trial: Vector
    r: Vector
    jac: Matrix
    x_last: Vector
    g_last: Vector
    radius: Vector
    history: Vector
    ints: int
    floats: int
    hits: int
    schedule_params: int
    schedule_state: int
    lr: float
    peak: float
    warmup: int
    warmup_start: float
    gtol: float
    stop: bool
    max_iter: int
    every_row: bool
    thresholds: Vector
    rates: Vector
    snapshot: Vector
    iterations: Vector
    values: Vector
    norms: Vector
    lrs: Vector
    points: Matrix
    measure: int
    held_out: int
    measured: Matrix
    timed: bool
    gauge: int
    gauged: int


def dot(a, b):
    """Inner product."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


def steepest(x, g, d):
    """Put minus the gradient, its largest entry made 1, into d; its slope and the first step to try."""
    top = largest(g)
    for i in range(d.size):
        d[i] = -g[i] / top if top > 0.0 else 0.0
    return dot(g, d), max(top / (1.0 + top), 1e-8 * largest(x))


def accept(s):
    """Make the trial point the point."""
    for i in range(s.n):
        s.x_last[i] = s.x[i]
        s.g_last[i] = s.g[i]
        s.x[i] = s.trial[i]
        s.g[i] = s.g_trial[i]


def remembered(history, t, f):
    """Largest of the last values of f, this one included, which is kept."""
    history[t % LOOK_BACK] = f
    top = f
    for k in range(min(t + 1, LOOK_BACK)):
        top = max(top, history[k])
    return top


def stuck(x, trial, history, t, f):
    """Whether the trial point, with value f, is the point itself, or there has been no lower f for a long time."""
    if t == 0 or f < history[LOWEST] - 1e-15 * abs(history[LOWEST]):
        history[LOWEST], history[SINCE] = f, 0.0
    else:
        history[SINCE] += 1.0
    if history[SINCE] > PATIENCE:
        return True
    for i in range(x.size):
        if trial[i] != x[i]:
            return False
    return True


def search_line(phi, setup, search, curvature, history, t, f, slope, step):
    """Step length and value of a line search of the kind that the run asks for; a step of 0 where it fails."""
    if not -math.inf < slope < 0.0:
        return 0.0, f
    if search == WOLFE:
        return wolfe(phi, setup, f, slope, step, curvature)
    return armijo(phi, setup, f, slope, step, remembered(history, t, f) if search == NONMONOTONE else f)


def resize(radius, g, g_trial, f, value, predicted, before):
    """Whether a trust-region step is accepted; adapts the radius, which was `before` and now is the step's length."""
    length, rounding = radius[0], ROUNDING * max(abs(f), abs(value))
    ratio = (f - value) / predicted
    if abs(f - value) <= rounding and predicted <= rounding:  # f cannot tell, the gradient can
        ratio = 1.0 if dot(g_trial, g_trial) < dot(g, g) else 0.0
    if value == -math.inf:
        return True
    if not math.isfinite(value) or not ratio >= POOR:
        radius[0] = POOR * length
    elif ratio > GOOD and length > 0.9 * before:
        radius[0] = min(2.0 * length, LARGEST_RADIUS)
    else:
        radius[0] = max(before, length)
    return math.isfinite(value) and ratio > ACCEPT


@functools.cache
def driver() -> jit.Kernel:
    """Kernel ``int64 drive(setup, repeats, until)``; see `first_order.driver`."""
    shared = (fo.record_row, fo.norm, fo.meet_targets, fo.verdict, fo.new_rates, fo.restart)
    parts = (*shared, search_line, steepest, accept, resize, stuck)
    key = "".join(jit.fingerprint(part) for part in (*parts, _make_driver, _make_parts))
    return jit.compile_kernel("descent", _make_driver, key, "iiii")


def _make_parts():
    """The compiled pieces of an iteration that call kernels by address.

    They get the setup's address and read what they need: handed over by value, all its words are copied at every call.
    """
    from optbench.codec import F64, I64, caller, decoder, integers_at

    evaluate, direction = caller(F64, I64, I64, I64, I64), caller(F64, I64, I64)
    hessian, residuals = caller(I64, *[I64] * 6), caller(I64, *[I64] * 6)
    decode = decoder(Setup)
    product, search, fits, fallback, ends = (
        jit.lower(f, jit.SUM_MATH) for f in (dot, search_line, resize, steepest, stuck)
    )

    def phi(setup, step):
        s = decode(setup)
        for i in range(s.n):
            s.trial[i] = s.x[i] + step * s.d[i]
        integers_at(s.ints, N_INTS)[NFEV] += 1
        f = evaluate(s.objective, (s.trial.ctypes.data, s.g_trial.ctypes.data, s.n, s.data))
        return f, product(s.g_trial, s.d)

    along = jit.compiled(phi)

    def model(setup):
        s = decode(setup)
        if s.needs == HESSIAN:
            hessian(s.hessian, (s.x.ctypes.data, s.n, 0, s.h, 0, s.data))
            integers_at(s.ints, N_INTS)[NHEV] += 1
        elif s.needs == JACOBIAN:
            residuals(s.parts, (s.x.ctypes.data, s.n, s.r.ctypes.data, s.jac.ctypes.data, s.m, s.data))
            integers_at(s.ints, N_INTS)[NFEV] += 1

    def aim(setup, t):
        s = decode(setup)
        first = direction(s.direction, (s.frame, t))
        slope = product(s.d, s.g)
        if -math.inf < slope < 0.0 and 0.0 < first < math.inf:
            return slope, first
        return fallback(s.x, s.g, s.d)

    aimed = jit.compiled(aim)

    def line(setup, t, f, rate):
        s = decode(setup)
        slope, first = aimed(setup, t)
        if s.search == NONE:
            return rate, along(setup, rate)[0]
        step, value = search(along, setup, s.search, s.curvature, s.history, t, f, slope, first)
        if step == 0.0 and t > 0:  # once more, from scratch
            integers_at(s.ints, N_INTS)[RESTARTS] += 1
            slope, first = aimed(setup, 0)
            step, value = search(along, setup, s.search, s.curvature, s.history, t, f, slope, first)
        if step == 0.0:  # the first step to try may have been out of all proportion
            slope, first = fallback(s.x, s.g, s.d)
            step, value = search(along, setup, s.search, s.curvature, s.history, t, f, slope, first)
        return (0.0, f) if step == 0.0 or ends(s.x, s.trial, s.history, t, value) else (step, value)

    def region(setup, t, f):
        s = decode(setup)
        for _ in range(REJECTIONS):
            before = s.radius[0]
            predicted = direction(s.direction, (s.frame, t))
            if not predicted > 0.0:
                break
            value, _slope = along(setup, 1.0)
            if fits(s.radius, s.g, s.g_trial, f, value, predicted, before):
                return (0.0, f) if ends(s.x, s.trial, s.history, t, value) else (1.0, value)
        return 0.0, f

    return jit.compiled(model), jit.compiled(line), jit.compiled(region)


def _make_driver():
    from optbench.codec import F64, I64, array_at, caller, decoder, integers_at

    evaluate, fill = caller(F64, I64, I64, I64, I64), caller(I64, I64, I64, I64, F64, I64)
    observe, decode = caller(F64, F64, F64, I64, I64), decoder(Setup)
    meet, judge, warm, reset = (jit.lower(f) for f in (fo.meet_targets, fo.verdict, fo.new_rates, fo.restart))
    write, take = fo.writer(), jit.lower(accept)
    model, line, region = _make_parts()

    def go(setup, until):
        s = decode(setup)
        hits, ints, floats = (
            array_at(s.hits, s.thresholds.size),
            integers_at(s.ints, N_INTS),
            array_at(s.floats, fo.N_FLOATS),
        )
        t, f, rate = ints[fo.T], floats[fo.F], floats[fo.RATE]
        if ints[fo.STARTED] == 0:
            ints[fo.STARTED] = ints[NFEV] = 1
            f = evaluate(s.objective, (s.x.ctypes.data, s.g.ctypes.data, s.n, s.data))
        while True:
            ints[fo.T], floats[fo.F], floats[fo.RATE] = t, f, rate
            if ints[fo.ROWS] >= s.iterations.size or t >= until:
                return fo.RUNNING
            meet(s, t, f, ints, hits)
            code = judge(s, t, f, s.x, s.g, True, ints)
            if code != fo.RUNNING:
                write(s, t, f, math.nan, s.x, s.g, ints)
                return code
            if s.search == NONE:
                if t >= ints[fo.BLOCK] + fo.RATES:
                    ints[fo.BLOCK], done = t, warm(s, t)
                    if done < fo.RATES and not s.observes:
                        out = s.rates.ctypes.data + 8 * done
                        fill(s.schedule, (out, t + done - s.warmup, fo.RATES - done, s.lr, s.schedule_params))
                if not s.observes or t < s.warmup:
                    rate = s.rates[t - ints[fo.BLOCK]]
                elif t == s.warmup:
                    rate = s.lr
            model(setup)
            step, value = region(setup, t, f) if s.search == TRUST else line(setup, t, f, rate)
            if t >= ints[fo.NEXT_ROW]:
                write(s, t, f, step, s.x, s.g, ints)
            if step == 0.0 and s.search != NONE:
                return SEARCH_FAILED
            if s.search == NONE and s.observes and t >= s.warmup:
                rate = observe(s.schedule, (f, rate, s.schedule_params, s.schedule_state))
            take(s)
            t, f = t + 1, value

    run = jit.compiled(go)

    def drive(setup, repeats, until):
        s = decode(setup)
        if repeats == 0:
            return run(setup, until)
        code = fo.RUNNING
        for _ in range(repeats):
            reset(s.live, s.pristine)
            code = run(setup, until)
        return code

    return drive
