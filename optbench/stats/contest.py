"""Who competes on what: what several optimizers needed on the same problems and starts.

Profiles, scores and tests of many optimizers are defined for a complete table, in which everyone has solved or failed
everything. This module makes that table from the runs of a matrix.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench.stats.cells import FACTORS, factors_of, labels, need, one_of
from optbench.stats.costs import FAILED, On, costs, judged, pick_target, whole

if TYPE_CHECKING:
    import pandas as pd

By = Literal["optimizer", "schedule", "all"]

_SETS = 1000  # sets of instances that are looked at for the largest table without gaps


class Contest(NamedTuple):
    """A table without gaps: every competitor ran on every instance, which is a problem with its settings and a seed.

    Attributes
    ----------
    cost : DataFrame
        Cost of each run, infinite for a failure; index ``problem, seed``, one column a competitor.
    run : DataFrame
        Ids of the runs, same shape.
    factors : DataFrame
        ``optimizer``, ``schedule``, and ``clip`` and ``batch`` where they vary, of every competitor.
    facts : dict
        ``by``, ``on``, ``target`` (None where the cost is that of converging), ``instances``, ``problems``,
        ``constrained`` (whether any problem is);
        ``left_out``, optimizers, schedules or combinations without a place in the table, and ``dropped``, problems
        without one.
    """

    cost: pd.DataFrame
    run: pd.DataFrame
    factors: pd.DataFrame
    facts: dict[str, Any]


def contest(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    target: float | None = None,
    on: On = "iterations",
    by: By = "optimizer",
) -> Contest:
    """Costs of all competitors on all instances, from the largest part of the runs that has no gaps.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it. Without `hits` the cost is that of converging, which is to meet
        the last target of the run's list: all that the run took if its status is ``converged``, else infinite.
    target : float, optional
        Default: that of `pick_target`.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        What a run costs. Runs whose cost is not known (see `costs`) do not take part.
    by : {"optimizer", "schedule", "all"}
        What competes. An optimizer is represented by its schedule (and clipping and batch) with the lowest mean rank:
        ranks among all combinations on an instance, averaged over the seeds of a problem, then over problems. Likewise
        a schedule by its optimizer. With ``all`` every combination competes: ``adam/cosine``.

    Returns
    -------
    Contest
        Competitors times instances without gaps, at least two competitors if there are. It is the largest such table;
        where more than 1000 sets of instances would have to be looked at, the largest of the first 1000.

    Raises
    ------
    ValueError
        No runs, none whose cost is known, a target that was not recorded, or an argument that is none of the above.
    """
    one_of("by", by, By)
    one_of("on", on, On)
    need(runs, "compare")
    value, target = _costs(runs, hits, target, on)
    names = labels(runs)
    factors = [name for name in factors_of(names) if name != "problem"]
    cell = functools.reduce(lambda before, name: before + "/" + names[name], factors[1:], names[factors[0]])
    table = names.assign(cell=cell, seed=runs["seed"], cost=value, run=runs.index)[value.notna()]
    need(table, f"compare: no problem has a known minimum and costs in {on}")
    place = {what: list(dict.fromkeys(table[what])) for what in ("problem", "cell")}
    once = table.drop_duplicates(["problem", "seed", "cell"])
    every, run = (
        once.pivot(index=["problem", "seed"], columns="cell", values=what)
        .reindex(place["problem"], level="problem")
        .reindex(columns=place["cell"])
        for what in ("cost", "run")
    )
    rows, columns = _largest(every.notna().to_numpy())
    kept = every.loc[rows, columns]
    who = table.drop_duplicates("cell").set_index("cell")[factors]
    chosen = _represented(kept, who, by)
    everyone = list(who.index) if by == "all" else who[by]
    ids, problems = run.loc[rows, [*chosen.values()]], kept.index.get_level_values("problem")
    facts = {
        **{"by": by, "on": on, "target": target, "instances": len(kept), "problems": problems.nunique()},
        "constrained": bool(runs.loc[ids.to_numpy().ravel(), "kkt"].notna().any()),
        "left_out": tuple(name for name in dict.fromkeys(everyone) if name not in chosen),
        "dropped": tuple(name for name in place["problem"] if name not in set(problems)),
    }
    named, cells = [*chosen], [*chosen.values()]
    cost, ids = (frame.set_axis(named, axis="columns") for frame in (kept[cells], ids))
    return Contest(cost, ids, who.loc[cells].set_axis(named).rename_axis("competitor"), facts)


def _costs(
    runs: pd.DataFrame, hits: pd.DataFrame | None, target: float | None, on: On
) -> tuple[pd.Series[float], float | None]:
    """Costs, NaN where not known, and the target they are to; one of None is convergence."""
    if hits is None:
        if target is not None:
            raise ValueError("a target needs the hits, which tell when it was met: pass them after the runs")
        value = whole(runs, on).where(runs["status"] == "converged", np.inf).where(judged(runs))
    else:
        target = pick_target(hits[hits["run"].isin(runs.index)], target)
        value = costs(runs, hits, target, on)
    # A run that broke before its problem was made does not know its minimum, but it did fail.
    known = value.notna().groupby([runs["problem"], runs["settings"]]).transform("any")
    return value.mask(value.isna() & known & runs["status"].isin(FAILED), np.inf), target


def _largest(present: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows and columns, as masks, of the largest part without gaps of a table, shape (rows, columns)."""
    sets = {column.tobytes(): column for column in present.T}
    for one in list(sets.values()):
        for other in list(sets.values()):
            both = one & other
            sets.setdefault(both.tobytes(), both)
        if len(sets) > _SETS:
            break

    def size(rows: NDArray[np.bool_]) -> tuple[bool, int]:
        columns = int(present[rows].all(axis=0).sum())
        return bool(rows.any()) and columns > 1, int(rows.sum()) * columns

    rows = max(sets.values(), key=size)
    return rows, present[rows].all(axis=0)


def mean_ranks(cost: pd.DataFrame) -> pd.Series[float]:
    """Mean rank of every column: ties share the mean of their places; over the seeds of a problem, then problems."""
    ranks: pd.Series[float] = cost.rank(axis="columns").groupby(level="problem", sort=False).mean().mean()
    return ranks


def _represented(cost: pd.DataFrame, who: pd.DataFrame, by: By) -> dict[str, str]:
    """Competitors, in order of appearance, and the column that stands for each."""
    if by == "all":
        return {str(cell): str(cell) for cell in cost.columns}
    ranks = mean_ranks(cost)
    first = ranks.groupby(who[by].reindex(ranks.index), sort=False).idxmin()
    return dict(zip(map(str, first.index), map(str, first), strict=True))


def told(field: Contest, table: pd.DataFrame) -> pd.DataFrame:
    """A table with ``competitor`` and, after it, the factors of each; the facts of the contest in ``attrs``."""
    names = [name for name in FACTORS if name in field.factors]
    made = table.reset_index(drop=True)
    after = [*made.columns].index("competitor") + 1
    for k, name in enumerate(names):
        made.insert(after + k, name, field.factors[name].reindex(made["competitor"]).to_numpy())
    made.attrs.update(field.facts)
    return made
