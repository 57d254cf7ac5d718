"""Profiles: for how many problems an optimizer needs at most so much, relative to the best or to the dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from optbench.stats.cells import labels, need, one_of
from optbench.stats.comparison import rows_of
from optbench.stats.contest import By, Contest, contest, mean_ranks, told
from optbench.stats.costs import On, pick_target
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

Per = Literal["start", "problem"]

R_MAX = 4.0


def performance_profile(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    target: float | None = None,
    on: On = "iterations",
    by: By = "optimizer",
    per: Per = "start",
) -> pd.DataFrame:
    """Performance profile [1]_: the share of instances that each competitor solves at a cost of at most tau the best.

    With t(p, s) the cost of competitor s on instance p, the ratio is
    r(p, s) = t(p, s) / min over all s of t(p, s), infinite where s failed, and the profile is

        rho_s(tau) = (number of p with r(p, s) <= tau) / (number of p).

    Instances that nobody solved count: their ratios are infinite for all. Where the best cost is 0, all that cost 0
    have ratio 1.

    Parameters
    ----------
    runs, hits, target, on, by
        See `contest`; without `hits` the cost is that of converging.
    per : {"start", "problem"}
        What an instance is: a problem with its settings and one seed, or the problem, at the median cost over its
        seeds, which is infinite where half of the runs or more failed.

    Returns
    -------
    DataFrame
        Steps of the profiles, one row each: ``competitor``, its factors, ``tau`` and ``share``, which holds from that
        tau to the next; the first tau is 1 (share of wins, ties counting for all), the last is infinite (share of
        instances solved). ``attrs`` holds the facts of the contest, and ``per``.

    Raises
    ------
    ValueError
        As `contest`, or another `per`.

    References
    ----------
    .. [1] Dolan and More, "Benchmarking optimization software with performance profiles", Math. Program. 91 (2002)
       201-213.
    """
    one_of("per", per, Per)
    field = contest(runs, hits, target=target, on=on, by=by)
    made = _steps(field, ratios(field.cost if per == "start" else per_problem(field)), "tau", 1.0)
    made.attrs["per"] = per
    return made


def data_profile(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    target: float | None = None,
    by: By = "optimizer",
) -> pd.DataFrame:
    """Data profile [1]_: the share of instances that each competitor solves within alpha (n + 1) evaluations.

    With t(p, s) the evaluations of competitor s on instance p until f - f_opt <= target (f(x_0) - f_opt), the
    convergence test of the source, and n_p the number of variables,

        d_s(alpha) = (number of p with t(p, s) / (n_p + 1) <= alpha) / (number of p).

    In the source, about methods without derivatives, n + 1 evaluations are those of one simplex gradient. Here an
    evaluation gives f and its gradient together and counts once, a batch like a full one; Hessians are not counted.
    If every gradient is to count as n evaluations of f more, as by forward differences, then t is n + 1 times as
    large, and the profile is the distribution of the plain evaluations (`ecdf` of one target without restarts).

    Parameters
    ----------
    runs, hits, target, by
        See `contest`; without `hits` the cost is that of converging.

    Returns
    -------
    DataFrame
        Steps of the profiles, one row each: ``competitor``, its factors, ``alpha`` and ``share``, which holds from that
        alpha to the next; the first alpha is 0, the last is infinite. ``attrs`` holds the facts of the contest.

    Raises
    ------
    ValueError
        As `contest`.

    References
    ----------
    .. [1] More and Wild, "Benchmarking derivative-free optimization algorithms", SIAM J. Optim. 20 (2009) 172-191.
    """
    field = contest(runs, hits, target=target, on="evaluations", by=by)
    sizes = runs["n"].loc[field.run.iloc[:, 0]].to_numpy(dtype=np.float64)
    return _steps(field, field.cost.div(sizes + 1.0, axis="index"), "alpha", 0.0)


def integrated_score(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    target: float | None = None,
    on: On = "iterations",
    by: By = "optimizer",
    r_max: float = R_MAX,
) -> pd.DataFrame:
    """Integrated performance profile, the score of AlgoPerf [1]_: from 0 to 1, the best on every problem has 1.

    A problem is a workload; its cost t(w, s) is the median over seeds, infinite where half of the runs or more failed.
    With r(w, s) = t(w, s) / min over s of t(w, s), and rho_s their performance profile over all problems,

        B_s = (integral of rho_s(tau) from 1 to r_max) / (r_max - 1)
            = mean over w of max(0, r_max - r(w, s)) / (r_max - 1).

    AlgoPerf has r_max = 4 and counts seconds (``on="seconds"``); its held-out workloads and its tuning are not part of
    this. The score depends on who else competes.

    Parameters
    ----------
    runs, hits, target, on, by
        See `contest`; without `hits` the cost is that of converging.
    r_max : float
        Ratio above 1 from which on a problem gives nothing.

    Returns
    -------
    DataFrame
        Sorted by score, the highest first: ``competitor``, its factors, ``score``; ``best`` and ``within``, shares of
        problems with a ratio of 1 and of at most r_max. ``attrs`` holds the facts of the contest and ``r_max``.

    Raises
    ------
    ValueError
        As `contest`, or an `r_max` that is not above 1.

    References
    ----------
    .. [1] Dahl et al., "Benchmarking neural network training algorithms", arXiv:2306.07179 (2023), section 4.
    """
    import pandas as pd

    if not 1.0 < r_max < np.inf:
        raise ValueError(f"r_max is a number above 1, not {r_max!r}")
    field = contest(runs, hits, target=target, on=on, by=by)
    ratio = ratios(per_problem(field))
    columns = {
        "score": ((r_max - ratio) / (r_max - 1.0)).clip(lower=0.0).mean(),
        "best": (ratio == 1.0).mean(),
        "within": (ratio <= r_max).mean(),
    }
    made = pd.DataFrame(columns).rename_axis("competitor").reset_index()
    made = told(field, made.sort_values("score", ascending=False, kind="stable"))
    made.attrs["r_max"] = r_max
    return made


def log_ratio(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    a: str | None = None,
    b: str | None = None,
    target: float | None = None,
    on: On = "iterations",
) -> pd.DataFrame:
    """Logarithm to base 2 of the cost of A over that of B, instance by instance, sorted: Morales' profile [1]_.

    Below 0 A was better, by the outperforming factor 2^|value|. It is minus infinity where B alone failed, infinity
    where A alone did; instances on which both failed say nothing and are left out.

    Parameters
    ----------
    runs, hits, target, on
        See `contest`; without `hits` the cost is that of converging.
    a, b : str, optional
        Labels or names of optimizers, alone or with a schedule: ``"adam"``, ``"adam/cosine"``. One without a schedule
        has the one by which `contest` represents it, or, if it has no place there, the best of its own. Default: the
        two optimizers, or the one beside that which is given, with the lowest mean ranks in that contest.

    Returns
    -------
    DataFrame
        ``problem, seed, a, b`` (costs), ``log_ratio``, in ascending order. ``attrs`` holds the facts of the contest,
        with ``a``, ``b`` (optimizer and schedule) and ``neither``, the number of instances on which both failed.

    Raises
    ------
    ValueError
        As `contest`; an unknown name, a name that stands for several optimizers, fewer than two optimizers, nothing in
        common, or both failed everywhere.

    References
    ----------
    .. [1] Morales, "A numerical study of limited memory BFGS methods", Appl. Math. Lett. 15 (2002) 481-487.
    """
    parts = _sides(runs, hits, a, b, target, on)
    if hits is not None:
        target = pick_target(hits[hits["run"].isin(parts[0].index.union(parts[1].index))], target)
    sides = [contest(part, hits, target=target, on=on) for part in parts]
    one, two = ("/".join(side.factors[["optimizer", "schedule"]].to_numpy()[0]) for side in sides)
    both = sides[0].cost.set_axis(["a"], axis=1).join(sides[1].cost.set_axis(["b"], axis=1), how="inner")
    need(both, f"compare: {one} and {two} have no problem and seed in common")
    lost = np.isinf(both.to_numpy()).all(axis=1)
    made: pd.DataFrame = both.loc[~lost]
    need(made, f"compare: neither {one} nor {two} met the target")
    first, second = made["a"].to_numpy(), made["b"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        made = made.assign(log_ratio=np.where(first == second, 0.0, np.log2(first / second)))
    made = made.sort_values("log_ratio", kind="stable").reset_index()
    made.attrs.update(sides[0].facts, a=one, b=two, neither=int(lost.sum()), instances=len(both))
    return made


def _sides(
    runs: pd.DataFrame, hits: pd.DataFrame | None, a: str | None, b: str | None, target: float | None, on: On
) -> list[pd.DataFrame]:
    """Runs of A and B, the best where nobody is named, with the schedule by which the contest represents them."""
    field, table = contest(runs, hits, target=target, on=on), labels(runs)
    given = {name: rows_of(table, runs, name) for name in (a, b) if name is not None}
    taken = {label for rows in given.values() for label in rows["optimizer"]}
    free = [name for name in mean_ranks(field.cost).sort_values(kind="stable").index if name not in taken]
    if len(free) < (a is None) + (b is None):
        raise ValueError("there are no two optimizers to compare on the same problems and seeds")
    sides = []
    for name in (a, b):
        rows = given[name] if name is not None else table[table["optimizer"] == free.pop(0)]
        optimizer = rows["optimizer"].iloc[0]
        if rows["schedule"].nunique() > 1 and optimizer in field.factors.index:
            rows = rows[rows["schedule"] == field.factors.loc[optimizer, "schedule"]]
        sides.append(runs.loc[rows.index])
    if not sides[0].index.intersection(sides[1].index).empty:
        raise ValueError(f"{a!r} and {b!r} have runs in common")
    return sides


def per_problem(field: Contest) -> pd.DataFrame:
    """Median cost over the seeds of every problem, infinite where half of the runs or more failed."""
    return field.cost.groupby(level="problem", sort=False).median()


def ratios(cost: pd.DataFrame) -> pd.DataFrame:
    """Costs over the lowest of each row; infinite for a failure, 1 for the best, also where it costs 0."""
    best = cost.min(axis="columns")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = cost.div(best, axis="index")
    return ratio.mask(cost.eq(best, axis="index"), 1.0).mask(np.isinf(cost), np.inf)


def steps(values: Array, weights: Array, first: float) -> tuple[Array, Array]:
    """Places where a weighted distribution jumps, from `first` to infinity, and its value from each on.

    `values` and `weights` have shape (k,); infinite values never add anything, the last value is the limit.
    """
    finite = np.isfinite(values)
    at, place = np.unique(np.append(values[finite], first), return_inverse=True)
    share = np.cumsum(np.bincount(place, np.append(weights[finite], 0.0)))
    return np.append(at, np.inf), np.append(share, share[-1])


def _steps(field: Contest, values: pd.DataFrame, name: str, first: float) -> pd.DataFrame:
    """The distribution of every column, as a table of steps."""
    import pandas as pd

    parts, weights = [], np.ones(len(values))
    for competitor in values:
        at, count = steps(values[competitor].to_numpy(), weights, first)
        parts.append(pd.DataFrame({"competitor": str(competitor), name: at, "share": count / len(values)}))
    return told(field, pd.concat(parts))
