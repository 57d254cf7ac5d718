"""The memory of runs on the device: one record of arrays, a column a run.

Arrays have the runs along their last axis, so that neighbouring threads read neighbouring numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from optbench import kernels
from optbench.cuda.data import rooms
from optbench.cuda.lowering import numbers
from optbench.loops import first_order as fo
from optbench.loops.batches import N_DRAW, N_MEAN, STREAM
from optbench.loops.prepared import Method
from optbench.methods import Optimizer
from optbench.outcome import ORDERS
from optbench.records import encode, fields
from optbench.schedules._warmup import warmup_target
from optbench.types import Array, Problem


class Drawing(NamedTuple):
    """How mini-batches are drawn, as `optbench.loops.batches.Draw` says it."""

    m: int
    size: int
    order: int
    drop_last: bool


class World(NamedTuple):
    """The memory of k runs of n variables.

    Shapes: (n, k) of x, g, full_g, work, snapshot; (fields, n, k) of states; (fields, 1, k) of shared, memory; (w, k)
    of ints, floats, hits, thresholds, draw, means, permutation; (k,) of codes, limits, places, lrs, peaks; (rows, k) of
    the trace, (rows, n, k) of points; (steps, rates) of the table of learning rates; (m, k) and (m, n, k) of residuals
    and their Jacobian. `room` and `cut` are the arrays that a run's copy of the data needs, see `optbench.cuda.data`.
    What is not needed has one row.
    """

    x: Any
    g: Any
    full_g: Any
    work: Any
    states: Any
    shared: Any
    memory: Any
    ints: Any
    floats: Any
    hits: Any
    thresholds: Any
    snapshot: Any
    codes: Any
    running: Any
    limits: Any
    iterations: Any
    values: Any
    norms: Any
    rates_seen: Any
    points: Any
    table: Any
    places: Any
    lrs: Any
    peaks: Any
    draw: Any
    means: Any
    permutation: Any
    residuals: Any
    jacobian: Any
    room: Any
    cut: Any
    data: Any
    params: Any
    settings: Any
    groups: Any
    drawing: Any
    partials: Any
    point_rows: int
    n: int
    gtol: float
    stop: bool
    warmup: int
    warmup_start: float
    clip_at: float
    every_row: bool
    timed: bool
    batched: bool


def make_world(
    problem: Problem, method: Method, members: tuple[Array, Array, Array, Any], rows: int, real: type
) -> World:
    """The memory of runs at their start, on the host.

    Parameters
    ----------
    problem, method
    members : tuple of ndarray
        Starts, shape (k, n); learning rates, (k,); targets, (k, m), -inf where none applies; starts of the streams of
        mini-batches, (k,).
    rows : int
        Rows of the trace that there is room for; 0 keeps none.
    real : type
        float64 or float32.
    """
    optimizer = method.optimizer
    assert isinstance(optimizer, Optimizer)
    starts, rates, levels, streams = members
    (k, n), whole = starts.shape, method.record == "all"
    settings, batching = encode(method.schedule_params), method.batching
    distinct, places = np.unique(rates, return_inverse=True)
    peaks = np.array([warmup_target(method.schedule, lr, settings) for lr in distinct.tolist()])
    own = Columns(k)
    ints = own.filled(np.zeros(fo.N_INTS), np.int64)
    ints[fo.NEXT_ROW] = 0 if rows or batching.size else fo.NEVER
    draw = own.filled(np.zeros(N_DRAW), np.int64)
    draw[STREAM] = streams
    full, cut = rooms(problem, batching)
    samples = np.arange(problem.n_samples if batching.size and batching.order != "sequential" else 1)
    return World(
        x=np.ascontiguousarray(starts.T, dtype=real),
        g=own.zeros(real, n),
        full_g=own.zeros(real, n if batching.size else 1),
        work=own.zeros(real, n if optimizer.scale else 1),
        states=_states(optimizer, method.params, n, k, real),
        shared=own.record(optimizer.shared(), real),
        memory=own.record(method.schedule.state(), np.float64),
        ints=ints,
        floats=own.zeros(np.float64, fo.N_FLOATS),
        hits=own.filled(-np.ones(levels.shape[1])),
        thresholds=np.ascontiguousarray(levels.T) if levels.shape[1] else np.full((1, k), -np.inf),
        snapshot=own.filled(np.full(n, np.nan), real),
        codes=np.zeros(k, dtype=np.int64),
        running=np.zeros(1, dtype=np.int64),
        limits=np.full(k, method.max_iter, dtype=np.int64),
        **{name: own.zeros(np.float64, max(rows, 1)) for name in ("iterations", "values", "norms", "rates_seen")},
        points=own.zeros(real, max(rows, 1) if whole else 1, n),
        point_rows=rows if whole else 0,
        table=np.zeros((1, 1)),
        places=places.astype(np.int64),
        lrs=np.array(rates, dtype=np.float64),
        peaks=peaks[places],
        draw=draw,
        means=own.zeros(np.float64, N_MEAN),
        permutation=own.filled(samples, np.int64),
        residuals=own.zeros(real, problem.m or 1),
        jacobian=own.zeros(real, problem.m or 1, n if problem.m else 1),
        room=tuple(own.zeros(real, *shape) for shape in full),
        cut=tuple(own.zeros(real, *shape) for shape in cut),
        data=numbers(problem.data, real),
        params=numbers(method.params, real),
        settings=numbers(method.schedule_params, np.float64),
        groups=np.cumsum([0, *(group.size for group in problem.groups)], dtype=np.int64),
        drawing=Drawing(problem.n_samples, batching.size, ORDERS.index(batching.order), batching.drop_last),
        partials=np.zeros((2, 1)),
        n=n,
        gtol=method.gtol,
        stop=levels.shape[1] > 0,
        warmup=method.warmup,
        warmup_start=method.warmup_start,
        clip_at=method.clip[1],
        every_row=whole,
        timed=False,
        batched=batching.size > 0,
    )


class Columns(NamedTuple):
    """Arrays with a column for each of k runs."""

    k: int

    def zeros(self, kind: type, *shape: int) -> Any:
        """Zeros, shape (*shape, k)."""
        return np.zeros((*shape, self.k), dtype=kind)

    def filled(self, column: Any, kind: type = np.float64) -> Any:
        """The same column, shape (w,), for every run; at least one row."""
        rows = column if column.size else np.zeros(1)
        return np.array(np.broadcast_to(rows[:, None], (rows.size, self.k)), dtype=kind, order="C")

    def record(self, start: Any, kind: type) -> Any:
        """A record of numbers, a row a field: shape (fields, 1, k)."""
        return self.filled(np.array([float(value) for value in encode(start)]), kind)[:, None, :]


def _states(optimizer: Optimizer, params: Any, n: int, k: int, real: type) -> Any:
    _, state = kernels.form_of(optimizer, params)
    states: Any = np.zeros((max(len(fields(state)), 1), n, k), dtype=real)
    if optimizer.init is not None:
        for row, value in zip(states, optimizer.init(params), strict=True):
            row[...] = value
    return states


def placed(value: Any, put: Callable[[Any], Any]) -> Any:
    """A kernel argument with ``put(array)`` in the place of every array, in nested records too."""
    if isinstance(value, np.ndarray):
        return put(value)
    if isinstance(value, tuple):
        items = [placed(item, put) for item in value]
        cls: Any = type(value)
        return cls(*items) if hasattr(value, "_fields") else tuple(items)
    return value


def size_of(value: Any) -> int:
    """Bytes of all arrays of a kernel argument."""
    total = 0

    def count(array: Any) -> Any:
        nonlocal total
        total += array.nbytes
        return array

    placed(value, count)
    return total
