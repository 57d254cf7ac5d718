"""Runs of one cell (problem, optimizer, schedule) that differ in start and learning rate, made ready and done together.

Every number is that of the single run, bit for bit; what is saved is Python's share, which outweighs a short run: one
set of memory a thread, and all starts, targets and ends as arrays.
"""

from __future__ import annotations

import copy
import itertools
import math
import multiprocessing
import operator
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields as dataclass_fields
from functools import partial
from typing import Any

import numpy as np

from optbench import evaluation, harness, parallel
from optbench.jit import Kernel
from optbench.loops.lane_slot import LaneSlot, capacity
from optbench.loops.lanes import WIDTH
from optbench.loops.large import in_pieces, spares_biases
from optbench.loops.members import COLUMNS, Slot, evaluate_all, many, most_rows, sampler
from optbench.loops.prepared import SLICE, Method
from optbench.methods import Optimizer
from optbench.outcome import Result, Run
from optbench.records import encode, fields
from optbench.registry import OPTIMIZERS
from optbench.schedules._warmup import warmup_target
from optbench.types import Array, Problem

SHARES = 8  # parts that a thread's members are cut into, so that no thread waits long for another


def threads_of(threads: int | None, members: int) -> int:
    """Threads to use: by default `parallel.threads`, and one in a worker process; never more than there are members."""
    if threads is None:
        threads = 1 if multiprocessing.parent_process() else parallel.threads()
    return max(1, min(threads, members))


def own_scratch(problem: Problem) -> Problem:
    """The problem for another thread: with memory of its own for what its functions write besides the gradient."""
    scratch = [field.name for field in fields(problem.record) if field.kind == "scratch"]
    if not scratch and not problem.m:
        return problem
    twin = copy.copy(problem)
    twin.data = problem.data._replace(**{name: np.zeros(np.size(getattr(problem.data, name))) for name in scratch})
    return twin


def single(problem: Problem, method: Method) -> str | None:
    """Why the runs of a first-order method on a problem must be done one by one, or None."""
    if reason := method.optimizer.refuses(problem.offers):
        return f"{method.optimizer.name} cannot run on {problem.name}: {reason}"
    if problem.n < parallel.THRESHOLD and spares_biases(problem, method):
        return "decay_bias=False has weight decay act on some parameters alone: use minimize"
    if in_pieces(problem, method):
        return f"{problem.name} with {problem.n} variables is worked on in pieces: use minimize"
    return None


