"""Sensitivity to the learning rate: what every rate of a grid gives, and which are about as good as the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optbench import curves, tuned
from optbench.plots import _style
from optbench.registry import unknown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 1.9  # inches, of the curves of a panel
_ROW = 0.135  # of an optimizer's row below them


def lr_sensitivity(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    trials: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
) -> Figure:
    """Score against the learning rate of a grid, one panel a problem and schedule, with the range of good rates.

    Parameters
    ----------
    runs, hits, trials : DataFrame
        Of a results file.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.

    Returns
    -------
    Figure
        Lines: medians over the tuning seeds. Bars below: the good rates, and how many decades they span (see
        `optbench.curves.sensitivity`); a sign at the best rate, a tick at the default.

    Raises
    ------
    ValueError
        No grid of learning rates was tuned, several criteria in one figure, or an unknown name.
    """
    table = curves.sensitivity(runs, hits, trials[trials["run"].isin(runs.index)])
    for factor, wanted in (("problem", problem), ("optimizer", optimizer), ("schedule", schedule)):
        if wanted is not None:
            keep = (table[factor] == wanted) | table[factor].str.startswith(f"{wanted} ")
            if not keep.any():
                raise unknown(factor, wanted, set(table[factor]))
            table = table[keep]
    if table["criterion"].nunique() > 1:
        raise ValueError("these studies have different criteria: choose some")
    with _style.style():
        return _draw(table)


def _draw(table: pd.DataFrame) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    factors = ["problem", *tuned.varying(table)]
    panels = list(table.groupby(factors, sort=False))
    most = max(part["optimizer"].nunique() for _, part in panels)
    letters = table["optimizer"].str.len().max() * _style.FONT * 0.57 / 72
    width, strip = 2.6 + letters, most * _ROW + 0.1
    columns = min(len(panels), 3 if 3 * width <= _style.WIDEST + 1 and len(panels) != 4 else 2)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(max(columns * width, 5.0), rows * (_HEIGHT + strip + 0.6) + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[_HEIGHT, strip] * rows)
    for k, (names, part) in enumerate(panels):
        above = figure.add_subplot(grid[2 * (k // columns), k % columns])
        below = figure.add_subplot(grid[2 * (k // columns) + 1, k % columns], sharex=above)
        _curves(above, part)
        _bars(below, part)
        shown = dict(zip(factors, map(str, names), strict=True))
        shown |= {"batch": f"batch {shown['batch']}"} if "batch" in shown else {}
        _style.panel_title(above, " ".join(shown.values()))
    _style.describe(figure, "Sensitivity to the learning rate", _caption(table))
    return figure


def _curves(ax: Axes, part: pd.DataFrame) -> None:
    finite = np.sort(part["gap"][part["gap"] < np.inf])
    log = bool(finite.size) and finite[0] >= 0.0 and finite[-1] > 0.0
    if log:
        low, high = np.log10([finite[finite > 0.0][0], finite[-1]])
        if (start := part["start"].max()) > 0.0:
            high = max(min(high, np.log10(start) + 1.0), low)  # what lies far above the start is of no use
        room = 0.05 * (high - low) + 0.05
        ax.set_yscale("log")
        ax.set_ylim(10.0 ** (low - room), 10.0 ** (high + room))
    bottom = ax.get_ylim()[0] if log else -np.inf
    for label, study in part.groupby("optimizer", sort=False):
        look = _style.style_of("optimizer", str(label))
        gap = study["gap"].where(study["gap"] < np.inf).clip(lower=bottom)
        ax.plot(study["lr"], gap, color=look.color, linestyle=look.linestyle, linewidth=1.0, zorder=3)
        best = study[study["best"]]
        ax.plot(
            best["lr"], best["gap"].clip(lower=bottom), color=look.color, marker=look.marker, markersize=4, zorder=4
        )
    ax.set_xscale("log")
    ax.set_xlim(part["lr"].min() / 1.3, part["lr"].max() * 1.3)
    ax.set_ylabel(_what(part))
    ax.tick_params(labelbottom=False)
    _style.open_frame(ax)


def _bars(ax: Axes, part: pd.DataFrame) -> None:
    """A row an optimizer: its good rates, the best, the default, and the decades."""
    labels = list(dict.fromkeys(part["optimizer"]))
    for row, label in enumerate(labels):
        look, study = _style.style_of("optimizer", label), part[part["optimizer"] == label]
        rates = study["lr"].to_numpy()
        half = float((rates[-1] / rates[0]) ** (0.5 / (len(rates) - 1)))
        good, best = study[study["good"]], study[study["best"]]
        if len(good):
            ax.plot(
                [good["lr"].min() / half, good["lr"].max() * half],
                [row, row],
                color=look.color,
                linewidth=3.5,
                alpha=0.45,
                solid_capstyle="butt",
            )
        ax.plot(best["lr"], [row] * len(best), color=look.color, marker=look.marker, markersize=4)
        ax.plot(study["default"].iloc[:1], [row], color="black", marker="|", markersize=5, markeredgewidth=0.9)
        cut = good["lr"].isin([rates[0], rates[-1]]).any()
        text = f"{'≥' if cut else ''}{study['decades'].iloc[0]:.1f}" if len(good) else "none"
        ax.annotate(text, (1.0, row), (3, 0), ax.get_yaxis_transform(), textcoords="offset points", va="center")
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", length=0)
    for tick, label in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_color(_style.style_of("optimizer", label).color)
    ax.set_xlabel("learning rate")
    _style.open_frame(ax, grid="x")
    ax.spines["left"].set_visible(False)


def _what(part: pd.DataFrame) -> str:
    criterion = part["criterion"].iloc[0]
    if criterion == "final_loss" and part["constrained"].all():
        return "KKT residual at the end"
    if criterion == "final_loss":
        return "$f - f^*$ at the end" if part["known"].all() else "loss at the end"
    return {"time_to_target": "iterations to the target", "val_loss": "held-out loss"}.get(criterion, "minus accuracy")


def _caption(table: pd.DataFrame) -> str:
    return (
        "Median over the tuning seeds; a line ends where runs diverge or never reach the target. "
        f"Bars: rates around the best (sign) with {_rule(table)}; the number is their width in decades, "
        "with \N{GREATER-THAN OR EQUAL TO} where the grid ends within. Tick: the default rate."
    )


def _rule(table: pd.DataFrame) -> str:
    """Which rates are good, in words."""
    criterion, most = table["criterion"].iloc[0], 1.0 + curves.REDUCTION
    if criterion == "time_to_target":
        return f"at most {curves.WITHIN[criterion]:g} times the fewest iterations"
    if criterion == "val_loss":
        return f"at most {most:g} times the best held-out loss"
    if criterion == "val_accuracy":
        return f"at least {1 - curves.REDUCTION:g} times the best held-out accuracy"
    unknown = ~table["known"] & ~table["constrained"]
    named = [what for what, rows in (("$f - f^*$", "known"), ("KKT residual", "constrained")) if table[rows].any()]
    rules = [f"at most {curves.WITHIN[criterion]:g} times the best {' or '.join(named)}"] if named else []
    rules += [f"at least {1 - curves.REDUCTION:.0%} of the best reduction"] if unknown.any() else []
    return ", or where the minimum is not known ".join(rules)
