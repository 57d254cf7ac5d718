"""Cost to a target: bars with quartiles, one panel a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optbench import stats
from optbench.plots import _style
from optbench.plots._lines import details

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.165  # inches


class Bar(NamedTuple):
    """A bar: optimizer, what else distinguishes it, quartiles of the cost, and how many of the runs met the target."""

    label: str
    detail: str
    low: float
    middle: float
    high: float
    met: int
    runs: int


def target_bars(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    on: stats.On = "iterations",
    target: float | None = None,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
) -> Figure:
    """Iterations, evaluations, epochs or seconds to a target: medians with quartiles over seeds, fastest first.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        The cost, as in `stats.costs`. Runs of which it is not known are left out.
    target : float, optional
        Default: that of `stats.pick_target`.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.

    Returns
    -------
    Figure
        A bar an optimizer, with the schedule (clipping, batch size) of the lowest median, of equals the one that met it
        most often. A run that did not meet the target costs infinity: a line of quartiles that has no end goes to the
        edge, and a bar is hatched, without a length, where half of the runs or more failed.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, a cost that is none of the above, or a target that was not recorded.
    """
    stats.one_of("on", on, stats.On)
    stats.need(runs, "plot")
    target = stats.pick_target(hits, target)
    table = _style.chosen(stats.labels(runs), runs, problem=problem, optimizer=optimizer, schedule=schedule)
    frame = table.assign(cost=stats.costs(runs.loc[table.index], hits, target, on))
    frame = frame[frame["cost"].notna()]
    stats.need(frame, "plot: none has a known minimum" + ("" if on == "iterations" else f" and {on}"))
    with _style.style():
        return _draw(_bars(frame), on, target, bool(runs.loc[frame.index, "kkt"].notna().any()))


def _bars(frame: pd.DataFrame) -> dict[str, list[Bar]]:
    """Bars of every problem, fastest first."""
    cells = list(stats.FACTORS)
    costs = frame.assign(failed=np.isinf(frame["cost"])).groupby(cells, sort=False)
    ranked = costs["cost"].median().to_frame().assign(failed=costs["failed"].mean())
    ranked = ranked.sort_values(["cost", "failed"], kind="stable")
    first = ranked.groupby(level=["problem", "optimizer"], sort=False).head(1).index
    kept = frame[[cell in set(first) for cell in zip(*(frame[name] for name in cells), strict=True)]]
    text = details(kept, "optimizer")
    bars: dict[str, list[Bar]] = {str(name): [] for name in kept["problem"].drop_duplicates()}
    for (problem, label), part in kept.groupby(["problem", "optimizer"], sort=False):
        cost = part["cost"].to_numpy(dtype=np.float64)
        low, middle, high = map(float, stats.quartiles(cost))
        met = int(np.isfinite(cost).sum())
        bar = Bar(str(label), text[problem, label], low, middle, high, met, cost.size)
        bars[str(problem)].append(bar)
    for members in bars.values():
        members.sort(key=lambda bar: (bar.middle, -bar.met / bar.runs))
    return bars


def _draw(bars: dict[str, list[Bar]], on: stats.On, target: float, constrained: bool) -> Figure:
    letters = max(len(_name(bar)) for members in bars.values() for bar in members)
    width = 2.6 + letters * _style.FONT * 0.57 / 72
    columns = _style.columns_of(len(bars), width, beside=-1.0)
    lines = _lines([*bars], {name: len(members) for name, members in bars.items()}, columns)
    most = [max(len(bars[name]) for name in line) for line in lines]
    height = sum(_ROW * count + 0.62 for count in most) + 0.75
    figure = _style.canvas(max(columns * width, 5.0), height)
    grid = figure.add_gridspec(len(lines), columns, height_ratios=[_ROW * count for count in most])
    for (k, line), rows in zip(enumerate(lines), most, strict=True):
        for j, name in enumerate(line):
            ax = figure.add_subplot(grid[k, j])
            _panel(ax, bars[name], rows, on)
            _style.panel_title(ax, name)
    goal = f"{on} to {stats.target_text(target)}"
    _style.describe(figure, goal.capitalize(), _caption(bars, on, target, constrained))
    return figure


def _lines(names: list[str], sizes: dict[str, int], columns: int) -> list[list[str]]:
    """Panels line by line; one with at most half the bars of those before it starts a line, as does one with twice."""
    lines = [names[:1]]
    for name in names[1:]:
        first = sizes[lines[-1][0]]
        if len(lines[-1]) < columns and first < 2 * sizes[name] and sizes[name] < 2 * first:
            lines[-1].append(name)
        else:
            lines.append([name])
    return lines


def _panel(ax: Axes, members: list[Bar], rows: int, on: stats.On) -> None:
    """Bars of one panel, with their numbers at its right."""
    write = _style.seconds_text if on == "seconds" else _style.number_text
    ends = [each for bar in members for each in bar[2:5] if 0 < each < np.inf]
    low, high = np.log10([min(ends, default=1.0), max(ends, default=1.0)])
    room = 0.12 * (high - low) + 0.15
    ax.set_xscale("log")
    ax.set_xlim(10.0 ** (low - room), 10.0 ** (high + room))
    for row, bar in enumerate(members):
        _bar(ax, row, bar, write)
    ax.set_ylim(rows - 0.4, -0.6)
    ax.set_yticks(range(len(members)), [_name(bar) for bar in members])
    ax.tick_params(axis="y", length=0)
    _style.few_decades(ax.xaxis, *ax.get_xlim())
    ax.set_xlabel(on)
    if not ends:  # none has a length
        ax.set_xticks([])
    _style.open_frame(ax, grid="x")


def _bar(ax: Axes, row: int, bar: Bar, write: Callable[[float], str]) -> None:
    """A bar with its quartiles; beside the panel its number, and how many runs met the target where not all did."""
    left, right = ax.get_xlim()
    look = _style.style_of("optimizer", bar.label)
    some = "" if bar.met == bar.runs else f"{bar.met}/{bar.runs}"
    if np.isfinite(bar.middle):
        ax.barh(row, max(bar.middle, left) - left, 0.66, left, color=look.color, alpha=0.55, linewidth=0)
        ax.plot([bar.middle], [row], "|", color=look.color, markersize=6.5, markeredgewidth=1.6)
        some = f"{write(bar.middle)}  {some}".rstrip()
    else:
        ax.barh(row, right - left, 0.66, left, facecolor="0.97", edgecolor="0.8", hatch="/////", linewidth=0)
    ax.annotate(some, (1, row), (6, 0), ax.get_yaxis_transform(), textcoords="offset points", va="center")
    if np.isfinite(bar.low):
        ax.plot([max(bar.low, left), min(bar.high, right)], [row, row], color="black", linewidth=0.8)
        for end in (bar.low, bar.high):
            mark = "|" if end < np.inf else ">"
            ax.plot([min(end, right)], [row], mark, color="black", markersize=3.5, clip_on=False)


def _name(bar: Bar) -> str:
    return f"{bar.label} ({bar.detail})" if bar.detail else bar.label


def _caption(bars: dict[str, list[Bar]], on: stats.On, target: float, constrained: bool) -> str:
    every = [bar for members in bars.values() for bar in members]
    counts = {bar.runs for bar in every}
    seeds = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    parts = [f"Median and quartiles of the {on} of {seeds} starts to {_style.goal_text(target, constrained)}."]
    if any(bar.detail for bar in every):
        parts.append("In parentheses: the schedule with the lowest median.")
    if any(bar.met < bar.runs for bar in every):
        parts.append("k/n: only k of n runs reached it; the others count as infinite.")
    if any(np.isinf(bar.middle) for bar in every):
        parts.append("Hatched: too few did for a median.")
    return " ".join(parts)
