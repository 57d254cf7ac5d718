"""Data space: the samples of a problem and its model, one line or one boundary for every point of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.models import Model, model_of
from optbench.plots._style import COLOURS
from optbench.types import Array, Problem

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

CLASS_MARKERS = "osD^v<>Ph"
POINTS: dict[str, Any] = {"s": 11.0, "linewidths": 0.5}
GRID = 160  # points along each side of the grid on which a boundary is found


def drawable(problem: Problem) -> Model:
    """The model of a problem, if it can be drawn over its data.

    Raises
    ------
    ValueError
        There are no data, or not one feature (a number is predicted) or two (classes are).
    """
    model = model_of(problem)
    if model is None:
        raise ValueError(f"{problem.name} has no data and no model over them: its data space cannot be drawn")
    if not model.is_line and not model.is_boundary:
        wanted = "two features" if model.labels else "one feature"
        few = ", ".join(model.feature_names[:3]) + (", ..." if len(model.feature_names) > 3 else "")
        raise ValueError(
            f"the data space of {problem.name} can be drawn with {wanted}, and it has "
            f"{len(model.feature_names)} ({few}): choose with features=[...]"
        )
    return model


def draw_data(ax: Axes, problem: Problem) -> None:
    """Draw the samples of a problem, with names on the axes; classes are told apart by colour and marker.

    Raises
    ------
    ValueError
        As in `drawable`.
    """
    model = drawable(problem)
    unit = ", standardized" if model.standardized else ""
    ax.set_xlabel(model.feature_names[0] + unit)
    ax.set_xlim(*_span(model.X[:, 0]))
    if model.is_line:
        ax.scatter(model.X[:, 0], model.y, color="0.45", edgecolors="white", zorder=3, **POINTS)
        ax.set_ylabel(model.target_name)
        ax.set_ylim(*_span(model.y, 0.08))
        return
    ax.set_ylabel(model.feature_names[1] + unit)
    ax.set_ylim(*_span(model.X[:, 1]))
    for k, label in enumerate(model.labels):
        here = model.y == k
        ax.scatter(
            model.X[here, 0], model.X[here, 1], color=COLOURS[k % len(COLOURS)], edgecolors="white", zorder=3,
            marker=CLASS_MARKERS[k % len(CLASS_MARKERS)], label=f"{model.target_name} {label}", **POINTS,
        )  # fmt: skip


def draw_model(ax: Axes, problem: Problem, x: ArrayLike, **look: Any) -> list[Artist]:
    """Draw the model that the parameters `x` stand for: a line over one feature, or the boundary between classes.

    It spans the present limits of the axes, which it does not change; `draw_data` sets them.

    Parameters
    ----------
    ax : Axes
    problem : Problem
    x : array_like, shape (n,)
    **look
        Of the line, as in matplotlib: color, linewidth, linestyle, alpha, zorder.

    Returns
    -------
    list of Artist
        What was drawn, for a caller who removes it again.

    Raises
    ------
    ValueError
        As in `drawable`; or `x` has another shape.
    """
    model, point = drawable(problem), np.asarray(x, dtype=np.float64)
    if point.shape != (problem.n,):
        raise ValueError(f"{problem.name}: x must have shape ({problem.n},), not {point.shape}")
    look = {"color": "black", "linewidth": 1.4, "zorder": 2.5, **look}
    if model.is_line:
        limits = ax.get_ylim()
        inputs = np.linspace(*ax.get_xlim(), 201)
        with np.errstate(over="ignore"):  # of points that have run away
            drawn = ax.plot(inputs, model.outputs(point, inputs[:, None]), **look)
        ax.set_ylim(limits)
        return list(drawn)
    first, second, probabilities = grid_of(ax, model, point)
    lead = _lead(probabilities)
    lines = {"color": "colors", "linewidth": "linewidths", "linestyle": "linestyles"}
    options = {lines.get(key, key): value for key, value in look.items()}
    return [
        ax.contour(first, second, lead[..., k], levels=[0.0], **options)
        for k in range(lead.shape[-1] if lead.shape[-1] > 2 else 1)
        if lead[..., k].min() < 0.0 < lead[..., k].max()
    ]


def draw_residuals(ax: Axes, problem: Problem, x: ArrayLike, **look: Any) -> list[Artist]:
    """Draw the residuals of a regression: a vertical segment from every sample to the model's line.

    Raises
    ------
    ValueError
        As in `drawable`; or the problem is not a regression.
    """
    model = drawable(problem)
    if not model.is_line:
        raise ValueError(f"{problem.name} predicts classes: it has no residuals to draw")
    limits = ax.get_ylim()
    made = ax.vlines(
        model.X[:, 0], model.y, model.outputs(x, model.X), **{"color": "0.6", "linewidth": 0.6, "zorder": 2, **look}
    )
    ax.set_ylim(limits)
    return [made]


def show_lines(ax: Axes, model: Model, points: Array) -> None:
    """Widen the axes of a regression so that the lines of `points`, shape (k, n), are seen as far as they are near."""
    low, high = ax.get_ylim()
    near = (2.0 * low - high, 2.0 * high - low)
    ends = np.array(ax.get_xlim())[:, None]
    with np.errstate(over="ignore"):
        values = np.array([model.outputs(point, ends) for point in points])
    values = np.clip(values[np.isfinite(values)], *near)
    if values.size:
        margin = 0.03 * (high - low)
        ax.set_ylim(min(low, float(values.min()) - margin), max(high, float(values.max()) + margin))


def grid_of(ax: Axes, model: Model, x: ArrayLike) -> tuple[Array, Array, Array]:
    """Class probabilities on a grid over the axes: its two sides, shape (GRID,), and (GRID, GRID, classes)."""
    first, second = np.linspace(*ax.get_xlim(), GRID), np.linspace(*ax.get_ylim(), GRID)
    inputs = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    return first, second, model.outputs(x, inputs).reshape(GRID, GRID, -1)


def _lead(probabilities: Array) -> Array:
    """By how much each class leads the likeliest other one, shape (..., classes): zero on its boundary."""
    ordered = np.sort(probabilities, axis=-1)
    top = probabilities == ordered[..., -1:]
    return np.asarray(probabilities - np.where(top, ordered[..., -2:-1], ordered[..., -1:]))


def _span(values: Array, margin: float = 0.05) -> tuple[float, float]:
    """Limits of an axis around the values."""
    low, high = float(values.min()), float(values.max())
    room = margin * (high - low or abs(low) or 1.0)
    return low - room, high + room
