"""Log ratio: two optimizers, instance by instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats
from optbench.plots import _compared, _style
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 60  # bars up to which each has a name
_BAR = 0.135  # inches


def log_ratio(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    a: str | None = None,
    b: str | None = None,
    problem: str | None = None,
    schedule: str | None = None,
    target: float | None = None,
    on: stats.On = "iterations",
) -> Figure:
    """Log ratio of the costs of two optimizers, problem by problem and start by start: who wins, how often, how far.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it. Without `hits` the cost is that of converging.
    a, b : str, optional
        Labels or names of optimizers, alone or with a schedule, such as ``adam/cosine``. Default: the best two by mean
        rank.
    problem, schedule : str, optional
        Only this one: a label or a registered name.
    target : float, optional
        Default: that of `stats.pick_target`.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        What a run costs.

    Returns
    -------
    Figure
        Bars of `stats.log_ratio` [1]_, sorted; one that reaches the edge is infinite: the other failed.

    Raises
    ------
    ValueError
        As `stats.log_ratio`.

    References
    ----------
    .. [1] Morales, "A numerical study of limited memory BFGS methods", Appl. Math. Lett. 15 (2002) 481-487.
    """
    runs = _compared.selected(runs, problem, None, schedule)
    table = stats.log_ratio(runs, hits, a=a, b=b, target=target, on=on)
    with _style.style():
        return _draw(table)


def _draw(table: pd.DataFrame) -> Figure:
    facts, value = table.attrs, table["log_ratio"].to_numpy()
    named = len(table) <= NAMED
    height = max(1.6, len(table) * _BAR + 0.7) if named else 6.0
    names = table["problem"] + ", seed " + table["seed"].astype("str")
    room = names.str.len().max() * _style.FONT * 0.55 / 72 if named else 0.3
    sides = _names(facts)
    width = max(3.6, (sum(map(len, sides.values())) + 30) * _style.FONT * 0.57 / 72)
    figure, (ax,) = _style.panels(1, width, height, beside=room)
    _bars(ax, table, named)
    ax.set_yticks(range(len(table)) if named else [], names if named else [])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(table) - 0.4, -0.6)
    if not named:
        ax.set_ylabel("problems and starts, sorted")
    _ratio_axis(ax, value[np.isfinite(value)])
    ax.set_xlabel(f"{facts['on']}: {sides['a']} over {sides['b']}")
    wins = {"a": int((value < 0).sum()), "b": int((value > 0).sum())}
    for side, colour, place, align in zip("ab", _colours(facts), (0.0, 1.0), ("left", "right"), strict=True):
        text = f"{sides[side]} better: {wins[side]}"
        ax.annotate(text, (place, 1), (0, 3), "axes fraction", textcoords="offset points", ha=align, color=colour)
    _style.describe(figure, "Log ratio", _caption(table))
    return figure


def _bars(ax: Axes, table: pd.DataFrame, named: bool) -> None:
    """Bars in the colour of the better one, hatched where the other failed, and the limits of the axis."""
    value, facts = table["log_ratio"].to_numpy(), table.attrs
    finite = value[np.isfinite(value)]
    ends = 1.12 * np.array([min(finite.min(initial=0.0), -1.0), max(finite.max(initial=0.0), 1.0)])
    ends += 0.15 * (ends[1] - ends[0]) * np.array([-1.0 if np.isneginf(value).any() else 0.0, np.isposinf(value).any()])
    colours = _colours(facts)
    for row, ratio in enumerate(value):
        look: dict[str, Any] = {"color": colours[int(ratio > 0)], "height": 0.72 if named else 1.0}
        if np.isinf(ratio):
            look |= {"hatch": "/////", "edgecolor": "white", "linewidth": 0.0}
        ax.barh(row, np.clip(ratio, *ends), **look)
    ax.axvline(0.0, color="black", linewidth=0.6)
    ax.set_xlim(*ends)


def _names(facts: Mapping[Any, Any]) -> dict[str, str]:
    """Short names of A and B: the optimizer, and its schedule where both are one optimizer."""
    parts = {side: facts[side].partition("/") for side in "ab"}
    if parts["a"][0] != parts["b"][0]:
        return {side: name for side, (name, _, _) in parts.items()}
    return {side: f"{name} / {schedule}" for side, (name, _, schedule) in parts.items()}


def _colours(facts: Mapping[Any, Any]) -> list[str]:
    """Of A and B; grey for B where both are one optimizer."""
    made = [_style.style_of("optimizer", facts[side].split("/")[0]).color for side in "ab"]
    return made if made[0] != made[1] else [made[0], "0.5"]


def _ratio_axis(ax: Axes, finite: Array) -> None:
    """Ticks at powers of two, as ratios, up to the finite ones."""
    low, high = min(finite.min(initial=0.0), -1.0), max(finite.max(initial=0.0), 1.0)
    step = max(1, round((high - low) / 8))
    ticks = step * np.arange(np.floor(low / step), np.ceil(high / step) + 1)
    ticks = ticks[(ticks >= 1.12 * low) & (ticks <= 1.12 * high)]
    ax.set_xticks(ticks, [f"{2**tick:.0f}" if tick >= 0 else f"1/{2**-tick:.0f}" for tick in ticks])
    _style.open_frame(ax, grid="x")
    ax.spines["left"].set_visible(False)


def _caption(table: pd.DataFrame) -> str:
    facts = table.attrs
    parts = [
        f"Ratio of the cost of {facts['a']} to that of {facts['b']} on every problem and start, logarithmic, sorted. "
        f"Cost: {_compared.cost_text(facts)}."
    ]
    if np.isinf(table["log_ratio"]).any():
        parts.append("Hatched, to the edge: the other one failed.")
    if ties := int((table["log_ratio"] == 0).sum()):
        parts.append(f"No bar: equal ({ties}).")
    if facts["neither"]:
        parts.append(f"Left out: {facts['neither']} on which both failed.")
    return " ".join(parts)