class Cohort:
    """Members with their ends as arrays; `run` does them all.

    Parameters
    ----------
    problem : Problem
        Without constraints.
    method : Method
        Of a first-order optimizer, the full batch and a thinned trace. Its learning rate is not used.
    starts : ndarray, shape (k, n)
    rates : ndarray, shape (k,)
        Learning rates.
    targets : sequence of float
    keep : bool
        Whether every member keeps its trace.
    """

    def __init__(
        self, problem: Problem, method: Method, starts: Array, rates: Array, targets: Sequence[float], keep: bool
    ) -> None:
        self.problem, self.method = problem, method
        settings, k = encode(method.schedule_params), len(starts)
        self.f0, self.slopes = evaluate_all(problem, starts)
        with np.errstate(invalid="ignore", over="ignore"):  # where f0 is not finite
            levels = harness.levels_of(problem, self.f0, targets)
        distinct, place = np.unique(rates, return_inverse=True)
        peaks = np.array([warmup_target(method.schedule, lr, settings) for lr in distinct.tolist()])
        self._rows = (k if keep else 1, most_rows(method.max_iter))
        self.arrays = {
            "starts": starts,
            "rates": rates,
            "peaks": peaks[place],
            "levels": levels,
            "judged": np.isfinite(self.f0) * float(levels.shape[1] > 0),
            "points": np.empty_like(starts),
            "codes": np.zeros(k),
            "steps": np.zeros(k),
            "hits": np.full(levels.shape, -1.0),
            "rows": np.zeros(k),
        }
        if keep:
            self.arrays |= {name: np.empty(self._rows) for name in COLUMNS}
        self.keep, self._stopped = keep, False
        self.threads, self.seconds = 1, 0.0

    def slot(self, problem: Problem) -> Slot:
        """Memory for a thread."""
        levels = self.arrays["levels"]
        made = Slot(problem, self.method, problem.x0, levels[0])
        arrays = self.arrays if self.keep else self.arrays | {name: np.empty(self._rows) for name in COLUMNS}
        made.attach(arrays, self.keep)
        return made

    def run(self, threads: int | None = None) -> None:
        """Do all members on so many threads; Ctrl-C is heeded within a slice.

        Raises KeyboardInterrupt after Ctrl-C, and whatever else went wrong in a thread.
        """
        k = len(self.f0)
        self.threads = threads_of(threads, k)
        slots = [self.slot(own_scratch(self.problem) if i else self.problem) for i in range(self.threads)]
        size = max(1, -(-k // (SHARES * self.threads)))
        shares = deque((first, min(first + size, k)) for first in range(0, k, size))
        self._spread(self.advance, slots, shares)

    def _spread(self, work: Callable[..., Any], slots: Sequence[Any], shares: deque[Any]) -> None:
        """Do ``work(slot, *share)`` of the shares, every slot in a thread of its own, until there is none."""
        failures: list[BaseException] = []
        self._stopped = False

        def drain(slot: Any) -> None:
            try:
                while share := self._next(shares):
                    work(slot, *share)
            except BaseException as error:
                self._stopped = True
                failures.append(error)

        begin = time.perf_counter()
        others = [threading.Thread(target=drain, args=(slot,)) for slot in slots[1:]]
        for thread in others:
            thread.start()
        try:
            drain(slots[0])
            for thread in others:
                thread.join()
        finally:  # after Ctrl-C the others have to be told
            self._stopped = True
            for thread in others:
                thread.join()
        self.seconds = time.perf_counter() - begin
        if failures:
            raise failures[0]

    def _next(self, shares: deque[Any]) -> Any:
        try:
            return None if self._stopped else shares.popleft()
        except IndexError:  # another thread has taken the last one
            return None

    def advance(self, slot: Slot, first: int, last: int, limits: Sequence[float] = (), end: float = math.inf) -> int:
        """Do the members from `first` to before `last`, in slices; how far it came.

        `limits` are the members' time limits in seconds; after the time `end` no further member is begun.
        """
        steps, taken = slot.first_slice(), self.arrays["steps"]
        k, resume, spent = first, False, 0.0
        while k < last and not self._stopped:
            begun, before = taken[k] if resume else 0.0, time.perf_counter()
            at = slot.go(k, last, resume, steps)
            now = time.perf_counter()
            done = taken[k : at + 1].sum() - begun if at < last else taken[k:at].sum() - begun
            steps = max(1, min(4 * steps, int(done * SLICE / max(now - before, 1e-9)))) if done else steps
            under_way = at < last
            if under_way:
                own = taken[at] - (begun if at == k else 0.0)
                spent = (spent if resume and at == k else 0.0) + (now - before) * own / max(done, 1.0)
                if limits and spent > limits[at] and taken[at] >= slot.first_slice():
                    slot.give_up(at)
                    at, under_way = at + 1, False
            k, resume = at, under_way
            last = min(last, k + resume) if now > end else last
        return k

    def run_lanes(self, threads: int | None = None) -> None:
        """Do all members side by side in the lanes of vector instructions, on so many threads.

        The members must stand in the order of their learning rates. Raises as `run`.
        """
        names = ("starts", "rates", "peaks", "levels", "judged", "points", "codes", "steps", "hits")
        arrays = {name: self.arrays[name] for name in names} | {"slopes": self.slopes, "f0": self.f0}
        blocks = deque(blocks_of(self.arrays["rates"], capacity(self.problem, self.method)))
        self.threads, mixed = threads_of(threads, len(blocks)), any(block[2] for block in blocks)
        slots = [LaneSlot(self.problem, self.method, arrays, mixed) for _ in range(self.threads)]
        self._spread(self._cross, slots, blocks)

    def _cross(self, slot: LaneSlot, first: int, last: int, mixed: bool) -> None:
        steps, resume = 1000, False
        while not self._stopped:
            before, begun = time.perf_counter(), slot.steps if resume else 0
            if slot.go(first, last, mixed, resume, steps):
                return
            took, resume = time.perf_counter() - before, True
            steps = max(1, min(4 * steps, int((slot.steps - begun) * SLICE / max(took, 1e-9))))


def blocks_of(rates: Array, lanes: int) -> list[tuple[int, int, bool]]:
    """(first, last, mixed) of blocks of at most so many members with ascending learning rates, shape (k,).

    Members of one learning rate have blocks of their own where they fill a tile; the others share.
    """
    edges = [0, *(np.flatnonzero(np.diff(rates)) + 1).tolist(), rates.size]
    blocks: list[tuple[int, int, bool]] = []
    waiting = 0  # the first member that has no block yet
    for first, last in itertools.pairwise(edges):
        if last - first >= WIDTH:
            blocks += [(at, min(at + lanes, first), True) for at in range(waiting, first, lanes)]
            blocks += [(at, min(at + lanes, last), False) for at in range(first, last, lanes)]
            waiting = last
    return blocks + [(at, min(at + lanes, rates.size), True) for at in range(waiting, rates.size, lanes)]


# ------------------------------------------------------------------------------------------------ runs of a plan

_STARTS: weakref.WeakKeyDictionary[Problem, dict[int, Array]] = weakref.WeakKeyDictionary()
OWN = ("seed", "lr", "time_limit")  # in which runs that are done together may differ
KEPT = 1 << 17  # float64 of starts that are kept a problem


def start_of(problem: Problem, seed: int) -> Array:
    """`harness.start_of`, remembered: the runs of a matrix share their starts."""
    known = _STARTS.setdefault(problem, {})
    if seed not in known:
        if len(known) * problem.n > KEPT:
            known.clear()
        known[seed] = harness.start_of(problem, seed)
    return known[seed]


SHARED = operator.attrgetter(*(each.name for each in dataclass_fields(Run) if each.name not in OWN))


def kind_of(run: Run) -> tuple[Any, ...] | None:
    """What runs that can be done together share, or None for a run that is done alone."""
    if (run.batch_size and run.backend == "cpu") or not isinstance(OPTIMIZERS.get(run.optimizer), Optimizer):
        return None
    shared: tuple[Any, ...] = SHARED(run)
    return shared


def makers_of(run: Run) -> tuple[Callable[[], Kernel], ...]:
    """What compiles or loads each of the kernels that a run needs, among others of its kind."""
    if run.backend == "cuda":  # whose own kernels are made when they run
        return (partial(evaluation.objective, harness.problem_of(run.problem, run.settings)), sampler)
    return (*harness.makers_of(run), *((many, sampler) if kind_of(run) is not None else ()))


def execute_many(runs: Sequence[Run], seconds: float = math.inf) -> list[Result]:
    """Results of `harness.execute` for the first runs: for all that begin within so many seconds, and at least one."""
    results: list[Result] = []
    end = time.perf_counter() + seconds
    for kind, group in itertools.groupby(runs, kind_of):
        members = list(group)
        if results and time.perf_counter() > end:
            break
        done = _execute_group(members, end) if kind is not None and len(members) > 1 else None
        for run in members if done is None else ():
            if results and time.perf_counter() > end:
                return results
            results.append(harness.execute(run))
        results += done or []
        if done is not None and len(done) < len(members):
            break
    return results


def _execute_group(runs: list[Run], end: float) -> list[Result] | None:
    """The same for runs of one kind; None where they must be done alone, for one, because something fails."""
    try:
        problem = harness.problem_of(runs[0].problem, runs[0].settings)
        method = harness.method_of(runs[0], problem)
        if single(problem, method) or problem.validation is not None:
            return None
        starts = np.array([start_of(problem, run.seed) for run in runs])
        rates = np.array([run.lr for run in runs])
        cohort = Cohort(problem, method, starts, rates, runs[0].targets, keep=True)
        slot = cohort.slot(problem)
        done = cohort.advance(slot, 0, len(runs), [run.time_limit for run in runs], end)
        return [harness.judge(slot, slot.outcome(k), runs[k].targets) for k in range(done)]
    except Exception:  # the run that fails says so itself
        return None
