"""What changed between two results files: the same runs, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from optbench.stats.cells import labels, need
from optbench.stats.comparison import Tables
from optbench.stats.costs import On, costs, pick_target
from optbench.stats.paired import contrast, holm, smallest_p

if TYPE_CHECKING:
    import pandas as pd

_EXACT = ("status", "nit", "nfev", "njev", "fun")


def matched(old: Tables, new: Tables, *, target: float | None = None, on: On = "iterations") -> pd.DataFrame:
    """Runs that are in both files, side by side: the same problem, settings, start and budget.

    Parameters
    ----------
    old, new : Results
    target : float, optional
        Default: that of `stats.pick_target` for the runs in both.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        Cost to the target.

    Returns
    -------
    DataFrame
        Id of the run in the index; labels and ``seed``; ``status_a, status_b``; ``cost_a, cost_b``; ``seconds_a,
        seconds_b``, median wall times; ``recompiled``, whether the kernels' fingerprints differ; ``identical``, whether
        status, counts, final f (to the last bit) and all hits are equal. ``attrs`` hold ``target``, ``on`` and the
        numbers of other runs, ``only_a`` and ``only_b``.

    Raises
    ------
    ValueError
        No run is in both, or the target was not recorded in both.
    """
    import pandas as pd

    both = new.runs.index[new.runs.index.isin(old.runs.index)]
    if both.empty:
        raise ValueError(
            "no run is in both files: a run is the same where problem, settings, schedule, seed and budget are"
        )
    sides = [(tables.runs.loc[both], tables.hits) for tables in (old, new)]
    hits = pd.concat([hits[hits["run"].isin(both)] for _, hits in sides])
    target = pick_target(hits, target) if len(hits) else None
    table = labels(sides[1][0]).assign(seed=sides[1][0]["seed"])
    for side, (runs, hits) in zip("ab", sides, strict=True):
        table[f"status_{side}"] = runs["status"]
        table[f"cost_{side}"] = np.nan if target is None else costs(runs, hits, target, on)
        table[f"seconds_{side}"] = runs["wall_median"]
    (first, hits_a), (second, hits_b) = sides
    table["recompiled"] = first["code"] != second["code"]
    same = pd.Series(True, index=both)
    for name in _EXACT:
        same &= (first[name] == second[name]) | (first[name].isna() & second[name].isna())
    table["identical"] = same & ~both.isin(_moved(hits_a, hits_b))
    table.attrs = {"target": target, "on": on, "only_a": len(old.runs) - len(both), "only_b": len(new.runs) - len(both)}
    return table


def _moved(old: pd.DataFrame, new: pd.DataFrame) -> set[str]:
    """Runs with a hit that is not the same in both tables."""
    each = old.merge(new, on=["run", "target"], suffixes=("_a", "_b"))
    first, second = (each[f"iteration_{side}"].fillna(-1) for side in "ab")
    return set(each.loc[first != second, "run"])


def changes(
    old: Tables, new: Tables, *, target: float | None = None, on: On = "iterations", alpha: float = 0.05
) -> pd.DataFrame:
    """What changed between two results files, problem by problem.

    Parameters
    ----------
    old, new : Results
        Of `optbench.load` or `optbench.run`, or anything with tables ``runs`` and ``hits``.
    target : float, optional
        Default: that of `stats.pick_target` for the runs in both.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        Cost to the target.
    alpha : float
        Level of the tests; intervals are of 1 - alpha.

    Returns
    -------
    DataFrame
        ``problem``; ``runs``, that are in both; ``identical``, see `matched`; ``judged``, whose cost is known in both;
        ``met_a, met_b``, those that met the target; ``fewer, same, more``, those whose cost fell, stayed, rose;
        ``p``, of the signed-rank test of the costs, ``p_corrected`` over the problems after Holm, ``p_smallest``, the
        least that this could be; ``seconds, seconds_low, seconds_high``, median over the runs of the ratio of wall
        times and its bootstrap interval; ``verdict`` in words.

        The interval of the seconds tells how the runs differ among themselves, not how the machine differed between the
        two measurements.

    Raises
    ------
    ValueError
        No run is in both, or the target was not recorded in both.
    """
    return by_problem(matched(old, new, target=target, on=on), alpha)


def by_problem(pairs: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Table of `changes` from a table of `matched`, or a part of it. Raises ValueError for an empty one."""
    import pandas as pd

    need(pairs, "compare")
    rows: list[dict[str, Any]] = []
    for problem, cell in pairs.groupby("problem", sort=False):
        known = cell[cell["cost_a"].notna() & cell["cost_b"].notna()]
        timed = cell[(cell["seconds_a"] > 0) & (cell["seconds_b"] > 0)]
        cost, time = (
            contrast(part[f"{name}_a"], part[f"{name}_b"], alpha=alpha)
            for name, part in (("cost", known), ("seconds", timed))
        )
        made = {"problem": problem, "runs": len(cell), "identical": int(cell["identical"].sum()), "judged": len(known)}
        made |= {f"met_{side}": int((known[f"cost_{side}"] < np.inf).sum()) for side in "ab"}
        made |= {"fewer": cost.b_better, "same": cost.ties, "more": cost.a_better, "p": cost.p}
        rows.append({**made, "seconds": time.effect, "seconds_low": time.effect_low, "seconds_high": time.effect_high})
    table = pd.DataFrame(rows)
    table["p_corrected"] = holm(table["p"])
    table["p_smallest"] = holm(smallest_p(table["judged"]))
    about = zip(rows, table["p_corrected"], table["p_smallest"], strict=True)
    table["verdict"] = [
        _verdict({**row, "p_corrected": p, "p_smallest": least}, pairs.attrs["on"], alpha) for row, p, least in about
    ]
    return table


def _verdict(row: dict[str, Any], on: str, alpha: float) -> str:
    time = _time(row["seconds"], row["seconds_low"], row["seconds_high"])
    if row["identical"] == row["runs"]:
        return f"same results{time}"
    parts = [f"{row['runs'] - row['identical']} of {row['runs']} runs changed"]
    if row["met_a"] != row["met_b"]:
        parts.append(f"{row['met_b'] - row['met_a']:+d} met the target")
    if row["fewer"] or row["more"]:
        parts.append(f"{row['fewer']} need fewer {on}, {row['more']} more")
        if row["p_corrected"] < alpha:
            parts.append(f"significant, p={row['p_corrected']:.2g}")
        elif row["p_smallest"] >= alpha:
            parts.append(f"not enough runs for p<{alpha:g}")
    return ", ".join(parts) + time


def _time(ratio: float, low: float, high: float) -> str:
    return "" if np.isnan(ratio) else f"; time {ratio:.3g}x" + ("" if np.isnan(low) else f" [{low:.3g}, {high:.3g}]")
