"""Performance over commits: the figures of what asv has recorded, one for each family of benchmarks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench.plots import _style
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORSE, BETTER, SAME = "#D55E00", "#0072B2", "0.72"
HASH = 7  # letters of a commit that are shown
MOST = 7  # changed series of a panel that are named
TICKS = 9  # commits of a panel that are named at most, beside those with a change


class Panel(NamedTuple):
    """What one panel shows: its title, the unit, and the values of every series, shape (commits,), NaN: not measured.

    `relative`: divided by the first known value of each series.
    """

    title: str
    unit: str
    values: dict[str, Array]
    changes: pd.DataFrame
    relative: bool


def history(table: pd.DataFrame, changes: pd.DataFrame) -> dict[str, Figure]:
    """Values over commits, one figure a family of benchmarks (a class or a file of the suite).

    Parameters
    ----------
    table : DataFrame
        Of `optbench.history.load_history`.
    changes : DataFrame
        Of `optbench.history.changes_over`.

    Returns
    -------
    dict of str to Figure
        By the family's name; where there are several machines or environments, by both. A panel is a benchmark with
        all its parameters but the one with the most values, whose values are the lines. Every line is relative to its
        first value, except where one starts at zero. Grey lines did not change; a coloured line did, at the
        triangles: up for a regression, down for an improvement, with the commit's hash.

    Raises
    ------
    ValueError
        Nothing to plot.
    """
    if table.empty:
        raise ValueError("no results to plot")
    figures = {}
    places = table.groupby(["machine", "environment"], sort=False)
    for number, (place, part) in enumerate(places, 1):
        for family, members in part.groupby(part["benchmark"].str.rpartition(".")[0], sort=True):
            name = str(family or "benchmarks") + (f"-{number}" if places.ngroups > 1 else "")
            own = changes[(changes["machine"] == place[0]) & (changes["environment"] == place[1])]
            with _style.style():
                figures[name] = _draw(str(family or "benchmarks"), place, members, own)
    return figures


def _draw(family: str, place: Any, table: pd.DataFrame, changes: pd.DataFrame) -> Figure:
    commits = list(dict.fromkeys(table["commit"]))
    panels = _panels(table, changes, commits)
    letters = max(len(text) for panel in panels for text in _labels(panel))
    figure, axes = _style.panels(len(panels), 2.5 + letters * _style.FONT * 0.52 / 72, 1.9)
    for ax, panel in zip(axes, panels, strict=True):
        _plot(ax, panel, commits)
        ax.set_title(panel.title, loc="left")
    _style.describe(figure, f"{family}: performance over commits", _caption(place, commits, panels))
    figure.draw_without_rendering()  # the labels are there, so that the layout leaves room; now they get their places
    figure.set_layout_engine("none")
    for ax, panel in zip(axes, panels, strict=True):
        for text in list(ax.texts):
            text.remove()
        _name(ax, panel)
    return figure


def _panels(table: pd.DataFrame, changes: pd.DataFrame, commits: list[str]) -> list[Panel]:
    """Panels of a family, in the order of benchmarks and parameters."""
    found = []
    for benchmark, part in table.groupby("benchmark", sort=True):
        params = list(part["params"])
        sizes = [len({each[k] for each in params}) for k in range(len(params[0]))]
        line = sizes.index(max(sizes)) if sizes else None
        rest = [tuple(text for k, text in enumerate(each) if k != line) for each in params]
        for fixed in dict.fromkeys(rest):
            rows = part[[each == fixed for each in rest]]
            found.append(_panel(str(benchmark), fixed, line, rows, changes, commits))
    return found


def _panel(
    benchmark: str, fixed: Any, line: int | None, rows: pd.DataFrame, changes: pd.DataFrame, commits: list[str]
) -> Panel:
    name = benchmark.rpartition(".")[2]
    own = changes[(changes["benchmark"] == benchmark) & changes["params"].isin(rows["params"])]
    own = own.assign(line=[name if line is None else each[line] for each in own["params"]])
    values = {}
    params: Any
    for params, series in rows.groupby("params", sort=False):
        known = dict(zip(series["commit"], series["value"], strict=True))
        values[name if line is None else str(params[line])] = np.array([known.get(each, math.nan) for each in commits])
    starts = [_first(each) for each in values.values()]
    title = ", ".join([name, *map(str, fixed)])
    return Panel(title, str(rows["unit"].iloc[0]), values, own, relative=min(starts) > 0)


def _first(values: Array) -> float:
    """First known value; infinite where every one failed."""
    known = values[np.isfinite(values)]
    return float(known[0]) if known.size else math.inf


def _shown(panel: Panel, label: str) -> Array:
    """Values of a line as they are drawn; failures are not."""
    values = np.where(np.isfinite(panel.values[label]), panel.values[label], np.nan)
    return np.asarray(values / _first(panel.values[label])) if panel.relative else values


def value_text(value: float, unit: str) -> str:
    """Text of a value with its unit, where that is a time, bytes or a percentage."""
    if math.isinf(value):
        return "failed"
    if unit == "seconds":
        return _style.seconds_text(value)
    if unit == "bytes":
        return f"{value / 1e6:.3g} MB"
    return f"{value:.4g}%" if unit.startswith("%") else f"{value:.4g}"


def _changed(panel: Panel) -> list[str]:
    """Lines with a change, the largest change first."""
    return _style.present(panel.changes["line"])


def _labels(panel: Panel) -> dict[str, str]:
    """Texts beside a panel, by the line that they name; ``""`` stands for all that have none of their own."""
    changed = _changed(panel)
    named = changed[:MOST] if len(panel.values) > MOST else [*panel.values]
    texts = {}
    for label in named:
        known = panel.values[label][~np.isnan(panel.values[label])]
        first, last = (value_text(float(known[k]), panel.unit) for k in (0, -1))
        arrow = f" {first} \N{RIGHTWARDS ARROW} {last}" if label in changed else f" {last}"
        texts[label] = label + arrow
    rest = len(panel.values) - len(named)
    if rest:
        what = "unchanged" if len(changed) <= len(named) else "more"
        texts[""] = f"{rest} {what}"
    return texts


def _plot(ax: Axes, panel: Panel, commits: list[str]) -> None:
    """Lines, marks and labels of one panel."""
    at = np.arange(len(commits), dtype=float)
    kinds = dict(zip(panel.changes["line"][::-1], panel.changes["kind"][::-1], strict=True))  # the largest one's
    for label in sorted(panel.values, key=lambda name: name in kinds):
        y = _shown(panel, label)
        known = ~np.isnan(y)
        colour = {"regression": WORSE, "improvement": BETTER}.get(kinds.get(label, ""), SAME)
        strong = label in kinds
        ax.plot(
            at[known], y[known], color=colour, linewidth=1.2 if strong else 0.7, marker=".", zorder=3 if strong else 2,
            markersize=4 if strong else 3, markeredgewidth=0,
        )  # fmt: skip
    _mark(ax, panel, commits)
    _limits(ax, panel)
    _ticks(ax, panel, commits)
    _name(ax, panel)


def _mark(ax: Axes, panel: Panel, commits: list[str]) -> None:
    """A triangle on the line at every change, and one thin rule with the hash for every commit with a change."""
    for row in panel.changes.to_dict("records"):
        x, y = commits.index(row["commit"]), _shown(panel, row["line"])
        worse = row["kind"] == "regression"
        height = y[x] if not math.isnan(y[x]) else y[commits.index(row["last"])]
        look: dict[str, Any] = {"color": WORSE if worse else BETTER, "markeredgecolor": "white", "clip_on": False}
        ax.plot([x], [height], marker="^" if worse else "v", markersize=6, markeredgewidth=0.5, zorder=4, **look)
    for commit in _style.present(panel.changes["commit"]):
        kinds = set(panel.changes.loc[panel.changes["commit"] == commit, "kind"])
        colour = WORSE if "regression" in kinds else BETTER
        ax.axvline(commits.index(commit), color=colour, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)


def _limits(ax: Axes, panel: Panel) -> None:
    """Limits and values of the vertical axis, in which a tenth looks small."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    every = np.concatenate([_shown(panel, label) for label in panel.values])
    every = every[~np.isnan(every)]
    low, high = (float(every.min()), float(every.max())) if every.size else (1.0, 1.0)
    if panel.relative:
        ax.set_yscale("log")
        low, high = min(low / 1.06, 1 / 1.3), max(high * 1.06, 1.3)
        ax.set_ylim(low, high)
        _style.few_decades(ax.yaxis, low, high)
        if high / low < 4:
            near = (0.8, 0.9, 1, 1.1, 1.2, 1.3) if high / low < 1.75 else (0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.2, 1.5, 2, 3)
            ax.yaxis.set_major_locator(FixedLocator([tick for tick in near if low <= tick <= high]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}\N{MULTIPLICATION SIGN}"))
        ax.set_ylabel("relative to first")
    else:
        room = 0.06 * (high - low) or 1.0
        ax.set_ylim(low - room, high + room)
        ax.set_ylabel(panel.unit)
    _style.open_frame(ax, grid="y")


def _ticks(ax: Axes, panel: Panel, commits: list[str]) -> None:
    """Hashes of commits below: those with a change, the ends, and some between."""
    last = len(commits) - 1
    ax.set_xlim(-0.04 * max(last, 1), last + 0.04 * max(last, 1))
    marked = {commits.index(commit) for commit in panel.changes["commit"]}
    gap = max(1.0, last / TICKS)
    shown = sorted(marked)
    for k in (0, last, *range(last)):
        if all(abs(k - other) >= gap for other in shown):
            shown.append(k)
    ax.set_xticks(sorted(shown), [commits[k][:HASH] for k in sorted(shown)], rotation=90, family="DejaVu Sans Mono")
    for k, tick in zip(sorted(shown), ax.get_xticklabels(), strict=True):
        kinds = set(panel.changes.loc[panel.changes["commit"] == commits[k], "kind"])
        tick.set_color(WORSE if "regression" in kinds else BETTER if kinds else "black")
        tick.set_fontweight("bold" if kinds else "normal")


def _name(ax: Axes, panel: Panel) -> None:
    """Labels at the right, in the order of the last values."""
    texts = _labels(panel)
    ends = {}
    for label in texts:
        members = [label] if label else [name for name in panel.values if name not in texts]
        lasts = [y[~np.isnan(y)][-1] for y in (_shown(panel, name) for name in members) if not np.isnan(y).all()]
        ends[label] = float(np.median(lasts)) if lasts else ax.get_ylim()[0]
    order = sorted(texts, key=lambda label: ends[label])
    points = ax.transData.transform([(0, ends[label]) for label in order])
    places = ax.transAxes.inverted().transform(points)[:, 1]
    height = ax.get_window_extent().height * 72 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    kinds = dict(zip(panel.changes["line"][::-1], panel.changes["kind"][::-1], strict=True))
    for label, y in zip(order, _style.spread(places, 1.4 * _style.FONT / max(height, 60.0), 0.0, 1.0), strict=True):
        colour = {"regression": WORSE, "improvement": BETTER}.get(kinds.get(label, ""), _style.GREY)
        ax.annotate(
            texts[label], (1, float(y)), (4, 0), "axes fraction", textcoords="offset points", va="center", color=colour,
        )  # fmt: skip


def _caption(place: Any, commits: list[str], panels: list[Panel]) -> str:
    """What is shown, from where, and what the marks mean."""
    several = len(commits) > 1
    parts = [f"{len(commits)} commit{'s in the order of their dates' * several}, on {place[0]}; more is worse."]
    if any(panel.relative for panel in panels):
        parts.append("Values relative to the first of their series.")
    if any(len(panel.changes) for panel in panels):
        parts.append("Triangle up: regression for good; down: improvement on everything before; grey: no change.")
        parts.append("Beside the lines: the last value, and the first of those that changed.")
    else:
        parts.append("No lasting change. Beside the lines: the last value.")
    return " ".join(parts)
