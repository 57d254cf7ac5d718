"""Critical-difference diagram: mean ranks over problems, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats
from optbench.plots import _compared, _style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.17  # inches between names
_BAR = 0.1  # inches between bars of groups
_OUT = 0.35  # inches from the ends of the scale to the names
_SCALE = 3.2  # inches from the first rank to the last


def critical_difference(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    target: float | None = None,
    on: stats.On = "iterations",
    by: stats.By = "optimizer",
    post_hoc: stats.PostHoc = "nemenyi",
    alpha: float = 0.05,
) -> Figure:
    """Critical-difference diagram: mean ranks over problems, with bars that join those that cannot be told apart.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it. Without `hits` the cost is that of converging.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    target : float, optional
        Default: that of `stats.pick_target`.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        What a run costs.
    by : {"optimizer", "schedule", "all"}
        What competes; see `stats.contest`.
    post_hoc : {"nemenyi", "wilcoxon"}
        How pairs are told apart: by Nemenyi's critical difference of mean ranks, or by signed-rank tests of the costs
        with Holm's correction.
    alpha : float
        Level of the tests.

    Returns
    -------
    Figure
        The diagram of Demsar [1]_: the best at the left. The caption gives Friedman's test.

    Raises
    ------
    ValueError
        As `stats.critical_difference`.

    References
    ----------
    .. [1] Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006) 1-30.
    """
    runs = _compared.selected(runs, problem, optimizer, schedule)
    table = stats.critical_difference(runs, hits, target=target, on=on, by=by, post_hoc=post_hoc, alpha=alpha)
    with _style.style():
        return _draw(table)


def _draw(table: pd.DataFrame) -> Figure:
    count, groups = len(table), table.attrs["groups"]
    names, details = _compared.names_of(table), _compared.details_of(table)
    texts = [names[name] + f" ({details[name]})" * bool(details[name]) for name in table["competitor"]]
    bars = len(groups) * _BAR + 0.14
    above = 0.5 if table.attrs["post_hoc"] == "nemenyi" else 0.25
    height = above + bars + (count + 1) // 2 * _ROW
    width = _SCALE + 2 * (_OUT + 0.2 + max(map(len, texts)) * _style.FONT * 0.57 / 72)
    figure, (ax,) = _style.panels(1, width, height)
    # Data units: across ranks, of which the first and the last are _SCALE inches apart; down inches, 0 at the scale.
    inch = (count - 1) / _SCALE
    middle = (count + 1) / 2
    ax.set_xlim(middle - width / 2 * inch, middle + width / 2 * inch)
    ax.set_ylim(height - above, -above)
    ax.set_axis_off()
    _scale(ax, count, table.attrs)
    ranks = dict(zip(table["competitor"], table["rank"], strict=True))
    for k, group in enumerate(groups):
        ends = np.array([ranks[group[0]] - 0.04 * inch, ranks[group[-1]] + 0.04 * inch])
        ax.plot(ends, [0.1 + k * _BAR] * 2, color="black", linewidth=2.2, solid_capstyle="butt", zorder=4)
    for k, (name, rank, text) in enumerate(zip(table["competitor"], table["rank"], texts, strict=True)):
        left = k < (count + 1) // 2
        row = k if left else count - 1 - k
        edge = 1 - _OUT * inch if left else count + _OUT * inch
        look = _style.style_of(_compared.factor_of(table.attrs["by"]), names[name])
        _leader(ax, float(rank), bars + row * _ROW, edge, f"{rank:.2f}", text, look, left)
    _style.describe(figure, "Critical difference", _caption(table))
    return figure


def _leader(
    ax: Axes, rank: float, below: float, edge: float, number: str, text: str, look: _style.Style, left: bool
) -> None:
    """From the place of a competitor on the scale down and out to its name."""
    ax.plot([rank, rank, edge], [0.0, below, below], color=look.color, linewidth=0.9, zorder=3)
    ax.plot([rank], [0.0], color=look.color, marker=look.marker, markersize=3.5, zorder=5)
    words: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
    side = "right" if left else "left"
    ax.annotate(text, (edge, below), (-3 if left else 3, 0), ha=side, va="center", **words)
    inner = "left" if left else "right"
    ax.annotate(
        number, (edge, below), (0, 1), ha=inner, va="bottom", fontsize=_style.FONT - 1.5, color=_style.GREY, **words
    )


def _scale(ax: Axes, count: int, facts: Mapping[Any, Any]) -> None:
    """The scale of ranks, and above it the critical difference."""
    ax.plot([1, count], [0, 0], color="black", linewidth=0.8)
    step = max(1, -(-(count - 1) // 15))
    for rank in range(1, count + 1, step):
        ax.plot([rank, rank], [0, -0.05], color="black", linewidth=0.8)
        ax.text(rank, -0.08, str(rank), ha="center", va="bottom")
    if facts["post_hoc"] == "nemenyi":
        end, inch = min(1 + facts["difference"], count), (count - 1) / _SCALE
        ax.plot([1, end], [-0.36, -0.36], color="black", linewidth=1.2)
        for edge in (1, end)[: 1 + (end < count)]:
            ax.plot([edge, edge], [-0.33, -0.39], color="black", linewidth=1.2)
        ax.text(end + 0.06 * inch, -0.36, f"critical difference {facts['difference']:.2f}", va="center")


def _caption(table: pd.DataFrame) -> str:
    facts = table.attrs
    level = f"{100 * facts['alpha']:g}\N{NO-BREAK SPACE}%"
    parts = [
        f"Mean ranks over {facts['problems']} problem{'s' * (facts['problems'] > 1)} of the median cost over starts; "
        f"1 is the best. Cost: {_compared.cost_text(facts)}."
    ]
    if not np.isnan(facts["p"]):
        parts.append(f"Friedman's test that all are equal: {_p_text(facts['p'])}")
        parts[-1] += f" (Iman and Davenport's: {_p_text(facts['p_f'])})."
    if facts["post_hoc"] == "nemenyi":
        parts.append(f"Bars join those whose mean ranks differ by less than Nemenyi's critical difference at {level}.")
        if facts["difference"] > len(table) - 1:
            parts.append("With so few problems it is longer than the scale: no pair can differ.")
    else:
        parts.append(
            f"Bars join those of whom no two differ by the signed-rank test at {level} after Holm's correction."
        )
        if facts["p_smallest"] >= facts["alpha"]:
            parts.append(
                f"With so few problems no pair can: the smallest p that is possible is {facts['p_smallest']:.2g}."
            )
    return " ".join([*parts, _compared.field_text(table)])


def _p_text(p: float) -> str:
    return f"p {'< 0.0001' if p < 1e-4 else f'= {p:.2g}'}".replace(" ", "\N{NO-BREAK SPACE}")
