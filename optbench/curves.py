"""How the result of tuning depends on the number of trials, and that of a run on its learning rate.

Tables in, tables out, as in `optbench.tuned`, whose scores these are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench import stats, tuned
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

WITHIN = {"time_to_target": 2.0, "final_loss": 10.0}  # times the best: iterations, f - f* or KKT residual
# By which a good rate may miss the best: of the reduction where the minimum is not known, of a held-out measure.
REDUCTION = 0.05


def best_of_k(values: ArrayLike, k: int, *, replacement: bool = False) -> tuple[Array, Array]:
    """Distribution of the lowest of k trials drawn from those that were made.

    Parameters
    ----------
    values : array_like, shape (n,)
        Scores; infinities are values like any other.
    k : int
        From 1; at most n without replacement.
    replacement : bool
        Draw from the empirical distribution, as Dodge et al. (2019), arXiv:1909.03004, eq. 5. Without, every subset of
        k trials is as likely, which is unbiased for random search: Tang et al. (2020), arXiv:2004.13705.

    Returns
    -------
    ndarray, ndarray, shape (n,)
        The values in ascending order and the probability that each is the lowest.

    Raises
    ------
    ValueError
        `k` is not in that range.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = ordered.size
    if not 1 <= k <= (math.inf if replacement else n) or not n:
        raise ValueError(f"k must lie between 1 and the {n} trials, not {k!r}")
    if replacement:
        weights = [((n - i) / n) ** k - ((n - i - 1) / n) ** k for i in range(n)]
    else:
        weights = [math.comb(n - i - 1, k - 1) / math.comb(n, k) for i in range(n)]
    return ordered, np.array(weights)


def expected(ordered: Array, weights: Array) -> float:
    """Expectation of a distribution of `best_of_k`; what has no weight does not count, though it be infinite."""
    return float(np.sum(ordered[weights > 0] * weights[weights > 0]))


def quantile(ordered: Array, weights: Array, q: float) -> float:
    """Smallest value of a distribution of `best_of_k` that is reached with a probability of at least `q`."""
    reached = np.cumsum(weights) >= q * (1.0 - 1e-12)  # the weights add up to 1 but for rounding
    return float(ordered[int(np.argmax(reached))])


def curve(medians: pd.DataFrame, counts: Iterable[int]) -> pd.DataFrame:
    """Score after k trials and the defaults, for one study's rows of `scores` by number and every k of `counts`.

    Index ``k``; columns ``expected``, ``low``, ``median``, ``high``: expectation and quartiles over all choices of k
    of the trials that were made, in any order.
    """
    import pandas as pd

    default = float(medians["score"].get(0, math.inf))
    values = np.minimum(medians.loc[medians.index > 0, "score"].to_numpy(), default)
    rows = {}
    for k in counts:
        chance = best_of_k(values, k)
        rows[k] = [expected(*chance), *(quantile(*chance, q) for q in (0.25, 0.5, 0.75))]
    made = pd.DataFrame.from_dict(rows, orient="index", columns=["expected", "low", "median", "high"])
    return made.rename_axis("k")


def sensitivity(runs: pd.DataFrame, hits: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Scores over a grid of learning rates: one row a study and rate, of studies that are such grids.

    Parameters
    ----------
    runs, hits, trials : DataFrame
        Of a results file.

    Returns
    -------
    DataFrame
        ``study``, labels of its cell, ``criterion``, ``constrained``, ``lr``, ``score``; ``gap``, the score less the
        minimum where that is ``known`` and the score is a final loss, else the score; ``start``, the gap of the start,
        NaN where scores are no values of f; ``good``, ``best`` and ``default`` (the default rate).
        The best is the winner among the grid. Good rates are those around it, without a bad one between, with at most 2
        times its iterations, 10 times its gap or, under constraints, its KKT residual, 1.05 times its held-out loss, or
        at least 0.95 times its held-out accuracy; where the minimum is not known, with at least 95 % of its reduction
        from the start. They span ``decades``: every point stands for the distance between two.

    Raises
    ------
    ValueError
        No study is a grid of learning rates.
    """
    import pandas as pd

    grids = {text: _is_grid(json.loads(text)) for text in trials["settings"].unique()}
    mine = trials[trials["settings"].map(grids).astype("bool")] if len(trials) else trials
    stats.need(mine, "plot: no grid of learning rates (mode = 'grid') was tuned")
    table, names = tuned.judged(runs, hits, mine), tuned.cells(runs, mine)
    medians, criteria = tuned.scores(table), table.groupby("study")["criterion"].first()
    rows = runs.loc[table["run"], ["f_opt", "f0", "kkt", "frozen"]]
    constrained = rows["kkt"].notna()
    rows["f_opt"] = rows["f_opt"].mask(rows["frozen"] | constrained)
    rows["f0"] = rows["f0"].mask(constrained)
    facts = rows[["f_opt", "f0"]].groupby(table["study"].to_numpy()).median().where(criteria == "final_loss")
    facts["constrained"] = constrained.groupby(table["study"].to_numpy()).any()
    parts = []
    for study in names.index.tolist():
        made = _graded(medians.loc[[study]].droplevel(0), str(criteria[study]), facts.loc[study])
        parts.append(pd.DataFrame({"study": study, **names.loc[study], "criterion": criteria[study], **made}))
    return pd.concat(parts, ignore_index=True)


def _is_grid(settings: dict[str, Any]) -> bool:
    return bool(settings["mode"] == "grid" and settings["parameters"] == ["lr"])


def _graded(medians: pd.DataFrame, criterion: str, facts: pd.Series[float]) -> dict[str, Any]:
    """Columns of one study of `sensitivity`, from its rows of `scores` by number."""
    grid = medians[medians.index > 0].sort_values("lr")
    known = not np.isnan(facts["f_opt"])
    gap = (grid["score"] - (facts["f_opt"] if known else 0.0)).to_numpy()
    best = grid.index.to_numpy() == tuned.best_trial(grid, int(grid.index.max()))
    least = float(gap[best][0])
    limit = least + REDUCTION * max(facts["f0"] - least, 0.0)
    if known or facts["constrained"] or criterion == "time_to_target":
        limit = WITHIN.get(criterion, math.nan) * least
    if criterion.startswith("val"):
        limit = least + REDUCTION * abs(least)  # an accuracy has its sign changed
    good = _around(int(np.argmax(best)), (gap <= limit) & (gap < np.inf))
    rates = grid["lr"].to_numpy()
    step = math.log10(rates[-1] / rates[0]) / (len(rates) - 1)
    columns: dict[str, Any] = {
        "lr": rates,
        "score": grid["score"].to_numpy(),
        "gap": gap,
        "good": good,
        "best": best & good,
    }
    start = facts["f0"] - (facts["f_opt"] if known else 0.0)
    columns |= {
        "constrained": facts["constrained"],
        "known": known,
        "start": start,
        "default": medians["lr"].get(0, math.nan),
    }
    return {**columns, "decades": good.sum() * step}


def _around(winner: int, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of the good ones, shape (k,), that no other separates from the winner."""
    bad = np.flatnonzero(~good)
    low, high = max(bad[bad < winner], default=-1), min(bad[bad > winner], default=good.size)
    places = np.arange(good.size)
    return good & (places > low) & (places < high)
