"""The loop of a run on the device: that of `optbench.loops.first_order`, around parts that the two shapes of work give.

A call goes on from the step where the run stands to before step `until`. An iteration evaluates f and the gradient at
x_t, looks at them where f leaves (the next target, infinity) or an event is due, and steps. On the full batch a call
begins with an evaluation of the point where the run stands, so that gradients need not be kept between calls; on
mini-batches, where that would draw another batch, f and the gradient are kept.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from optbench.cuda.lowering import device, loader, lower, storer
from optbench.loops import first_order as fo
from optbench.loops.batches import ENDED, MEAN
from optbench.methods import Schedule
from optbench.schedules._warmup import warmup_value


class Parts(NamedTuple):
    """Device functions of a member `m` and its book `b`, records of `optbench.cuda.member`.

    ``evaluate(m) -> f`` writes the gradient into m.g; ``whole(m) -> f`` is that of all samples, into the book's full_g,
    for mini-batches; ``shelve(m)`` puts x and g into the book; ``judge(b, t, f, x, g, exact, ints) -> code``; ``size(b,
    g)`` is the norm of g; ``clip(m)``; ``step(m, t, lr)``; ``rate(m, t0, t, lr) -> lr`` of the step; ``observe(m, t, f,
    lr) -> lr`` after it.
    """

    evaluate: Any
    whole: Any
    shelve: Any
    judge: Any
    size: Any
    clip: Any
    step: Any
    rate: Any
    observe: Any


def make_go(parts: Parts, keep: bool, batches: bool) -> Any:
    """Device function ``go(m, t0, until) -> code``; `t0` is the first step of the table of learning rates.

    With `keep` rows of the trace are written.
    """
    evaluate, clip, step, rate_of, observe = parts.evaluate, parts.clip, parts.step, parts.rate, parts.observe
    look = _look_at_batches(parts, keep) if batches else _look(parts, keep)

    def go(m: Any, t0: Any, until: Any) -> Any:
        ints, floats = m.book.ints, m.floats
        t, f, rate, code = ints[fo.T], floats[fo.F], floats[fo.RATE], np.int64(fo.RUNNING)
        fresh = not batches or ints[fo.STARTED] == 0
        floor, event = math.inf, t
        ints[fo.STARTED] = 1
        while True:
            if fresh:
                f = np.float64(evaluate(m))
            fresh = True
            if t >= until:
                break
            rate = rate_of(m, t0, t, rate)
            if t >= event or not (floor < f < math.inf):
                code, floor, event = look(m, t, f, rate)
                if code != fo.RUNNING:
                    break
            clip(m)
            step(m, t + 1, rate)
            rate = observe(m, t, f, rate)
            t += 1
        ints[fo.T] = t
        floats[fo.F], floats[fo.RATE] = f, rate
        return code

    return device(go)


def _look(parts: Parts, keep: bool) -> Any:
    shelve, see = parts.shelve, _see(parts.judge, parts.size, keep)

    def look(m: Any, t: Any, f: Any, rate: Any) -> Any:
        shelve(m)
        return see(m.book, t, f, rate)

    return device(look)


@functools.cache
def _see(judge: Any, size: Any, keep: bool) -> Any:
    meet, write = lower(fo.meet_targets, np.float64), _writer(keep, size)

    def see(b: Any, t: Any, f: Any, rate: Any) -> Any:
        ints = b.ints
        floor = meet(b, t, f, ints, b.hits)
        code = np.int64(judge(b, t, f, b.x, b.g, True, ints))
        if t >= ints[fo.NEXT_ROW] or code != fo.RUNNING:
            write(b, t, f, rate, b.g)
        event = min(ints[fo.NEXT_ROW], ints[fo.STALL_AT], b.max_iter)
        return code, floor, t + 1 if b.gtol > 0.0 else event

    return device(see)


def _look_at_batches(parts: Parts, keep: bool) -> Any:
    shelve, judge, whole, check = parts.shelve, parts.judge, parts.whole, _check(parts.judge, parts.size, keep)

    def look(m: Any, t: Any, f: Any, rate: Any) -> Any:
        shelve(m)
        b = m.book
        ints = b.ints
        code = np.int64(judge(b, t, f, b.x, b.g, False, ints))
        if not b.timed and (t >= ints[fo.NEXT_ROW] or code != fo.RUNNING):
            code = check(b, t, np.float64(whole(m)), rate, code)
        return code, -math.inf, min(ints[fo.NEXT_ROW], ints[fo.STALL_AT], b.max_iter)

    return device(look)


@functools.cache
def _check(judge: Any, size: Any, keep: bool) -> Any:
    meet, following = lower(fo.meet_targets, np.float64), lower(fo.next_row, np.float64)
    write = _writer(keep, size)

    def check(b: Any, t: Any, value: Any, rate: Any, code: Any) -> Any:
        ints = b.ints
        if t >= ints[fo.CHECK_AT] or t >= b.max_iter or code != fo.RUNNING:
            meet(b, t, value, ints, b.hits)
            ints[fo.CHECK_AT] = following(t)
            if code != fo.DIVERGED:
                code = np.int64(judge(b, t, value, b.x, b.full_g, True, ints))
        write(b, t, value, rate, b.full_g)
        return code

    return device(check)


@functools.cache
def _writer(keep: bool, size: Any) -> Any:
    """Device function ``write(b, t, f, lr, g)`` of a row of the trace; without one only the next look is set."""
    record, following = lower(fo.record_row, np.float64), lower(fo.next_row, np.float64)

    def write(b: Any, t: Any, f: Any, rate: Any, g: Any) -> None:
        record(b, t, f, rate, b.x, size(b, g), b.ints)

    def pass_by(b: Any, t: Any, f: Any, rate: Any, g: Any) -> None:
        b.ints[fo.NEXT_ROW] = following(t) if b.batched else fo.NEVER

    return device(write if keep else pass_by)


@functools.cache
def rates(schedule: Schedule, batches: bool) -> tuple[Any, Any]:
    """Parts `rate` and `observe`: from the table of rates, or from what the schedule has seen of the objective."""
    if not schedule.observes:

        def from_table(m: Any, t0: Any, t: Any, rate: Any) -> Any:
            return m.rates[t - t0, m.place]

        def keep(m: Any, t: Any, f: Any, rate: Any) -> Any:
            return rate

        return device(from_table), device(keep)
    warm, value = lower(warmup_value, np.float64), lower(schedule.value, np.float64)
    load, store = loader(schedule.state), storer(schedule.state)

    def observed(m: Any, t0: Any, t: Any, rate: Any) -> Any:
        if t < m.warmup:
            return warm(t, m.peak, m.warmup, m.warmup_start)
        return m.lr if t == m.warmup else rate

    def note(m: Any, f: Any, rate: Any) -> Any:
        following, new = value(f, rate, m.settings, load(m.memory, 0))
        store(m.memory, 0, new)
        return following

    see = device(note)

    def observe(m: Any, t: Any, f: Any, rate: Any) -> Any:
        return see(m, f, rate) if t >= m.warmup else rate

    def observe_epochs(m: Any, t: Any, f: Any, rate: Any) -> Any:
        return see(m, m.means[MEAN], rate) if t >= m.warmup and m.draw[ENDED] == 1 else rate

    return device(observed), device(observe_epochs if batches else observe)


@functools.cache
def make_fill(schedule: Schedule) -> Any:
    """Kernel ``fill(table, t0, count, lrs, peaks, warmup, start, settings)``.

    The first `count` rows become steps from t0 on; a column for every learning rate.
    """
    warm, value = lower(warmup_value, np.float64), lower(schedule.value, np.float64)

    def fill(table: Any, t0: Any, count: Any, lrs: Any, peaks: Any, warmup: Any, start: Any, settings: Any) -> None:
        at = cuda.grid(1)
        if at < count * table.shape[1]:
            row, column = at // table.shape[1], at % table.shape[1]
            t = t0 + row
            if t < warmup:
                table[row, column] = warm(t, peaks[column], warmup, start)
            else:
                table[row, column] = value(t - warmup, lrs[column], settings)

    return cuda.jit(fill)
