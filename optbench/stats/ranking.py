"""Who needs the least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from optbench.stats.cells import factors_of, labels, need
from optbench.stats.costs import On, costs, pick_target

if TYPE_CHECKING:
    import pandas as pd


def ranking(runs: pd.DataFrame, hits: pd.DataFrame, target: float | None = None) -> pd.DataFrame:
    """Who needs the least to reach the target: one row for each optimizer and schedule (and clipping where it varies).

    Competitors are ranked within every pairing, which is one problem with its settings and one seed, hence one start:
    1 for the lowest cost, ties share the mean of their places, and all that failed share the last places. The
    ranks are averaged over the seeds of a problem, then over problems, so that every problem counts the same. Problems
    whose minimum is unknown do not count. A competitor that did not take part in a pairing has no rank there: compare
    mean ranks only between rows with the same ``problem_set``. Where batch sizes vary, iterations cost different
    amounts, and what counts is epochs, with an iteration for one where a problem is no finite sum.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    target : float, optional
        Default: that of `pick_target`.

    Returns
    -------
    DataFrame
        Sorted by ``problem_set``, a number from 0 that rows with the same problems share, most problems first, then by
        ``rank_epochs`` where there is one, else ``rank_iterations``: labels; ``problems``, with at least one judged
        run; ``solved``, those whose median iterations to the target are finite; ``success``, share of runs that met
        the target; ``rank_epochs`` where batch sizes vary, ``rank_iterations``, ``rank_seconds``; ``best_iterations``
        and the like: pairings in which nobody was better, and the target was met. A pairing with a run that met the
        target untimed has no ranks in seconds. ``attrs["target"]`` is the target.

    Raises
    ------
    ValueError
        No runs, none with a known minimum, or a target that was not recorded.
    """
    import pandas as pd

    need(runs, "rank")
    target = pick_target(hits[hits["run"].isin(runs.index)], target)
    table = labels(runs)
    names = [name for name in factors_of(table) if name != "problem"]
    ons: tuple[On, ...] = (*(("epochs",) if "batch" in names else ()), "iterations", "seconds")
    table = table.assign(seed=runs["seed"], **{on: costs(runs, hits, target, on) for on in ons})
    if "batch" in names:
        table["epochs"] = table["epochs"].where(runs["n_samples"] > 0, table["iterations"])
    table = table[table["iterations"].notna()]
    need(table, "rank: no problem has a known minimum and this target")
    met = (table["iterations"] < np.inf).groupby([table[name] for name in names], sort=False).mean()
    per_problem = table.groupby(["problem", *names], sort=False)["iterations"].median().groupby(names, sort=False)
    columns: dict[str, pd.Series[Any]] = {"problems": per_problem.size()}
    same = table.groupby(names, sort=False)["problem"].agg(frozenset)
    order = sorted(dict.fromkeys(same), key=lambda problems: -len(problems))
    columns["problem_set"] = same.map(order.index)
    columns["solved"] = per_problem.agg(lambda cost: (cost < np.inf).sum())
    columns["success"] = met
    placed = {on: _placed(table, on) for on in ons}
    for on, frame in placed.items():
        mean = frame.groupby(["problem", *names], sort=False)["rank"].mean()
        columns[f"rank_{on}"] = mean.groupby(names, sort=False).mean()
    for on, frame in placed.items():
        columns[f"best_{on}"] = frame["best"].groupby([frame[name] for name in names], sort=False).sum()
    made = pd.DataFrame(columns).reset_index()
    made = made.sort_values(["problem_set", f"rank_{ons[0]}"], kind="stable", ignore_index=True)
    made.attrs["target"] = target
    return made


def _placed(table: pd.DataFrame, on: str) -> pd.DataFrame:
    """Every run with its ``rank`` within its pairing and whether it is ``best``; NaN in pairings that are not known."""
    cost = table[on]
    pairing = [table["problem"], table["seed"]]
    cost = cost.mask(cost.isna().groupby(pairing).transform("any"))
    groups = cost.groupby(pairing)
    best = (cost < np.inf) & (cost == groups.transform("min"))
    return table.assign(rank=groups.rank(method="average"), best=best)
