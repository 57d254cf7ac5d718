"""From a plan to a results file: what is missing is compiled, run by workers, recorded and timed.

Every result is durable as soon as it arrives, so the same command goes on where an earlier one stopped, however that
ended. Workers are spawned processes that get names and numbers; a worker that crashes or hangs costs the run that did
it, which becomes a row with that status.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from optbench import footprint, harness, jit, parallel
from optbench.cohort import execute_many, makers_of
from optbench.entries import load_file
from optbench.environment import environment
from optbench.outcome import Result, Run
from optbench.plan import Plan
from optbench.store import Entry, Store

SHARE = 0.25  # seconds after which a worker hands back what it has
BATCH = 64  # runs that a worker gets at a time
GRACE = 60.0  # seconds beyond a run's own time limit after which its worker is taken to hang

Progress = Callable[[str, int, int], None]


@dataclass
class Outcome:
    """What a call of `run_plan` did."""

    planned: int = 0
    kept: int = 0
    outdated: int = 0
    done: int = 0
    timed: int = 0
    compiled: int = 0
    compile_seconds: float = 0.0
    count_seconds: float = 0.0
    time_seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def run_plan(
    plan: Plan,
    path: str | os.PathLike[str],
    *,
    jobs: int = 1,
    repeats: int = 5,
    command: str = "optbench.run",
    load: Sequence[str] = (),
    progress: Progress = _silent,
    traces: bool = True,
) -> Outcome:
    """Do every run of the plan that the results file does not hold yet, then time the ones without times.

    Parameters
    ----------
    plan : Plan
    path : path-like
        Results file, made where there is none.
    jobs : int
        Worker processes of the counting pass, fewer where memory does not suffice for so many; 0 counts in this
        process, which a crash in a kernel then ends. The timing pass always runs alone.
    repeats : int
        Timed samples a run; 0 for none.
    command : str
        Recorded with the environment.
    load : sequence of str
        The user's own Python files, which workers import first.
    progress : callable
        ``progress(stage, done, total)`` with stage 'compile', 'run' or 'time'.
    traces : bool
        Whether traces are recorded.

    Raises
    ------
    ValueError
        The runs need more memory than there is.
    StoreError
        The file is in use, foreign, newer or cannot be written.
    """
    if jobs < 0 or repeats < 0:
        raise ValueError(f"jobs and repeats must be at least 0, not {jobs} and {repeats}")
    memory = plan.describe()["memory"]
    footprint.check("the plan", memory)
    jobs = min(jobs, max(1, footprint.available() // max(1, memory))) if memory > footprint.CHECKED else jobs
    harness.forget_problems()
    outcome = Outcome(planned=len(plan.runs))
    with Store(path) as store:
        recorded = store.finished(run.key for run in plan.runs)
        todo = [run for run in plan.runs if recorded.get(run.key) != harness.code_of(run)]
        outcome.outdated = sum(run.key in recorded for run in todo)
        outcome.kept = len(plan.runs) - len(todo)
        invocation = store.begin(command, environment())
        if todo:
            _count(store, invocation, plan, todo, jobs, load, progress, outcome, traces)
        if repeats:
            start = time.perf_counter()
            untimed = _untimed(store, plan.runs)
            for run, seconds in harness.measure(untimed, repeats):
                store.add_times(run.key, seconds)
                outcome.timed += 1
                progress("time", outcome.timed, len(untimed))
            outcome.time_seconds = time.perf_counter() - start
        store.finish(invocation, vars(outcome))
    return outcome


def _untimed(store: Store, runs: Sequence[Run]) -> list[Run]:
    rows = store.runs()
    wanted = rows.index[(rows["n_times"] == 0) & ~rows["status"].isin(["timeout", "error", "crashed"])]
    keys = set(wanted)
    return [run for run in runs if run.key in keys]


def _count(
    store: Store,
    invocation: int,
    plan: Plan,
    todo: list[Run],
    jobs: int,
    load: Sequence[str],
    progress: Progress,
    outcome: Outcome,
    traces: bool,
) -> None:
    with Workers(min(jobs, len(todo)), load) if jobs else InProcess() as workers:
        compiled = _compile(todo, workers, progress, outcome)
        start = time.perf_counter()

        def record(results: list[tuple[Run, Result]]) -> None:
            for run, result in results:
                result.compile_seconds = compiled.get(run.key, 0.0)
                result.trace = result.trace if traces else {}
                outcome.statuses[result.status] = outcome.statuses.get(result.status, 0) + 1
            store.add_many([_entry(plan, run, result) for run, result in results], invocation)
            outcome.done += len(results)
            progress("run", outcome.done, len(todo))

        workers.map(todo, record)
        outcome.count_seconds = time.perf_counter() - start


def _entry(plan: Plan, run: Run, result: Result) -> Entry:
    problem = harness.problem_of(run.problem, run.settings)
    code, label = harness.code_of(run), plan.optimizer_label(run)
    return Entry(run, result, code, problem.n, problem.reference, label, problem.n_samples, bool(problem.frozen))


def _compile(todo: list[Run], workers: Workers | InProcess, progress: Progress, outcome: Outcome) -> dict[str, float]:
    """Have every kernel compiled once, side by side, into the cache; seconds by the run that needed it first."""
    first: dict[Any, Run] = {}
    for run in todo:
        for part in ((run.problem, run.settings), (run.optimizer, run.params), run.schedule):
            first.setdefault(part, run)
    tasks: dict[Any, tuple[Run, int]] = {}
    for run in dict.fromkeys(first.values()):
        with suppress(Exception):  # the run itself reports it, as a row
            for index, make in enumerate(makers_of(run)):
                tasks.setdefault(_identity(make), (run, index))
    spent: dict[str, float] = {}
    if jit.cache_folder() is None:  # every process has to compile for itself
        return spent
    for k, ((run, _), cost) in enumerate(workers.warm(list(tasks.values()))):
        seconds, cached = cost or (0.0, True)
        spent[run.key] = spent.get(run.key, 0.0) + seconds
        outcome.compiled += not cached
        outcome.compile_seconds += seconds
        progress("compile", k + 1, len(tasks))
    return spent


def _identity(make: Any) -> tuple[Any, ...]:
    """What tells kernels apart before they are compiled: what makes them, of which functions, in which variant."""
    parts = [getattr(make, "func", make)]
    for item in getattr(make, "args", ()):
        flags = [value for value in item if isinstance(value, bool)] if isinstance(item, tuple) else []
        functions = [id(getattr(item, name, None)) for name in ("fun_grad", "residuals")]
        parts.append((getattr(item, "name", type(item)), *flags, *functions))
    return tuple(parts)


def _warm(run: Run, index: int) -> tuple[float, bool] | None:
    """Compile or load one of a run's kernels: seconds, and whether it was in the cache; None where that fails."""
    try:
        kernel = makers_of(run)[index]()
    except Exception:  # the run itself reports it, as a row
        return None
    return kernel.seconds, kernel.cached


