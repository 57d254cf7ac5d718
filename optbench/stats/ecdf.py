"""Runtime distributions over problems and targets, and expected running times, as COCO has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optbench.stats.contest import By, Contest, contest, told
from optbench.stats.costs import On, costs, pick_target, spent, whole
from optbench.stats.profiles import steps
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

HORIZON = 10.0  # times the longest run: how far restarts are followed
_RARE = 1e-12  # probability below which another restart is not looked at
_POINTS = 4096  # different sums of failed runs that are told apart


def ecdf(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    targets: Iterable[float] | None = None,
    on: On = "evaluations",
    by: By = "optimizer",
    restarts: bool = True,
) -> pd.DataFrame:
    """Runtime distribution [1]_: the share of (problem, target) pairs that each competitor meets within a cost.

    The runtime of a pair is that of starting again, from a seed drawn among those that were run, until a run meets the
    target: failed runs cost what they ran, and the last costs what it took to the target. COCO draws such simulated
    restarts at random; here all draws count with their probabilities, so that the curve is what COCO's tends to with
    many draws. A pair that no run met is never met. Every pair counts the same, with the seeds of a problem for what
    COCO calls instances.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    targets : iterable of float, optional
        Default: all that were recorded.
    on, by
        See `contest`.
    restarts : bool
        Whether failed runs start again; without it the curve is the distribution of the single runs, a failure never
        meeting its target.

    Returns
    -------
    DataFrame
        Steps of the distributions, one row each: ``competitor``, its factors, a column named as the cost, ``share``,
        which holds from that cost to the next; the first cost is 0, the last is infinite. Costs end at 10 times the
        longest run of all. ``attrs`` holds the facts of the contest (its ``target`` chose the representatives), with
        ``targets``, ``pairs``, and ``longest``, the cost of the longest run by competitor: what lies beyond comes from
        restarts.

    Raises
    ------
    ValueError
        As `contest`.

    Notes
    -----
    The distribution is exact where the costs of the failed runs of a pair add up to at most 4096 different sums; more
    are put together in that many groups of neighbours, with the mean of each. What has a probability below 1e-12 is
    left out. A failed run of unknown length (in seconds, untimed) never ends.

    References
    ----------
    .. [1] Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, "COCO: a platform for comparing continuous optimizers in
       a black-box setting", Optim. Methods Softw. 36 (2021) 114-144; Hansen, Auger, Brockhoff, Tusar and Tusar, "COCO:
       performance assessment", arXiv:1605.03560 (2016), sections on simulated restarts and on runtime distributions.
    """
    import pandas as pd

    field, asked = _field(runs, hits, targets, on, by)
    cost, used = _tables(field, runs, hits, asked, on)
    longest = np.where(np.isfinite(used), used, 0.0).max(axis=(0, 2))
    asked_for = [
        (rows, k) for rows in _rows(field.cost) for k in range(len(asked)) if not np.isnan(cost[rows, :, k]).any()
    ]
    parts = []
    for k, competitor in enumerate(field.cost):
        found = [
            _runtimes(cost[rows, k, target], used[rows, k, target], HORIZON * float(longest.max()), restarts)
            for rows, target in asked_for
        ]
        values, chances = (np.concatenate(each) for each in zip(*found, strict=True))
        at, share = steps(values, chances, 0.0)
        parts.append(pd.DataFrame({"competitor": str(competitor), on: at, "share": share / len(asked_for)}))
    made = told(field, pd.concat(parts))
    ends = dict(zip(map(str, field.cost), longest.tolist(), strict=True))
    made.attrs.update(targets=tuple(asked), pairs=len(asked_for), longest=ends)
    return made


def ert(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    targets: Iterable[float] | None = None,
    on: On = "evaluations",
    by: By = "optimizer",
) -> pd.DataFrame:
    """Expected running time to every target, as in `summary`: what all runs of a cell spent, over those that met it.

    Parameters
    ----------
    runs, hits, targets, on, by
        As `ecdf`.

    Returns
    -------
    DataFrame
        ``problem``, ``competitor``, its factors, ``target``, ``ert``, infinite where no run met it. ``attrs`` holds the
        facts of the contest.

    Raises
    ------
    ValueError
        As `contest`.
    """
    import pandas as pd

    field, asked = _field(runs, hits, targets, on, by)
    cost, used = _tables(field, runs, hits, asked, on)
    problems = field.cost.index.get_level_values("problem")
    parts = []
    for rows in _rows(field.cost):
        with np.errstate(divide="ignore"):
            value = used[rows].sum(axis=0) / np.isfinite(cost[rows]).sum(axis=0)
        known = ~np.isnan(cost[rows]).any(axis=(0, 1))
        part = pd.DataFrame({"problem": problems[rows[0]], "competitor": np.repeat(list(field.cost), len(asked))})
        part = part.assign(target=np.tile(asked, field.cost.shape[1]), ert=value.ravel())
        parts.append(part[np.tile(known, field.cost.shape[1])])
    return told(field, pd.concat(parts))


def _field(
    runs: pd.DataFrame, hits: pd.DataFrame, targets: Iterable[float] | None, on: On, by: By
) -> tuple[Contest, list[float]]:
    """The contest at the usual one of the targets, which are given or all that were recorded, largest first."""
    mine = hits[hits["run"].isin(runs.index)]
    recorded = sorted(mine["target"].unique().tolist(), reverse=True)
    asked = recorded if targets is None else sorted({pick_target(mine, t) for t in targets}, reverse=True)
    return contest(runs, mine[mine["target"].isin(asked)], on=on, by=by), asked


def _tables(field: Contest, runs: pd.DataFrame, hits: pd.DataFrame, asked: list[float], on: On) -> tuple[Array, Array]:
    """Costs to each target and what was spent on it, both of shape (instances, competitors, targets)."""
    ids = field.run.to_numpy().ravel()
    mine, hits = runs.loc[ids], hits[hits["run"].isin(ids)]
    cost = np.stack([costs(mine, hits, target, on) for target in asked], axis=-1)
    # A run that broke before its problem was made counts as failed here as it does in the contest.
    all_of_it = whole(mine, on).fillna(np.inf)
    used = np.stack([spent(mine, hits, target, on).fillna(all_of_it) for target in asked], axis=-1)
    broke = np.isnan(cost) & np.isinf(field.cost.to_numpy().ravel())[:, None]
    shape = (*field.run.shape, len(asked))
    return np.where(broke, np.inf, cost).reshape(shape), used.reshape(shape)


def _rows(cost: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Places of the rows of every problem, in order."""
    groups = cost.groupby(level="problem", sort=False).ngroup().to_numpy()
    return [np.flatnonzero(groups == k) for k in range(int(groups.max()) + 1)]


