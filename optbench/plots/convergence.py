"""Convergence: how the objective falls along a run, one panel a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from optbench import stats
from optbench.plots import _style
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

By = Literal["optimizer", "schedule"]
X = Literal["iteration", "seconds"]
Quantity = Literal["gap", "f", "grad_norm"]

_EPS = float(np.finfo(np.float64).eps)
_LOG_FROM = 30.0  # a longest line with more iterations than this gets a logarithmic axis
_Y_TEXT = {"gap": "$f(x_t) - f^*$", "f": "$f(x_t)$", "grad_norm": r"$\|\nabla f(x_t)\|$"}
_X_TEXT = {"iteration": "iteration", "seconds": "seconds"}


class Line(NamedTuple):
    """One line of a panel: positions, shape (k,), and lower quartile, median, upper quartile, shape (3, k)."""

    label: str
    detail: str
    x: Array
    y: Array
    end: Literal["converged", "diverged", "stopped"]


def convergence(
    runs: pd.DataFrame,
    traces: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    by: By = "optimizer",
    x: X = "iteration",
    quantity: Quantity = "gap",
) -> Figure:
    """Objective against iterations or seconds, one panel a problem, median and quartiles over the seeds.

    Parameters
    ----------
    runs, traces : DataFrame
        Of a results file; `runs` may be a part of it.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    by : {"optimizer", "schedule"}
        What the lines are. Of the runs that differ in other factors (the schedule of an optimizer, the clipping) every
        line shows, panel by panel, the combination whose median run converged in the fewest iterations, or where none
        did, the one with the lowest median f at the end.
    x : {"iteration", "seconds"}
        Seconds are the run's median time in proportion to the iteration; runs without times are left out.
    quantity : {"gap", "f", "grad_norm"}
        ``gap`` is f - f*, cut at its rounding floor; a problem without a known minimum shows f instead.

    Returns
    -------
    Figure
        A run that has ended holds its last value, or counts as infinite from there on if it diverged or failed. A line
        ends at a dot where the median run converged, at a cross where it diverged, else where the last run ended.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or an argument that is none of the above.
    """
    for name, value, allowed in (("by", by, By), ("x", x, X), ("quantity", quantity, Quantity)):
        if value not in get_args(allowed):
            raise ValueError(f"{name} is one of {', '.join(get_args(allowed))}, not {value!r}")
    table = stats.labels(runs) if len(runs) else runs
    stats.need(table, "plot")
    table = _style.chosen(table, runs, problem=problem, optimizer=optimizer, schedule=schedule)
    if x == "seconds":
        table = table[runs.loc[table.index, "wall_median"].notna()]
        stats.need(table, "plot: none was timed")
    frame = _best(runs.loc[table.index].assign(**table), by)
    points = dict(tuple(traces[traces["run"].isin(frame.index)].groupby("run", sort=False)))
    details = _details(frame, by)
    lines: dict[str, list[Line]] = {}
    for (name, label), cell in frame.groupby(["problem", by], sort=False):
        curves = [_curve(row, points[key], x, quantity) for key, row in cell.iterrows() if key in points]
        if curves:
            lines.setdefault(name, []).append(_median(label, details[name, label], curves, cell))
    stats.need(pd.Series(lines), "plot: none has a trace")
    with _style.style():
        return _draw(frame, lines, by, x, quantity)


def _best(frame: pd.DataFrame, by: By) -> pd.DataFrame:
    """Rows of the combination of other factors that each line shows."""
    keys = [frame[name] for name in ("problem", by, *_others(by))]
    needed = frame["nit"].astype("float64").where(frame["status"] == "converged", np.inf)
    at_end = frame["fun"].where(frame["fun"].abs() < np.inf, np.inf)
    ranked = stats.medians(needed, keys).to_frame("needed").assign(at_end=stats.medians(at_end, keys))
    first = ranked.sort_values(["needed", "at_end"], kind="stable").groupby(level=[0, 1], sort=False).head(1)
    keep = set(first.index)
    return frame[[cell in keep for cell in zip(*keys, strict=True)]]


def _others(by: By) -> list[str]:
    return [name for name in ("optimizer", "schedule", "clip") if name != by]


def _details(frame: pd.DataFrame, by: By) -> dict[tuple[str, str], str]:
    """What else a line shows, where lines differ in it: its schedule (or optimizer) and clipping, as short as unique."""
    parts = []
    for factor in _others(by):
        labels = _style.present(frame[factor])
        names = {label: label.split(" ")[0] for label in labels}
        short = names if len(set(names.values())) == len(labels) else dict(zip(labels, labels, strict=True))
        if len(labels) > 1:
            parts.append([short[label] for label in frame[factor]])
    texts = [", ".join(each) for each in zip(*parts, strict=True)] if parts else [""] * len(frame)
    return dict(zip(zip(frame["problem"], frame[by], strict=True), texts, strict=True))


def _curve(row: pd.Series[Any], points: pd.DataFrame, x: X, quantity: Quantity) -> tuple[Array, Array, bool]:
    """Positions and values of one run (logarithms but for f), and whether it ended as infinite."""
    at = points["iteration"].to_numpy(dtype=np.float64)
    if x == "seconds":
        at = at * (row["wall_median"] / max(row["nit"], 1))
    value = points["grad_norm" if quantity == "grad_norm" else "f"].to_numpy(dtype=np.float64)
    quantity = _shown(row["f_opt"], quantity)
    if quantity == "gap":
        value = value - row["f_opt"]
    bad = row["status"] in _FAILED
    if quantity != "f":
        floor = max(_EPS * max(abs(row["f_opt"]) if quantity == "gap" else 0.0, value[0]), _TINY)
        value = np.log10(np.maximum(value, floor))
    return at, np.where(np.isfinite(value), value, np.inf), bad


def _shown(f_opt: float, quantity: Quantity) -> Quantity:
    return "f" if quantity == "gap" and math.isnan(f_opt) else quantity


def _median(label: str, detail: str, curves: list[tuple[Array, Array, bool]], cell: pd.DataFrame) -> Line:
    """Quartiles over the runs of a cell at every recorded position of any of them."""
    missing = len(cell) - len(curves)
    at = np.unique(np.concatenate([position for position, _, _ in curves]))
    values = np.full((len(cell), at.size), np.inf)
    for k, (position, value, bad) in enumerate(curves):
        values[k] = value[np.searchsorted(position, at, side="right") - 1]
        if bad:
            values[k, at > position[-1]] = np.inf
    y = stats.quartiles(values)
    ends = np.sort([position[-1] for position, _, _ in curves])
    return Line(label, detail, at, y, "stopped")
