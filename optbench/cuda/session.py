"""Runs on the device from the host: memory, launches, the clock, and the way back."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench import kernels
from optbench.cuda import data, driver, members, whole
from optbench.cuda.world import make_world, placed, size_of
from optbench.devices import BackendError, free_memory, require
from optbench.loops import first_order as fo
from optbench.loops.prepared import SLICE, Method
from optbench.methods import Optimizer
from optbench.types import Array, Problem

TABLE = 1 << 21  # learning rates that are computed at a time
SPREAD = 1 << 15  # runs up to which a block has one warp, so that they spread over all multiprocessors
WARP, BLOCK = 32, 128
FIRST = 16  # steps of the first launch
ENDED = fo.BUDGET  # any code but RUNNING


class Ends(NamedTuple):
    """What the runs left: a row or an entry a run.

    Points, shape (k, n); codes, steps and rows of the trace, (k,); hits, (k, m), -1: not met; trace columns, (k, rows);
    recorded points, (k, rows, n).
    """

    points: Array
    codes: Array
    steps: Array
    rows: Array
    hits: Array
    trace: dict[str, Array]
    recorded: Array


class Session:
    """Runs of one kind on the device: `run` does them and can be called again, for the clock; `fetch` brings the ends.

    Parameters
    ----------
    problem, method
        Without constraints; a first-order optimizer.
    starts : ndarray, shape (k, n)
    rates : ndarray, shape (k,)
        Learning rates.
    levels : ndarray, shape (k, m)
        Targets; -inf where none applies.
    streams : ndarray, shape (k,)
        Starts of the streams of mini-batches.
    rows : int
        Rows of the trace; 0 keeps none.
    real : type
        float64 or float32.
    together : bool
        All threads work on one run.

    Attributes
    ----------
    seconds : float
        Of the last `run`: wall time of the launches, from the first to the end of the last, synchronised.
    transfer_seconds : float
        To the device and back.
    compile_seconds : float
        Kernels compiled and loaded; the launch that did it worked on nothing.

    Raises
    ------
    BackendError
        There is no device, or its memory does not suffice.
    """

    def __init__(
        self,
        problem: Problem,
        method: Method,
        starts: Array,
        rates: Array,
        levels: Array,
        streams: NDArray[np.int64],
        rows: int,
        real: type,
        together: bool = False,
    ) -> None:
        self.cuda = require()
        self.method, self.count, self._targets = method, len(starts), levels.shape[1]
        self._host = make_world(problem, method, (starts, rates, levels, streams), rows, real)
        needed, free = size_of(self._host), free_memory()
        if needed > free:
            raise BackendError(
                f"{self.count} runs of {problem.name} need {needed / 1e9:.1f} GB of the device's memory, of which "
                f"{free / 1e9:.1f} GB are free: take fewer at a time, or keep no traces"
            )
        self.seconds = self.transfer_seconds = 0.0
        self._rates, first = np.unique(rates, return_index=True)
        self._peaks = self._host.peaks[first]
        start = time.perf_counter()
        self._fill = None if method.schedule.observes else driver.make_fill(method.schedule)
        self._kernel = _kernel(problem, method, rows > 0, real, together)
        threads = whole.THREADS if together else WARP if self.count <= SPREAD else BLOCK
        self._grid = (1 if together else -(-self.count // threads), threads)
        self._upload()
        self._warm_up(together)
        self.compile_seconds = time.perf_counter() - start - self.transfer_seconds

    def _upload(self) -> None:
        """Put the memory of all runs to their start."""
        start = time.perf_counter()
        self._world = placed(self._host, self.cuda.to_device)
        self._lrs, self._tops = self.cuda.to_device(self._rates), self.cuda.to_device(self._peaks)
        steps = 1 if self._fill is None else max(1, min(TABLE // self._rates.size, self.method.max_iter + 1))
        self._world = self._world._replace(table=self.cuda.device_array((steps, self._rates.size), np.float64))
        self.cuda.synchronize()
        self.transfer_seconds += time.perf_counter() - start

    def _warm_up(self, together: bool) -> None:
        """Compile and load by launches that find nothing to do; then the number of blocks can be known."""
        ended = self._world._replace(codes=self.cuda.to_device(np.full(self.count, ENDED)))
        self._fill_table(0, 1)
        self._kernel[self._grid](ended, 0, 1)
        self.cuda.synchronize()
        if together:
            self._grid = (whole.blocks_of(self._kernel), whole.THREADS)
            self._host = self._host._replace(partials=np.zeros((2, self._grid[0])))
            self._world = self._world._replace(partials=self.cuda.to_device(self._host.partials))

    def _fill_table(self, t: int, count: int) -> None:
        """Compute the learning rates of so many steps."""
        if self._fill is not None:
            w = self._world
            blocks = -(-count * self._rates.size // BLOCK)
            self._fill[blocks, BLOCK](w.table, t, count, self._lrs, self._tops, w.warmup, w.warmup_start, w.settings)

    def run(self, time_limit: float = math.inf, timed: bool = False) -> None:
        """Do all runs from their start; a time limit, in seconds, ends those that are still under way."""
        if self.seconds:
            self._upload()
        if timed and self._host.batched:
            self._world = self._world._replace(timed=True)
        t, steps, end = 0, FIRST, self.method.max_iter + 1
        most = self._world.table.shape[0] if self._fill is not None else end
        self.timed_out = False
        start = time.perf_counter()
        while t < end:
            before, count = time.perf_counter(), min(steps, most, end - t)
            self._fill_table(t, count)
            self._world.running.copy_to_device(np.zeros(1, dtype=np.int64))
            self._kernel[self._grid](self._world, t, t + count)
            t += count
            if not self._world.running.copy_to_host()[0]:  # waits for the launch
                break
            now = time.perf_counter()
            steps = max(1, min(4 * steps, int(count * SLICE / max(now - before, 1e-9))))
            self.timed_out = now - start > time_limit
            if self.timed_out:
                break
        self.seconds = time.perf_counter() - start

    def for_the_clock(self, steps: Array) -> None:
        """From now on do as many steps as each run did, shape (k,), and nothing that only judges mini-batches."""
        if self._host.batched:
            self._host = self._host._replace(limits=np.asarray(steps, dtype=np.int64))

    def fetch(self) -> Ends:
        """The ends of the runs, on the host."""
        start = time.perf_counter()
        w = self._world
        ints, rows = w.ints.copy_to_host(), self._host.iterations.shape[0]
        names = {"iteration": w.iterations, "f": w.values, "grad_norm": w.norms, "lr": w.rates_seen}
        ends = Ends(
            points=_rows(w.x),
            codes=w.codes.copy_to_host(),
            steps=ints[fo.T].copy(),
            rows=ints[fo.ROWS].copy(),
            hits=_rows(w.hits)[:, : self._targets],
            trace={name: _rows(column) for name, column in names.items()} if rows > 1 else {},
            recorded=np.moveaxis(w.points.copy_to_host(), -1, 0).astype(np.float64) if w.point_rows else np.empty(0),
        )
        self.transfer_seconds += time.perf_counter() - start
        return ends


_KERNELS: dict[Any, Any] = {}


def _kernel(problem: Problem, method: Method, keep: bool, real: type, together: bool) -> Any:
    """The kernel of runs of this form, made once: problems of other data and runs of other settings share it."""
    optimizer = method.optimizer
    assert isinstance(optimizer, Optimizer)
    form_of = kernels.form_of(optimizer, method.params)
    steps = (*form_of, optimizer.constants, optimizer.scale, optimizer.finish, optimizer.params, optimizer.shared)
    observed = method.schedule.value if method.schedule.observes else None
    batching = (method.batching.size > 0, method.batching.order, data.rooms(problem, method.batching))
    functions = (problem.fun_grad, problem.residuals, problem.phases, problem.record, problem.samples)
    form = (problem.n, len(problem.groups), steps, observed, method.clip[0], repr(batching))
    key = (functions, form, keep, real, together)
    if key not in _KERNELS:
        make = whole.make_kernel if together else members.make_kernel
        _KERNELS[key] = make(problem, method, keep, real)
    return _KERNELS[key]


def _rows(array: Any) -> Array:
    """Columns of a device array, (w, k), as rows of float64, (k, w)."""
    return np.ascontiguousarray(array.copy_to_host().T, dtype=np.float64)
