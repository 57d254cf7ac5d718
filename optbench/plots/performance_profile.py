"""Performance profile: how often, and by how much, each optimizer is behind the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optbench import stats
from optbench.plots import _compared, _style
from optbench.plots._lines import Line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def performance_profile(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    target: float | None = None,
    on: stats.On = "iterations",
    by: stats.By = "optimizer",
    per: stats.Per = "start",
) -> Figure:
    """Performance profile: share of problems and starts solved at a cost of at most tau times that of the best.

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
        What the lines are; see `stats.contest`.
    per : {"start", "problem"}
        Whether every start counts or the median cost over the starts of a problem.

    Returns
    -------
    Figure
        The curves of `stats.performance_profile` [1]_ over tau, to base 2; they start at the share of wins, rho(1), and
        end at the share solved, rho(infinity), which are also given in numbers.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or a target that was not recorded.

    References
    ----------
    .. [1] Dolan and More, "Benchmarking optimization software with performance profiles", Math. Program. 91 (2002)
       201-213.
    """
    runs = _compared.selected(runs, problem, optimizer, schedule)
    table = stats.performance_profile(runs, hits, target=target, on=on, by=by, per=per)
    shares = table.groupby("competitor", sort=False)["share"].agg(["first", "last"])
    numbers = {str(name): f"{100 * a:.0f} \N{RIGHTWARDS ARROW} {100 * b:.0f} %" for name, a, b in shares.itertuples()}
    finite = table["tau"][table["tau"] < np.inf]
    right = max(float(finite.max()), 2.0) * 1.15
    what = "problems, by the median cost over starts" if per == "problem" else "problems and starts"
    caption = (
        f"Share of {what} ({_compared.instances_text(table.attrs)}) that {_competitor(by)} solved at a cost of at most "
        f"\N{GREEK SMALL LETTER TAU} times the lowest of all shown. Cost: {_compared.cost_text(table.attrs)}. "
        "Numbers: share with the lowest cost, and share solved at any cost (an infinite "
        f"\N{GREEK SMALL LETTER TAU}). {_compared.field_text(table)}"
    )
    with _style.style():
        lines = _compared.distribution(table, "tau", 1.0, right, numbers)
        return _compared.draw({"": lines}, by, _axes, ("Performance profile", caption))


def _competitor(by: stats.By) -> str:
    return {"optimizer": "an optimizer", "schedule": "a schedule", "all": "a combination"}[by]


def _axes(ax: Axes, members: Sequence[Line]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log", base=2)
    ax.set_xlim(members[0].x[0], members[0].x[-1])
    ax.xaxis.set_major_locator(LogLocator(base=2, numticks=11))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _style.number_text(value)))
    ax.set_xlabel("ratio to the lowest cost, $\\tau$")
    _compared.share_axis(ax, "share solved, $\\rho(\\tau)$")
