"""One run, ready to go: its kernels, its memory and the setup record that the driver reads."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from optbench import evaluation, kernels
from optbench.loops import first_order as fo
from optbench.records import Empty, encode, fields, pack, words
from optbench.schedules._warmup import warmup_target
from optbench.types import Array, Optimizer, Problem, Schedule

SLICE = 0.05  # seconds of compiled code between two looks at the clock and at Ctrl-C
ROWS = 4096  # rows of a full trace that are held before they are handed over
LOG_ROWS = 512  # more than a thinned trace has for any number of iterations
POINTS = 1 << 22  # floats of recorded points that are held before they are handed over


@dataclass
class Method:
    """How a run goes: optimizer and schedule with complete settings, clipping, limits, what to record.

    `clip` is ``(kind, limit)`` with kind 'none', 'norm' or 'value'; `record` is 'all' or 'log'.
    """

    optimizer: Optimizer
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


@dataclass
class Outcome:
    """What the driver left: return code, iterations, points, hit iterations (-1: not met) and the trace columns."""

    code: int
    nit: int
    x: Array
    hits: Array
    trace: dict[str, Array]
    timed_out: bool


class PreparedRun:
    """Kernels, memory and settings of one run; `run` does it, `time_repeats` does it again for the clock."""

    def __init__(self, problem: Problem, method: Method, x0: Array, thresholds: Array) -> None:
        self.problem, self.method, self.thresholds = problem, method, thresholds
        self.kernels = (
            fo.driver(),
            evaluation.objective(problem),
            kernels.step(method.optimizer, method.params),
            kernels.schedule(method.schedule),
        )
        self._keep: list[Any] = [problem]
        self._drive = self.kernels[0]
        n, k = problem.n, len(thresholds)
        m = kernels.padded(n)
        _, state = kernels.form_of(method.optimizer, method.params)
        sizes = {
            "x": m,
            "g": m,
            "state": m * len(fields(state)),
            "shared": words(method.optimizer.shared),
            "memory": words(method.schedule.state),
            "ints": fo.N_INTS,
            "floats": fo.N_FLOATS,
            "hits": k,
        }
        at, total = {}, 0
        for name, size in sizes.items():
            at[name], total = total, total + kernels.padded(size)
        self.live = kernels.aligned(total)
        self._at, self._sizes = at, sizes
        self._frame(m, n)
        self._start(x0, state)
        self._setup(n, thresholds)

    def _view(self, name: str) -> Array:
        start = self._at[name]
        return self.live[start : start + self._sizes[name]]

    def _address(self, name: str) -> int:
        return self.live.ctypes.data + 8 * self._at[name]

    def _hold(self, array: Any) -> Any:
        self._keep.append(array)
        return array

    def _frame(self, m: int, n: int) -> None:
        work = self._hold(kernels.aligned(m if self.method.optimizer.scale else 1))
        groups = self._hold(np.array([0, n], dtype=np.int64))
        settings = self._hold(pack(encode(self.method.params)))
        frame = [
            self._address("x"),
            self._address("g"),
            n,
            self._address("state"),
            m,
            settings.ctypes.data,
            self._address("shared"),
            work.ctypes.data,
            groups.ctypes.data,
            groups.size,
        ]
        self.frame = np.array(frame, dtype=np.int64)

    def _start(self, x0: Array, state: type) -> None:
        method = self.method
        self._view("x")[: x0.size] = x0
        if method.optimizer.init is not None:
            start = method.optimizer.init(method.params)
            for row, value in zip(self._view("state").reshape(len(fields(state)), -1), start, strict=True):
                row[:] = value
        for name, record in (("shared", method.optimizer.shared), ("memory", method.schedule.state)):
            if record is not Empty:
                self._view(name).view(np.int64)[:] = pack(encode(record()))
        self._view("ints").view(np.int64)[fo.BLOCK] = -fo.RATES
        self._view("hits")[:] = -1.0
        self.pristine = self.live.copy()

    def _setup(self, n: int, thresholds: Array) -> None:
        method = self.method
        rows = LOG_ROWS if method.record != "all" else max(1, min(ROWS, POINTS // n, method.max_iter + 1))
        settings = self._hold(encode(method.schedule_params))
        schedule_params = self._hold(pack(settings))
        columns = [np.empty(rows) for _ in range(4)]
        self.columns = dict(zip(("iteration", "f", "grad_norm", "lr"), columns, strict=True))
        self.points = np.empty((rows if method.record == "all" else 0, n))
        setup = fo.Setup(
            objective=self.kernels[1].address,
            step=self.kernels[2].address,
            schedule=self.kernels[3].address,
            observes=method.schedule.observes,
            x=self._address("x"),
            g=self._address("g"),
            n=n,
            data=evaluation.data_words(self.problem).ctypes.data,
            frame=self.frame.ctypes.data,
            live=self.live,
            pristine=self.pristine,
            ints=self._address("ints"),
            floats=self._address("floats"),
            hits=self._address("hits"),
            schedule_params=schedule_params.ctypes.data,
            schedule_state=self._address("memory"),
            lr=method.lr,
            peak=warmup_target(method.schedule, method.lr, settings),
            warmup=method.warmup,
            warmup_start=method.warmup_start,
            clip=("none", "norm", "value").index(method.clip[0]),
            clip_at=method.clip[1],
            gtol=method.gtol,
            stop=thresholds.size > 0,
            max_iter=method.max_iter,
            every_row=method.record == "all",
            thresholds=thresholds,
            rates=np.empty(fo.RATES),
            snapshot=np.full(n, np.nan),
            iterations=columns[0],
            values=columns[1],
            norms=columns[2],
            lrs=columns[3],
            points=self.points,
        )
        self._hold(setup)
        self.setup = pack(setup)

    @property
    def _ints(self) -> Any:
        return self._view("ints").view(np.int64)

    def run(self, time_limit: float = math.inf) -> Outcome:
        """Do the run from its start, in slices, until it ends or `time_limit` seconds have passed."""
        chunks: list[dict[str, Array]] = []
        start = time.perf_counter()
        code, timed_out = fo.RUNNING, False
        for code in self._slices():
            chunks.append(self._take_rows())
            timed_out = code == fo.RUNNING and time.perf_counter() - start > time_limit
            if timed_out:
                chunks.append(self._last_row())
                break
        trace = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        x = self._view("x")[: self.problem.n].copy()
        return Outcome(code, int(self._ints[fo.T]), x, self._view("hits").copy(), trace, timed_out)

    def seconds(self, repeats: int) -> float:
        """Wall time, in seconds, of `repeats` runs in a row from the start, in one call where one run fits a slice."""
        start = time.perf_counter_ns()
        if repeats > 1:
            self._drive(self.setup.ctypes.data, repeats, fo.NEVER)
        else:
            for _ in self._slices():
                pass
        return (time.perf_counter_ns() - start) * 1e-9

    def _slices(self) -> Iterator[int]:
        """Return codes of the driver, slice by slice, from the start to the end of the run."""
        self.live[:] = self.pristine
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
        return taken

    def _last_row(self) -> dict[str, Array]:
        """The row of the point that the driver stopped at, which it has evaluated but not recorded."""
        f, rate = self._view("floats")[fo.F], self._view("floats")[fo.RATE]
        norm = float(np.linalg.norm(self._view("g")[: self.problem.n]))
        values = (float(self._ints[fo.T]), f, norm, rate)
        row = {name: np.array([value]) for name, value in zip(self.columns, values, strict=True)}
        if self.method.record == "all":
            row["x"] = self._view("x")[None, : self.problem.n].copy()
        return row