# ---------------------------------------------------------------------------------------------------- workers


def _start_worker(load: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    for path in load:
        load_file(path)


def _work(batch: list[Run]) -> list[Result]:
    """Results of the first runs of a batch: as many as start within `SHARE` seconds."""
    return execute_many(batch, SHARE)


class InProcess:
    """The same work without any worker."""

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """There is nothing to stop."""

    def warm(self, tasks: list[tuple[Run, int]]) -> Iterator[tuple[tuple[Run, int], tuple[float, bool] | None]]:
        """Compile the kernels of the tasks; what each took, as it is done."""
        for task in tasks:
            yield task, _warm(*task)

    def map(self, runs: list[Run], record: Callable[[list[tuple[Run, Result]]], None]) -> None:
        """Do all runs, one after the other."""
        while runs:
            results = _work(runs[:BATCH])
            record(list(zip(runs, results, strict=False)))
            runs = runs[len(results) :]


class Workers:
    """A pool of spawned processes that survives the crash of any of them.

    Ctrl-C is noted and acted upon between two results: in the middle of the pool's own work it could leave a lock held.
    """

    def __init__(self, jobs: int, load: Sequence[str]) -> None:
        from pebble import ProcessPool

        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", parallel.VARIABLE), "1"
        )
        self._restore = {name: os.environ.get(name) for name in threads}
        os.environ.update(threads)  # read by the libraries when a worker starts
        self._jobs = jobs
        self._pool = ProcessPool(
            max_workers=jobs,
            context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(tuple(load),),
        )
        self._finished: queue.SimpleQueue[tuple[list[Run], Any]] = queue.SimpleQueue()
        for _ in range(jobs):
            self._pool.schedule(_work, args=([],))

    def __enter__(self) -> Workers:
        self._stopped = False
        main = threading.current_thread() is threading.main_thread()
        self._handler = signal.signal(signal.SIGINT, self._stop) if main else None
        return self

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _wait(self, done: Callable[[], bool]) -> None:
        """Return when `done`; raise KeyboardInterrupt after Ctrl-C."""
        while not self._stopped and not done():
            time.sleep(0.005)
        if self._stopped:
            raise KeyboardInterrupt

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        for name, value in self._restore.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def warm(self, tasks: list[tuple[Run, int]]) -> Iterator[tuple[tuple[Run, int], tuple[float, bool] | None]]:
        """Compile the kernels of the tasks side by side; what each took, in their order."""
        futures = [self._pool.schedule(_warm, args=task) for task in tasks]
        for task, future in zip(tasks, futures, strict=True):
            self._wait(future.done)
            try:
                yield task, future.result()
            except Exception:  # a compiler that crashed its worker: the run itself reports it, as a row
                yield task, None

    def _submit(self, batch: list[Run]) -> None:
        limit = max(run.time_limit for run in batch) + GRACE
        future = self._pool.schedule(_work, args=(batch,), timeout=limit)
        future.add_done_callback(lambda done: self._finished.put((batch, done)))

    def map(self, runs: list[Run], record: Callable[[list[tuple[Run, Result]]], None]) -> None:
        """Do all runs; `record` gets the results, in this thread, as they arrive."""
        size = max(1, min(BATCH, len(runs) // (4 * self._jobs)))
        waiting = deque(runs[start : start + size] for start in range(0, len(runs), size))
        under_way = 0
        while waiting or under_way:
            while waiting and under_way < 2 * self._jobs:
                self._submit(waiting.popleft())
                under_way += 1
            self._wait(lambda: not self._finished.empty())
            batch, done = self._finished.get()
            under_way -= 1
            results, again = _collect(batch, done)
            waiting.extendleft(reversed(again))
            if results:
                record(results)


def _collect(batch: list[Run], done: Any) -> tuple[list[tuple[Run, Result]], list[list[Run]]]:
    """Results that a future brought, and the batches that have to be sent again."""
    from pebble import ProcessExpired

    try:
        results = done.result()
    except (ProcessExpired, FutureTimeout) as error:
        if len(batch) > 1:
            return [], [[run] for run in batch]  # one of them did it: find out which
        if isinstance(error, ProcessExpired):
            reason = f"the worker process died, exit code {error.exitcode}"
            return [(batch[0], harness.failed("crashed", reason, batch[0].targets))], []
        reason = f"no answer {GRACE:g} s after the time limit; the worker was stopped"
        return [(batch[0], harness.failed("timeout", reason, batch[0].targets))], []
    pairs = list(zip(batch, results, strict=False))
    rest = batch[len(pairs) :]
    return pairs, [rest] if rest else []
