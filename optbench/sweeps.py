"""A sweep from Python: one or two settings over a range, and what comes of every value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optbench import sweep_table
from optbench.runner import run_plan
from optbench.store import load
from optbench.swept import short
from optbench.vary import sweep_plan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

REPEATS = 3  # timed samples a run: the wall time is no more than a column here


@dataclass(frozen=True)
class Sweep:
    """Runs of a sweep, their hits, names of the settings that were varied, the target of table and figures."""

    runs: pd.DataFrame
    hits: pd.DataFrame
    by: tuple[str, ...]
    target: float | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for every value or pair of values; see `optbench.sweep_table.table`."""
        return sweep_table.table(self.runs, self.hits, self.by, target=self.target)

    def plot(self) -> Figure:
        """The curve of one setting, the map of two."""
        from optbench import plots

        if len(self.by) == 1:
            return plots.sweep_curve(self.runs, self.hits, by=self.by[0], target=self.target)
        return plots.sweep_map(self.runs, self.hits, by=self.by, target=self.target)


def sweep(
    problem: Any,
    optimizer: Any,
    vary: Mapping[str, Sequence[Any] | str],
    *,
    schedule: Any = None,
    clip: Any = None,
    batch_size: Any = None,
    seeds: int | Sequence[int] = 5,
    max_iter: int | None = None,
    epochs: float | None = None,
    time_limit: float | None = None,
    target: float | None = None,
    output: str | os.PathLike[str] = "sweep.db",
    jobs: int = 0,
    repeats: int = REPEATS,
) -> Sweep:
    """Run one or two settings over a range; what `output` holds already is not run again.

    Parameters
    ----------
    problem, optimizer, schedule, clip, batch_size
        An entry of a matrix, or a list of such: a name, or a mapping with ``name`` and settings; ``{"norm": 1.0}``; a
        number of samples or ``"full"``.
    vary : mapping
        Values by key, one key or two: a list, or a range as text, ``"1e-4..1:log:13"``. Keys and ranges are those of
        `optbench.vary`.
    seeds : int or sequence of int
        Starts: a number k stands for 0, ..., k - 1.
    max_iter, epochs, time_limit : optional
        Budget of a run.
    target : float, optional
        Of the table and the figures. Default: 1e-6 if any run meets it, else the smallest that any does.
    output : path-like
        Results file.
    jobs, repeats : int
        As in `optbench.run`.

    Raises
    ------
    ValueError
        Among others `UnknownName` and `ConfigError`: what is wrong, in a sentence each. Nothing was run then.
    StoreError
        The results file cannot be used.
    """
    entries = {"problem": problem, "optimizer": optimizer, "schedule": schedule, "clip": clip, "batch": batch_size}
    budget = {"seeds": seeds, "max_iter": max_iter, "epochs": epochs, "time_limit": time_limit}
    plan, by = sweep_plan(
        {factor: _listed(entry) for factor, entry in entries.items()},
        vary,
        {key: value for key, value in budget.items() if value is not None},
        target,
    )
    run_plan(plan, output, jobs=jobs, repeats=repeats, command="optbench.sweep")
    return results_of(load(output), [run.key for run in plan.runs], by, target)


def results_of(results: Any, keys: Sequence[str], by: tuple[str, ...], target: float | None) -> Sweep:
    """The sweep with the runs of these keys in a results file."""
    runs = results.runs.loc[list(keys)]
    return Sweep(runs, results.hits[results.hits["run"].isin(keys)], tuple(short(runs, by)), target)


def _listed(entry: Any) -> list[Any]:
    return [] if entry is None else entry if isinstance(entry, list) else [entry]
