"""Two optimizers on the same problems and starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np

from optbench.registry import unknown
from optbench.stats.cells import FACTORS, labels, need
from optbench.stats.costs import Loss, On, costs, final, losses, pick_target
from optbench.stats.paired import contrast, holm, middle, sign_test, signed_rank, smallest_p
from optbench.stats.samples import median_interval, quartiles

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal[On, Loss]


class Tables(Protocol):
    """What a results file holds, or a part of it."""

    @property
    def runs(self) -> pd.DataFrame:
        """One row a run."""

    @property
    def hits(self) -> pd.DataFrame:
        """One row a run and target."""


def compare(
    results: Tables, a: str, b: str, *, target: float | None = None, on: Measure = "iterations", alpha: float = 0.05
) -> pd.DataFrame:
    """Compare two optimizers seed by seed: a row for each problem, and each schedule, clipping and batch both ran with.

    Parameters
    ----------
    results : Results
        Of `optbench.load` or `optbench.run`, or anything with tables ``runs`` and ``hits``.
    a, b : str
        Labels or names of optimizers, alone or with a schedule: ``"adam"``, ``"adam/cosine"``. Where the two share no
        schedule (or clipping, or batch), every one of A's is compared with every one of B's.
    target : float, optional
        Default: that of `stats.pick_target` for the runs that are compared.
    on : {"iterations", "epochs", "evaluations", "seconds", "fun", "val_loss", "val_accuracy"}
        The cost to the target, or how the runs ended; then there is no target. The final losses, ``fun``, are those of
        `stats.losses`: runs that met all their targets are equal, and under constraints it is the KKT residual.
    alpha : float
        Level of the tests; intervals are of 1 - alpha.

    Returns
    -------
    DataFrame
        ``problem``, ``schedule``, ``clip`` and ``batch`` where they vary; ``pairs`` (seeds); ``a_met, b_met``, runs
        with a finite value; quartiles ``a_q25, a_median, a_q75, b_q25, b_median, b_q75``; the fields of
        `optbench.stats.Contrast`; ``p_corrected``, Holm's correction over the rows; ``p_smallest``, the least that
        this could be with so many pairs; ``verdict`` in words. Its ``attrs`` hold ``a, b, on, target, alpha`` and the
        ``invocations`` that the runs come from.

    Raises
    ------
    ValueError
        An unknown name or cost, a name that stands for several optimizers, runs that are both A's and B's, no pair of
        runs that can be judged, a target that was not recorded, a level outside (0, 1).
    """
    import pandas as pd

    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is between 0 and 1, not {alpha!r}")
    if on not in (*get_args(On), *get_args(Loss)):
        raise unknown("cost", on, (*get_args(On), *get_args(Loss)))
    runs, is_cost = results.runs, on in get_args(On)
    pairs = _pairs(labels(runs).assign(run=runs.index, **runs[["seed", "invocation"]]), runs, a, b)
    pairs, target = _valued(pairs, results, target, on)
    need(pairs, f"compare by {on}: nothing that {a} and {b} have in common has it; the final loss, fun, everything has")
    names = ["problem", "schedule", *(name for name in FACTORS[3:] if pairs[name].nunique() > 1)]
    rows: list[dict[str, Any]] = []
    words: list[str] = []
    for key, cell in pairs.groupby(names, sort=False):
        first, second = cell["value_a"].to_numpy(), cell["value_b"].to_numpy()
        spread = dict(zip(_QUARTILES, [*quartiles(first), *quartiles(second)], strict=True))
        told = contrast(first, second, ratio=is_cost, larger=on == "val_accuracy", alpha=alpha)
        met = {"a_met": int(np.isfinite(first).sum()), "b_met": int(np.isfinite(second).sum())}
        words.append("KKT residual" if on == "fun" and runs.loc[cell["run_a"], "kkt"].notna().all() else on)
        rows.append({**dict(zip(names, key, strict=True)), "pairs": len(cell), **met, **spread, **told._asdict()})
    table = pd.DataFrame(rows)
    table["p_corrected"] = holm(table["p"])
    table["p_smallest"] = holm(smallest_p(table["pairs"]))
    used = {*pairs["invocation_a"].tolist(), *pairs["invocation_b"].tolist()}
    about = {"invocations": sorted(used), "a": a, "b": b, "on": on, "target": target, "alpha": alpha}
    table["verdict"] = [
        _verdict({**row, "p_corrected": p, "p_smallest": least}, {**about, "on": word}, len(rows))
        for row, word, p, least in zip(rows, words, table["p_corrected"], table["p_smallest"], strict=True)
    ]
    table.attrs.update(about)
    return table


_QUARTILES = ("a_q25", "a_median", "a_q75", "b_q25", "b_median", "b_q75")


def _pairs(table: pd.DataFrame, runs: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """The runs of A beside those of B, which have the factors of `table`."""
    left, right = rows_of(table, runs, a), rows_of(table, runs, b)
    if not left.index.intersection(right.index).empty:
        raise ValueError(f"{a!r} and {b!r} have runs in common")
    joined = [name for name in FACTORS[2:] if not set(left[name]).isdisjoint(right[name])]
    pairs = left.merge(right, on=["problem", "seed", *joined], suffixes=("_a", "_b"))
    for name in FACTORS[2:]:
        if name not in joined:
            pairs[name] = pairs[f"{name}_a"] + " | " + pairs[f"{name}_b"]
    need(pairs, f"compare: {a} and {b} have no problem and seed in common")
    place = {name: k for k, name in enumerate(dict.fromkeys(table["problem"]))}
    return pairs.sort_values("problem", key=lambda column: column.map(place), kind="stable")


def _valued(
    pairs: pd.DataFrame, results: Tables, target: float | None, on: Measure
) -> tuple[pd.DataFrame, float | None]:
    """The pairs whose values, ``value_a`` and ``value_b``, are known, and the target where the values are costs."""
    runs, is_cost = results.runs, on in get_args(On)
    if is_cost:
        hits = results.hits[results.hits["run"].isin({*pairs["run_a"], *pairs["run_b"]})]
        target = pick_target(hits, target)
        value = costs(runs, hits, target, on)  # type: ignore[arg-type]
    else:
        value = losses(runs) if on == "fun" else final(runs, on)  # type: ignore[arg-type]
    pairs = pairs.assign(**{f"value_{side}": pairs[f"run_{side}"].map(value) for side in "ab"})
    return pairs[pairs["value_a"].notna() & pairs["value_b"].notna()], target if is_cost else None


def rows_of(table: pd.DataFrame, runs: pd.DataFrame, text: str) -> pd.DataFrame:
    """Rows of the optimizer, or of the optimizer with a schedule, that `text` names. Raises ValueError."""
    known = set(table["optimizer"])
    name, _, schedule = (text, "", "") if text in known else text.partition("/")
    rows = table[table["optimizer"] == name]
    if rows.empty:
        rows = table[runs["optimizer"] == name]
        several = sorted(set(rows["optimizer"]))
        if not several:
            raise unknown("optimizer", name, known)
        if len(several) > 1:
            raise ValueError(f"{name!r} stands for several optimizers: name one of {', '.join(map(repr, several))}")
    if schedule and schedule not in set(rows["schedule"]):
        raise unknown(f"schedule of {name}:", schedule, set(rows["schedule"]))
    return rows[rows["schedule"] == schedule] if schedule else rows


# ----------------------------------------------------------------------------------------------------------- words


def _verdict(row: dict[str, Any], about: dict[str, Any], rows: int) -> str:
    alpha = about["alpha"]
    if not row["a_met"] and not row["b_met"]:
        return "neither met the target" if about["target"] is not None else "neither ended with a finite loss"
    if row["p_corrected"] < alpha:
        return _effect(row, about)
    if row["p_smallest"] < alpha:
        return "no difference seen"
    enough = math.floor(1 - math.log2(alpha / rows)) + 1  # 2^(1 - n) below alpha / rows
    over = "" if smallest_p(row["pairs"]) >= alpha else f" over {rows} rows"
    return f"not enough pairs: n={row['pairs']} cannot reach p<{alpha:g}{over}, n={enough} could"


def _effect(row: Mapping[str, Any], about: dict[str, Any]) -> str:
    """What B does, beside A."""
    a, b, on, effect = about["a"], about["b"], about["on"], row["effect"]
    limits = "" if np.isnan(row["effect_low"]) else f" [{row['effect_low']:.3g}, {row['effect_high']:.3g}]"
    if about["target"] is None:
        return f"{b} ends {abs(effect):.3g} {'higher' if effect > 0 else 'lower'} in {on}{limits}"
    if effect in (0.0, np.inf):
        return f"{a if effect == 0.0 else b} fails where {b if effect == 0.0 else a} succeeds"
    return f"{b} needs {effect:.3g}x the {on}{limits}"


def overall(table: pd.DataFrame) -> dict[str, Any]:
    """What a table of `compare` says over all its problems, each of which counts the same.

    A problem's value is the median over its rows of B / A, or of B - A. The signed-rank test over those values is the
    one that is advised for two methods on many data sets [1]_. Losses of different problems have no scale in common:
    there it is the sign test, and no effect.

    Returns
    -------
    dict
        ``problems``; ``effect, effect_low, effect_high``, the median over problems and its interval; ``a_better, ties,
        b_better``, problems by their value; ``a_significant, b_significant``, rows that differ after correction, by
        their effect; ``p``; ``p_smallest``, what p can be at least; ``verdict``.

    References
    ----------
    .. [1] Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006) 1-30.
    """
    about = {str(key): value for key, value in table.attrs.items()}
    ratio, alpha = about["target"] is not None, about["alpha"]
    with np.errstate(divide="ignore"):
        values = np.log(table["effect"]) if ratio else table["effect"]
    values = values.fillna(0.0).groupby(table["problem"], sort=False).agg(middle).to_numpy()
    sign = 1.0 if about["on"] == "val_accuracy" else -1.0
    a_better, b_better = int((sign * values < 0).sum()), int((sign * values > 0).sum())
    effect, p = np.full(3, np.nan), sign_test(a_better, b_better)
    if ratio or about["on"] == "val_accuracy":
        effect, p = np.r_[middle(values), median_interval(values, 1.0 - alpha)], signed_rank(values)
        effect = np.exp(effect) if ratio else effect
    decided = sign * np.sign((table["effect"] - ratio)[table["p_corrected"] < alpha])  # the side of the verdict
    made = {
        "problems": len(values),
        **dict(zip(("effect", "effect_low", "effect_high"), map(float, effect), strict=True)),
        "a_better": a_better,
        "ties": int((values == 0).sum()),
        "b_better": b_better,
        "a_significant": int((decided < 0).sum()),
        "b_significant": int((decided > 0).sum()),
        "p": p,
        "p_smallest": float(smallest_p(len(values))),
    }
    return {**made, "verdict": _overall_verdict(made, about)}


def _overall_verdict(made: dict[str, Any], about: dict[str, Any]) -> str:
    a, b, alpha, problems = about["a"], about["b"], about["alpha"], made["problems"]
    if made["p"] < alpha:
        known = not np.isnan(made["effect"])
        lead = _effect(made, about) if known else f"{a if made['a_better'] > made['b_better'] else b} ends better"
    elif made["p_smallest"] >= alpha:
        lead = f"not enough problems: {problems} cannot reach p<{alpha:g}"
    else:
        lead = "no difference seen"
    return (
        f"{lead} (p={made['p']:.2g} over {problems} problems: {a} better on {made['a_better']}, {b} on "
        f"{made['b_better']}, equal on {made['ties']}; rows that differ after correction: {a} better in "
        f"{made['a_significant']}, {b} in {made['b_significant']})"
    )
