"""Integrated score: the area below the performance profile of each optimizer, as in AlgoPerf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optbench import stats
from optbench.plots import _compared, _style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def integrated_score(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    target: float | None = None,
    on: stats.On = "iterations",
    by: stats.By = "optimizer",
    r_max: float = stats.R_MAX,
) -> Figure:
    """Integrated performance profile, AlgoPerf's score: one panel a competitor, its profile up to 4 times the best.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it. Without `hits` the cost is that of converging.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    target : float, optional
        Default: that of `stats.pick_target`.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        What a run costs; AlgoPerf counts seconds.
    by : {"optimizer", "schedule", "all"}
        What competes; see `stats.contest`.
    r_max : float
        Ratio to the best up to which the profile counts.

    Returns
    -------
    Figure
        The profiles over problems, whose cost is the median over seeds, the highest score first; the shaded share of
        a panel is the score of `stats.integrated_score` [1]_. Thin lines are the other profiles.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, a target that was not recorded, or an `r_max` that is not above 1.

    References
    ----------
    .. [1] Dahl et al., "Benchmarking neural network training algorithms", arXiv:2306.07179 (2023), section 4.
    """
    runs = _compared.selected(runs, problem, optimizer, schedule)
    table = stats.integrated_score(runs, hits, target=target, on=on, by=by, r_max=r_max)
    profile = stats.performance_profile(runs, hits, target=target, on=on, by=by, per="problem")
    with _style.style():
        return _draw(table, profile)


def _draw(table: pd.DataFrame, profile: pd.DataFrame) -> Figure:
    facts = table.attrs
    curves = {
        str(name): _compared.stairs(part["tau"].to_numpy(), part["share"].to_numpy(), 1.0, facts["r_max"])
        for name, part in profile.groupby("competitor", sort=False)
    }
    names, details = _compared.names_of(table), _compared.details_of(table)
    titles = {name: label + f" ({details[name]})" * bool(details[name]) for name, label in names.items()}
    width = 0.75 + max(map(len, titles.values())) * _style.FONT * 0.57 / 72
    figure, axes = _style.panels(len(table), max(width, 1.9), 1.15)
    for ax, name, score in zip(axes, table["competitor"], table["score"], strict=True):
        for x, y in curves.values():
            ax.plot(x, y, color="0.75", linewidth=0.5, zorder=2)
        look, (x, y) = _style.style_of(_compared.factor_of(facts["by"]), names[name]), curves[name]
        ax.fill_between(x, y, color=look.color, alpha=0.3, linewidth=0, zorder=1)
        ax.plot(x, y, color=look.color, linewidth=1.4, zorder=3)
        ax.set_title(titles[name], loc="left", pad=4, fontsize=_style.FONT)
        ax.set_title(f"{score:.3f}", loc="right", pad=4, fontsize=_style.FONT, weight="bold")
        _axes(ax, facts["r_max"])
    _outer_labels(axes)
    _style.describe(figure, "Integrated performance profile", _caption(table))
    return figure


def _axes(ax: Axes, r_max: float) -> None:
    ax.set_xlim(1.0, r_max)
    ax.set_ylim(0.0, 1.04)
    ax.set_yticks([0.0, 0.5, 1.0])
    _style.open_frame(ax)


def _outer_labels(axes: list[Axes]) -> None:
    """Names of the axes at the left and below alone."""
    place = axes[0].get_subplotspec()
    across = place.get_gridspec().ncols if place is not None else 1
    for k, ax in enumerate(axes):
        if k % across == 0:
            ax.set_ylabel("share, $\\rho(\\tau)$")
        if k + across >= len(axes):
            ax.set_xlabel("ratio to the lowest cost, $\\tau$")


def _caption(table: pd.DataFrame) -> str:
    facts = table.attrs
    return (
        "Share of problems on which the median cost over starts is at most \N{GREEK SMALL LETTER TAU} times the lowest "
        f"of all shown ({_compared.instances_text(facts)}). The number is the score, the mean height of the shaded "
        f"profile up to {facts['r_max']:g}: 1 for the best on every problem. Thin: the others. "
        f"Cost: {_compared.cost_text(facts)}. {_compared.field_text(table)}"
    )
