"""Heat map: which optimizer goes with which schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench import stats
from optbench.plots import _style
from optbench.plots._blocks import Grid, place
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

Value = Literal["iterations", "seconds", "success"]

TOGETHER = "all problems"
_WORST = 100.0  # the colour scale ends at this ratio at the latest


class Panel(NamedTuple):
    """One panel; arrays of shape (optimizers, schedules).

    Numbers that decide the colours (NaN for none), texts (empty where nothing was run), whether no run met the target
    (hatched), whether nothing is better (bold).
    """

    title: str
    colour: Array
    text: NDArray[np.object_]
    failed: NDArray[np.bool_]
    best: NDArray[np.bool_]

    def part(self, at: Any) -> Panel:
        """The panel of these places."""
        return Panel(self.title, self.colour[at], self.text[at], self.failed[at], self.best[at])


def heatmap(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    value: Value = "iterations",
    target: float | None = None,
    problem: str | None = None,
) -> Figure:
    """Cost to a target, or success rate, of every optimizer with every schedule, one panel a problem.

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    value : {"iterations", "seconds", "success"}
        Median iterations or seconds to the target, or the share of runs that met it.
    target : float, optional
        Default: that of `stats.pick_target`.
    problem : str, optional
        Only this one: a label or a registered name.

    Returns
    -------
    Figure
        Colours tell the ratio to the best cell of the panel, so that panels compare; numbers are the values. In a
        hatched cell no run met the target; k/n is a cell in which fewer than half of n runs did. Empty cells were not
        run. Several problems are put together in a last panel: the mean success, or the geometric mean of the ratios
        over the problems that any cell solved, in which a failure costs its whole budget: a lower bound.

    Raises
    ------
    ValueError
        Nothing to plot, an unknown name, or a target that was not recorded.
    """
    stats.one_of("value", value, Value)
    stats.need(runs, "plot")
    target = stats.pick_target(hits, target)
    table = _style.chosen(stats.labels(runs), runs, problem=problem)
    cells = _cells(table, runs.loc[table.index], hits, value, target)
    with _style.style():
        return _draw(cells, value, target, bool(runs.loc[table.index, "kkt"].notna().any()))


def _cells(table: pd.DataFrame, runs: pd.DataFrame, hits: pd.DataFrame, value: Value, target: float) -> pd.DataFrame:
    """One row a cell: ``cost`` (median), ``bound`` (cost of the budget), ``met`` and ``count`` of runs."""
    on: stats.On = "seconds" if value == "seconds" else "iterations"
    column = table["schedule"]
    for name in ("clip", "batch"):
        if table[name].nunique() > 1:
            column = column + f", {name} " + table[name]
    frame = table.assign(schedule=column, cost=stats.costs(runs, hits, target, on), bound=stats.budget_costs(runs, on))
    frame = frame[frame["cost"].notna()]
    stats.need(frame, "plot: none has a known minimum" + ("" if on == "iterations" else " and times"))
    keys = [frame[name] for name in ("problem", "optimizer", "schedule")]
    made = stats.medians(frame["cost"], keys).to_frame("cost")
    made["bound"] = frame["bound"].groupby(keys, sort=False).median()
    made["met"] = (frame["cost"] < np.inf).groupby(keys, sort=False).sum()
    made["count"] = frame["cost"].groupby(keys, sort=False).size()
    return made.reset_index()


def _draw(cells: pd.DataFrame, value: Value, target: float, constrained: bool) -> Figure:
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    columns = _style.in_order("schedule", cells["schedule"])
    first = cells["schedule"].map(columns.index).groupby(cells["optimizer"]).min()
    rows = sorted(_style.in_order("optimizer", cells["optimizer"]), key=lambda name: first[name] > first.min())
    made, grids = [], []
    for panel in _panels(cells, rows, columns, value):
        run = panel.text != ""
        down, across = np.flatnonzero(run.any(axis=1)), np.flatnonzero(run.any(axis=0))
        made.append(panel.part(np.ix_(down, across)))
        grids.append(Grid(panel.title, tuple(rows[k] for k in down), tuple(columns[k] for k in across)))
    worst = max(float(np.nanmax(panel.colour, initial=2.0)) for panel in made)
    norm = Normalize(0, 100) if value == "success" else LogNorm(1, min(worst, _WORST))
    colours = ScalarMappable(norm, mpl.colormaps["viridis" if value == "success" else "viridis_r"])
    together = made[-1].title if len(made) > cells["problem"].nunique() else ""
    figure, axes, side = place(grids, *_words(value, target, together, constrained))
    for ax, panel in zip(axes, made, strict=True):
        _fill(ax, panel, colours)
    label = "% of runs" if value == "success" else "ratio to the best\ncell of the panel"
    extend = "max" if value != "success" and worst > _WORST else "neither"
    bar = figure.colorbar(colours, cax=side, label=label, extend=extend, format="%g")
    bar.outline.set_linewidth(0.4)
    if value != "success":
        _style.few_decades(bar.ax.yaxis, *colours.get_clim())
    return figure


def _panels(cells: pd.DataFrame, rows: list[str], columns: list[str], value: Value) -> list[Panel]:
    """Panels of all problems, and the last one, where there are several."""
    grids = {
        str(name): {
            key: part.pivot(index="optimizer", columns="schedule", values=key)
            .reindex(index=rows, columns=columns)
            .to_numpy(dtype=np.float64)
            for key in ("cost", "bound", "met", "count")
        }
        for name, part in cells.groupby("problem", sort=False)
    }
    made = [_panel(name, grid, value) for name, grid in grids.items()]
    title, together = _comparable([*grids.values()])
    if len(together) > 1:
        made.append(_mean_success(title, together) if value == "success" else _cost_of_all(title, together))
    return made


def _panel(title: str, grid: dict[str, Array], value: Value) -> Panel:
    cost, met, count = grid["cost"], grid["met"], grid["count"]
    if value == "success":
        return _success(title, met / count)
    write = _style.seconds_text if value == "seconds" else _style.number_text
    text = np.full(cost.shape, "", dtype=object)
    for at in zip(*np.nonzero(count > 0), strict=True):
        some = f"{met[at]:.0f}/{count[at]:.0f}" if met[at] else "-"
        text[at] = write(cost[at]) if np.isfinite(cost[at]) else some
    ratio = _ratio(cost, cost)
    return Panel(title, ratio, text, met == 0, ratio == 1.0)


def _success(title: str, rate: Array) -> Panel:
    text = np.array([["" if np.isnan(share) else f"{100 * share:.0f}" for share in row] for row in rate], dtype=object)
    return Panel(title, np.where(rate == 0, np.nan, 100 * rate), text, rate == 0, np.zeros(rate.shape, dtype=bool))


def _mean_success(title: str, grids: list[dict[str, Array]]) -> Panel:
    """Mean share of runs that met the target."""
    return _success(title, np.mean([grid["met"] / grid["count"] for grid in grids], axis=0))


def _cost_of_all(title: str, grids: list[dict[str, Array]]) -> Panel:
    """Geometric mean of the ratios over the problems that any cell solved."""
    solved = [grid for grid in grids if np.isfinite(grid["cost"]).any()]
    if not solved:
        first = grids[0]["cost"]
        run = np.asarray(~np.isnan(first))
        return Panel(title, np.full(first.shape, np.nan), np.where(run, "-", ""), run, np.zeros(run.shape, dtype=bool))
    costs = np.stack([grid["cost"] for grid in solved])
    ratios = np.stack([np.maximum(_ratio(np.fmin(grid["cost"], grid["bound"]), grid["cost"]), 1.0) for grid in solved])
    ratios = np.where(np.isnan(costs), np.nan, ratios)
    mean, lost = np.exp(np.log(ratios).mean(axis=0)), np.isinf(costs)
    text = np.full(mean.shape, "", dtype=object)
    for at in zip(*np.nonzero(~np.isnan(mean)), strict=True):
        number = f"{mean[at]:.2g}" if mean[at] < 99.5 else f"{mean[at]:.0f}"
        every, some = lost[(slice(None), *at)].all(), lost[(slice(None), *at)].any()
        text[at] = "-" if every else f"\N{GREATER-THAN OR EQUAL TO}{number}" if some else number
    failed = lost.all(axis=0)
    return Panel(title, np.where(failed, np.nan, mean), text, np.asarray(failed), np.asarray(mean == np.nanmin(mean)))


def _comparable(grids: list[dict[str, Array]]) -> tuple[str, list[dict[str, Array]]]:
    """All problems, or where no cell was run on every one, the most with the same cells; and what these are called."""
    if not np.isnan([grid["cost"] for grid in grids]).any(axis=0).all():
        return TOGETHER, grids
    groups: dict[bytes, list[dict[str, Array]]] = {}
    for grid in grids:
        groups.setdefault(np.isnan(grid["cost"]).tobytes(), []).append(grid)
    most = max(groups.values(), key=len)
    return f"{len(most)} problems with the same cells", most


def _ratio(cost: Array, among: Array) -> Array:
    """Costs relative to the lowest of `among`; NaN where infinite."""
    finite = among[np.isfinite(among)]
    if not finite.size:
        return np.full(cost.shape, np.nan)
    least = max(float(finite.min()), 1e-12)
    return np.where(np.isfinite(cost), np.maximum(cost / least, 1.0), np.nan)


def _fill(ax: Axes, panel: Panel, colours: ScalarMappable) -> None:
    """Cells, hatched where nothing was reached, with numbers that are legible on their colour."""
    for (i, k), colour in np.ndenumerate(panel.colour):
        if panel.text[i, k]:
            face: Any = "0.95" if np.isnan(colour) else colours.to_rgba(np.asarray(colour))
            hatch = "/////" if panel.failed[i, k] else None
            _style.cell(ax, i, k, str(panel.text[i, k]), face, hatch=hatch, bold=bool(panel.best[i, k]))


def _words(value: Value, target: float, together: str, constrained: bool) -> tuple[str, str]:
    """Title and caption."""
    goal = _style.goal_text(target, constrained)
    if value == "success":
        caption = f"Share of runs, in percent, that reached {goal} within their budget."
        return "Success by optimizer and schedule", caption + (f" {together.capitalize()}: mean." if together else "")
    what = "iterations" if value == "iterations" else "seconds"
    caption = (
        f"Median {what} to {goal}; best in bold. k/n: only k of n runs reached it, too few for a median; "
        "hatched: none did; empty: not run."
    )
    if together:
        caption += (
            f" {together.capitalize()}: geometric mean of the ratio to the best cell over the problems that any cell "
            "solved; \N{GREATER-THAN OR EQUAL TO}: with failures, which count as the whole budget."
        )
    return f"{what.capitalize()} to {stats.target_text(target)} by optimizer and schedule", caption
