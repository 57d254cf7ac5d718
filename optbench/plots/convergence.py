"""Convergence: how the objective falls along a run, one panel a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats
from optbench.plots import _style
from optbench.plots._lines import By, Line, Quantity, X, lines_of, rows_of, shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINEAR = 30.0  # panels whose lines end before this iteration have a linear axis
_HIGHEST = 300.0  # decades: what lies above is far outside of any panel
_DECADES = 0.5  # room above the start, for a line that rises before it falls
_Y_TEXT = {"gap": "$f(x_t) - f^*$", "f": "$f(x_t)$", "grad_norm": r"$\|\nabla f(x_t)\|$", "kkt": "KKT residual"}
X_TEXT = {"iteration": "iteration $t$", "evaluations": "evaluations of the objective"}
_CLOSE = 0.08  # of the axis, within which a marker moves to a point of its line
_SAMPLE = (3.0, 9.0, 12.0, 26.0, 29.0)  # points right of the panel: leader from, to, line sample from, to, text


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
    """Objective against iterations, evaluations, epochs or seconds: median and quartiles over seeds.

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
    x : {"iteration", "evaluations", "epochs", "seconds"}
        Evaluations of the objective (the start is the first) and epochs are those of every run, in proportion to its
        iterations; seconds are iterations times the median time of an iteration in the line's runs. Runs without the
        one or the other, problems that are no sums over samples, are left out.
    quantity : {"gap", "f", "grad_norm", "kkt"}
        ``gap`` is f - f*, cut at its rounding floor; a problem with constraints shows the KKT residual instead, one
        without a known minimum f.

    Returns
    -------
    Figure
        A run that has ended holds its last value, or counts as infinite from there on if it diverged or failed. A line
        ends at a dot where the median run converged, at a cross where it diverged, else where the last run ended.
        Labels stand at the right, the first to converge lowest, with a leader where the line reaches the end.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or an argument that is none of the above.
    """
    stats.one_of("quantity", quantity, Quantity)
    frame = rows_of(runs, by, x, problem=problem, optimizer=optimizer, schedule=schedule)
    traces = traces[traces["run"].isin(frame.index)]
    stats.need(traces, "plot: none has a trace")
    lines = lines_of(frame, traces, by, x, quantity)
    with _style.style():
        return _draw(frame, lines, by, x, quantity)


def _draw(frame: pd.DataFrame, lines: dict[str, list[Line]], by: By, x: X, quantity: Quantity) -> Figure:
    figure, axes = _style.panels(len(lines), *panel_size(lines))
    known = frame.groupby("problem", sort=False)[["f_opt", "constrained"]].first()
    for ax, (problem, members) in zip(axes, lines.items(), strict=True):
        facts: Any = known.loc[problem]
        what = shown(float(facts["f_opt"]), bool(facts["constrained"]), quantity)
        panel(ax, members, by, x, log=what != "f")
        ax.set_ylabel(_Y_TEXT[what])
        ax.set_xlabel(X_TEXT.get(x, x))
        _style.panel_title(ax, problem)
    _style.describe(figure, "Convergence", _caption(frame, lines, by, quantity))
    for ax, members in zip(axes, lines.values(), strict=True):
        label(ax, members)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, members in zip(axes, lines.values(), strict=True):
        arrange(ax, members, by)
    return figure


def panel_size(lines: Mapping[str, list[Line]]) -> tuple[float, float]:
    """Width and height in inches of panels with room for the names of these lines at their right."""
    letters = max(len(_text(line)) for members in lines.values() for line in members)
    return 2.9 + letters * _style.FONT * 0.57 / 72, max(2.1, 0.5 + max(map(len, lines.values())) * 0.135)


def panel(ax: Axes, members: list[Line], by: By, x: X, log: bool) -> None:
    """Lines of one panel with their bands, within axes that fit them."""
    first = _first(members, x)
    for line in members:
        _plot(ax, _in_sight(line, first), by, log)
    _limits(ax, members, first, log)


def _first(members: list[Line], x: X) -> float:
    """Where a logarithmic axis of a panel starts: at the first step; 0 where it is linear."""
    first = min(line.x[line.x > 0].min(initial=np.inf) for line in members)
    last = max(line.x[-1] for line in members)
    return float(first) if last > first and (x == "seconds" or last > LINEAR) else 0.0


def _in_sight(line: Line, first: float) -> Line:
    """The line with its start at the left end of an axis that has no place for 0, unless its next point is there."""
    if line.x.size < 2 or line.x[0] > 0 or line.x[1] <= first:
        return line
    return line._replace(x=np.concatenate([[first], line.x[1:]]))


def _plot(ax: Axes, line: Line, by: By, log: bool) -> None:
    """Median and band of one line; markers come when the limits are known."""
    look = _style.style_of(by, line.label)
    low, middle, high = 10.0 ** np.minimum(line.y, _HIGHEST) if log else np.minimum(line.y, 10.0**_HIGHEST)
    ax.set_autoscale_on(False)
    ax.plot(line.x, middle, color=look.color, linestyle=look.linestyle, linewidth=1.1, label=line.label, zorder=3)
    finite = np.isfinite(line.y[2])
    ax.fill_between(line.x, low, high, where=finite, color=look.color, alpha=0.13, linewidth=0)


def _limits(ax: Axes, members: list[Line], first: float, log: bool) -> None:
    """Axes from the first step to the last end, and from a little above the start down to the lowest value."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    last = max(line.x[-1] for line in members)
    if first:
        ax.set_xscale("log")
        ax.set_xlim(first, last)
    else:
        ax.set_xlim(0, last or 1)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    starts = [float(line.y[1, 0]) for line in members if line.y[1, 0] < np.inf]
    start = max(starts, default=0.0)
    low = min([float(line.y[0].min()) for line in members if line.y[0].min() < np.inf], default=start)
    room = 0.04 * (start - low) or 0.5
    top = start + (max(_DECADES, room) if log else room)
    if log:
        ax.set_yscale("log")
        ax.set_ylim(10.0 ** (low - room), 10.0 ** min(top, _HIGHEST))
    else:
        ax.set_ylim(low - room, top)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(numticks=7))
            axis.set_minor_locator(NullLocator())
    _style.open_frame(ax)


