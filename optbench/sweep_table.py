"""Statistics of a sweep: what runs need, value by value of a setting, and which values are good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from optbench import stats
from optbench.labels import text_of
from optbench.swept import curves, settings, short
from optbench.types import Array
from optbench.vary import resolve

if TYPE_CHECKING:
    import pandas as pd

On = Literal["iterations", "epochs", "loss"]
Scale = Literal["linear", "log", "reverse_log", "ordinal"]

MEASURED = ("iterations", "epochs", "loss", "remaining", "val_loss", "val_accuracy")
FACTOR = 2.0  # times the fewest iterations: what counts as good
_UNEVEN = 20.0  # ratio of the largest to the smallest gap from which on values stand side by side


def table(
    runs: pd.DataFrame, hits: pd.DataFrame, by: Sequence[str], *, target: float | None = None, on: On | None = None
) -> pd.DataFrame:
    """What came of every value (or pair of values) of the swept settings.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it. Runs that do not have the settings are left out.
    by : sequence of str
        One or two settings.
    target : float, optional
        Default: 1e-6 if any run met it, else the smallest that any did.
    on : {"iterations", "epochs", "loss"}, optional
        What `best` compares. Default: epochs for a sweep over ``batch_size``, else iterations; the loss where some
        cell cannot be judged.

    Returns
    -------
    DataFrame
        Labels of what is not swept; the values under their `optbench.swept.short` names, sorted; ``runs``;
        ``success``, share of runs that met the target; ``iterations`` and ``epochs`` (of a sum over samples), medians
        to the target, in which a run that never met it is infinite; ``loss``, median at the end, infinite for a run
        without a finite f: the KKT residual under constraints, f - f* where the minimum is known, else f;
        ``remaining``, median of (f - f*) / (f0 - f*) at the end where f* is known; ``val_loss``, ``val_accuracy``,
        medians on held-out samples, where there are any; ``diverged``, share of runs;
        ``seconds``, median wall time of a run. ``_q25`` and ``_q75`` mark the quartiles. NaN is what is not known.
        ``attrs``: ``by``, the full names, ``target``, ``on``, ``least``, the target at which a run ends, and in words
        ``loss``, what that is, and ``goal``, what the target asks for.

    Raises
    ------
    ValueError
        No runs, an unknown setting, or a target that was not recorded.
    """
    import pandas as pd

    stats.need(runs, "sweep over")
    hits = hits[hits["run"].isin(runs.index)]
    target = stats.pick_target(hits, target)
    known = settings(runs)
    names = [resolve(key, known.columns) for key in by]
    by, values = short(runs, names), known[names].dropna().infer_objects()
    stats.need(values, f"sweep over: none has all of {', '.join(names)}")
    runs = runs.loc[values.index]
    frame = curves(runs, names).assign(**values, **_measured(runs, hits, target))
    keys = [*stats.FACTORS, *names]
    rows = [{**dict(zip(keys, cell, strict=True)), **_row(part)} for cell, part in frame.groupby(keys, sort=False)]
    made = pd.DataFrame(rows).rename(columns=dict(zip(names, by, strict=True)))
    order = {name: {label: k for k, label in enumerate(dict.fromkeys(made[name]))} for name in stats.FACTORS}
    for key in by:
        order[key] = {value: k for k, value in enumerate(in_order(made[key]))}
    made = made.sort_values([*stats.FACTORS, *by], key=lambda column: column.map(order[str(column.name)]))
    made = made.reset_index(drop=True)
    usual: On = "epochs" if "batch_size" in names else "iterations"
    on = on or (usual if made[usual].notna().all() else "loss")
    made.attrs.update(by=names, target=target, on=on, least=float(hits["target"].min()), **_meaning(runs))
    return made


def _meaning(runs: pd.DataFrame) -> dict[str, str]:
    """What ``loss`` is, and what the target asks for, up to its value."""
    if runs["kkt"].notna().all():
        return {"loss": "KKT residual", "goal": "KKT residual \N{LESS-THAN OR EQUAL TO} {target}"}
    known = runs["f_opt"].notna() & ~runs["frozen"]
    goal = "f - f* \N{LESS-THAN OR EQUAL TO} {target} (f0 - f*)" + ", f0 and f* frozen" * bool(runs["frozen"].all())
    return {"loss": "f - f*" if known.all() else "loss", "goal": goal}


def _measured(runs: pd.DataFrame, hits: pd.DataFrame, target: float) -> dict[str, pd.Series[Any]]:
    end = stats.final(runs)
    gap = (end - runs["f_opt"]).mask(runs["frozen"])  # a frozen loss is no minimum, nor the start that of the run
    start = runs["f0"] - runs["f_opt"]
    constrained = runs["kkt"].notna()
    return {
        "iterations": stats.costs(runs, hits, target),
        "epochs": stats.costs(runs, hits, target, "epochs"),
        "loss": runs["kkt"].where(np.isfinite(runs["fun"]), np.inf).where(constrained, gap.where(gap.notna(), end)),
        "remaining": (gap / start.where(start > 0)).mask(constrained),
        "val_loss": stats.final(runs, "val_loss"),
        "val_accuracy": stats.final(runs, "val_accuracy"),
        "status": runs["status"],
        "wall": runs["wall_median"],
    }


def _row(part: pd.DataFrame) -> dict[str, Any]:
    cost = part["iterations"]
    row: dict[str, Any] = {"runs": len(part), "success": np.nan if cost.isna().any() else float((cost < np.inf).mean())}
    for name in MEASURED:
        low, middle, high = stats.quartiles(part[name])
        row |= {f"{name}_q25": float(low), name: float(middle), f"{name}_q75": float(high)}
    return {**row, "diverged": float((part["status"] == "diverged").mean()), "seconds": part["wall"].median()}


def value_text(value: Any) -> str:
    """A value in a table: ``none`` for a limit of infinity."""
    return "none" if value == float("inf") else text_of(value)


def in_order(values: Iterable[Any]) -> list[Any]:
    """Different values: ascending where they can be compared, else in order of appearance."""
    found = list(dict.fromkeys(values))
    try:
        return sorted(found)
    except TypeError:
        return found


# ----------------------------------------------------------------------------------------------------- good values


class Good(NamedTuple):
    """The best value of a setting and the values around it that need at most `FACTOR` times as much.

    `low` and `high` are the ends of that range, `at_low` and `at_high` whether it goes on to the end of the sweep,
    `decades` its width: log10(high / low), `reverse` of 1 - value where that is the scale; NaN on any other.
    """

    key: str
    best: Any
    low: Any
    high: Any
    at_low: bool
    at_high: bool
    decades: float
    reverse: bool


def best(table: pd.DataFrame) -> pd.Series[Any] | None:
    """Row with the lowest median cost; where no value reaches the target half of the time, with the lowest loss.

    None where all diverged. Ties: the lower loss, then the first.
    """
    import pandas as pd

    on = table.attrs["on"]
    first = table.sort_values([on, "loss"], kind="stable", na_position="last").iloc[0]
    known = np.isfinite(first[on]) or np.isfinite(first["loss"])
    return first if known and isinstance(first, pd.Series) else None


def good(table: pd.DataFrame, by: Sequence[str], factor: float = FACTOR) -> list[Good]:
    """The good range of every setting in a table of one curve, the other setting at its best value.

    Empty where no value reaches the target half of the time, or losses are compared.
    """
    row, on = best(table), table.attrs["on"]
    if row is None or on == "loss" or not row[on] < np.inf:
        return []
    found = []
    for key in by:
        part = table
        for other in by:
            part = part if other == key else part[part[other] == row[other]]
        values, cost = part[key].tolist(), part[on].to_numpy(dtype=np.float64)
        inside = cost <= factor * row[on]
        low = high = at = values.index(row[key])
        while low > 0 and inside[low - 1]:
            low -= 1
        while high < len(values) - 1 and inside[high + 1]:
            high += 1
        scale = scale_of(values)
        width, ends = decades(values[low], values[high], scale), (low == 0, high == len(values) - 1)
        found.append(Good(key, values[at], values[low], values[high], *ends, width, scale == "reverse_log"))
    return found


def decades(low: Any, high: Any, scale: Scale) -> float:
    """Width of a range on that scale; NaN where it has none in decades."""
    if scale not in ("log", "reverse_log"):
        return float("nan")
    ends = positions([low, high], scale)
    return float(abs(ends[1] - ends[0]))


def width_text(good: Good) -> str:
    """Width of a good range in words, empty where it has none in decades; at least so wide where the sweep cuts it."""
    if np.isnan(good.decades):
        return ""
    more = "\N{GREATER-THAN OR EQUAL TO}" * (good.at_low or good.at_high)
    return f"{more}{good.decades:.1f} decades" + f" of 1 - {good.key}" * good.reverse


def words(table: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """What a sweep of one curve shows, in sentences: best, good range, growth with a setting of the problem."""
    row, on, target = best(table), table.attrs["on"], stats.target_text(table.attrs["target"])
    if row is None:
        return ["every value diverged"]
    lines = []
    own = [key for key, name in zip(by, table.attrs["by"], strict=True) if not name.startswith("problem.")]
    at = ", ".join(f"{key}={value_text(row[key])}" for key in by)
    found = good(table, by)
    if own and found:
        lines.append(f"best: {at}, {row[on]:.4g} {on} to {target} (median)")
    elif on == "loss":
        lines.append(f"lowest median loss: {at}, {row['loss']:.4g}")
    elif own:
        lines.append(f"no value reaches {target} in half of its runs; lowest median loss: {at}, {row['loss']:.2g}")
    for item in found:
        if item.key in own:
            rest = ", ".join(f"{key}={value_text(row[key])}" for key in by if key != item.key)
            ends = f"{value_text(item.low)} to {value_text(item.high)}"
            width = f" ({width_text(item)})" if width_text(item) else ""
            lines.append(f"within {FACTOR:g}x of it{f' at {rest}' * bool(rest)}: {item.key} from {ends}{width}")
    power = growth(table, by[0]) if len(by) == 1 and not own and on != "loss" else float("nan")
    if np.isfinite(power):
        lines.append(f"{on} to {target} grow like {by[0]}^{power:.2f} (least squares of the logarithms)")
    return lines


def growth(table: pd.DataFrame, key: str) -> float:
    """Exponent p of cost ~ value^p, by least squares of the logarithms; NaN with fewer than three values."""
    try:
        values = table[key].to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        return float("nan")
    cost = table[table.attrs["on"]].to_numpy(dtype=np.float64)
    keep = np.isfinite(cost) & (cost > 0) & (values > 0)
    if keep.sum() < 3:
        return float("nan")
    return float(np.polynomial.polynomial.polyfit(np.log(values[keep]), np.log(cost[keep]), 1)[1])


def scale_of(values: Sequence[Any]) -> Scale:
    """The scale on which sorted values stand most evenly; side by side where that is none, or they are no numbers."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    if not numbers or not np.isfinite(values).all():
        return "ordinal"
    if len(values) < 2:
        return "linear"
    spacing: dict[Scale, float] = {}
    wide = values[0] > 0 and values[-1] / values[0] >= 5
    near = values[0] >= 0 and values[-1] < 1 and (1 - values[0]) / (1 - values[-1]) >= 5
    possible: dict[Scale, bool] = {"linear": True, "log": wide, "reverse_log": near}
    for scale, fits in possible.items():
        if fits:
            gaps = np.abs(np.diff(positions(values, scale)))
            spacing[scale] = float(gaps.max() / gaps.min())
    scale = min(spacing, key=lambda name: spacing[name])
    return scale if spacing[scale] <= _UNEVEN else "ordinal"


def positions(values: Sequence[Any], scale: Scale) -> Array:
    """Where values stand on a scale, in decades or, side by side, by their number; shape (k,)."""
    if scale == "ordinal":
        return np.arange(len(values), dtype=np.float64)
    numbers = np.asarray(values, dtype=np.float64)
    return np.log10(numbers) if scale == "log" else -np.log10(1 - numbers) if scale == "reverse_log" else numbers
