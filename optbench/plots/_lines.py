"""From runs and traces to the lines of a convergence plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from optbench import stats
from optbench.plots import _style
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

By = Literal["optimizer", "schedule"]
X = Literal["iteration", "evaluations", "epochs", "seconds"]
Quantity = Literal["gap", "f", "grad_norm", "kkt"]
Traced = Quantity | Literal["lr"]

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)
_FAILED = ("diverged", "error", "crashed")


class Line(NamedTuple):
    """One line of a panel: positions, shape (k,), and lower quartile, median, upper quartile, shape (3, k).

    `y` holds logarithms to base 10 of gaps and gradient norms. `detail` tells what else distinguishes the line. A line
    that diverged at once has one point, which is infinite.
    """

    label: str
    detail: str
    x: Array
    y: Array
    end: Literal["converged", "diverged", "stopped"]


def measured(frame: pd.DataFrame, x: X) -> pd.DataFrame:
    """Rows of which it is known what they took in `x`, and as ``constrained`` whether their problem has constraints.

    Raises ValueError where there are none.
    """
    frame = frame.assign(constrained=frame.groupby("problem", sort=False)["kkt"].transform("count") > 0)
    if x == "seconds":
        frame = frame[frame["wall_median"].notna()]
        stats.need(frame, "plot: none was timed")
    if x == "epochs":
        frame = frame[frame["n_samples"] > 0]
        stats.need(frame, "plot: none is of a sum over samples")
    return frame


def rows_of(
    runs: pd.DataFrame,
    by: By,
    x: X = "iteration",
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
) -> pd.DataFrame:
    """Rows that lines show, with labels in the place of names: those asked for, `measured` in `x`, the `best` by `by`.

    Raises ValueError where there are none, for an unknown name, or for what is no `by` or `x`.
    """
    stats.one_of("by", by, By)
    stats.one_of("x", x, X)
    stats.need(runs, "plot")
    table = _style.chosen(stats.labels(runs), runs, problem=problem, optimizer=optimizer, schedule=schedule)
    return best(measured(runs.loc[table.index].assign(**table), x), by)


def best(frame: pd.DataFrame, by: By) -> pd.DataFrame:
    """Rows of the one combination of other factors that each line shows, by the rule in `convergence`."""
    keys = [frame[name] for name in ("problem", by, *others(by))]
    needed = frame["nit"].astype("float64").where(frame["status"] == "converged", np.inf)
    at_end = frame["fun"].where(frame["fun"].abs() < np.inf, np.inf)
    ranked = stats.medians(needed, keys).to_frame("needed").assign(at_end=stats.medians(at_end, keys))
    first = ranked.sort_values(["needed", "at_end"], kind="stable").groupby(level=[0, 1], sort=False).head(1)
    keep = set(first.index)
    return frame[[cell in keep for cell in zip(*keys, strict=True)]]


def of_seed(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Of every problem and optimizer the rows of one seed: `seed`, or where it was not run the lowest that was."""
    seeds = frame["seed"].where(frame["seed"] == seed, frame["seed"] + frame["seed"].max() + 1)
    return frame[seeds == seeds.groupby([frame["problem"], frame["optimizer"]]).transform("min")]


def lines_of(frame: pd.DataFrame, traces: pd.DataFrame, by: By, x: X, quantity: Traced) -> dict[str, list[Line]]:
    """Lines of every problem, from the rows that `best` left, labelled."""
    points: dict[Any, pd.DataFrame] = dict(iter(traces.groupby("run", sort=False)))
    texts = details(frame, by)
    lines: dict[str, list[Line]] = {}
    for (problem, label), cell in frame.groupby(["problem", by], sort=False):
        curves = [_curve(row, points[key], x, quantity) for key, row in cell.iterrows() if key in points]
        made = _median(str(label), texts[problem, label], curves, len(cell))
        pace = (cell["wall_median"] / cell["nit"].clip(lower=1)).median() if x == "seconds" else 1.0
        lines.setdefault(str(problem), []).append(made._replace(x=made.x * pace))
    return lines


