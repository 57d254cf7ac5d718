"""The model over its data as it moves along a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from optbench.models import Model, small_problem
from optbench.plots import _style
from optbench.plots._scene import paths_from, runs_of
from optbench.plots.data_space import draw_data, draw_model, drawable, show_lines
from optbench.plots.decision_boundary import class_legend
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES, BOUNDARIES = 7, 4  # models of a run, evenly over the logarithm of its iterations, besides the first


def data_space(problem: str | Mapping[str, Any] | Problem, paths: Mapping[str, Any]) -> Figure:
    """The points and the model's line, or the boundary between classes, as it moves along runs: one panel a run.

    Parameters
    ----------
    problem : str, mapping or Problem
        A regression on one feature, or a classification by two.
    paths : mapping of str to trajectory
        By the label of the optimizer: a result of `optbench.minimize` (with ``record="all"``), its ``trace``, a table
        of `optbench.trajectories`, or points, shape (k, n).

    Returns
    -------
    Figure
        Lines from light to dark, from the start to the last iteration, with their iterations beside them.

    Raises
    ------
    ValueError
        The problem has no such data, a trajectory has no points, or there is none.
    """
    made = small_problem(problem)
    model, shown = drawable(made), paths_from(made, paths)
    if not shown:
        raise ValueError("there is no run whose model could be drawn")
    with _style.style():
        figure, axes = _style.panels(len(shown), 3.5, 2.9)
        for ax, path in zip(axes, shown, strict=True):
            points = path.points[np.isfinite(path.points).all(axis=1)]
            iterations = _draw_path(ax, model, points)
            ax.set_title(path.label, loc="left", pad=6.0 if model.is_line else 16.0)
            if model.is_boundary:
                ax.add_artist(class_legend(ax))  # or the next legend takes its place
                _list_boundaries(ax, iterations)
        what = "line" if model.is_line else "boundary between its classes"
        best = " Dashed: the certified minimum." if made.x_opt is not None else ""
        caption = (
            f"{len(model.y)} samples of {made.settings['data']}, and the {what} of the model after the iterations that "
            f"stand by it, from light to dark.{best}"
        )
        _style.describe(figure, f"Data space: {made.name}", caption)
    return figure


def data_space_of_runs(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
) -> Figure:
    """The points of a data set and the model's line, or boundary, as it moves along the runs of one problem.

    Parameters
    ----------
    runs : DataFrame
        Of a results file. Every run shown is done again, for its points.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name. The runs must be of one problem.
    seed : int
        Whose runs are shown; where it was not run, the lowest.

    Returns
    -------
    Figure
        As in `data_space`.

    Raises
    ------
    ValueError
        As in `data_space`; the runs are of several problems, or there is none.
    """
    made, paths = runs_of(runs, problem, optimizer, schedule, seed, False)
    return data_space(made, paths)


def _draw_path(ax: Axes, model: Model, points: Array) -> NDArray[np.int_]:
    """The models of a run; the iterations that are shown."""
    last = len(points) - 1
    wanted = np.geomspace(1, max(last, 1), LINES if model.is_line else BOUNDARIES)
    iterations = np.unique(np.rint(wanted).astype(int))
    iterations = np.concatenate([[0], iterations[iterations <= last]])
    draw_data(ax, model.problem)
    best = model.problem.x_opt
    if model.is_line:
        show_lines(ax, model, points[iterations])
    for iteration, color in zip(iterations, shades(len(iterations)), strict=True):
        draw_model(ax, model.problem, points[iteration], color=color, linewidth=1.1)
    if best is not None:
        draw_model(ax, model.problem, best, color="black", linewidth=0.8, linestyle="dashed")
    if model.is_line:
        name_lines(ax, model, points[iterations], [str(k) for k in iterations])
    return iterations


def shades(count: int) -> list[Any]:
    """Colours from light to dark, in one hue and in grey."""
    from matplotlib.colors import LinearSegmentedColormap

    hue = LinearSegmentedColormap.from_list("fade", ["#b9d7ee", "#3b8ac4", "#08306b"])
    return [hue(k) for k in np.linspace(0.0, 1.0, count)] if count > 1 else [hue(1.0)]


def name_lines(ax: Axes, model: Model, points: Array, texts: list[str]) -> None:
    """Iterations beside the right ends of the lines, apart from each other; not of lines that end outside."""
    low, high = ax.get_ylim()
    end = np.array([[ax.get_xlim()[1]]])
    heights = np.array([(model.outputs(point, end)[0] - low) / (high - low) for point in points])
    inside = np.flatnonzero((heights >= 0.0) & (heights <= 1.0))
    order = inside[np.argsort(heights[inside], kind="stable")]
    placed = _style.spread(heights[order], 0.048)
    colors = shades(len(points))
    for k, height in zip(order, placed, strict=True):
        ax.annotate(
            texts[k], (1.0, heights[k]), (1.035, height), xycoords="axes fraction", textcoords="axes fraction",
            fontsize=_style.FONT - 0.5, va="center", color=colors[k] if k > len(points) / 3 else "0.35",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def _list_boundaries(ax: Axes, iterations: NDArray[np.int_]) -> None:
    """The iterations in a row with their colours: boundaries cross, so texts beside them would not do."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=color, linewidth=1.6) for color in shades(len(iterations))]
    ax.legend(
        handles, [f"iteration {iterations[0]}", *map(str, iterations[1:])], loc="lower left", bbox_to_anchor=(0, 1),
        ncols=len(handles), frameon=False, borderaxespad=0.1, borderpad=0.2, handlelength=1.4, columnspacing=1.2,
        handletextpad=0.4,
    )  # fmt: skip
