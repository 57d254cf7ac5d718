"""Gradient norm and learning rate along a run, one above the other, one panel a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optbench import stats
from optbench.plots import _style
from optbench.plots._lines import By, Line, Traced, X, lines_of, rows_of
from optbench.plots.convergence import X_TEXT, arrange, label, panel, panel_size

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN: tuple[Traced, ...] = ("grad_norm", "lr")
_NORMS = (r"$\|\nabla f(x_t)\|$", r"$\|\nabla_x L(x_t, \lambda_t)\|$")  # without constraints, and under some


def traces(
    runs: pd.DataFrame,
    traces: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    by: By = "optimizer",
    x: X = "iteration",
) -> Figure:
    """Gradient norm and, below it, learning rate along the runs, one panel a problem: median and quartiles over seeds.

    Parameters
    ----------
    runs, traces : DataFrame
        Of a results file; `runs` may be a part of it.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    by : {"optimizer", "schedule"}
        What the lines are, as in `convergence`, which shows the same combinations of what differs otherwise.
    x : {"iteration", "evaluations", "epochs", "seconds"}
        As in `convergence`.

    Returns
    -------
    Figure
        Of a method with a search the rate is the step length that it found. The norm is Euclidean, before clipping, on
        mini-batches that of all samples, under constraints that of the gradient of the Lagrangian. A rate of 0 is not
        shown, the one before it goes on.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or an argument that is none of the above.
    """
    frame = rows_of(runs, by, x, problem=problem, optimizer=optimizer, schedule=schedule)
    points = traces[traces["run"].isin(frame.index)]
    stats.need(points, "plot: none has a trace")
    lines = {quantity: lines_of(frame, points, by, x, quantity) for quantity in _SHOWN}
    with _style.style():
        constrained = set(frame.loc[frame["constrained"], "problem"])
        return _draw(lines, by, x, int(frame.groupby(["problem", by]).size().max()), constrained)


def _draw(lines: dict[Traced, dict[str, list[Line]]], by: By, x: X, seeds: int, constrained: set[str]) -> Figure:
    above, below = lines["grad_norm"], lines["lr"]
    width, height = panel_size(above)
    columns = _style.columns_of(len(above), width)
    rows = -(-len(above) // columns)
    figure = _style.canvas(max(columns * width, 5.0), rows * (height + 1.3) + 0.8)
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[height, 1.0] * rows)
    upper = []
    for k, name in enumerate(above):
        row, column = 2 * (k // columns), k % columns
        upper.append(figure.add_subplot(grid[row, column]))
        lower = figure.add_subplot(grid[row + 1, column], sharex=upper[-1])
        panel(lower, below[name], by, x, log=True)
        _fit(lower, below[name])
        panel(upper[-1], above[name], by, x, log=True)
        upper[-1].set_ylabel(_NORMS[name in constrained])
        lower.set_ylabel("learning rate")
        upper[-1].tick_params(labelbottom=False)
        lower.set_xlabel(X_TEXT.get(x, x))
        _style.panel_title(upper[-1], name)
        label(upper[-1], above[name])
    _style.describe(
        figure,
        "Gradient norm and learning rate",
        _caption([line for members in above.values() for line in members], by, seeds),
    )
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, members in zip(upper, above.values(), strict=True):
        arrange(ax, members, by)
    return figure


def _fit(ax: Axes, members: list[Line]) -> None:
    """Limits that hold all rates: they may rise far above the first."""
    rates = np.concatenate([line.y[1] for line in members])
    low, high = rates[np.isfinite(rates)].min(), rates[np.isfinite(rates)].max()
    room = 0.08 * (high - low) + 0.1
    ax.set_ylim(10.0 ** (low - room), 10.0 ** (high + room))
    _style.few_decades(ax.yaxis, 10.0**low, 10.0**high)


def _caption(lines: list[Line], by: By, seeds: int) -> str:
    parts = ["One run a line." if seeds == 1 else f"Median and quartiles of {seeds} starts."]
    if any(line.detail for line in lines):
        other = "schedule" if by == "optimizer" else "optimizer"
        parts.append(
            f"In parentheses: the {other} whose median run converged first, or, where none did, with the lowest "
            "median f at the end."
        )
    parts.append("Above: Euclidean norm of the gradient, before clipping. Below: rate of the schedule,")
    parts.append("of a search its step length. Dot: converged; cross: diverged or failed.")
    return " ".join(parts)
