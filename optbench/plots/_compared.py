"""What figures of many competitors share: whose runs, curves with names beside them, the words of the caption."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats
from optbench.plots import _style
from optbench.plots._lines import Line
from optbench.plots.convergence import arrange, label
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 6  # names that a caption lists
_CONVERGED = "until a run converged, which is to meet the last of its targets"


def selected(runs: pd.DataFrame, problem: str | None, optimizer: str | None, schedule: str | None) -> pd.DataFrame:
    """Runs with these labels or registered names. Raises ValueError where there is nothing, or an unknown name."""
    stats.need(runs, "plot")
    table = _style.chosen(stats.labels(runs), runs, problem=problem, optimizer=optimizer, schedule=schedule)
    return runs.loc[table.index]


def factor_of(by: str) -> str:
    """What decides the looks of competitors."""
    return "schedule" if by == "schedule" else "optimizer"


def names_of(table: pd.DataFrame) -> dict[str, str]:
    """Labels of the competitors of a table of `stats`: ``adam / cosine`` keeps the looks of adam."""
    return {name: name.replace("/", " / ") for name in dict.fromkeys(table["competitor"])}


def details_of(table: pd.DataFrame) -> dict[str, str]:
    """What represents each competitor, of the factors that are not the same for all; short where that is unique."""
    by = table.attrs["by"]
    others = [name for name in stats.FACTORS[1:] if name in table and by != "all" and name != by]
    parts = []
    for factor in others:
        short = _style.short_names(_style.present(table[factor]))
        if len(short) > 1:
            parts.append([short[value] for value in table[factor]])
    texts = [", ".join(each) for each in zip(*parts, strict=True)] if parts else [""] * len(table)
    return dict(zip(table["competitor"], texts, strict=True))


def stairs(at: Array, share: Array, left: float, right: float) -> tuple[Array, Array]:
    """Corners of a step function from `left` to `right`; `at`, `share`, shape (k,), as the tables of profiles have."""
    inside = (at > left) & (at < right)
    start = share[np.searchsorted(at, left, side="right") - 1]
    x = np.concatenate([[left], np.repeat(at[inside], 2), [right]])
    y = np.concatenate([[start], np.repeat(np.concatenate([[start], share[inside]]), 2)[1:]])
    return x, np.append(y, y[-1])[: len(x)]


def distribution(table: pd.DataFrame, column: str, left: float, right: float, numbers: Mapping[str, str]) -> list[Line]:
    """Curves of a table of steps between these costs, those with the smallest area in a logarithmic panel first."""
    names, details = names_of(table), details_of(table)
    found = []
    for name, part in table.groupby("competitor", sort=False):
        x, y = stairs(part[column].to_numpy(), part["share"].to_numpy(), left, right)
        detail = ", ".join(filter(None, (details[str(name)], numbers.get(str(name), ""))))
        line = Line(names[str(name)], detail, x, np.broadcast_to(y, (3, len(y))), "stopped")
        found.append((float(np.trapezoid(y, np.log(x))), line))
    return [line for _, line in sorted(found, key=lambda each: each[0])]


def draw(
    panels: Mapping[str, Sequence[Line]], by: str, shape: Callable[[Axes, Sequence[Line]], None], words: tuple[str, str]
) -> Figure:
    """A figure with curves named at the right; `shape` gives a panel its axes, `words` are title and caption."""
    most = max(map(len, panels.values()))
    texts = [f"{line.label} ({line.detail})" for members in panels.values() for line in members]
    width = 3.3 + max(map(len, texts)) * _style.FONT * 0.57 / 72
    figure, axes = _style.panels(len(panels), width, max(2.4, 0.5 + most * 0.135))
    for ax, (name, members) in zip(axes, panels.items(), strict=True):
        ax.set_autoscale_on(False)
        for line in members:
            look = _style.style_of(factor_of(by), line.label)
            y = np.minimum(line.y[1], 1e300)
            ax.plot(line.x, y, color=look.color, linestyle=look.linestyle, linewidth=1.1, zorder=3)
        shape(ax, members)
        _style.open_frame(ax)
        _style.panel_title(ax, name)
        label(ax, list(members))
    _style.describe(figure, *words)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, members in zip(axes, panels.values(), strict=True):
        arrange(ax, list(members), factor_of(by))  # type: ignore[arg-type]
    return figure


def share_axis(ax: Axes, what: str) -> None:
    """The upright axis of a distribution."""
    ax.set_ylim(0.0, 1.02)
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    ax.set_ylabel(what)


# ----------------------------------------------------------------------------------------------------------- words


def instances_text(facts: Mapping[Any, Any]) -> str:
    """How many problems and starts."""
    problems, instances = facts["problems"], facts["instances"]
    each = f"{instances // problems}" if instances % problems == 0 else "several"
    starts = f"{each} start{'s' * (each != '1')}{' each' * (problems > 1)}"
    return f"{problems} problem{'s' * (problems > 1)}, {starts}"


def cost_text(facts: Mapping[Any, Any]) -> str:
    """What is counted, and until when."""
    if facts["target"] is None:
        return f"{facts['on']} {_CONVERGED}"
    return f"{facts['on']} to {_style.goal_text(facts['target'], facts['constrained'])}"


def field_text(table: pd.DataFrame) -> str:
    """By what rule competitors are represented, and who and what has no place in the comparison."""
    facts, parts = table.attrs, []
    if any(details_of(table).values()):
        other = "the optimizer" if facts["by"] == "schedule" else "the schedule"
        parts.append(f"In parentheses: {other} with the lowest mean rank.")
    elif facts["by"] != "all":
        same = "optimizer" if facts["by"] == "schedule" else "schedule"
        parts.append(f"All with {same} {table[same].iloc[0]}.")
    gone = [_listed(facts[key]) for key in ("left_out", "dropped") if facts[key]]
    if gone:
        parts.append(f"Left out, since not everyone shown ran on everything: {'; '.join(gone)}.")
    return " ".join(parts)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
