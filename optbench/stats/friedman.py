"""Many optimizers on many problems: mean ranks, the test that any differ, and which ones do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from optbench.stats.cells import one_of
from optbench.stats.contest import By, Contest, contest, told
from optbench.stats.costs import On
from optbench.stats.paired import holm, signed_rank, smallest_p
from optbench.stats.profiles import per_problem

if TYPE_CHECKING:
    import pandas as pd

PostHoc = Literal["nemenyi", "wilcoxon"]


def critical_difference(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    target: float | None = None,
    on: On = "iterations",
    by: By = "optimizer",
    post_hoc: PostHoc = "nemenyi",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Mean ranks over problems, and which competitors they tell apart, after Demsar [1]_.

    A problem is a data set; on it competitors are ranked by their median cost over seeds, 1 for the lowest, ties, and
    failures among each other, sharing the mean of their places. With N problems, k competitors and mean ranks R_j:

    - Friedman's test, corrected for ties, tells whether any differ; Iman and Davenport's statistic, less conservative,
      is F = (N - 1) chi2 / (N (k - 1) - chi2), with k - 1 and (k - 1)(N - 1) degrees of freedom.
    - Nemenyi: two differ where their mean ranks do by at least q sqrt(k (k + 1) / (6 N)), the critical difference, with
      q the upper alpha point of the studentized range of k means, infinite degrees of freedom, over sqrt(2).
    - Wilcoxon and Holm: two differ where the signed-rank test of the logarithms of their costs does, over problems,
      after Holm's correction for all k (k - 1) / 2 pairs. Whether A and B differ then does not depend on who else
      competes, as Benavoli, Corani and Mangili [2]_ advise.

    Parameters
    ----------
    runs, hits, target, on, by
        See `contest`; without `hits` the cost is that of converging.
    post_hoc : {"nemenyi", "wilcoxon"}
        How pairs are told apart.
    alpha : float
        Level of the tests.

    Returns
    -------
    DataFrame
        Sorted by rank: ``competitor``, its factors, ``rank``. ``attrs`` holds the facts of the contest and

        - ``chi2``, ``p`` of Friedman's test, ``f``, ``p_f`` of Iman and Davenport's; NaN with one problem;
        - ``difference``, the critical one (Nemenyi's, whatever `post_hoc`), ``post_hoc``, ``alpha``;
        - ``groups``: tuples of competitors, neighbours by rank, of whom no two differ, as long as they can be;
        - ``p_smallest``: the least corrected p that the signed-rank test of so many problems and pairs can give.

    Raises
    ------
    ValueError
        As `contest`, fewer than two competitors, another `post_hoc`, a level outside (0, 1).

    References
    ----------
    .. [1] Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006) 1-30, section 3.2.
    .. [2] Benavoli, Corani and Mangili, "Should we really use post-hoc tests based on mean-ranks?", JMLR 17 (2016)
       1-10.
    """
    import pandas as pd

    cost, field = _judged(runs, hits, target, on, by, post_hoc, alpha)
    ranks = cost.rank(axis="columns")
    mean = ranks.mean().sort_values(kind="stable")
    pairs = _pairs(cost, post_hoc, alpha)
    differ = {frozenset(pair) for pair in pairs.loc[pairs["differ"], ["a", "b"]].itertuples(index=False, name=None)}
    made = told(field, pd.DataFrame({"competitor": mean.index.astype("str"), "rank": mean.to_numpy()}))
    made.attrs.update(_friedman(ranks), difference=_difference(len(mean), len(ranks), alpha))
    made.attrs.update(post_hoc=post_hoc, alpha=alpha, groups=_groups([*made["competitor"]], differ))
    made.attrs["p_smallest"] = float(holm(np.repeat(smallest_p(len(ranks)), len(pairs)))[0])
    return made


