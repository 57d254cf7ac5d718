"""Runs of a plan on the GPU: those of one cell in one launch, judged as those of the CPU are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optbench import harness
from optbench.cohort import kind_of, start_of
from optbench.cuda.cohort import DeviceCohort
from optbench.devices import require
from optbench.outcome import Result, Run
from optbench.types import Array, Problem

SLACK = {"float64": harness.SLACK, "float32": 1e-5}  # of a re-evaluated objective, relative, see `harness.judge`


def cohort_of(
    runs: Sequence[Run], problem: Problem | None = None, starts: Array | None = None, **options: Any
) -> DeviceCohort:
    """The cohort of runs that differ in start, learning rate and time limit alone; `options` as `harness.method_of`."""
    problem = problem or harness.problem_of(runs[0].problem, runs[0].settings)
    starts = np.array([start_of(problem, run.seed) for run in runs]) if starts is None else starts
    rates, method = np.array([run.lr for run in runs]), harness.method_of(runs[0], problem, **options)
    streams = [harness.batching_of(run, problem).stream for run in runs]
    return DeviceCohort(problem, method, starts, rates, runs[0].targets, True, runs[0].dtype, streams)


def ensemble_of(
    run: Run, problem: Problem, starts: Array, rates: Array, seeds: NDArray[np.int64], keep: bool
) -> DeviceCohort:
    """Do a run from other starts, with other learning rates and seeds of its mini-batches, a row each."""
    distinct, places = np.unique(seeds if run.batch_size else np.zeros_like(seeds), return_inverse=True)
    streams = np.array([harness.batching_of(replace(run, seed=seed), problem).stream for seed in distinct.tolist()])
    method = harness.method_of(run, problem)
    cohort = DeviceCohort(problem, method, starts, rates, run.targets, keep, run.dtype, streams[places])
    cohort.run_on_device()
    return cohort


def results_of(runs: Sequence[Run], cohort: DeviceCohort, time_limit: float) -> list[Result]:
    """Do the runs and judge each, at its end point, on the CPU and in float64."""
    cohort.run_on_device(time_limit)
    slack = SLACK[runs[0].dtype]
    results = [harness.judge(cohort, cohort.outcome(k), run.targets, slack) for k, run in enumerate(runs)]
    results[0].compile_seconds, results[0].transfer_seconds = cohort.compile_seconds, cohort.transfer_seconds
    return results


def execute(runs: Sequence[Run]) -> list[Result]:
    """Results of runs of one kind. A failure of any kind is a Result with its reason, never an exception."""
    try:
        return results_of(runs, cohort_of(runs), min(run.time_limit for run in runs))
    except Exception as error:
        return [harness.failed("error", f"{type(error).__name__}: {error}", run.targets) for run in runs]


def measure(runs: Sequence[Run], repeats: int) -> Iterator[tuple[Run, list[float]]]:
    """Wall times of the runs, `repeats` samples each, in seconds.

    A run's time is that of the launches that it was done in, from the first to the end of the last, together with the
    other runs of its cell: they all take that long.
    """
    require()
    for _, members in itertools.groupby(runs, kind_of):
        group = list(members)
        cohort = cohort_of(group)
        cohort.run_on_device(math.inf)
        seconds = cohort.time(repeats)
        for run in group:
            yield run, seconds
