"""Statistics of results: tables in, tables out.

What is compared is the cost of a run to a target: iterations or seconds until f - f_opt <= target (f(x_0) - f_opt). A
run that never met the target costs infinity, so a median is infinite when half of the runs or more failed. The cost is
NaN, not judged, where the problem's minimum is unknown or the run was not asked for that target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from optbench.labels import labels_of
from optbench.outcome import STATUSES, Run
from optbench.tables import run_of
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

On = Literal["iterations", "seconds"]

TARGETS = (1e-1, 1e-3, 1e-6, 1e-8)  # shown by default, where they were asked for
FACTORS = ("problem", "optimizer", "schedule", "clip", "batch")
BATCH = ("batch_size", "batch_order", "drop_last")
_BUDGET = ("max_iter", "time_limit", "targets")
_CELL = (
    "problem",
    "settings",
    "schedule",
    "schedule_params",
    "warmup",
    "warmup_start",
    "clip",
    "clip_at",
    *BATCH,
    "label",
)


# --------------------------------------------------------------------------------------------------------- labels


def labels(runs: pd.DataFrame) -> pd.DataFrame:
    """Short names of the factors of every run: ``problem, optimizer, schedule, clip``, index as in `runs`.

    Equal labels mean runs that differ by their seed alone, but for a learning rate that is set per problem. The
    problem's label tells its size, and the budget where one cell was run with several. The optimizer's is the one
    that was recorded, unless several matrices in one file gave the same label to different settings.
    """
    import pandas as pd

    # The label of a run does not depend on its seed: most rows of a matrix need no Run of their own.
    columns = [name for name in Run.__dataclass_fields__ if name != "seed"]
    kinds = runs.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(kinds, return_index=True)[1]
    made = [replace(run_of(row), seed=0) for _, row in runs.iloc[first].iterrows()]
    known = labels_of(made)
    table = pd.DataFrame([known[made[kind]] for kind in kinds], columns=list(FACTORS), index=runs.index, dtype="str")
    settings = runs["optimizer"] + runs["params"] + runs["lr"].astype("str")
    if not (settings.groupby([runs[name] for name in _CELL]).nunique() > 1).any():
        table["optimizer"] = runs["label"]
    sized = table["problem"].str.contains(" n=", regex=False)
    table["problem"] = table["problem"].where(sized, table["problem"] + " n=" + runs["n"].astype("str"))
    return _with_budget(table, runs)


def _with_budget(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    plain = table.copy()
    for name in _BUDGET:
        cells = runs[name].groupby([plain[factor] for factor in FACTORS]).nunique()
        several = cells[cells > 1].index.get_level_values("problem")
        longer = table["problem"] + f" {name}=" + runs[name].astype("str")
        table["problem"] = table["problem"].where(~plain["problem"].isin(several), longer)
    return table


def factors_of(table: pd.DataFrame) -> list[str]:
    """Columns of `labels` that name a cell: problem, optimizer, schedule, and clip and batch where they vary."""
    return [*FACTORS[:3], *(name for name in FACTORS[3:] if table[name].nunique() > 1)]


# ---------------------------------------------------------------------------------------------------------- costs


def target_text(target: float) -> str:
    """Text of a target in column names and figures: ``1e-6``."""
    return np.format_float_scientific(target, trim="-", exp_digits=1)


def pick_target(hits: pd.DataFrame, target: float | None = None) -> float:
    """`target` as it is recorded; without one 1e-6 if it is recorded, else the smallest.

    Raises
    ------
    ValueError
        There are no targets, or not this one.
    """
    recorded = sorted(hits["target"].unique().tolist(), reverse=True)
    if not recorded:
        raise ValueError("these runs were not asked for any target")
    for known in recorded:
        if np.isclose(known, 1e-6 if target is None else target, rtol=1e-9, atol=0.0):
            return float(known)
    if target is None:
        return float(recorded[-1])
    raise ValueError(f"target {target!r} was not recorded. Known: {', '.join(map(target_text, recorded))}")


def costs(runs: pd.DataFrame, hits: pd.DataFrame, target: float, on: On = "iterations") -> pd.Series[float]:
    """Cost of every run to the target, index as in `runs`.

    Infinite where the target was not met; NaN where that is not known (see the module), and in seconds where a run that
    met it was not timed. Raises ValueError for a target that was not recorded.
    """
    if on not in get_args(On):
        raise ValueError(f"cost is one of {', '.join(get_args(On))}, not {on!r}")
    asked = hits[hits["target"] == pick_target(hits, target)].set_index("run").reindex(runs.index)
    met = asked["iteration"].notna()
    value = asked["iteration" if on == "iterations" else "seconds"].astype("Float64").astype("float64")
    judged = asked["target"].notna() & runs["f_opt"].notna()
    return value.where(met, np.inf).where(judged)


def budget_costs(runs: pd.DataFrame, on: On = "iterations") -> pd.Series[float]:
    """Cost of the whole iteration budget of every run: a lower bound of what a run that failed would need."""
    if on == "iterations":
        return runs["max_iter"].astype("float64")
    return runs["wall_median"] / runs["nit"].clip(lower=1) * runs["max_iter"]


def medians(values: pd.Series[float], keys: Sequence[pd.Series[Any]]) -> pd.Series[float]:
    """Median of every group in order of appearance; NaN where a value is NaN, infinite where half are infinite."""
    groups = values.groupby(list(keys), sort=False)
    return groups.median().mask(values.isna().groupby(list(keys), sort=False).any())


def quartiles(values: ArrayLike) -> Array:
    """Lower quartile, median and upper quartile along the first axis, interpolated linearly; shape (3, ...).

    Infinities are values like any other: a quartile between a finite and an infinite value is infinite. NaN stays NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    if not len(ordered):
        raise ValueError("no values")
    parts = []
    for fraction in (0.25, 0.5, 0.75):
        place = fraction * (len(ordered) - 1)
        low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
        weight = place - int(place)
        with np.errstate(invalid="ignore"):  # 0 inf, where the weight is 0
            between = (1.0 - weight) * low + weight * high
        parts.append(np.where((weight == 0.0) | (low == high), low, between))
    made = np.stack(parts)
    return np.where(np.isnan(ordered).any(axis=0), np.nan, made)


