"""The driver of lanes: a block of runs advances step by step together, and each ends where it would end alone.

What a run is judged by is the single run's own code. A run that has ended leaves its lane to the last one that has not,
so that a block narrows tile by tile and nothing is masked; lanes that nobody uses repeat another's.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from optbench import jit
from optbench.clipping import clip_value, coefficient
from optbench.coordinate import N
from optbench.loops import first_order as fo
from optbench.loops.lanes import WIDTH
from optbench.records import Matrix, Vector
from optbench.schedules._warmup import warmup_value

RATES = 32  # learning rates of a block are computed for so many steps at a time
T, ACTIVE, FILLED, N_STATE = range(4)  # steps done, lanes in use, step from which the learning rates are known


class Block(NamedTuple):
    """What the members start from and where they leave their ends, as in `members`, and the memory of a block.

    `own` holds, for every lane, its member and the counters of a single run; `init` the first state of a coordinate;
    `fresh` that of the scalars kept from step to step.
    """

    objective: int
    step: int
    lane_step: int
    schedule: int
    schedule_params: int
    data: int
    frame: int
    lane_frame: int
    own: int
    progress: int
    n: int
    max_iter: int
    warmup: int
    warmup_start: float
    clip: int
    clip_at: float
    starts: Matrix
    slopes: Matrix
    f0: Vector
    rates: Vector
    peaks: Vector
    levels: Matrix
    judged: Vector
    points: Matrix
    codes: Vector
    steps: Vector
    hits: Matrix
    x: Vector
    g: Vector
    state: Matrix
    init: Vector
    fresh: Vector
    shared: Vector
    lane_shared: Matrix
    f: Vector
    floors: Vector
    snapshot: Matrix
    table: Matrix
    spare: Vector
    point: Vector


class Rules(NamedTuple):
    """What `first_order.verdict` and `meet_targets` ask of a setup record."""

    stop: bool
    thresholds: Vector
    gtol: float
    max_iter: int
    snapshot: Vector


def clip_lanes(g, n, tiles, kind, limit, squares):
    """Clip the gradient of every lane; `squares` has room for the lanes of a tile."""
    if kind == fo.CLIP_VALUE:
        clip_value(g[: n * tiles * WIDTH], limit)
    for tile in range(tiles if kind == fo.CLIP_NORM else 0):
        for lane in range(WIDTH):
            squares[lane] = 0.0
        for i in range(n):
            row = g[(tile * n + i) * WIDTH : (tile * n + i + 1) * WIDTH]
            for lane in range(WIDTH):
                squares[lane] += row[lane] * row[lane]
        for lane in range(WIDTH):
            squares[lane] = coefficient(math.sqrt(squares[lane]), limit)
        for i in range(n):
            row = g[(tile * n + i) * WIDTH : (tile * n + i + 1) * WIDTH]
            for lane in range(WIDTH):
                row[lane] *= squares[lane]


def place(n, i, lane):
    """Where coordinate i of a lane stands."""
    return (lane // WIDTH * n + i) * WIDTH + lane % WIDTH


def copy_lane(b, target, source, mixed):
    """Make a lane another's twin, but for who it belongs to; `mixed`: lanes have learning rates of their own."""
    for i in range(b.n):
        to, at = place(b.n, i, target), place(b.n, i, source)
        b.x[to], b.g[to] = b.x[at], b.g[at]
        for j in range(b.state.shape[0]):
            b.state[j, to] = b.state[j, at]
    for j in range(b.lane_shared.shape[0]):
        b.lane_shared[j, target] = b.lane_shared[j, source]
    for k in range(RATES if mixed else 0):
        b.table[k, target] = b.table[k, source]
    b.f[target], b.floors[target] = b.f[source], -math.inf


def enter(b, lane, k):
    """Put member k into a lane, at its start."""
    for i in range(b.n):
        at = place(b.n, i, lane)
        b.x[at], b.g[at] = b.starts[k, i], b.slopes[k, i]
        for j in range(b.state.shape[0]):
            b.state[j, at] = b.init[j]
    for j in range(b.lane_shared.shape[0]):
        b.lane_shared[j, lane] = b.fresh[j]
    b.f[lane] = b.f0[k]


@functools.cache
def driver() -> jit.Kernel:
    """Kernel ``int64 (block, first, last, mixed, resume, steps)``: the members from `first` to before `last`.

    `mixed`: they have different learning rates. It returns 1 when all have ended, 0 after so many steps; a call with
    `resume` goes on.
    """
    parts = (clip_lanes, place, copy_lane, enter, fo.verdict, fo.meet_targets, _make_driver, _make_parts)
    key = "".join(jit.fingerprint(part) for part in parts)
    return jit.compile_kernel("lanes", _make_driver, key, "iiiiiii")


