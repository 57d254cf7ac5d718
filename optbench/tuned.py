"""Statistics of tuning: who won, how tuned compares with default, what it cost, how the budget matters.

Tables in, tables out; `trials` is the table of that name of a results file. A trial is judged by the study's criterion,
the median over its tuning seeds; a winner and the defaults by the same criterion over the test seeds, which no trial
has seen. Lower is better; what was never reached, or is not finite, is infinite. The distance to a minimizer is never
looked at.

``final_loss``: f at the end, evaluated again; under constraints the KKT residual. A run stops where it has met every
target, so all that did so count as that level (on a problem with frozen losses as the highest that any of them
reached), and ties go to fewer iterations. ``time_to_target``: iterations to the
target; ties go to the lower final loss. ``val_loss``, and ``val_accuracy`` with its sign changed: on held-out samples
at the end. Whatever is still tied goes to the earlier trial; the defaults are trial 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats

if TYPE_CHECKING:
    import pandas as pd

_ROLE = r" (?:trial|tuned) \d+$"  # ends the label of a run that only tuning asked for
_MEASURES = ("score", "tie", "loss", "iterations", "nit", "lr")


# -------------------------------------------------------------------------------------------------------- scores


def judged(runs: pd.DataFrame, hits: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Rows of `trials` whose run is recorded, with what their run is judged by.

    Returns
    -------
    DataFrame
        ``study, role, budget, number, run, mode, criterion, target``; ``score`` and ``tie`` by the criterion; ``loss``;
        ``iterations`` to the target, infinite where it was missed, NaN where it asks for nothing known; ``nit``,
        ``lr`` and ``params``; ``constrained``. `target` is the criterion's or, where it has none, the usual one of
        these runs (`optbench.stats.pick_target`).
    """
    settings = {text: json.loads(text) for text in trials["settings"].unique()}
    table = trials[trials["run"].isin(runs.index)].reset_index(drop=True)
    for name in ("mode", "criterion", "target"):
        table[name] = table["settings"].map({text: each[name] for text, each in settings.items()})
    hits = hits[hits["run"].isin(table["run"])]
    usual = stats.pick_target(hits) if len(hits) else math.nan
    table["target"] = table["target"].astype("float64").where(table["criterion"] == "time_to_target", usual)
    mine = runs.loc[table["run"]]
    table["loss"] = stats.losses(mine).to_numpy()
    table["nit"], table["lr"] = mine["nit"].to_numpy(dtype=np.float64), mine["lr"].to_numpy()
    table["params"], table["constrained"] = mine["params"].to_numpy(), mine["kkt"].notna().to_numpy()
    known = (stats.judged(mine) | mine["kkt"].notna()).to_numpy() & table["target"].notna()
    table["iterations"] = np.where(known, np.inf, np.nan)
    for target in table["target"].dropna().unique():
        met = hits[np.isclose(hits["target"], target, rtol=1e-9, atol=0.0)].set_index("run")["iteration"]
        here = known & (table["target"] == target)
        found = met.reindex(table.loc[here, "run"]).astype("Float64").astype("float64")
        table.loc[here, "iterations"] = found.fillna(np.inf).to_numpy()
    measures: dict[str, Any] = {"final_loss": table["loss"], "time_to_target": table["iterations"]}
    measures |= {"val_loss": mine["val_loss"].to_numpy(), "val_accuracy": -mine["val_accuracy"].to_numpy()}
    table["score"] = np.select([table["criterion"] == name for name in measures], [*measures.values()], np.nan)
    failed = (table["loss"] == np.inf) & table["criterion"].str.startswith("val")  # on what is not finite
    table["score"] = table["score"].where((table["score"].abs() < np.inf) & ~failed, np.inf)
    table["tie"] = table["nit"].where(table["criterion"] == "final_loss", table["loss"])
    table["tie"] = table["tie"].where((table["score"] < np.inf) | (table["criterion"] == "time_to_target"), np.inf)
    return table.drop(columns="settings")


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Medians over the tuning seeds of every trial in a table of `judged`, index ``(study, number)``, in order.

    Columns ``score, tie, loss, iterations, nit, lr``.
    """
    trials = table[table["role"] == "trial"]
    return trials.groupby(["study", "number"])[[*_MEASURES]].median()


def best_trial(medians: pd.DataFrame, budget: int) -> int:
    """Number of the best of the defaults and the first `budget` trials of one study, rows of `scores` by number."""
    order = medians[medians.index <= budget].sort_index().sort_values(["score", "tie"], kind="stable")
    return int(order.index[0])


# ---------------------------------------------------------------------------------------------------------- tables


def cells(runs: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Labels of the cell of every study, ``problem, optimizer, schedule, clip, batch``, index ``study``, in order."""
    import pandas as pd

    first = trials[(trials["number"] == 0) & trials["run"].isin(runs.index)].groupby("study")["run"].first()
    rows = runs.loc[first]
    rows = rows.assign(label=_cell_label(rows))
    table = stats.labels(rows[~rows.index.duplicated()]).loc[first].set_index(first.index)
    table = table.iloc[runs.index.get_indexer(pd.Index(first)).argsort()]
    return table.sort_values(list(table.columns), key=lambda column: pd.factorize(column)[0])


