"""Runs of one cell on the GPU, with their ends as arrays in the form of `optbench.cohort`."""

from __future__ import annotations

import math
import types as pytypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optbench import evaluation, parallel
from optbench.cohort import Cohort
from optbench.cuda import whole
from optbench.cuda.session import Ends, Session
from optbench.devices import BackendError
from optbench.fingerprints import references
from optbench.loops import first_order as fo
from optbench.loops.large import spares_biases
from optbench.loops.members import COLUMNS, TIMED_OUT
from optbench.loops.prepared import Counts, Method, Outcome
from optbench.methods import Optimizer
from optbench.types import Array, Problem

REAL = {"float64": np.float64, "float32": np.float32}


def refusal(problem: Problem, method: Method) -> str | None:
    """Why the runs of a method on a problem stay on the CPU, or None."""
    if not isinstance(method.optimizer, Optimizer):
        return f"{method.optimizer.name} is no first-order method"
    if problem.constraints is not None:
        return f"{problem.name} has constraints"
    if problem.validation is not None:
        return "held-out samples are measured on the CPU alone"
    if spares_biases(problem, method):
        return "decay_bias=False has weight decay act on some parameters alone"
    if _names(problem.fun_grad or problem.residuals, "reshape"):
        return f"the objective of {problem.name} views its variables as matrices, and a GPU's runs lie interleaved"
    if problem.n >= parallel.THRESHOLD and (reason := whole.refusal(problem, method)):
        return f"{problem.name} with {problem.n} variables is work for all threads together, and {reason}"
    return None


def _names(function: Any, name: str) -> bool:
    """Whether a plain function, or one that it calls, names something so."""
    if not isinstance(function, pytypes.FunctionType):
        return False
    return name in function.__code__.co_names or any(_names(item, name) for _, item in references(function))


class DeviceCohort(Cohort):
    """Members on the GPU; `run_on_device` does them all, and can be called again for the clock.

    Parameters
    ----------
    problem, method, starts, rates, targets, keep
        As of `Cohort`; the method may be on mini-batches, and record all points.
    dtype : {"float64", "float32"}
    streams : sequence of int, shape (k,)
        Starts of the members' streams of mini-batches; default: the method's.

    Attributes
    ----------
    seconds, transfer_seconds, compile_seconds : float
        As of `Session`.
    recorded : ndarray, shape (k, rows, n)
        Points, where the method records all.

    Raises
    ------
    BackendError
        There is no device, its memory does not suffice, or the runs stay on the CPU.
    """

    def __init__(
        self,
        problem: Problem,
        method: Method,
        starts: Array,
        rates: Array,
        targets: Sequence[float],
        keep: bool,
        dtype: str = "float64",
        streams: Sequence[int] | NDArray[np.int64] = (),
    ) -> None:
        if reason := refusal(problem, method):
            raise BackendError(f"{method.optimizer.name} on {problem.name} stays on the CPU: {reason}")
        super().__init__(problem, method, starts, rates, targets, keep)
        self.real = REAL[dtype]
        levels = np.where(self.arrays["judged"][:, None] > 0.0, self.arrays["levels"], -np.inf)
        rows = (method.max_iter + 1 if method.record == "all" else self._rows[1]) if keep else 0
        each = np.array(streams if len(streams) else [method.batching.stream] * len(starts), dtype=np.int64)
        alone = problem.n >= parallel.THRESHOLD
        size = 1 if alone else max(len(starts), 1)
        self._parts = [slice(at, at + size) for at in range(0, len(starts), size)]

        def session(part: slice) -> Session:
            members = (starts[part], rates[part], levels[part], each[part])
            return Session(problem, method, *members, rows, self.real, alone)

        self._session: Callable[[slice], Session] = session
        self._ready: Session | None = None
        self.transfer_seconds = self.compile_seconds = 0.0

    def run_on_device(self, time_limit: float = math.inf) -> None:
        """Do all members: together, but large problems one after the other."""
        ends = [self._run_part(part, time_limit) for part in self._parts]
        joined = Ends._make(_joined([end[i] for end in ends]) for i in range(len(Ends._fields)))
        named = {"points": joined.points, "codes": joined.codes, "steps": joined.steps, "rows": joined.rows}
        self.arrays |= {name: array.astype(np.float64) for name, array in named.items()} | {"hits": joined.hits}
        self.arrays |= dict(zip(COLUMNS, joined.trace.values(), strict=False))
        self.recorded = joined.recorded

    def _run_part(self, part: slice, time_limit: float) -> Ends:
        session = self._session(part)
        self.compile_seconds += session.compile_seconds
        session.run(time_limit)
        ends = session.fetch()
        self.seconds += session.seconds
        self.transfer_seconds += session.transfer_seconds
        self._ready = session
        ends.codes[ends.codes == fo.RUNNING] = TIMED_OUT
        return ends

    def time(self, repeats: int) -> list[float]:
        """Wall times of doing all members once more; of large problems, of the last."""
        session = self._ready
        assert session is not None
        session.for_the_clock(self.arrays["steps"][self._parts[-1]])
        seconds = []
        for _ in range(repeats):
            session.run(timed=True)
            seconds.append(session.seconds)
        return seconds

    def outcome(self, k: int) -> Outcome:
        """What a single run would have left for member `k`; `thresholds` become the member's."""
        arrays = self.arrays
        self.thresholds = arrays["levels"][k] if arrays["judged"][k] else np.empty(0)
        rows, timed_out = int(arrays["rows"][k]), arrays["codes"][k] == TIMED_OUT
        steps, x = int(arrays["steps"][k]), arrays["points"][k]
        hits = arrays["hits"][k, : self.thresholds.size]
        names = zip(("iteration", "f", "grad_norm", "lr"), COLUMNS, strict=True)
        trace = {name: arrays[column][k, :rows] for name, column in names} if self.keep else {}
        if self.recorded.size:
            trace["x"] = self.recorded[k, :rows]
        if timed_out:
            f, g = evaluation.evaluate(self.problem, x)
            hits[(hits < 0) & (f <= self.thresholds)] = steps
            last = {"iteration": steps, "f": f, "grad_norm": np.linalg.norm(g), "lr": math.nan, "x": x}
            trace = {name: np.concatenate([column, [last[name]]]) for name, column in trace.items()}
        code = fo.RUNNING if timed_out else int(arrays["codes"][k])
        return Outcome(code, steps, x.copy(), hits.copy(), trace, bool(timed_out), Counts(steps + 1))


def _joined(parts: list[Any]) -> Any:
    """Arrays one after the other, or dictionaries of them."""
    if isinstance(parts[0], dict):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(parts)
