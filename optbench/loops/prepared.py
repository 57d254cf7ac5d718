"""One run, ready to go: its kernels, its memory and the setup record that the driver reads; what all runs share."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optbench import evaluation
from optbench.jit import Kernel
from optbench.loops import first_order as fo
from optbench.loops.batches import WHOLE, Batching
from optbench.memory import aligned, padded
from optbench.methods import AnyMethod, Schedule
from optbench.records import Empty, encode, fields, pack, words, words_of
from optbench.schedules._warmup import warmup_target
from optbench.types import Array, Problem

SLICE = 0.05  # seconds of compiled code between two looks at the clock and at Ctrl-C
ROWS = 4096  # rows of a full trace that are held before they are handed over
LOG_ROWS = 512  # more than a thinned trace has for any number of iterations
POINTS = 1 << 22  # floats of recorded points that are held before they are handed over


@dataclass
class Method:
    """How a run goes: optimizer and schedule with complete settings, clipping, limits, what to record.

    `clip` is ``(kind, limit)`` with kind 'none', 'norm' or 'value'; `record` is 'all' or 'log'; `batching` says which
    samples a step sees; `decay_bias`, whether weight decay acts on parameter groups of biases too.
    """

    optimizer: AnyMethod
    params: Any
    lr: float
    schedule: Schedule
    schedule_params: Any
    warmup: int = 0
    warmup_start: float = 1 / 3
    clip: tuple[str, float] = ("none", 0.0)
    max_iter: int = 10_000
    gtol: float = 0.0
    record: str = "log"
    batching: Batching = WHOLE
    decay_bias: bool = True


class Counts(NamedTuple):
    """Evaluations of the objective with its gradient, of the Hessian, and factorisations of a matrix."""

    nfev: int
    nhev: int = 0
    nfact: int = 0


@dataclass
class Outcome:
    """What the driver left: return code, iterations, points, hit iterations (-1: not met), trace columns, counts."""

    code: int
    nit: int
    x: Array
    hits: Array
    trace: dict[str, Array]
    timed_out: bool
    counts: Counts


class Prepared:
    """Kernels, memory and settings of one run; `run` does it, `seconds` does it again for the clock.

    All memory that a run changes is one block of float64, `live`, so that a repeat starts with one copy.
    """

    n_ints: ClassVar[int] = fo.N_INTS

    def __init__(
        self,
        problem: Problem,
        method: Method,
        x0: Array,
        thresholds: Array,
        objective: tuple[int, int] | None = None,
    ) -> None:
        self._objective = objective  # kernel and data of another function in the place of the problem's
        self.problem, self.method, self.thresholds = problem, method, thresholds
        self._keep: list[Any] = [problem]
        self.kernels = tuple(make() for make in self._makers())
        self._drive: Callable[..., Any] = self.kernels[0]
        sizes = {
            **self._sizes(),
            "memory": words(method.schedule.state),
            "ints": self.n_ints,
            "floats": fo.N_FLOATS,
            "hits": len(thresholds),
        }
        at, total = {}, 0
        for name, size in sizes.items():
            at[name], total = total, total + padded(size)
        self.live = aligned(total)
        self._at, self._size = at, sizes
        self._view("x")[: x0.size] = x0
        self._store("memory", method.schedule.state)
        self._ints[fo.BLOCK] = -fo.RATES
        self._view("hits")[:] = -1.0
        self._trace()
        self._start()
        self.pristine = self.live.copy()
        setup = self._hold(self._make_setup())
        self._setup_record: type = setup.__class__
        self.setup = pack(setup)

    def _makers(self) -> tuple[Callable[[], Kernel], ...]:
        """What compiles or loads the kernels: the driver, the objective, the schedule, the method, all others."""
        raise NotImplementedError

    def _sizes(self) -> dict[str, int]:
        """Names and sizes of the arrays of the block that are the method's own; "x" and "g" among them."""
        raise NotImplementedError

    def _start(self) -> None:
        """Put the method's own arrays to their start."""
        raise NotImplementedError

    def _make_setup(self) -> Any:
        """The record that the driver reads, encoded."""
        raise NotImplementedError

    def counts(self) -> Counts:
        """What the run so far has cost."""
        raise NotImplementedError

    def _view(self, name: str) -> Array:
        start = self._at[name]
        return self.live[start : start + self._size[name]]

    def address(self, name: str) -> int:
        """Where a part of the block stands."""
        return self._address(name)

    def setup_address(self, name: str) -> int:
        """Where a number of the setup record stands, for code that changes it."""
        at = 0
        for field in fields(self._setup_record):
            if field.name == name:
                return int(self.setup.ctypes.data) + 8 * at
            at += words_of(field)
        raise KeyError(name)

    def _address(self, name: str) -> int:
        return int(self.live.ctypes.data) + 8 * self._at[name]

    def _store(self, name: str, record: type) -> None:
        if record is not Empty:
            self._view(name).view(np.int64)[:] = pack(encode(record()))

    def _hold(self, array: Any) -> Any:
        self._keep.append(array)
        return array

    @property
    def _ints(self) -> Any:
        return self._view("ints").view(np.int64)

    def _trace(self) -> None:
        n, full = self.problem.n, self.method.record == "all"
        rows = max(1, min(ROWS, POINTS // n, self.method.max_iter + 1)) if full else LOG_ROWS
        self.columns = {name: np.empty(rows) for name in ("iteration", "f", "grad_norm", "lr")}
        self.points = np.empty((rows if full else 0, n))
        self.measured = np.empty((rows if self._measures else 0, fo.MEASURES))

    @property
    def _measures(self) -> bool:
        """Whether there are held-out samples to measure on."""
        return self.problem.measure is not None and self.problem.validation is not None

    def _common(self) -> dict[str, Any]:
        """What every driver reads: the schedule, the limits, the trace."""
        method = self.method
        settings = self._hold(encode(method.schedule_params))
        return {
            "objective": self._objective[0] if self._objective else self.kernels[1].address,
            "schedule": self.kernels[2].address,
            "observes": method.schedule.observes,
            "n": self.problem.n,
            "data": self._objective[1] if self._objective else evaluation.data_words(self.problem).ctypes.data,
            "live": self.live,
            "pristine": self.pristine,
            "ints": self._address("ints"),
            "floats": self._address("floats"),
            "hits": self._address("hits"),
            "schedule_params": self._hold(pack(settings)).ctypes.data,
            "schedule_state": self._address("memory"),
            "lr": method.lr,
            "peak": warmup_target(method.schedule, method.lr, settings),
            "warmup": method.warmup,
            "warmup_start": method.warmup_start,
            "gtol": method.gtol,
            "stop": self.thresholds.size > 0,
            "max_iter": method.max_iter,
            "every_row": method.record == "all",
            "thresholds": self.thresholds,
            "rates": np.empty(fo.RATES),
            "snapshot": np.full(self.problem.n, np.nan),
            "iterations": self.columns["iteration"],
            "values": self.columns["f"],
            "norms": self.columns["grad_norm"],
            "lrs": self.columns["lr"],
            "points": self.points,
            "measure": evaluation.measure(self.problem).address if self._measures else 0,
            "held_out": evaluation.held_out_words(self.problem).ctypes.data if self._measures else 0,
            "measured": self.measured,
            "timed": False,
            "gauge": 0,
            "gauged": 0,
        }

    def run(self, time_limit: float = math.inf) -> Outcome:
        """Do the run from its start, in slices, until it ends or `time_limit` seconds have passed."""
        chunks: list[dict[str, Array]] = []
        start = time.perf_counter()
        code, timed_out = fo.RUNNING, False
        self._restart()
        for code in self._slices():
            chunks.append(self._take_rows())
            timed_out = code == fo.RUNNING and time.perf_counter() - start > time_limit
            if timed_out:
                chunks.append(self._last_row())
                break
        trace = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        x = self._view("x")[: self.problem.n].copy()
        return Outcome(code, int(self._ints[fo.T]), x, self._view("hits").copy(), trace, timed_out, self.counts())

    def for_the_clock(self) -> None:
        """From now on do as many steps as the run before did, and nothing that only judges them."""
        self._set("timed", 1)
        if self.method.batching.size:
            self._set("max_iter", int(self._ints[fo.T]))

    def _set(self, name: str, value: int) -> None:
        self.setup[(self.setup_address(name) - self.setup.ctypes.data) // 8] = value

    def seconds(self, repeats: int) -> float:
        """Wall time, in seconds, of `repeats` runs in a row from the start, in one call; of one run in slices for 0."""
        if repeats == 0:
            self._restart()
        start = time.perf_counter_ns()
        if repeats > 0:
            self._drive(self.setup.ctypes.data, repeats, fo.NEVER)
        else:
            for _ in self._slices():
                pass
        return (time.perf_counter_ns() - start) * 1e-9

    def _restart(self) -> None:
        self.live[:] = self.pristine

    def _slices(self) -> Iterator[int]:
        """Return codes of the driver, slice by slice, to the end of the run."""
        code, count = fo.RUNNING, self._first_slice()
        while code == fo.RUNNING:
            at, before = int(self._ints[fo.T]), time.perf_counter()
            code = self._drive(self.setup.ctypes.data, 0, at + count)
            done, spent = int(self._ints[fo.T]) - at, time.perf_counter() - before
            count = max(1, min(4 * count, int(done * SLICE / max(spent, 1e-9))))
            yield code

    def _first_slice(self) -> int:
        """Iterations that surely take less than a slice: about 1e6 coordinate or data accesses."""
        data = sum(np.size(item) for item in self.problem.data)
        return max(1, 1_000_000 // (20 + self.problem.n + data))

    def _take_rows(self) -> dict[str, Array]:
        rows = int(self._ints[fo.ROWS])
        self._ints[fo.ROWS] = 0
        taken = {name: column[:rows].copy() for name, column in self.columns.items()}
        if self.method.record == "all":
            taken["x"] = self.points[:rows].copy()
        if self._measures:
            taken["val_loss"], taken["val_accuracy"] = self.measured[:rows].T.copy()
        return taken

    def _last_row(self) -> dict[str, Array]:
        """The row of the point that the driver stopped at, which it has evaluated but not recorded."""
        f, rate = self._view("floats")[fo.F], self._view("floats")[fo.RATE]
        x, g = self._view("x")[: self.problem.n], self._view("g")[: self.problem.n]
        if self.method.batching.size:
            f, g = evaluation.evaluate(self.problem, x)
        if self.problem.constraints is None:
            self._view("hits")[(self._view("hits") < 0) & (f <= self.thresholds)] = self._ints[fo.T]
        values = (float(self._ints[fo.T]), f, float(np.linalg.norm(g)), rate)
        row = {name: np.array([value]) for name, value in zip(self.columns, values, strict=True)}
        if self.method.record == "all":
            row["x"] = x[None, :].copy()
        if self._measures:
            row["val_loss"], row["val_accuracy"] = evaluation.evaluate_measure(self.problem, x)[:, None]
        return row
