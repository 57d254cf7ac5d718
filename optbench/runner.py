"""From a plan to a results file: what is missing is compiled, run by workers, recorded and timed.

Every result is durable as soon as it arrives, so the same command goes on where an earlier one stopped, however that
ended. Workers are spawned processes that get names and numbers; a worker that crashes or hangs costs the run that did
it, which becomes a row with that status.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from optbench import devices, footprint, harness, jit
from optbench.cohort import makers_of
from optbench.entries import facts_of
from optbench.environment import environment
from optbench.outcome import Result, Run
from optbench.plan import Plan
from optbench.store import Entry, Store
from optbench.types import Problem
from optbench.workers import InProcess, Workers

Progress = Callable[[str, int, int], None]
FUNCTIONS = ("fun_grad", "residuals", "constraints", "hess_fun", "curvature", "measure", "phases")  # of a problem


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
    on_gpu = any(run.backend == "cuda" for run in plan.runs)
    jobs = 0 if on_gpu else _affordable(plan, jobs)  # one process has the GPU
    harness.forget_problems()
    outcome = Outcome(planned=len(plan.runs))
    with Store(path) as store:
        recorded = store.finished(run.key for run in plan.runs)
        todo = [run for run in plan.runs if recorded.get(run.key) != harness.code_of(run)]
        outcome.outdated = sum(run.key in recorded for run in todo)
        outcome.kept = len(plan.runs) - len(todo)
        invocation = store.begin(command, environment() | ({"cuda": devices.facts()} if on_gpu else {}))
        if todo:
            _count(store, invocation, plan, todo, jobs, load, progress, outcome, traces)
        if repeats:
            start = time.perf_counter()
            untimed = _untimed(store, plan.runs)
            for run, seconds in _measure(untimed, repeats):
                store.add_times(run.key, seconds)
                outcome.timed += 1
                progress("time", outcome.timed, len(untimed))
            outcome.time_seconds = time.perf_counter() - start
        store.finish(invocation, vars(outcome))
    return outcome


def _affordable(plan: Plan, jobs: int) -> int:
    """Workers, at most `jobs`, for which memory suffices: each holds a problem at work, this process another copy."""
    memory: int = plan.describe()["memory"]
    held = 0
    if jobs and 2 * memory > footprint.CHECKED:  # no problem is larger than itself at work
        held = max(facts_of(name, dict(settings))[1] for name, settings in {(r.problem, r.settings) for r in plan.runs})
    again = ", with a second copy of its largest problem for the worker,"
    footprint.check(f"the plan{again if held else ''}", memory + held)
    if memory + held < footprint.CHECKED:
        return jobs
    return min(jobs, max(1, (footprint.available() - held) // memory))


def _measure(runs: Sequence[Run], repeats: int) -> Iterator[tuple[Run, list[float]]]:
    """Wall times of the runs; see `harness.measure` and `cuda.runs.measure`."""
    yield from harness.measure([run for run in runs if run.backend == "cpu"], repeats)
    if others := [run for run in runs if run.backend == "cuda"]:
        from optbench.cuda.runs import measure

        yield from measure(others, repeats)


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
                result.compile_seconds += compiled.get(run.key, 0.0)
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
        for part in ((run.problem, run.settings, *_form(run)), run.schedule):
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


def _form(run: Run) -> tuple[Any, ...]:
    """What of a run, besides problem and schedule, may decide which kernels it needs: of numbers, which are zero."""
    traits = tuple(value if isinstance(value, (bool, str)) else value != 0 for _, value in run.params)
    return run.optimizer, traits, run.decay_bias, run.batch_size > 0


def _identity(make: Any) -> tuple[Any, ...]:
    """What tells kernels apart before they are compiled: what makes them, of which functions, in which variant."""
    parts = [getattr(make, "func", make)]
    for item in getattr(make, "args", ()):
        flags = [value for value in item if isinstance(value, bool)] if isinstance(item, tuple) else []
        functions = [getattr(item, name) for name in FUNCTIONS] if isinstance(item, Problem) else []
        parts.append((getattr(item, "name", type(item)), *flags, *functions))
    return tuple(parts)
