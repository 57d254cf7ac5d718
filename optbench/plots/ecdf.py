"""Runtime distributions over problems and targets, and expected running times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats
from optbench.plots import _compared, _style
from optbench.plots._lines import Line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def ecdf(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    target: float | None = None,
    on: stats.On = "evaluations",
    by: stats.By = "optimizer",
    restarts: bool = True,
) -> Figure:
    """Runtime distribution as in COCO: share of (problem, target) pairs met within a cost, failed runs restarted.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    target : float, optional
        Only this one. Default: all that were recorded.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        What a run costs.
    by : {"optimizer", "schedule", "all"}
        What the lines are; see `stats.contest`.
    restarts : bool
        Whether failed runs start again, as in COCO; else the runs are shown as they are.

    Returns
    -------
    Figure
        The curves of `stats.ecdf` [1]_, with a cross at the cost of the longest run: what lies beyond comes from
        restarts alone.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or a target that was not recorded.

    References
    ----------
    .. [1] Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, "COCO: a platform for comparing continuous optimizers in
       a black-box setting", Optim. Methods Softw. 36 (2021) 114-144.
    """
    runs = _compared.selected(runs, problem, optimizer, schedule)
    table = stats.ecdf(runs, hits, targets=None if target is None else [target], on=on, by=by, restarts=restarts)
    cost, longest = table[on], table.attrs["longest"]
    jumps = cost[(cost > 0) & (cost < np.inf)]
    right = 1.3 * float(max(jumps.max(), max(longest.values()))) if len(jumps) else 10.0
    left = float(jumps.min()) / 1.2 if len(jumps) else 1.0
    shares = table.groupby("competitor", sort=False)["share"].last()
    numbers = {str(name): f"{100 * share:.0f} %" for name, share in shares.items()}
    with _style.style():
        lines = _compared.distribution(table, on, left, right, numbers)
        marks = {text: longest[name] for name, text in _compared.names_of(table).items()} if restarts else {}

        def shape(ax: Axes, members: Sequence[Line]) -> None:
            _axes(ax, members, on)
            _crosses(ax, members, marks, by)

        return _compared.draw({"": lines}, by, shape, ("Runtime distribution", _caption(table, restarts)))


def _axes(ax: Axes, members: Sequence[Line], on: stats.On) -> None:
    ax.set_xscale("log")
    ax.set_xlim(members[0].x[0], members[0].x[-1])
    _style.few_decades(ax.xaxis, members[0].x[0], members[0].x[-1])
    ax.set_xlabel("evaluations of the objective" if on == "evaluations" else on)
    _compared.share_axis(ax, "share of (problem, target) pairs")


def _crosses(ax: Axes, members: Sequence[Line], marks: dict[str, float], by: stats.By) -> None:
    for line in members:
        at = marks.get(line.label, 0.0)
        if at > 0:
            height = line.y[1, max(int(np.searchsorted(line.x, at, side="right")) - 1, 0)]
            look = _style.style_of(_compared.factor_of(by), line.label)
            cross: dict[str, Any] = {"marker": "x", "markersize": 5, "markeredgewidth": 1.2, "zorder": 4}
            ax.plot([at], [height], color=look.color, linestyle="none", **cross)


def _caption(table: pd.DataFrame, restarts: bool) -> str:
    facts = table.attrs
    targets = [stats.target_text(target) for target in facts["targets"]]
    levels = targets[0] if len(targets) == 1 else f"{len(targets)} targets from {targets[0]} to {targets[-1]}"
    many = f"{_compared.instances_text(facts)}, {levels}"
    parts = [f"Share of {facts['pairs']} pairs of a problem and a target ({many}) met within so many {facts['on']}."]
    if restarts:
        parts.append(
            "A run that failed is followed by another from a start drawn among those of the problem, until one "
            "succeeds: all draws with their probabilities. Cross: the longest run; what lies beyond is due to restarts."
        )
    else:
        parts.append("Single runs, without restarts.")
    parts.append(f"Number: share at the right end. {_compared.field_text(table)}")
    return " ".join(parts)


def ert(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    on: stats.On = "evaluations",
    by: stats.By = "optimizer",
) -> Figure:
    """Expected running time to every target, one panel a problem.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name.
    on : {"iterations", "epochs", "evaluations", "seconds"}
        What a run costs.
    by : {"optimizer", "schedule", "all"}
        What the lines are; see `stats.contest`.

    Returns
    -------
    Figure
        The numbers of `stats.ert`, against the target, hard ones at the right. A line ends at a cross where no run met
        the next target.

    Raises
    ------
    ValueError
        Nothing to plot, or an unknown name.
    """
    runs = _compared.selected(runs, problem, optimizer, schedule)
    table = stats.ert(runs, hits, on=on, by=by)
    names, details = _compared.names_of(table), _compared.details_of(table)
    panels: dict[str, list[Line]] = {}
    for (name, competitor), part in table.groupby(["problem", "competitor"], sort=False):
        met = np.isfinite(part["ert"].to_numpy())
        keep = part[met] if met.any() else part[:1]
        y = np.broadcast_to(keep["ert"].to_numpy(), (3, len(keep)))
        end: Any = "stopped" if met.all() else "diverged"
        line = Line(names[str(competitor)], details[str(competitor)], keep["target"].to_numpy(), y, end)
        panels.setdefault(str(name), []).append(line)
    caption = (
        f"What all runs spent until they met the target or ended, in {on}, over the number of runs that met it: the "
        f"expected cost with restarts. {_compared.instances_text(table.attrs).capitalize()}. Cross: no run met the "
        f"next target; a name without a line: none met any. {_compared.field_text(table)}"
    )

    def shape(ax: Axes, members: Sequence[Line]) -> None:
        _ert_axes(ax, members, table["target"].max(), table["target"].min(), on)

    with _style.style():
        return _compared.draw(panels, by, shape, ("Expected running time", caption))


def _ert_axes(ax: Axes, members: Sequence[Line], first: float, last: float, on: stats.On) -> None:
    values = np.concatenate([line.y[1] for line in members])
    finite = values[np.isfinite(values) & (values > 0)]
    low, high = (finite.min() / 1.3, finite.max() * 1.3) if finite.size else (1.0, 10.0)
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    _style.few_decades(ax.yaxis, low, high)
    ax.set_xscale("log")
    ax.set_xlim(first * 1.3, last / 1.3)
    ax.minorticks_off()
    ax.set_xlabel("target, $(f - f^*) / (f_0 - f^*)$")
    ax.set_ylabel(f"ERT, {on}")