def _make_parts() -> tuple[Any, Any, Any]:
    """Dispatchers: rates of the next steps; judge the lanes that need it; close the gaps."""
    from optbench.codec import F64, I64, array_at, caller, integers_at

    fill = caller(I64, I64, I64, I64, F64, I64)
    meet, judge, warm = (jit.lower(part) for part in (fo.meet_targets, fo.verdict, warmup_value))
    at_of, twin = jit.lower(place), jit.lower(copy_lane)
    width = fo.N_INTS + 1

    def rates(b, t, own, active, mixed):
        warming = min(RATES, max(0, b.warmup - t))
        for lane in range(active if mixed else 1):
            k = own[width * lane]
            if lane == 0 or b.rates[k] != b.rates[own[width * (lane - 1)]]:
                for i in range(warming):
                    b.spare[i] = warm(t + i, b.peaks[k], b.warmup, b.warmup_start)
                if warming < RATES:
                    out = b.spare.ctypes.data + 8 * warming
                    fill(b.schedule, (out, t + warming - b.warmup, RATES - warming, b.rates[k], b.schedule_params))
            for i in range(RATES):
                b.table[i, lane] = b.spare[i]

    def attend(b, t, active, out):
        own = integers_at(b.own, width * b.f.size)
        for lane in range(active):
            ints = integers_at(b.own + 8 * (width * lane + 1), fo.N_INTS)
            if b.floors[lane] < b.f[lane] < math.inf and t < ints[fo.STALL_AT] and t < b.max_iter:
                continue
            k = own[width * lane]
            for i in range(b.n):
                b.point[i] = b.x[at_of(b.n, i, lane)]
            count = b.levels.shape[1] if b.judged[k] > 0.0 else 0
            levels = array_at(b.levels.ctypes.data + 8 * k * b.levels.shape[1], count)
            hits = array_at(b.hits.ctypes.data + 8 * k * b.hits.shape[1], count)
            rules = Rules(count > 0, levels, 0.0, b.max_iter, b.snapshot[lane])
            b.floors[lane] = meet(rules, t, b.f[lane], ints, hits)
            code = judge(rules, t, b.f[lane], b.point, b.point, True, ints)
            if code != fo.RUNNING:
                for i in range(b.n):
                    b.points[k, i] = b.point[i]
                b.codes[k], b.steps[k] = code, t
                own[width * lane] = -1
                out += 1
        return out

    def close(b, active, own, mixed):
        for lane in range(active - 1, -1, -1):
            if own[width * lane] < 0:
                active -= 1
                if lane < active:
                    floor = b.floors[active]
                    twin(b, lane, active, mixed)
                    b.floors[lane] = floor
                    for i in range(width):
                        own[width * lane + i] = own[width * active + i]
                    for i in range(b.n):
                        b.snapshot[lane, i] = b.snapshot[active, i]
        tiles = (active + WIDTH - 1) // WIDTH
        for lane in range(active, tiles * WIDTH):
            twin(b, lane, active - 1, mixed)
        return active

    return jit.compiled(rates), jit.compiled(attend), jit.compiled(close)


def _make_driver() -> Callable[..., Any]:
    from optbench.codec import F64, I64, caller, decoder, integers_at

    evaluate, step, lane_step = caller(I64, *[I64] * 6), caller(I64, I64, I64, F64), caller(I64, I64, I64, I64)
    decode, clip, put = decoder(Block), jit.lower(clip_lanes), jit.lower(enter)
    new_rates, attend, close = _make_parts()
    width = fo.N_INTS + 1

    def begin(b, first, last):
        own, shared = integers_at(b.own, width * b.f.size), b.shared
        for lane in range(last - first):
            put(b, lane, first + lane)
            for i in range(width):
                own[width * lane + i] = 0
            own[width * lane] = first + lane
            b.floors[lane] = math.inf  # everybody is looked at
        for j in range(shared.size):
            shared[j] = b.fresh[j]

    def resize(b, active):
        tiles = (active + WIDTH - 1) // WIDTH
        integers_at(b.frame, N + 1)[N] = integers_at(b.lane_frame, N + 1)[N] = b.n * WIDTH * tiles
        return tiles

    def soonest(b, active, own):
        event = b.max_iter
        for lane in range(active):
            event = min(event, own[width * lane + 1 + fo.STALL_AT])
        return event

    starting, resizing, nearest = jit.compiled(begin), jit.compiled(resize), jit.compiled(soonest)

    def go(b, first, last, mixed, resume, steps):
        own, progress = integers_at(b.own, width * b.f.size), integers_at(b.progress, N_STATE)
        t, active, filled = progress[T], progress[ACTIVE], progress[FILLED]
        if not resume:
            starting(b, first, last)
            t, active, filled = 0, last - first, -RATES
            attend(b, 0, active, 0)
            active = close(b, active, own, mixed)
        until, tiles = t + steps, resizing(b, active)
        event = nearest(b, active, own)
        while active > 0 and t < until:
            if t >= filled + RATES:
                new_rates(b, t, own, active, mixed)
                filled = t
                if mixed:
                    close(b, active, own, mixed)
            stop, out = min(event, filled + RATES, until), 0
            while t < stop and not out:
                if b.clip != fo.CLIP_NONE:
                    clip(b.g, b.n, tiles, b.clip, b.clip_at, b.spare)
                row = b.table[t - filled]
                t += 1
                if mixed:
                    lane_step(b.lane_step, (b.lane_frame, t, row.ctypes.data))
                else:
                    step(b.step, (b.frame, t, row[0]))
                at = (b.x.ctypes.data, b.g.ctypes.data, b.f.ctypes.data, b.floors.ctypes.data, tiles, b.data)
                out = evaluate(b.objective, at)
            if out or t >= event:
                if attend(b, t, active, 0):
                    active = close(b, active, own, mixed)
                    tiles = resizing(b, active)
                event = nearest(b, active, own)
        progress[T], progress[ACTIVE], progress[FILLED] = t, active, filled
        return 1 if active == 0 else 0

    run = jit.compiled(go)

    def kernel(block, first, last, mixed, resume, steps):
        return run(decode(block), first, last, mixed, resume, steps)

    return kernel
