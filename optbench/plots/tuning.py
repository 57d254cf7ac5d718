"""Performance against the number of trials: what tuning brings, and how soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench import curves, stats, tuned
from optbench.plots import _style
from optbench.plots._lines import Line
from optbench.plots.convergence import arrange, label
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = 4  # curves in a panel, up to which quartiles are shown
TEXTS = {"time_to_target": "iterations to {}", "val_loss": "held-out loss", "val_accuracy": "minus held-out accuracy"}


class Shown(NamedTuple):
    """One study: score by the number of trials as a line, and scores on the test seeds by budget, shape (b,)."""

    line: Line
    budgets: Array
    tests: Array


def tuning_budget(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    trials: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
) -> Figure:
    """Score against the number of tuning trials, one panel a problem, one line an optimizer.

    Parameters
    ----------
    runs, hits, trials : DataFrame
        Of a results file.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name. Of an optimizer's schedules (clipping, batch sizes), each panel
        shows the one with the best score on the tuning seeds at the largest budget.

    Returns
    -------
    Figure
        Lines: what the best of k trials and the defaults scores on the tuning seeds, the median over all choices of k
        of the trials that were made (`optbench.curves.best_of_k`). Dots: the winner of each budget, and at 0 the
        defaults, on the test seeds, median. What is infinite lies at the upper edge.

    Raises
    ------
    ValueError
        Nothing was tuned, several criteria or targets in one figure, or an unknown name.
    """
    stats.need(trials, "plot: nothing was tuned")
    mine = trials[~trials["study"].isin(set(trials.loc[~trials["run"].isin(runs.index), "study"]))]
    mine = mine[mine["study"].isin(set(mine.loc[mine["role"] == "tuned", "study"]))]
    stats.need(mine, "plot: no study whose runs are all there")
    compared = tuned.comparison(runs, hits, mine)
    if len(compared[["criterion", "target"]].drop_duplicates()) > 1:
        raise ValueError("these studies have different criteria or targets: choose some")
    names = compared.drop_duplicates("study").set_index("study")
    labels = runs.loc[mine[mine["number"] == 0].groupby("study")["run"].first()].set_axis(names.index.sort_values())
    kept = _style.chosen(names, labels, problem=problem, optimizer=optimizer, schedule=schedule)
    medians = tuned.scores(tuned.judged(runs, hits, mine))
    compared = _best(compared[compared["study"].isin(kept.index)])
    minima = _minima(runs, mine) if compared["criterion"].iloc[0] == "final_loss" else {}
    with _style.style():
        return _draw(compared, medians, minima)


def _best(compared: pd.DataFrame) -> pd.DataFrame:
    """Rows of the one study of every problem and optimizer that is shown."""
    last = compared.drop_duplicates("study", keep="last")
    first = last.sort_values("tuning", kind="stable").drop_duplicates(["problem", "optimizer"])
    return compared[compared["study"].isin(first["study"])]


def _minima(runs: pd.DataFrame, trials: pd.DataFrame) -> dict[Any, float]:
    """Minimum of the problem of every study where it is known and scores are values of f."""
    first = trials.groupby("study")["run"].first()
    rows = runs.loc[first].set_axis(first.index)
    return dict(rows["f_opt"][~rows["frozen"] & rows["kkt"].isna() & rows["f_opt"].notna()])


def _draw(compared: pd.DataFrame, medians: pd.DataFrame, minima: dict[Any, float]) -> Figure:
    criterion, target = str(compared["criterion"].iloc[0]), float(compared["target"].iloc[0])
    several = tuned.varying(compared)
    panels, what = dict[str, list[Shown]](), dict[str, str]()
    for study, rows in compared.groupby("study", sort=False):
        name, low = str(rows["problem"].iloc[0]), minima.get(study, 0.0)
        panels.setdefault(name, []).append(_shown(rows, medians.loc[[study]].droplevel(0), low, several))
        text = "KKT residual at the end" if rows["constrained"].all() else "loss at the end"
        text = "$f - f^*$ at the end" if study in minima else text
        what[name] = TEXTS.get(criterion, text).format(stats.target_text(target))
    lines = {name: [shown.line for shown in members] for name, members in panels.items()}
    letters = max(len(f"{line.label} ({line.detail})") for members in lines.values() for line in members)
    width = 2.9 + letters * _style.FONT * 0.57 / 72
    figure, axes = _style.panels(len(panels), width, max(2.1, 0.5 + max(map(len, lines.values())) * 0.135))
    for ax, (name, members) in zip(axes, panels.items(), strict=True):
        ax.set_ylabel(what[name])
        ax.set_xlabel("number of trials beside the defaults")
        _style.panel_title(ax, name)
        _panel(ax, members)
        label(ax, lines[name])
    _style.describe(figure, "What tuning brings", _caption(several, criterion, int(compared["tests"].max())))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, drawn in zip(axes, lines.values(), strict=True):
        arrange(ax, drawn, "optimizer")
        for line in ax.lines[: len(drawn)]:
            line.set_marker("none")  # dots are results
    return figure


def _shown(rows: pd.DataFrame, medians: pd.DataFrame, low: float, several: list[str]) -> Shown:
    last = int(rows["budget"].max())
    made = curves.curve(medians[medians.index <= last], range(1, last + 1))[["low", "median", "high"]].to_numpy()
    y = np.concatenate([np.full((1, 3), medians["score"].get(0, np.inf)), made]).T - low
    detail = ", ".join(str(rows[name].iloc[0]) for name in several)
    line = Line(str(rows["optimizer"].iloc[0]), detail, np.arange(last + 1.0), y, "stopped")
    return Shown(line, rows["budget"].to_numpy(), rows["score"].to_numpy() - low)


def _panel(ax: Axes, members: list[Shown]) -> None:
    """Lines and dots of one panel, within limits that hold all that is finite."""
    from matplotlib.ticker import LogLocator

    values = np.concatenate([np.concatenate([shown.line.y[1], shown.tests]) for shown in members])
    finite = np.sort(values[np.isfinite(values)])
    if finite.size and finite[0] >= 0.0 and finite[-1] > 0.0:
        low, high = np.log10([finite[finite > 0.0][0], finite[-1]])
        room = 0.07 * (high - low) + 0.05
        ax.set_yscale("log")
        ax.set_ylim(10.0 ** (low - room), 10.0 ** (high + room))
        if high - low < 1.5:  # few powers of ten
            ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            ax.yaxis.set_major_formatter("{x:g}")
    elif finite.size:
        room = 0.07 * (finite[-1] - finite[0]) or 0.5
        ax.set_ylim(finite[0] - room, finite[-1] + room)
    last = max(shown.line.x[-1] for shown in members)
    ax.set_xscale("symlog", linthresh=1.0, linscale=0.5)
    ax.set_xlim(-0.15, 1.05 * last)
    marks = sorted({0, 1, 3, 10, *(int(budget) for shown in members for budget in shown.budgets)})
    ax.set_xticks([mark for mark, after in zip(marks, [*marks[1:], np.inf], strict=True) if 1.6 * mark <= after])
    ax.xaxis.set_major_formatter("{x:.0f}")
    ax.minorticks_off()
    bottom, top = ax.get_ylim()
    for shown in members:
        look = _style.style_of("optimizer", shown.line.label)
        below, middle, above = np.clip(shown.line.y, bottom, top)
        ax.plot(shown.line.x, middle, color=look.color, linestyle=look.linestyle, linewidth=1.0, zorder=3)
        if len(members) <= BANDS:
            ax.fill_between(shown.line.x, below, above, color=look.color, alpha=0.13, linewidth=0)
    for shown in members:  # above all lines, which the labels find first
        look = _style.style_of("optimizer", shown.line.label)
        dots: dict[str, Any] = {"linestyle": "none", "marker": look.marker, "color": look.color, "markersize": 4.5}
        dots |= {"markeredgecolor": "white", "markeredgewidth": 0.4, "clip_on": False, "zorder": 4}
        ax.plot(shown.budgets, np.clip(shown.tests, bottom, top), **dots)
    _style.open_frame(ax)


def _caption(several: list[str], criterion: str, tests: int) -> str:
    parts = ["Lines: the best of the defaults and k trials on the tuning seeds, median over all choices of k trials."]
    seeds = f"{tests} test seeds, median" if tests > 1 else "one test seed"
    parts.append(f"Signs: the defaults, at 0, and the winner of each budget on {seeds}.")
    parts.append("At the upper edge: infinite (diverged or never reached).")
    if criterion == "val_accuracy":
        parts.append("Accuracies have their sign changed: lower is better.")
    if several:
        names = ", ".join(several)
        parts.append(f"In parentheses: the {names} with the best score on the tuning seeds at the largest budget.")
    return " ".join(parts)