# --------------------------------------------------------------------------------------------------------- tables


def summary(runs: pd.DataFrame, hits: pd.DataFrame, targets: Iterable[float] | None = None) -> pd.DataFrame:
    """Table of what came of every cell: one row for each problem, optimizer, schedule (and clipping where it varies).

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    targets : iterable of float, optional
        Default: those of 1e-1, 1e-3, 1e-6, 1e-8 that were recorded, or all that were.

    Returns
    -------
    DataFrame
        Labels; ``runs``; a count for every status; for every target t ``success t``, share of runs that met it, and
        ``iterations t``, ``seconds t``, medians in which a run that never met it is infinite; ``wall_seconds``, median
        time of a run; ``compile_seconds``, sum; ``gap``, median of f - f_opt at the end (infinite where a run ended
        without a finite f). NaN is what is not known.

    Raises
    ------
    ValueError
        No runs, or a target that was not recorded.
    """
    import pandas as pd

    need(runs, "summarize")
    table = labels(runs)
    keys = [table[name] for name in factors_of(table)]
    groups = runs.groupby(keys, sort=False)
    columns: dict[str, pd.Series[Any]] = {"runs": groups.size()}
    for status in STATUSES:
        columns[status] = (runs["status"] == status).groupby(keys, sort=False).sum()
    for target in _shown(hits, targets):
        text, iterations = target_text(target), costs(runs, hits, target)
        met = (iterations < np.inf).astype("float64").where(iterations.notna())
        columns[f"success {text}"] = met.groupby(keys, sort=False).mean()
        columns[f"iterations {text}"] = medians(iterations, keys)
        columns[f"seconds {text}"] = medians(costs(runs, hits, target, "seconds"), keys)
    columns["wall_seconds"] = groups["wall_median"].median()
    columns["compile_seconds"] = groups["compile_seconds"].sum()
    gap = runs["fun"].where(runs["fun"].abs() < np.inf, np.inf) - runs["f_opt"]
    columns["gap"] = medians(gap, keys)
    return pd.DataFrame(columns).reset_index()