def rank_differences(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    target: float | None = None,
    on: On = "iterations",
    by: By = "optimizer",
    post_hoc: PostHoc = "nemenyi",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Every pair of competitors of `critical_difference`, whose parameters, errors and sources these are.

    Returns
    -------
    DataFrame
        ``a, b``; ``difference``, mean rank of B less that of A; ``p``, of Nemenyi's test, or of the signed-rank test
        after Holm's correction; ``differ``.
    """
    from scipy.stats import studentized_range

    cost, _ = _judged(runs, hits, target, on, by, post_hoc, alpha)
    made = _pairs(cost, post_hoc, alpha)
    if post_hoc == "nemenyi":
        problems, count = cost.shape
        size = made["difference"].abs() / _unit(count, problems)
        made.insert(3, "p", studentized_range.sf(size * np.sqrt(2.0), count, np.inf))
    return made


def _judged(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None,
    target: float | None,
    on: On,
    by: By,
    post_hoc: PostHoc,
    alpha: float,
) -> tuple[pd.DataFrame, Contest]:
    """Median costs, one row a problem, of at least two competitors, and the contest. Raises ValueError."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is between 0 and 1, not {alpha!r}")
    one_of("post_hoc", post_hoc, PostHoc)
    field = contest(runs, hits, target=target, on=on, by=by)
    cost = per_problem(field)
    if cost.shape[1] < 2:
        raise ValueError(f"ranks compare at least two competitors on the same problems, and {cost.columns[0]} is alone")
    return cost, field


def _pairs(cost: pd.DataFrame, post_hoc: PostHoc, alpha: float) -> pd.DataFrame:
    """All pairs, ``a, b, difference, differ``, with ``p`` where it is what tells them apart."""
    import pandas as pd

    mean = cost.rank(axis="columns").mean()
    names = [*itertools.combinations(cost.columns, 2)]
    made = pd.DataFrame(names, columns=["a", "b"])
    made["difference"] = (mean[made["b"]].to_numpy() - mean[made["a"]].to_numpy()).astype(np.float64)
    if post_hoc == "nemenyi":
        return made.assign(differ=made["difference"].abs() >= _difference(cost.shape[1], len(cost), alpha))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(cost)
        raw = [signed_rank((logs[b] - logs[a]).mask(cost[a] == cost[b], 0.0)) for a, b in names]
    p = holm(raw)
    return made.assign(p=p, differ=p < alpha)


def _unit(count: int, problems: int) -> float:
    """Standard deviation of the difference of two mean ranks where nothing differs."""
    return float(np.sqrt(count * (count + 1) / (6.0 * problems)))


def _difference(count: int, problems: int, alpha: float) -> float:
    """Nemenyi's critical difference of mean ranks."""
    from scipy.stats import studentized_range

    return float(studentized_range.isf(alpha, count, np.inf) / np.sqrt(2.0)) * _unit(count, problems)


def _friedman(ranks: pd.DataFrame) -> dict[str, float]:
    """Friedman's statistic, corrected for ties, Iman and Davenport's, and their p-values.

    SciPy's `friedmanchisquare` wants three competitors and gives NaN where all tie.
    """
    from scipy.stats import chi2, f

    problems, count = ranks.shape
    spread = float(((ranks - (count + 1) / 2.0) ** 2).to_numpy().sum())
    if problems < 2 or spread == 0.0:
        p = np.nan if problems < 2 else 1.0
        return {"chi2": 0.0 if spread == 0.0 else np.nan, "p": p, "f": 0.0 if spread == 0.0 else np.nan, "p_f": p}
    between = float(((ranks.sum() - problems * (count + 1) / 2.0) ** 2).sum())
    statistic = (count - 1) * between / spread
    rest = problems * (count - 1) - statistic
    ratio = (problems - 1) * statistic / rest if rest > 1e-12 * statistic else np.inf
    p_f = float(f.sf(ratio, count - 1, (count - 1) * (problems - 1)))
    return {"chi2": statistic, "p": float(chi2.sf(statistic, count - 1)), "f": float(ratio), "p_f": p_f}


def _groups(ordered: list[str], differ: set[frozenset[Any]]) -> tuple[tuple[str, ...], ...]:
    """The longest runs of neighbours of whom no two differ, with at least two members."""
    found: list[tuple[str, ...]] = []
    last = 0
    for first in range(len(ordered)):
        end = first + 1
        while end < len(ordered) and not any(frozenset((one, ordered[end])) in differ for one in ordered[first:end]):
            end += 1
        if end > max(last, first + 1):
            found.append(tuple(ordered[first:end]))
            last = end
    return tuple(found)
