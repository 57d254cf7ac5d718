"""The first-order driver: one call into compiled code does a whole run, or the slice of it that fits into 0.1 s.

An iteration evaluates f and the gradient at x_t, then steps to x_{t+1}. Only two tests stand between: f must lie inside
(the next target, infinity), else a target was met or the run diverged; and t must be before the next event (a trace
row, a new block of learning rates, a look for stagnation, the end of the slice or of the budget).

On mini-batches (`loops.batches`) the objective is judged at the rows of a thinned trace, and nowhere else: the whole of
it, evaluated apart from the run, and not at all while the run is timed. An observing schedule then sees the mean loss
of the batches of each epoch.

All memory that a run changes is one block (`Block`), so that a repeat for the clock starts with one copy.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from optbench import jit
from optbench.clipping import clip_norm, clip_value
from optbench.loops.batches import ENDED, MEAN, N_DRAW, N_MEAN
from optbench.records import Matrix, Vector
from optbench.schedules._warmup import warmup_value

RATES = 256  # learning rates are computed in blocks of this many steps
STALL = 1000  # steps between two looks for stagnation
NEVER = 2**62

# Return codes of the driver, and words of its memory that changes.
RUNNING, CONVERGED, SMALL_GRADIENT, BUDGET, STALLED, DIVERGED = range(6)
T, STARTED, TARGET, ROWS, NEXT_ROW, STALL_AT, STILL, BLOCK, CHECK_AT, N_INTS = range(10)
F, RATE, N_FLOATS = range(3)
MEASURES = 2  # what a problem measures on held-out samples: loss, share of right answers
CLIP_NONE, CLIP_NORM, CLIP_VALUE = range(3)


class Setup(NamedTuple):
    """What a run is, as the driver reads it: addresses of kernels and memory, settings, buffers."""

    objective: int
    step: int
    dash: int
    schedule: int
    observes: bool
    x: int
    g: int
    n: int
    data: int
    batches: int
    means: int
    full: int
    full_g: int
    full_data: int
    frame: int
    live: Vector
    pristine: Vector
    ints: int
    floats: int
    hits: int
    schedule_params: int
    schedule_state: int
    lr: float
    peak: float
    warmup: int
    warmup_start: float
    clip: int
    clip_at: float
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


def norm(g):
    """Euclidean norm."""
    total = 0.0
    for i in range(g.size):
        total += g[i] * g[i]
    return math.sqrt(total)


def largest(g):
    """Largest magnitude; NaN if there is one."""
    top = 0.0
    for i in range(g.size):
        size = abs(g[i])
        if size != size:
            return size
        top = max(top, size)
    return top


def within(g, tolerance):
    """Whether no entry exceeds the tolerance or is NaN; the first that does, nearly always an early one, answers."""
    for i in range(g.size):
        if not abs(g[i]) <= tolerance:
            return False
    return True


def next_row(t):
    """The trace row after t: every step to 16, then about 20 a decade."""
    return t + 1 if t < 16 else t + max(1, t // 8)


def moved(x, snapshot):
    """Whether x differs from the snapshot, which becomes x."""
    changed = False
    for i in range(x.size):
        if x[i] != snapshot[i]:
            changed = True
        snapshot[i] = x[i]
    return changed


def finite(x):
    """Whether every coordinate is finite: 0 times infinity and NaN are NaN."""
    total = 0.0
    for i in range(x.size):
        total += 0.0 * x[i]
    return total == 0.0


def record_row(s, t, f, lr, x, size, ints):
    """Write one row of the trace."""
    row = ints[ROWS]
    s.iterations[row] = t
    s.values[row] = f
    s.norms[row] = size
    s.lrs[row] = lr
    if s.points.shape[0] > 0:
        for i in range(s.n):
            s.points[row, i] = x[i]
    ints[ROWS] = row + 1
    ints[NEXT_ROW] = t + 1 if s.every_row else next_row(t)


def clip_gradient(s, g):
    """Clip in place, as the run asks."""
    if s.clip == CLIP_NORM:
        clip_norm(g, s.clip_at)
    elif s.clip == CLIP_VALUE:
        clip_value(g, s.clip_at)


def meet_targets(s, t, f, ints, hits):
    """Note every target that f meets; the threshold of the next one, or -inf."""
    k = ints[TARGET]
    while k < s.thresholds.size and f <= s.thresholds[k]:
        hits[k] = t
        k += 1
    ints[TARGET] = k
    return s.thresholds[k] if k < s.thresholds.size else -math.inf


def verdict(s, t, f, x, g, exact, ints):
    """Whether and why the run ends at x_t; `exact`: f and g are the objective's, not a mini-batch's."""
    if not math.isfinite(f):
        return DIVERGED
    if s.stop and s.thresholds.size > 0 and ints[TARGET] == s.thresholds.size:
        return CONVERGED
    if exact and s.gtol > 0.0 and within(g, s.gtol):
        return SMALL_GRADIENT
    if t >= s.max_iter:
        return BUDGET
    if t >= ints[STALL_AT]:
        if not finite(x):
            return DIVERGED
        if moved(x, s.snapshot) or t == 0:
            ints[STILL], ints[STALL_AT] = 0, t + STALL
        elif ints[STILL] == 1 and s.stop:
            return STALLED
        else:  # where it was STALL steps ago: unless the next step leaves it, it is no cycle
            ints[STILL], ints[STALL_AT] = 1, t + 1
    return RUNNING


def new_rates(s, t):
    """Fill the part of a block of learning rates, from step t on, that is still warm-up; steps that it covers."""
    count = min(RATES, max(0, s.warmup - t))
    for k in range(count):
        s.rates[k] = warmup_value(t + k, s.peak, s.warmup, s.warmup_start)
    return count


def restart(live, pristine):
    """Set all memory that a run changes to its start."""
    for i in range(live.size):
        live[i] = pristine[i]


def writer():
    """Dispatcher of ``write(s, t, f, lr, x, g, ints)``: a row of the trace, held-out samples included."""
    from optbench.codec import F64, I64, caller

    measure, gauge = caller(I64, I64, I64, I64, I64), caller(F64, I64)
    row, length = jit.lower(record_row, jit.SUM_MATH), jit.lower(norm, jit.SUM_MATH)

    def write(s, t, f, lr, x, g, ints):
        if s.measure != 0 and not s.timed:
            out = s.measured.ctypes.data + 8 * MEASURES * ints[ROWS]
            measure(s.measure, (x.ctypes.data, s.n, out, s.held_out))
        row(s, t, f, lr, x, gauge(s.gauge, (s.gauged,)) if s.gauge != 0 else length(g), ints)

    return jit.compiled(write)


@functools.cache
def dash() -> jit.Kernel:
    """Kernel ``int64 dash(setup, t, event, double floor)``: steps from t to the event, or until f leaves (floor, inf).

    f and the learning rate go in and out through the run's memory. A kernel of its own, so that the loop has the
    registers to itself: that is worth up to a third of a short iteration.
    """
    key = jit.fingerprint(clip_gradient) + jit.fingerprint(_make_dash)
    return jit.compile_kernel("dash", _make_dash, key, "iiiid")


def _make_dash():
    from optbench.codec import F64, I64, array_at, caller, decoder, integers_at

    evaluate, step = caller(F64, I64, I64, I64, I64), caller(I64, I64, I64, F64)
    observe, decode = caller(F64, F64, F64, I64, I64), decoder(Setup)
    clip = jit.lower(clip_gradient, jit.SUM_MATH)

    def kernel(setup, t, event, floor):
        s = decode(setup)
        g, floats, block = array_at(s.g, s.n), array_at(s.floats, N_FLOATS), integers_at(s.ints, N_INTS)[BLOCK]
        f, rate, watch = floats[F], floats[RATE], s.observes and t >= s.warmup
        epochs = integers_at(s.batches, N_DRAW)
        while t < event and floor < f < math.inf:
            if not watch:
                rate = s.rates[t - block]
            if s.clip != CLIP_NONE:
                clip(s, g)
            t += 1
            step(s.step, (s.frame, t, rate))
            if watch and s.batches == 0:
                rate = observe(s.schedule, (f, rate, s.schedule_params, s.schedule_state))
            elif watch and epochs[ENDED] == 1:
                loss = array_at(s.means, N_MEAN)[MEAN]
                rate = observe(s.schedule, (loss, rate, s.schedule_params, s.schedule_state))
            f = evaluate(s.objective, (s.x, s.g, s.n, s.data))
        floats[F], floats[RATE] = f, rate
        return t

    return kernel


@functools.cache
def driver() -> jit.Kernel:
    """Kernel ``int64 drive(setup, repeats, until)``, one for every problem, optimizer and schedule.

    With ``repeats >= 1`` it starts the run afresh that many times; with 0 it goes on where it stopped. It returns when
    the run ends, when the trace is full or before iteration `until`.
    """
    parts = (record_row, norm, meet_targets, verdict, new_rates, restart, next_row, _make_driver)
    key = "".join(jit.fingerprint(part) for part in parts)
    return jit.compile_kernel("driver", _make_driver, key, "iiii")


def _make_driver():
    from optbench.codec import F64, I64, array_at, caller, decoder, integers_at

    evaluate = caller(F64, I64, I64, I64, I64)
    sprint, fill = caller(I64, I64, I64, I64, F64), caller(I64, I64, I64, I64, F64, I64)
    decode = decoder(Setup)
    meet, judge, warm, reset, after = (jit.lower(f) for f in (meet_targets, verdict, new_rates, restart, next_row))
    write = writer()

    def go(setup, s, until):
        x, g, hits = array_at(s.x, s.n), array_at(s.g, s.n), array_at(s.hits, s.thresholds.size)
        ints, floats = integers_at(s.ints, N_INTS), array_at(s.floats, N_FLOATS)
        t, block, rate, f = ints[T], ints[BLOCK], floats[RATE], floats[F]
        if ints[STARTED] == 0:
            ints[STARTED] = 1
            f = evaluate(s.objective, (s.x, s.g, s.n, s.data))
            if s.timed and s.batches != 0:
                ints[NEXT_ROW] = NEVER
        while True:
            if t >= block + RATES:
                block, done = t, warm(s, t)
                if done < RATES and not s.observes:
                    out = s.rates.ctypes.data + 8 * done
                    fill(s.schedule, (out, t + done - s.warmup, RATES - done, s.lr, s.schedule_params))
                ints[BLOCK] = block
            if not (s.observes and t >= s.warmup):
                rate = s.rates[t - block]
            elif t == s.warmup:
                rate = s.lr
            ints[T], floats[F], floats[RATE] = t, f, rate
            if ints[ROWS] >= s.iterations.size or t >= until:
                return RUNNING
            floor = -math.inf
            if s.batches == 0:
                floor = meet(s, t, f, ints, hits)
                code = judge(s, t, f, x, g, True, ints)
                if t >= ints[NEXT_ROW] or code != RUNNING:
                    write(s, t, f, rate, x, g, ints)
            else:
                code = judge(s, t, f, x, g, False, ints)
                if not s.timed and (t >= ints[NEXT_ROW] or code != RUNNING):
                    whole = array_at(s.full_g, s.n)
                    value = evaluate(s.full, (s.x, s.full_g, s.n, s.full_data))
                    check = t >= ints[CHECK_AT] or t >= s.max_iter or code != RUNNING
                    if check:
                        meet(s, t, value, ints, hits)
                        ints[CHECK_AT] = after(t)
                    if check and code != DIVERGED:
                        code = judge(s, t, value, x, whole, True, ints)
                    write(s, t, value, rate, x, whole, ints)
            if code != RUNNING:
                return code
            event = min(block + RATES, ints[NEXT_ROW], ints[STALL_AT], s.max_iter, until)
            if (s.gtol > 0.0 and s.batches == 0) or (s.observes and t < s.warmup):
                event = t + 1
            t = sprint(s.dash, (setup, t, event, floor))
            f, rate = floats[F], floats[RATE]

    run = jit.compiled(go)

    def drive(setup, repeats, until):
        s = decode(setup)
        if repeats == 0:
            return run(setup, s, until)
        code = RUNNING
        for _ in range(repeats):
            reset(s.live, s.pristine)
            code = run(setup, s, until)
        return code

    return drive
