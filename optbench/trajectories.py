"""The points of recorded runs: from the results file where it has them, else from the run done again.

A row of a results file is a complete run, and a run gives the same numbers wherever it is done; only thinned traces
without points are kept. What is done again is checked against the row.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import harness
from optbench.registry import unknown
from optbench.tables import WIDE, run_of
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

    from optbench.store import Results

COLUMNS = ("f", "grad_norm", "lr", "kkt")
LARGEST = 2**31  # bytes of the points of one run beyond which it is refused
SAME = 1e-9  # relative difference of f at the end that another processor may make in its last bits
_LETTERS = dict(zip(WIDE, "xm", strict=True))


def trajectory(run: str | pd.Series[Any], results: Results | None = None) -> pd.DataFrame:
    """Every iteration of one recorded run, with its point.

    Parameters
    ----------
    run : Series or str
        A row of ``runs``, or its key, which takes `results`.
    results : Results, optional
        The file it is of, whose recorded points are taken where it has them. Otherwise, and without it, the run is done
        again.

    Returns
    -------
    DataFrame
        One row an iteration: ``run`` (the key), ``iteration`` from 0, ``f``, ``grad_norm``, ``lr``, ``kkt`` (NaN
        without constraints), the point as ``x0`` ... ``x{n-1}`` and, for a problem with constraints, the multipliers
        as ``m0`` ... ``m{m-1}``.

    Raises
    ------
    UnknownName
        `results` has no such run; or the problem, the optimizer or the schedule is not registered here.
    ValueError
        The run failed, or was done on a GPU, and has no points; the points would take more than 2 GiB; or the run, done
        again, is not the one that the row records: code or data have changed since.
    """
    if isinstance(run, str):
        if results is None:
            raise ValueError(f"a run's key, {run!r}, needs the results that it is of")
        if run not in results.runs.index:
            raise unknown("run", run, results.runs.index)
        row: Any = results.runs.loc[run]
    else:
        row = run
    key = str(row.name)
    recorded = None if results is None else results.points(key)
    if results is not None and recorded is not None:
        table = results.traces[results.traces["run"] == key]
        columns = {name: table[name].to_numpy() for name in ("iteration", *COLUMNS)} | {"x": recorded}
        multipliers = results.points(key, "multipliers")
        return _frame(key, columns if multipliers is None else columns | {"multipliers": multipliers})
    return _frame(key, _again(row))


def trajectories(runs: pd.DataFrame, results: Results | None = None) -> pd.DataFrame:
    """The trajectories of all rows of `runs`, one below the other; see `trajectory`.

    Runs of fewer parameters than others have NaN in the columns that they lack.

    Raises
    ------
    UnknownName, ValueError
        As in `trajectory`, or there is no run.
    """
    import pandas as pd

    if not len(runs):
        raise ValueError("there is no run whose points could be shown")
    return pd.concat([trajectory(row, results) for _, row in runs.iterrows()], ignore_index=True)


def points_of(frame: pd.DataFrame, letter: str = "x") -> Array:
    """Points of a trajectory, or of the trace of `optbench.minimize`, shape (k, n); with "m" the multipliers, (k, m).

    Raises
    ------
    ValueError
        The table has no points: `minimize` keeps them with ``record="all"``.
    """
    names = {short: name for name, short in _LETTERS.items()}
    if names[letter] in frame.attrs:
        return np.asarray(frame.attrs[names[letter]], dtype=np.float64)
    columns = [name for name in frame.columns if name[:1] == letter and name[1:].isdigit()]
    if not columns:
        raise ValueError("this table has no points: record them with record='all', or use optbench.trajectories")
    return frame[columns].to_numpy(dtype=np.float64)


def _again(row: pd.Series[Any]) -> dict[str, Array]:
    """Columns of the trace of a run done again with all its points."""
    run, steps = run_of(row), int(row["nit"])
    name = f"run {row.name} ({run.optimizer} on {run.problem})"
    if row["status"] in ("error", "crashed"):
        raise ValueError(f"{name} has no points: {row['status']}, {row['message']}")
    if run.backend != "cpu":
        raise ValueError(f"{name} was done on {run.device}, which keeps no points, and a processor has other last bits")
    problem = harness.problem_of(run.problem, run.settings)
    if 8 * (problem.n + problem.m) * (steps + 1) > LARGEST:
        raise ValueError(f"{name} has {steps + 1} points of {problem.n} numbers, which is more than 2 GiB")
    # What the clock has ended is done up to where it came.
    ready = harness.prepare(
        dataclasses.replace(run, max_iter=steps) if row["status"] == "timeout" else run, record="all"
    )
    result = harness.judge(ready, ready.run(), run.targets)
    if result.nit != steps or not _same(result.fun, float(row["fun"]), float(row["f0"])):
        raise ValueError(
            f"{name} took {steps} iterations to f = {row['fun']!r} when it was recorded, and {result.nit} to "
            f"{result.fun!r} now: code or data have changed since; run the matrix again"
        )
    return result.trace


def _same(now: float, then: float, start: float) -> bool:
    """Whether two end values are of the same run, but for the last bits of another processor."""
    floor = 1e-12 * abs(start) if math.isfinite(start) else 0.0
    return (math.isnan(now) and math.isnan(then)) or math.isclose(now, then, rel_tol=SAME, abs_tol=floor)


def _frame(key: str, trace: dict[str, Array]) -> pd.DataFrame:
    import pandas as pd

    rows = len(trace["iteration"])
    columns: dict[str, Any] = {"run": pd.array([key] * rows, dtype="str")}
    columns["iteration"] = np.asarray(trace["iteration"], dtype=np.int64)
    columns |= {name: trace.get(name, np.full(rows, np.nan)) for name in COLUMNS}
    parts = [pd.DataFrame(columns)]
    for name, letter in _LETTERS.items():
        if name in trace:
            wide = trace[name]
            parts.append(pd.DataFrame(wide, columns=[f"{letter}{k}" for k in range(wide.shape[1])]))
    return pd.concat(parts, axis=1)
