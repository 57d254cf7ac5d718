"""What a run cost: to a target, in all, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from optbench.stats.cells import one_of

if TYPE_CHECKING:
    import pandas as pd

On = Literal["iterations", "epochs", "evaluations", "seconds"]
Loss = Literal["fun", "val_loss", "val_accuracy"]

TARGETS = (1e-1, 1e-3, 1e-6, 1e-8)  # shown by default, where they were asked for
FAILED = ("diverged", "error", "crashed")
WORST: dict[str, float] = {"fun": np.inf, "val_loss": np.inf, "val_accuracy": 0.0}  # of a run without a finite loss


def target_text(target: float) -> str:
    """Text of a target in column names and figures: ``1e-6``."""
    return np.format_float_scientific(target, trim="-", exp_digits=1)


def pick_target(hits: pd.DataFrame, target: float | None = None) -> float:
    """`target` as it is recorded; without one 1e-6 if any run met it, else the smallest that any did, or of all.

    Raises
    ------
    ValueError
        There are no targets, or not this one.
    """
    recorded = sorted(hits["target"].unique().tolist(), reverse=True)
    if not recorded:
        raise ValueError("these runs were not asked for any target")
    if target is None:
        met = sorted(hits.loc[hits["iteration"].notna(), "target"].unique().tolist(), reverse=True) or recorded
        usual = [known for known in met if np.isclose(known, 1e-6, rtol=1e-9, atol=0.0)]
        return float(usual[0] if usual else met[-1])
    for known in recorded:
        if np.isclose(known, target, rtol=1e-9, atol=0.0):
            return float(known)
    raise ValueError(f"target {target!r} was not recorded. Known: {', '.join(map(target_text, recorded))}")


def shown(hits: pd.DataFrame, targets: Iterable[float] | None) -> list[float]:
    """`targets` as they are recorded; without them those of `TARGETS` that are, or all. Raises ValueError."""
    if targets is not None:
        return [pick_target(hits, target) for target in targets]
    recorded = sorted(hits["target"].unique().tolist(), reverse=True)
    usual = [known for known in recorded if np.isclose(known, TARGETS, rtol=1e-9, atol=0.0).any()]
    return usual or recorded


def judged(runs: pd.DataFrame) -> pd.Series[bool]:
    """Whether it is known what a run's targets ask for, index as in `runs`: the problem's minimum is known."""
    return runs["f_opt"].notna()


def costs(runs: pd.DataFrame, hits: pd.DataFrame, target: float, on: On = "iterations") -> pd.Series[float]:
    """Cost of every run to the target, index as in `runs`.

    Infinite where the target was not met; NaN where that is not known (see the package), and in seconds where a run
    that met it was not timed, in epochs where the problem is no finite sum. Seconds and evaluations (of the
    objective, the first at the start) are in proportion to the iterations.

    Raises
    ------
    ValueError
        No such cost, or a target that was not recorded.
    """
    one_of("cost", on, On)
    asked = hits[hits["target"] == pick_target(hits, target)].set_index("run").reindex(runs.index)
    iteration = asked["iteration"].astype("Float64").astype("float64")
    if on == "iterations":
        value = iteration
    elif on == "evaluations":
        value = 1.0 + (runs["nfev"] - 1) * iteration / runs["nit"].clip(lower=1)
    else:
        value = asked[on].astype("Float64").astype("float64")
    known = asked["target"].notna() & judged(runs)
    if on == "epochs":
        known &= runs["n_samples"] > 0
    return value.where(iteration.notna(), np.inf).where(known)


def whole(runs: pd.DataFrame, on: On = "iterations") -> pd.Series[float]:
    """Cost of every run from its start to its end, whatever it reached; NaN where that is not known.

    A run that was stopped by its time limit took that long.
    """
    if on == "seconds":
        return runs["wall_median"].where(runs["status"] != "timeout", runs["wall_median"].fillna(runs["time_limit"]))
    if on == "epochs":
        return runs["epochs"].where(runs["n_samples"] > 0)
    return runs["nit" if on == "iterations" else "nfev"].astype("float64")


def spent(runs: pd.DataFrame, hits: pd.DataFrame, target: float, on: On = "iterations") -> pd.Series[float]:
    """What every run spent on the target: its cost where it met it, else all that it ran. Raises as `costs`."""
    cost = costs(runs, hits, target, on)
    return cost.mask(cost == np.inf, whole(runs, on))


def budget_costs(runs: pd.DataFrame, on: On = "iterations") -> pd.Series[float]:
    """Cost of the whole iteration budget of every run: a lower bound of what a run that failed would need."""
    if on == "iterations":
        return runs["max_iter"].astype("float64")
    return whole(runs, on) / runs["nit"].clip(lower=1) * runs["max_iter"]


def final(runs: pd.DataFrame, name: Loss = "fun") -> pd.Series[float]:
    """How every run ended: its loss, or loss or accuracy on held-out samples, index as in `runs`.

    A run that ended without a finite loss has the worst value: infinity, or accuracy 0. NaN where a problem has no such
    value.

    Raises
    ------
    ValueError
        No such column.
    """
    one_of("a final value", name, WORST)
    fine = np.isfinite(runs["fun"]) & np.isfinite(runs[name])
    value = runs[name].where(fine, WORST[name])
    if name == "fun":
        return value
    return value.where(fine.groupby([runs["problem"], runs["settings"]]).transform("any"))


def losses(runs: pd.DataFrame) -> pd.Series[float]:
    """Final loss of every run as it is compared, index as in `runs`: f, or the KKT residual under constraints.

    A run stops where it has met its last target, so that how far its last step went beyond says nothing: runs that met
    all targets count as that level. Its f is f* + target (f0 - f*); where frozen losses stand for f* and f0, it is the
    largest f of the runs of that problem that met the same targets. A run that failed has infinity.
    """
    constrained, met = runs["kkt"].notna(), runs["status"] == "converged"
    value = runs["kkt"].where(constrained, runs["fun"])
    last = runs["targets"].map({text: min(json.loads(text), default=0.0) for text in runs["targets"].unique()})
    level = last.where(constrained, runs["f_opt"] + last * (runs["f0"] - runs["f_opt"]))
    alike = [runs[name] for name in ("problem", "settings", "targets")]
    reached = runs["fun"].where(met & runs["frozen"]).groupby(alike).transform("max")
    level = level.mask(runs["frozen"] & ~constrained, reached)
    value = value.mask(met & level.notna(), level)
    return value.where((value.abs() < np.inf) & ~runs["status"].isin(FAILED), np.inf)
