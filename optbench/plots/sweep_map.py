"""A sweep over two settings: what every pair of values needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

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
    value_texts,
    values_in,
)
from optbench.sweep_table import On
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

_WORST = 100.0  # the colour scale ends at this ratio to the best at the latest
_NUMBERS = 400  # cells of a panel up to which every one has its number


def sweep_map(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    by: Sequence[str] | None = None,
    target: float | None = None,
    on: On | None = None,
) -> Figure:
    """What two settings do together: iterations to a target for every pair of their values.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    by : sequence of two str, optional
        The settings to the right and upwards, as in `optbench.swept`. Default: the two that vary.
    target : float, optional
        Default: 1e-6 if any run met it, else the smallest that any did.
    on : {"iterations", "epochs", "loss"}, optional
        What is shown. Default: epochs where ``batch_size`` is swept, else iterations; the loss where some cell cannot
        be judged.

    Returns
    -------
    Figure
        Colours and numbers are medians; the best cell of a panel is framed. Cells in which half of the runs
        or more diverged are crossed and say "div", those in which too few reached the target are hatched and say how
        many did. Whatever else varies makes a panel of its own.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown setting, a target that was not recorded, or too many panels.
    """
    stats.need(runs, "plot")
    keys = settings_to_show(runs, by, 2)
    table = sweep_table.table(runs, hits, keys, target=target, on=on)
    curves, title = curves_of(table)
    with _style.style():
        return _draw(table, curves, [values_in(table, key) for key in keys], title, budget_text(runs))


def _draw(table: pd.DataFrame, curves: list[Curve], axes: list[Values], title: str, budget: str) -> Figure:
    from matplotlib.colors import LogNorm

    across, up = axes
    width, height = 0.36 * len(across.values), 0.2 * len(up.values)
    figure, panels = _style.panels(len(curves), max(width + 0.3, 2.2), max(height, 0.8) + 0.5, beside=1.3, below=0.9)
    costs = table[table.attrs["on"]]
    colours = _colours(costs.to_numpy(dtype=np.float64))
    for ax, curve in zip(panels, curves, strict=True):
        _fill(ax, curve.rows, across, up, colours)
        _style.panel_title(ax, curve.label)
        ax.set(xlabel=across.key, ylabel=up.key)
    beyond = costs[costs < np.inf].max() > colours.get_clim()[1]
    bar = figure.colorbar(colours, ax=panels, aspect=25, extend="max" if beyond else "neither")
    on, target = table.attrs["on"], stats.target_text(table.attrs["target"])
    bar.set_label(f"median {table.attrs['loss']} at the end" if on == "loss" else f"median {on} to {target}")
    if isinstance(colours.norm, LogNorm):
        _style.few_decades(bar.ax.yaxis, *colours.get_clim())
    bar.outline.set_linewidth(0.4)
    name = f"{across.key} and {up.key}"
    _style.describe(figure, f"{name}: {title}" if title else name, _caption(table, len(curves) > 1, budget))
    return figure


def _colours(costs: Array) -> ScalarMappable:
    """Colours of finite costs: logarithmic above 0, and of one colour from `_WORST` times the least on."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    finite = costs[np.isfinite(costs)]
    if not finite.size:
        finite = np.ones(1)
    least, most = float(finite.min()), float(finite.max())
    if least <= 0:
        return ScalarMappable(Normalize(least, max(most, least + 1e-12)), mpl.colormaps["viridis_r"])
    return ScalarMappable(LogNorm(least, np.clip(most, 1.01 * least, _WORST * least)), mpl.colormaps["viridis_r"])


def _fill(ax: Axes, rows: pd.DataFrame, across: Values, up: Values, colours: ScalarMappable) -> None:
    """Cells of one panel, the second setting upwards."""
    from matplotlib.patches import Rectangle

    place = {value: k for k, value in enumerate(across.values)}, {value: k for k, value in enumerate(up.values)}
    numbers = len(rows) <= _NUMBERS
    best = sweep_table.best(rows)
    for index, row in rows.iterrows():
        column, line = place[0][row[across.key]], place[1][row[up.key]]
        text, face, hatch = _cell(row, rows.attrs["on"], colours)
        chosen = best is not None and bool(index == best.name)
        _style.cell(ax, line, column, text if numbers or chosen else "", face, hatch=hatch, bold=chosen)
        if chosen:
            ax.add_patch(
                Rectangle((column - 0.5, line - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.4, zorder=3)
            )
    for axis, values in ((ax.xaxis, across), (ax.yaxis, up)):
        axis.set_ticks(range(len(values.values)), value_texts(values.values))
    long = max(map(len, value_texts(across.values))) > 5
    ax.tick_params(axis="x", labelrotation=45 if long else 0)
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, len(across.values) - 0.5), ylim=(-0.5, len(up.values) - 0.5))
    ax.spines[:].set_visible(False)


def _cell(row: pd.Series[Any], on: str, colours: ScalarMappable) -> tuple[str, Any, str | None]:
    """Text, colour and hatching of a cell."""
    cost = float(row[on])
    if np.isfinite(cost):
        return cost_text(cost), colours.to_rgba(np.asarray(cost)), None
    if row["diverged"] >= 0.5:
        return "div", "0.85", "xxxx"
    if np.isnan(row["success"]):
        return "?", "0.95", None
    return f"{row['success'] * row['runs']:.0f}/{row['runs']}", "0.95", "/////"


def _caption(table: pd.DataFrame, several: bool, budget: str) -> str:
    runs = table["runs"].max()
    best = "the best of a panel" if several else "the best"
    what = f"{table.attrs['loss']} at the end" if table.attrs["on"] == "loss" else table.attrs["on"]
    goal = f" to {goal_text(table)}" * (table.attrs["on"] != "loss")
    texts = [f"Median {what} of {runs} runs from different starts{goal}{budget}; {best} framed."]
    lost = np.isinf(table[table.attrs["on"]])
    if (lost & (table["diverged"] < 0.5)).any():
        texts.append("k/n, hatched: only k of n runs reached it.")
    if (lost & (table["diverged"] >= 0.5)).any():
        texts.append("div, crossed: half of the runs or more diverged.")
    return " ".join(texts)
