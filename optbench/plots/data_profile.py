"""Data profile: how many problems an optimizer solves within a budget that grows with their dimension."""

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


def data_profile(
    runs: pd.DataFrame,
    hits: pd.DataFrame | None = None,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    target: float | None = None,
    by: stats.By = "optimizer",
) -> Figure:
    """Data profile: share of problems and starts solved within alpha (n + 1) evaluations of the objective.

    An evaluation gives the objective and its gradient together and counts once; see `stats.data_profile`.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it. Without `hits` the cost is that of converging.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    target : float, optional
        Default: that of `stats.pick_target`.
    by : {"optimizer", "schedule", "all"}
        What the lines are; see `stats.contest`.

    Returns
    -------
    Figure
        The curves of `stats.data_profile` [1]_; the number is the share solved with the whole budget of the runs.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or a target that was not recorded.

    References
    ----------
    .. [1] More and Wild, "Benchmarking derivative-free optimization algorithms", SIAM J. Optim. 20 (2009) 172-191.
    """
    runs = _compared.selected(runs, problem, optimizer, schedule)
    table = stats.data_profile(runs, hits, target=target, by=by)
    shares = table.groupby("competitor", sort=False)["share"].last()
    numbers = {str(name): f"{100 * share:.0f} %" for name, share in shares.items()}
    jumps = table["alpha"][(table["alpha"] > 0) & (table["alpha"] < np.inf)]
    left, right = (jumps.min() / 1.3, jumps.max() * 1.3) if len(jumps) else (1.0, 10.0)
    caption = (
        f"Share of problems and starts ({_compared.instances_text(table.attrs)}) solved within "
        "\N{GREEK SMALL LETTER ALPHA} (n + 1) evaluations, n the number of variables; an evaluation gives f and its "
        f"gradient and counts once. Counted: {_compared.cost_text(table.attrs)}. Number: share solved at all. "
        f"{_compared.field_text(table)}"
    )
    with _style.style():
        lines = _compared.distribution(table, "alpha", float(left), float(right), numbers)
        return _compared.draw({"": lines}, by, _axes, ("Data profile", caption))


def _axes(ax: Axes, members: Sequence[Line]) -> None:
    ax.set_xscale("log")
    ax.set_xlim(members[0].x[0], members[0].x[-1])
    _style.few_decades(ax.xaxis, members[0].x[0], members[0].x[-1])
    ax.set_xlabel("evaluations over n + 1, $\\alpha$")
    _compared.share_axis(ax, "share solved, $d(\\alpha)$")