def varying(table: pd.DataFrame) -> list[str]:
    """Factors besides problem and optimizer that have several values on one problem, of a table with labels."""
    each = table.groupby("problem")[["schedule", "clip", "batch"]].nunique().max()
    return [str(name) for name, count in each.items() if count > 1]


def _cell_label(rows: pd.DataFrame) -> pd.Series[str]:
    """Recorded labels without what tells the runs of a study apart."""
    return rows["label"].str.replace(_ROLE, "", regex=True)


def comparison(runs: pd.DataFrame, hits: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Tuned beside default: one row a study and budget, 0 for the defaults.

    Parameters
    ----------
    runs, hits, trials : DataFrame
        Of a results file.

    Returns
    -------
    DataFrame
        ``study``, labels of its cell, ``criterion``, ``constrained``, ``budget``; ``trial``, whose hyperparameters won,
        0 where nothing beat the defaults; ``lr``, ``params`` (JSON); ``tuning``, its score on the tuning seeds; on the
        ``tests`` test seeds the median ``score`` with quartiles ``low`` and ``high``, median ``tie``, ``loss`` and
        ``iterations`` to the ``target``, and ``success``, share of runs that met it, NaN where that is not known.
    """
    import pandas as pd

    stats.need(trials, "compare: nothing was tuned")
    table, names = judged(runs, hits, trials), cells(runs, trials)
    seen, tests = scores(table), table[table["role"] != "trial"]
    groups = tests.groupby(["study", "budget"])
    made = groups[["criterion", "number", "lr", "params", "target"]].first().rename(columns={"number": "trial"})
    made["constrained"] = groups["constrained"].any()
    of = pd.MultiIndex.from_arrays([made.index.get_level_values("study"), made["trial"]])
    made["tuning"] = seen["score"].reindex(of).to_numpy()
    spread = {key: stats.quartiles(part) for key, part in groups["score"]}
    for k, name in enumerate(("low", "score", "high")):
        made[name] = [float(spread[key][k]) for key in made.index]
    for name in ("tie", "loss", "iterations"):
        made[name] = groups[name].median()
    met = (tests["iterations"] < np.inf).astype("float64").where(tests["iterations"].notna())
    made["success"], made["tests"] = met.groupby([tests["study"], tests["budget"]]).mean(), groups.size()
    table = names.join(made.reset_index("budget"), how="inner")
    return table.reset_index()


def cost(runs: pd.DataFrame, hits: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """What tuning cost: one row a study.

    Labels; ``trials``, the defaults among them; ``runs``; ``iterations`` in all; ``seconds``, those iterations at the
    pace of the cell's timed test runs, NaN where none was timed.
    """
    import pandas as pd

    table, names = judged(runs, hits, trials), cells(runs, trials)
    made = table[table["role"] == "trial"]
    once = made.drop_duplicates(["study", "run"])  # a point of the grid may be the default
    tests = table[table["role"] != "trial"]
    pace = (runs["wall_median"] / runs["nit"].clip(lower=1)).reindex(tests["run"]).set_axis(tests.index)
    columns: dict[str, Any] = {"trials": made.groupby("study")["number"].nunique()}
    columns |= {"runs": once.groupby("study").size(), "iterations": once.groupby("study")["nit"].sum()}
    columns["seconds"] = columns["iterations"] * pace.groupby(tests["study"]).median()
    return names.join(pd.DataFrame(columns)).reset_index()


def places(compared: pd.DataFrame) -> pd.DataFrame:
    """Mean place of every optimizer among all, budget by budget, from a table of `comparison`.

    Optimizers are ranked by their score, then by what breaks its ties, within every problem, schedule, clipping, batch
    size and budget; what is still tied shares the mean of its places. The means are over the cells in which all of them
    took part; one row an optimizer, one column a budget, ordered by the last.
    """
    others = ["problem", "schedule", "clip", "batch", "criterion", "budget"]
    full = compared[compared.groupby(others)["optimizer"].transform("nunique") == compared["optimizer"].nunique()]
    order = full.groupby(["score", "tie"], dropna=False).ngroup()
    ranked = full.assign(place=order.groupby([full[name] for name in others]).rank(method="average"))
    table = ranked.pivot_table(index="optimizer", columns="budget", values="place", aggfunc="mean")
    return table.sort_values(list(table.columns[::-1])) if len(table) else table


# ------------------------------------------------------------------------------------------------ without the trials


def side_by_side(
    runs: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    trials: pd.DataFrame,
    budgets: Sequence[int] | None = None,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Runs, and tables of them by name, without the trials: for all that compares runs.

    The winners of these budgets, by default of the largest, stand beside the defaults, and the labels of their
    optimizers end in ``tuned``, with the budget where `budgets` are given, and with what tells the studies of one cell
    apart where it has several. A run that is both has a row for each, its key followed by a number. Runs of no study
    are kept as they are, but for trials and winners that no study names any more.
    """
    import pandas as pd

    largest = trials.groupby("study")["budget"].transform("max")
    chosen = trials["budget"].isin(budgets) if budgets is not None else trials["budget"] == largest
    roles = {"": trials["role"] == "default", " tuned": (trials["role"] == "tuned") & chosen}
    rest = runs[~runs.index.isin(trials["run"])]
    parts, apart = [rest[~rest["label"].str.contains(_ROLE, regex=True)]], _apart(trials)
    for text, rows in roles.items():
        part = trials[rows & trials["run"].isin(runs.index)]
        budget = "" if budgets is None or not text else " " + part["budget"].astype("str")
        part = part.assign(ending=text + budget + part["study"].map(apart) if text else "")
        part = part.drop_duplicates(["run", "ending"])  # the winner of several studies is one run
        found = runs.loc[part["run"]]
        parts.append(found.assign(label=_cell_label(found) + part["ending"].to_numpy()))
    made = pd.concat(parts)
    made = made.iloc[runs.index.get_indexer(made.index).argsort(kind="stable")]
    copies = made.groupby(level=0).cumcount()
    fresh = made.index.where(copies == 0, made.index + "/" + copies.astype("str").to_numpy())
    copied = pd.DataFrame({"run": made.index, "copy": fresh})
    moved = {name: copied.merge(table, on="run").drop(columns="run") for name, table in tables.items()}
    return made.set_axis(fresh.rename("run")), {name: t.rename(columns={"copy": "run"}) for name, t in moved.items()}


def _apart(trials: pd.DataFrame) -> dict[str, str]:
    """By study, what tells it from others of its cell, such as `` criterion=val_loss``; empty where it is alone."""
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for study, text in trials.groupby("study")["settings"].first().items():
        facts = json.loads(text)
        cell = json.dumps(facts.pop("cell", None))
        flat = {**facts, **{f"range of {name}": span for name, span in facts.pop("ranges", {}).items()}}
        cells.setdefault(cell, {})[str(study)] = {name: _plain(value) for name, value in flat.items()}
    made = {}
    for studies in cells.values():
        names = dict.fromkeys(name for facts in studies.values() for name in facts)
        differ = [name for name in names if len({facts.get(name) for facts in studies.values()}) > 1]
        for study, facts in studies.items():
            made[study] = "".join(f" {name}={facts[name]}" for name in differ if name in facts)
    return made


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