def label(ax: Axes, members: list[Line]) -> None:
    """Names right of the panel, which the layout then leaves room for."""
    for line in members:
        ax.annotate(_text(line), (1, 0.5), (_SAMPLE[4], 0), "axes fraction", textcoords="offset points", va="center")


def _text(line: Line) -> str:
    return f"{line.label} ({line.detail})" if line.detail else line.label


def _place(line: Line) -> tuple[int, float]:
    """What the labels of a panel are sorted by, lowest first."""
    if line.end == "converged":
        return 0, float(line.x[-1])
    return (1, float(line.y[1, -1])) if line.end == "stopped" else (2, -float(line.x[-1]))


def arrange(ax: Axes, members: list[Line], by: By) -> None:
    """Final places of the labels, a sample of every line beside its label, and the marks on and at the end of lines."""
    from matplotlib.lines import Line2D

    size, figure = ax.get_window_extent(), ax.get_figure(root=True)
    assert figure is not None
    width, height = (72 * pixels / figure.dpi for pixels in (size.width, size.height))
    order = sorted(range(len(members)), key=lambda k: _place(members[k]))
    ends = [_mark(ax, k, len(members), members[k], _style.style_of(by, members[k].label)) for k in order]
    ys = _style.spread([y for _, y in ends], 1.3 * _style.FONT / height, -0.02, 1.02)
    left, middle, start, stop, _ = (1 + points / width for points in _SAMPLE)
    for k, (x_end, y_end), y in zip(order, ends, ys, strict=True):
        look = _style.style_of(by, members[k].label)
        free: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False, "in_layout": False, "color": look.color}
        ax.texts[k].xy = (1, y)  # type: ignore[attr-defined]
        sample = Line2D([start, (start + stop) / 2, stop], [y] * 3, linestyle=look.linestyle, linewidth=1.1, **free)
        sample.set(marker=look.marker, markevery=[1], markersize=3.5, markeredgewidth=0)
        figure.add_artist(sample)
        if x_end > 0.995:
            figure.add_artist(Line2D([1 + 1 / width, left, middle], [y_end, y_end, y], linewidth=0.5, **free))
        if members[k].end != "stopped":
            mark = "o" if members[k].end == "converged" else "x"
            figure.add_artist(Line2D([x_end], [y_end], marker=mark, markersize=4, **free))


def _mark(ax: Axes, k: int, count: int, line: Line, look: _style.Style) -> tuple[float, float]:
    """Draw markers, at other places than those of the other lines; the end of line k in fractions of the axes.

    The end of a line that leaves the panel above is where it does so.
    """
    from matplotlib.lines import Line2D

    points = (ax.transData + ax.transAxes.inverted()).transform(ax.lines[k].get_xydata())
    inside = np.flatnonzero(points[:, 1] <= 1.0)
    end = points[-1]
    if inside.size and inside[-1] + 1 < len(points):
        before, after = points[inside[-1] : inside[-1] + 2]
        end = before + (after - before) * (1.0 - before[1]) / (after[1] - before[1])
    wanted = (np.arange(4)[:, None] + (k + 0.5) / count).ravel() / 4
    at = wanted[(wanted > points[0, 0]) & (wanted < end[0] - 0.02)]
    marked = np.column_stack([at, np.interp(at, *points.T)])
    nearest = np.abs(points[:, 0] - at[:, None]).argmin(axis=1)
    close = np.abs(points[nearest, 0] - at) < _CLOSE
    marked[close] = points[nearest[close]]  # of few points the points themselves
    marked = marked[(marked[:, 1] >= 0.0) & (marked[:, 1] <= 1.0)]
    marks: dict[str, Any] = {"marker": look.marker, "markersize": 3.2, "markeredgewidth": 0, "color": look.color}
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.add_artist(Line2D(*marked.T, linestyle="none", transform=ax.transAxes, in_layout=False, **marks))
    return float(np.clip(end[0], 0.0, 1.0)), float(np.clip(end[1], 0.0, 1.0))


def _caption(frame: pd.DataFrame, lines: dict[str, list[Line]], by: By, quantity: Quantity) -> str:
    """What the figure shows and by which rule."""
    counts = frame.groupby(["problem", by], sort=False).size()
    seeds = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    parts = ["One run a line." if seeds == "1" else f"Median and quartiles of {seeds} starts."]
    if any(line.detail for members in lines.values() for line in members):
        other = "schedule" if by == "optimizer" else "optimizer"
        parts.append(
            f"In parentheses: the {other} shown, for each {by} and problem the one whose median run converged first, "
            "or, where none did, with the lowest median f at the end."
        )
    else:
        same = [f"{name} {frame[name].iloc[0]}" for name in ("optimizer", "schedule") if name != by]
        parts.append(f"All with {same[0]}.")
    parts.append("Dot: converged; cross: diverged or failed; a band ends where a quartile is infinite.")
    parts.append("Labels from below: first to converge, then lowest at the end.")
    if quantity != "f":
        at = "max(|f*|, its start)" if quantity == "gap" else "its start"
        parts.append(f"Values are cut at the rounding floor, 2.2e-16 times {at}.")
    return " ".join(parts)
