"""A sweep over one setting: what every value of it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optbench import stats, sweep_table
from optbench.plots import _style
from optbench.plots._sweep import (
    Curve,
    Values,
    budget_text,
    cost_text,
    curves_of,
    goal_text,
    settings_to_show,
    steps,
    ticks,
    value_texts,
    values_in,
)
from optbench.sweep_table import On
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.11  # inches, of a row of a strip
_FLOOR = 1e-16  # of the remaining gap: rounding
_HIGHEST = 1e3  # of the remaining gap: what lies above is out of sight
_LOG = 5.0  # ratio of the largest to the smallest median from which on the axis is logarithmic
_TIMES = "\N{MULTIPLICATION SIGN}"
_COSTS = ("iterations", "epochs")
_NEVER = ("diverged", "not reached")
_LOSS = {
    "remaining": "$(f-f^*)/(f_0-f^*)$ at the end",
    "val_loss": "held-out loss at the end",
    "val_accuracy": "held-out accuracy",
}


def sweep_curve(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    by: str | Sequence[str] | None = None,
    target: float | None = None,
    on: On | None = None,
) -> Figure:
    """What one setting does: loss at the end and iterations to a target, against its value.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    by : str, optional
        The setting, as in `optbench.swept`. Default: the only one that varies.
    target : float, optional
        Default: 1e-6 if any run met it, else the smallest that any did.
    on : {"iterations", "epochs", "loss"}, optional
        What is compared, in a panel of its own but for the loss. Default: epochs for ``batch_size``, else iterations;
        the loss where some cell cannot be judged.

    Returns
    -------
    Figure
        Lines are medians, bands quartiles over seeds; whatever else varies makes a line of its own. Signs in the strips
        at the top stand for values whose median run diverged (x) or did not reach the target. The best value has a
        ring; bars at the bottom span the values around it that need at most twice its iterations.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown setting, a target that was not recorded, or more curves than can be told apart.
    """
    stats.need(runs, "plot")
    [key] = settings_to_show(runs, by, 1)
    table = sweep_table.table(runs, hits, [key], target=target, on=on)
    curves, title = curves_of(table)
    with _style.style():
        return _draw(table, curves, values_in(table, key), title, budget_text(runs))


def _draw(table: pd.DataFrame, curves: list[Curve], values: Values, title: str, budget: str) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    held_out = [name for name in ("val_accuracy", "val_loss") if table[name].notna().any()][:1]
    shown = ["loss", *([table.attrs["on"]] if table.attrs["on"] != "loss" else []), *held_out]
    strip = _ROW * (len(curves) + 0.6)
    heights = [1.6 + 2 * strip if name in _COSTS else 1.4 + strip for name in shown]
    legend = 0.16 * -(-len(curves) // 2) if len(curves) > 1 else 0.0
    figure = Figure(figsize=(5.6, sum(heights) + legend + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(shown), 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[0])]
    axes += [figure.add_subplot(grid[k], sharex=axes[0]) for k in range(1, len(shown))]
    ends = steps(values)
    axes[-1].set_xlim(ends[0], ends[-1])
    axes[-1].set_xlabel(values.key)
    for ax, name, height in zip(axes, shown, heights, strict=True):
        ticks(ax.xaxis, values)
        ax.tick_params(labelbottom=ax is axes[-1])
        _style.open_frame(ax)
        if name in held_out:
            _panel(ax, curves, values, name, strip / height, 0.0)
            ax.set_ylabel(_LOSS[name])
        else:
            (_draw_loss if name == "loss" else _draw_cost)(ax, table, curves, values, strip / height)
    _hatch(axes, table, values, ends)
    if len(curves) > 1:
        axes[0].legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.1, handlelength=3.2
        )
    _style.describe(figure, f"{values.key}: {title}", _caption(table, curves, values, budget))
    return figure


def _draw_loss(ax: Axes, table: pd.DataFrame, curves: list[Curve], values: Values, strip: float) -> None:
    column = "remaining" if table["remaining"].notna().all() else "loss"
    compared = table.attrs["on"] == "loss" and _chosen(table)
    _panel(ax, curves, values, column, strip, 0.1 if compared else 0.0)
    ax.set_ylabel(_LOSS.get(column, f"{table.attrs['loss']} at the end"))
    for curve in curves if compared else ():
        _mark_best(ax, curve, values, column, len(curves) == 1)
    if column == "remaining":
        target, least = table.attrs["target"], table.attrs["least"]
        ax.axhline(target, color=_style.GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
        words = [(target, f"target {stats.target_text(target)}")]
        if least < 0.1 * target and (table["remaining"] <= least).any():
            words.append((least, "all targets met"))
        for y, text in words:
            ax.text(1.01, y, text, transform=ax.get_yaxis_transform(), va="center")


def _draw_cost(ax: Axes, table: pd.DataFrame, curves: list[Curve], values: Values, strip: float) -> None:
    chosen = _chosen(table)
    on, alone = table.attrs["on"], len(curves) == 1
    _panel(ax, curves, values, on, strip, strip + 0.08 if chosen else 0.0)
    ax.set_ylabel(f"{on} to {stats.target_text(table.attrs['target'])}")
    words = ""
    for k, curve in enumerate(curves):
        for good in sweep_table.good(curve.rows, [values.key]) if chosen else ():
            _mark_best(ax, curve, values, on, alone)
            y = strip * (len(curves) - k - 0.2) / (len(curves) + 0.6)
            ax.plot(
                values.places([good.low, good.high]), [y, y], "|-", transform=ax.get_xaxis_transform(),
                color=curve.look.color, linewidth=1.6, markersize=4,
            )  # fmt: skip
            width = sweep_table.width_text(good).replace(" of", "\nof")
            words = f"2{_TIMES} best" + f":\n{width}" * bool(alone and width)
    ax.text(1.01, 0.0, words, transform=ax.transAxes, va="bottom")


def _chosen(table: pd.DataFrame) -> bool:
    """Whether there is a best value: nobody chooses how hard the problem is."""
    return not table.attrs["by"][0].startswith("problem.")


def _mark_best(ax: Axes, curve: Curve, values: Values, column: str, alone: bool) -> None:
    """A ring around the best value; the only curve has it in numbers."""
    row = sweep_table.best(curve.rows)
    if row is None:
        return
    [at], y = (
        values.places([row[values.key]]),
        max(float(row[column]), _FLOOR) if column == "remaining" else row[column],
    )
    ax.plot(
        [at], [y], "o", markersize=7, markerfacecolor="none", markeredgecolor=curve.look.color, markeredgewidth=0.9,
        zorder=4,
    )  # fmt: skip
    if alone:
        side = "left" if at < values.at.mean() else "right"
        ax.annotate(
            f"best {value_texts([row[values.key]])[0]}: {cost_text(y)}", (at, y), (6 if side == "left" else -6, -7),
            textcoords="offset points", ha=side, va="top",
            bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5},
        )  # fmt: skip


def _panel(ax: Axes, curves: list[Curve], values: Values, column: str, above: float, below: float) -> None:
    """Medians and bands of a column; what is infinite is a sign in the strip at the top, a row for every curve."""
    data = [_quartiles(curve.rows, column) for curve in curves]
    lost = any(np.isinf(middle).any() for _, middle, _ in data)
    shown = [np.ravel(each) for each in data]
    if column == "remaining":
        shown.append(np.array([curves[0].rows.attrs["target"]]))
    top = _limits(ax, np.concatenate(shown), column, above if lost else 0.0, below)
    for curve, (low, middle, high) in zip(curves, data, strict=True):
        at, look = values.places(curve.rows[values.key].tolist()), curve.look
        ax.plot(
            at, np.where(np.isfinite(middle), middle, np.nan), color=look.color, linestyle=look.linestyle,
            linewidth=1.1, marker=look.marker, markersize=3, label=curve.label, zorder=3,
        )  # fmt: skip
        ax.fill_between(
            at, low, np.minimum(high, top), where=np.isfinite(low), color=look.color, alpha=0.15, linewidth=0
        )
    if lost:
        _strip(ax, curves, values, [np.isinf(middle) for _, middle, _ in data], column, above)


def _quartiles(rows: pd.DataFrame, column: str) -> Array:
    """Lower quartile, median, upper quartile, shape (3, k); a gap that is below rounding is at its floor."""
    data = rows[[f"{column}_q25", column, f"{column}_q75"]].to_numpy(dtype=np.float64).T
    return np.maximum(data, _FLOOR) if column == "remaining" else data


def _limits(ax: Axes, data: Array, column: str, above: float, below: float) -> float:
    """Scale and limits, with these shares of the panel left free; the upper end of the data."""
    from matplotlib.ticker import MaxNLocator

    data = data[np.isfinite(data)]
    if column == "remaining":
        data = np.minimum(data, _HIGHEST)
    low, high = (float(data.min()), float(data.max())) if data.size else (0.1, 1.0)
    log = low > 0 and (column == "remaining" or high / low >= _LOG)
    if log:
        ax.set_yscale("log")
        _style.few_decades(ax.yaxis, low, high)
        low, high = np.log10(low), np.log10(high)
    else:
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=column == "iterations"))
    room = 0.06 * (high - low) or 0.3
    low, high = low - room, high + room
    size = (high - low) / (1 - above - below)
    ends = low - below * size, high + above * size
    ax.set_ylim(*(10.0**end for end in ends) if log else ends)
    top = float(10.0**high if log else high)
    ax.set_yticks([tick for tick in ax.get_yticks() if tick <= top and data.size])
    ax.set_ylim(*(10.0**end for end in ends) if log else ends)  # ticks outside would widen them
    return top


def _strip(
    ax: Axes, curves: list[Curve], values: Values, lost: list[NDArray[np.bool_]], column: str, height: float
) -> None:
    """Signs of the values whose median is infinite: x where the median run diverged, else hollow."""
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((0, 1 - height), 1, height, transform=ax.transAxes, facecolor="0.94", zorder=2))
    ax.text(1.01, 1 - height / 2, _NEVER[column in _COSTS], transform=ax.transAxes, va="center")
    for k, (curve, gone) in enumerate(zip(curves, lost, strict=True)):
        y = 1 - height * (k + 0.8) / (len(curves) + 0.6)
        rows = curve.rows[gone]
        at = values.places(rows[values.key].tolist())
        diverged = rows["diverged"].to_numpy() >= 0.5
        for part, marker in ((diverged, "x"), (~diverged, curve.look.marker)):
            ax.plot(
                at[part], np.full(part.sum(), y), marker, transform=ax.get_xaxis_transform(), color=curve.look.color,
                markersize=3.2, markerfacecolor="white", markeredgewidth=0.8, zorder=4,
            )  # fmt: skip


def _hatch(axes: Sequence[Axes], table: pd.DataFrame, values: Values, ends: Array) -> None:
    """Hatch where all curves diverge."""
    least = table.groupby(values.key)["diverged"].min()
    for k, value in enumerate(values.values):
        if least[value] >= 0.5:
            for ax in axes:
                ax.axvspan(ends[k], ends[k + 1], facecolor="none", edgecolor="0.8", hatch="////", linewidth=0, zorder=0)


def _caption(table: pd.DataFrame, curves: list[Curve], values: Values, budget: str) -> str:
    least, most = table["runs"].min(), table["runs"].max()
    runs = f"{most}" if least == most else f"{least} to {most}"
    texts = [f"Medians and quartiles of {runs} runs a value, from different starts{budget}."]
    if table.attrs["on"] != "loss":
        texts.append(f"Target: {goal_text(table)}.")
    if (table["diverged"] >= 0.5).any():
        everywhere = len(curves) > 1 and bool((table.groupby(values.key)["diverged"].min() >= 0.5).any())
        texts.append("x: half of the runs or more diverged" + ("; hatched: of every curve." if everywhere else "."))
    return " ".join(texts)