def ranking(runs: pd.DataFrame, hits: pd.DataFrame, target: float | None = None) -> pd.DataFrame:
    """Who needs the least to reach the target: one row for each optimizer and schedule (and clipping where it varies).

    Competitors are ranked within every pairing, which is one problem with its settings and one seed, hence one start:
    1 for the lowest cost, ties share the mean of their places, and all that failed share the last places. The
    ranks are averaged over the seeds of a problem, then over problems, so that every problem counts the same. Problems
    whose minimum is unknown do not count. A competitor that did not take part in a pairing has no rank there: compare
    mean ranks only between rows with the same ``problems``.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    target : float, optional
        Default: 1e-6 if recorded, else the smallest.

    Returns
    -------
    DataFrame
        Sorted by ``rank_iterations``: labels; ``problems``, with at least one judged run; ``solved``, those whose
        median iterations to the target are finite; ``success``, share of runs that met the target;
        ``rank_iterations``, ``rank_seconds``; ``best_iterations``, ``best_seconds``: pairings in which nobody was
        better, and the target was met. A pairing with a run that met the target untimed has no ranks in seconds.

    Raises
    ------
    ValueError
        No runs, none with a known minimum, or a target that was not recorded.
    """
    import pandas as pd

    need(runs, "rank")
    target = pick_target(hits, target)
    table = labels(runs)
    names = [name for name in factors_of(table) if name != "problem"]
    table = table.assign(seed=runs["seed"], **{on: costs(runs, hits, target, on) for on in get_args(On)})
    table = table[table["iterations"].notna()]
    need(table, "rank: no problem has a known minimum and this target")
    met = (table["iterations"] < np.inf).groupby([table[name] for name in names], sort=False).mean()
    per_problem = table.groupby(["problem", *names], sort=False)["iterations"].median().groupby(names, sort=False)
    columns: dict[str, pd.Series[Any]] = {"problems": per_problem.size()}
    columns["solved"] = per_problem.agg(lambda cost: (cost < np.inf).sum())
    columns["success"] = met
    placed = {on: _placed(table, on) for on in get_args(On)}
    for on, frame in placed.items():
        mean = frame.groupby(["problem", *names], sort=False)["rank"].mean()
        columns[f"rank_{on}"] = mean.groupby(names, sort=False).mean()
    for on, frame in placed.items():
        columns[f"best_{on}"] = frame["best"].groupby([frame[name] for name in names], sort=False).sum()
    return pd.DataFrame(columns).reset_index().sort_values("rank_iterations", kind="stable", ignore_index=True)


def _placed(table: pd.DataFrame, on: str) -> pd.DataFrame:
    """Every run with its ``rank`` within its pairing and whether it is ``best``; NaN in pairings that are not known."""
    cost = table[on]
    pairing = [table["problem"], table["seed"]]
    cost = cost.mask(cost.isna().groupby(pairing).transform("any"))
    groups = cost.groupby(pairing)
    best = (cost < np.inf) & (cost == groups.transform("min"))
    return table.assign(rank=groups.rank(method="average"), best=best)


def text(frame: pd.DataFrame) -> pd.DataFrame:
    """Text of a table of this module: three digits, ``-`` for what was never reached, ``?`` for what is not known."""
    return frame.map(_text)


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if not np.isfinite(value):
        return "?" if np.isnan(value) else "-"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def need(frame: pd.DataFrame, purpose: str) -> None:
    """Raise ValueError, ``no runs to <purpose>``, for an empty table."""
    if frame.empty:
        raise ValueError(f"no runs to {purpose}")


def _shown(hits: pd.DataFrame, targets: Iterable[float] | None) -> list[float]:
    if targets is not None:
        return [pick_target(hits, target) for target in targets]
    recorded = sorted(hits["target"].unique().tolist(), reverse=True)
    usual = [known for known in recorded if np.isclose(known, TARGETS, rtol=1e-9, atol=0.0).any()]
    return usual or recorded