def _runtimes(cost: Array, used: Array, horizon: float, restarts: bool) -> tuple[Array, Array]:
    """Runtimes of one pair up to the horizon and their probabilities, from its runs, shape (seeds,)."""
    met = cost[np.isfinite(cost)]
    failed = used[np.isinf(cost)] if restarts and len(met) else np.empty(0)
    sums, chances = [np.empty(0)], [np.empty(0)]
    before, chance = np.zeros(1), np.full(1, 1.0 / len(cost))  # spent on failed runs; the probability of each next run
    while len(before) and chance.sum() * len(cost) > _RARE:
        sums.append(np.add.outer(before, met).ravel())
        chances.append(np.repeat(chance, len(met)))
        again = np.add.outer(before, failed).ravel()
        fine = again <= horizon
        before, place = np.unique(again[fine], return_inverse=True)
        chance = np.bincount(place, np.repeat(chance, len(failed))[fine], len(before)) / len(cost)
        if len(before) > _POINTS:
            first = np.linspace(0, len(before), _POINTS, endpoint=False).astype(np.int64)
            total = np.add.reduceat(chance, first)
            before, chance = np.add.reduceat(before * chance, first) / total, total
    runtime, probability = np.concatenate(sums), np.concatenate(chances)
    return runtime[runtime <= horizon], probability[runtime <= horizon]
