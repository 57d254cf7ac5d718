"""The classes that a model predicts over two features, with its mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.labels import text_of
from optbench.models import Model, small_problem
from optbench.plots import _style
from optbench.plots._scene import runs_of
from optbench.plots.data_space import draw_data, draw_model, drawable, grid_of
from optbench.trajectories import points_of
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend


def decision_boundary(problem: str | Mapping[str, Any] | Problem, x: ArrayLike | None = None) -> Figure:
    """The classes that a model predicts over two features: probabilities as shading, and the samples it gets wrong.

    Parameters
    ----------
    problem : str, mapping or Problem
        A classification by two features: logistic_regression, softmax_regression, mlp.
    x : array_like, shape (n,), optional
        Parameters; by default the certified minimum.

    Raises
    ------
    ValueError
        The problem is no classification by two features; `x` has another shape or is missing where no minimum is known.
    """
    made = small_problem(problem)
    if x is None and made.x_opt is None:
        raise ValueError(f"the minimum of {made.name} is not known: give the parameters x")
    place = "at the certified minimum" if x is None else "for the parameters given"
    return _figure(made, {"": np.asarray(made.x_opt if x is None else x, dtype=np.float64)}, place)


def decision_boundary_of_runs(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
) -> Figure:
    """The classes that the models at the ends of runs predict over two features, with the samples they get wrong.

    Parameters
    ----------
    runs : DataFrame
        Of a results file. Every run shown is done again, for its last point.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name. The runs must be of one problem.
    seed : int
        Whose runs are shown; where it was not run, the lowest.

    Raises
    ------
    ValueError
        As in `decision_boundary`; the runs are of several problems, or there is none.
    """
    made, paths = runs_of(runs, problem, optimizer, schedule, seed, False)
    return _figure(made, {label: points_of(frames[0])[-1] for label, frames in paths.items()}, "at the end of each run")


def _figure(problem: Problem, ends: dict[str, Array], place: str) -> Figure:
    model = drawable(problem)
    if not model.is_boundary:
        raise ValueError(f"{problem.name} predicts a number: there is no boundary between classes")
    with _style.style():
        figure, axes = _style.panels(len(ends), 3.9, 3.3)
        wrong = [_panel(ax, model, label, x) for ax, (label, x) in zip(axes, ends.items(), strict=True)]
        note = "; ".join(f"{k} of {len(model.y)}" for k in wrong)
        caption = (
            f"{model.target_name} of {problem.settings['data']}: shading gives the probability of the likeliest class "
            f"{place}, lines part the classes. Rings mark the samples that are on the wrong side: {note}."
        )
        _style.describe(figure, f"Decision boundary: {problem.name}", caption)
    return figure


def _panel(ax: Axes, model: Model, label: str, x: Array) -> int:
    """One model; the number of its mistakes."""
    draw_data(ax, model.problem)
    shade(ax, model, x)
    draw_model(ax, model.problem, x, linewidth=1.2)
    wrong = model.outputs(x, model.X).argmax(axis=1) != model.y
    ax.scatter(
        model.X[wrong, 0], model.X[wrong, 1], s=44.0, facecolors="none", edgecolors="black", linewidths=0.9, zorder=4
    )
    name = f"{label}   " if label else ""
    ax.set_title(f"{name}J = {text_of(float(f'{model.problem.fun(x):.4g}'))}, {int(wrong.sum())} wrong", loc="left")
    class_legend(ax)
    return int(wrong.sum())


def shade(ax: Axes, model: Model, x: ArrayLike) -> None:
    """Colour the plane of two features by the classes' probabilities: pale where none is likely."""
    from matplotlib.colors import to_rgb

    first, second, probabilities = grid_of(ax, model, x)
    count = len(model.labels)
    colours = np.array([to_rgb(_style.COLOURS[k % len(_style.COLOURS)]) for k in range(count)])
    sure = (probabilities.max(axis=-1, keepdims=True) - 1.0 / count) / (1.0 - 1.0 / count)
    mixed = 1.0 - 0.45 * sure * (1.0 - probabilities @ colours)
    ends = (first[0], first[-1], second[0], second[-1])
    ax.imshow(np.clip(mixed, 0.0, 1.0), extent=ends, origin="lower", aspect="auto", zorder=0, interpolation="bilinear")


def class_legend(ax: Axes) -> Legend:
    """Markers of the classes, in a corner."""
    return ax.legend(
        loc="upper left", frameon=True, framealpha=0.85, edgecolor="none", borderpad=0.3, handletextpad=0.1,
        borderaxespad=0.2, labelspacing=0.25,
    )  # fmt: skip