def _spent(row: pd.Series[Any], at: Array, x: X) -> Array:
    """Evaluations or epochs of a run up to these iterations, in proportion to them, as in `stats.costs`."""
    share = at / max(row["nit"], 1)
    if x == "evaluations":
        return np.asarray(1.0 + (row["nfev"] - 1) * share)
    return np.asarray(row["epochs"] * share) if x == "epochs" else at


def others(by: By) -> list[str]:
    return [name for name in ("optimizer", "schedule", "clip", "batch") if name != by]


def details(frame: pd.DataFrame, by: By) -> dict[Any, str]:
    """Schedule (or optimizer) and clipping of every line, those that are not the same everywhere, short if unique."""
    parts = []
    for factor in others(by):
        labels = _style.present(frame[factor])
        short = _style.short_names(labels)
        if len(labels) > 1:
            parts.append([short[label] for label in frame[factor]])
    texts = [", ".join(each) for each in zip(*parts, strict=True)] if parts else [""] * len(frame)
    return dict(zip(zip(frame["problem"], frame[by], strict=True), texts, strict=True))


def shown(f_opt: float, constrained: bool, quantity: Traced) -> Traced:
    """What a panel shows: the KKT residual under constraints, f itself where the gap to the minimum is not known."""
    if quantity != "gap":
        return quantity
    return "kkt" if constrained else "f" if math.isnan(f_opt) else "gap"


class Curve(NamedTuple):
    """One run: positions and values, both of shape (k,), and its status; values that are not finite are infinite."""

    x: Array
    y: Array
    status: str


def _curve(row: pd.Series[Any], points: pd.DataFrame, x: X, quantity: Traced) -> Curve:
    at = _spent(row, points["iteration"].to_numpy(dtype=np.float64), x)
    quantity = shown(row["f_opt"], bool(row.get("constrained", False)), quantity)
    value = points["f" if quantity == "gap" else quantity].to_numpy(dtype=np.float64)
    if quantity == "gap":
        value = value - row["f_opt"]
    if quantity == "lr":
        value = _held(value)
    value = np.where(np.isfinite(value), value, np.inf)
    if quantity != "f":
        sizes = (value[0], abs(row["f_opt"]) if quantity == "gap" else 0.0)
        floor = max(_EPS * max(size for size in sizes if size < np.inf), _TINY)
        value = np.log10(np.maximum(value, floor))
    return Curve(at, value, str(row["status"]))


def _held(rates: Array) -> Array:
    """Learning rates with the one before in the place of 0, and of none at a point from which no step was taken."""
    last = np.maximum.accumulate(np.where(rates > 0, np.arange(rates.size), 0))
    return np.asarray(rates[last])


def _median(label: str, detail: str, curves: list[Curve], runs: int) -> Line:
    """Quartiles over the runs of a cell wherever one of them has a point; runs without a trace count as infinite."""
    start = min((float(curve.x[0]) for curve in curves), default=0.0)
    at = np.unique(np.concatenate([[start], *(curve.x for curve in curves)]))
    values = np.full((runs, at.size), np.inf)
    for k, curve in enumerate(curves):
        values[k] = curve.y[np.searchsorted(curve.x, at, side="right") - 1]
        if curve.status in _FAILED:
            values[k, at > curve.x[-1]] = np.inf
    y = stats.quartiles(values)
    ended = sorted(curve.x[-1] for curve in curves if curve.status == "converged")
    most = runs // 2  # the run in the middle, and with an even number the slower of the two
    if len(ended) > most:
        keep = at <= ended[most]
        return Line(label, detail, at[keep], y[:, keep], "converged")
    finite = np.isfinite(y[1])
    if finite.all():
        return Line(label, detail, at, y, "stopped")
    keep = np.arange(at.size) < max(int(np.argmin(finite)), 1)
    return Line(label, detail, at[keep], y[:, keep], "diverged")
