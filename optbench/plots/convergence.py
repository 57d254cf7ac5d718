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
        A run that has ended holds its last value until the last of its seeds ends, and counts as infinite from there on
        if it diverged or failed. Dot: the median run converged; cross: it diverged, or left the panel.

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
    frame = runs.loc[table.index].assign(**table)
    points = dict(tuple(traces[traces["run"].isin(_best(frame, by).index)].groupby("run", sort=False)))
    lines = {name: _lines(part, points, by, x, quantity) for name, part in _best(frame, by).groupby("problem", sort=False)}
    with _style.style():
        return _draw(frame, lines, by, x, quantity)


def _best(frame: pd.DataFrame, by: By) -> pd.DataFrame:
    """Rows of the combination of other factors that each line shows."""
    others = [name for name in ("optimizer", "schedule", "clip") if name != by]
    keys = [frame["problem"], frame[by], *(frame[name] for name in others)]
    needed = frame["nit"].astype("float64").where(frame["status"] == "converged", np.inf)
    at_end = frame["fun"].where(frame["fun"].abs() < np.inf, np.inf)
    ranked = stats.medians(needed, keys).to_frame("needed").assign(at_end=stats.medians(at_end, keys))
    first = ranked.sort_values(["needed", "at_end"], kind="stable").groupby(level=[0, 1], sort=False).head(1)
    cells = list(zip(*keys, strict=True))
    keep = set(first.index)
    return frame[[cell in keep for cell in cells]]


def _lines(part: pd.DataFrame, points: dict[str, pd.DataFrame], by: By, x: X, quantity: Quantity) -> list[Line]:
    """Lines of one problem."""
    made = []
    for label, cell in part.groupby(by, sort=False):
        curves = [_curve(row, points[key], x, quantity) for key, row in cell.iterrows() if key in points]
        if curves:
            failed = len(cell) - len(curves)
            made.append(_median(str(label), curves, failed, list(cell["status"])))
    return made
