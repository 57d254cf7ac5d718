"""One model, one point: the same parameters as a line over the data and as a point on the contours of the cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.labels import text_of
from optbench.models import Model, model_of, small_problem
from optbench.plots import _style
from optbench.plots._contours import draw_field, name_axes, one_scale
from optbench.plots._paths import Label, place
from optbench.plots._planes import field_of
from optbench.plots._scene import scene_of
from optbench.plots._scene_text import caption_of, labels_of, obstacles_of
from optbench.plots.constraint_space import CURVES, draw_constraints, in_plane
from optbench.plots.data_space import draw_data, draw_model, draw_residuals, drawable, show_lines
from optbench.plots.decision_boundary import class_legend, shade
from optbench.plots.model_path import name_lines, shades
from optbench.plots.parameter_space import draw_scene, frame_figure, settle
from optbench.points import parameter_names, point_at
from optbench.types import Array, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE, RATIO = 3.9, 1.1  # inches of a panel; width and height of the frame in it


def one_model(problem: str | Mapping[str, Any] | Problem, points: Sequence[str | ArrayLike] | None = None) -> Figure:
    """One model is one point: lines over the data, and the same parameters on the contours of J(w, b).

    Parameters
    ----------
    problem : str, mapping or Problem
        A regression on one feature: linear_regression or ridge.
    points : sequence of str or array_like, each shape (2,), optional
        Pairs (w, b), also as ``"w=1,b=2"``. Default: the start, half the way to the minimum, and the minimum.

    Raises
    ------
    ValueError
        The problem is no such regression, a point has another shape, or there is none.
    """
    made = small_problem(problem)
    model = drawable(made)
    if not model.is_line or made.n != 2:
        raise ValueError(f"one model as one point takes a line with two parameters, and {made.name} has {made.n}")
    if points is None:
        assert made.x_opt is not None
        points = [made.x0, (made.x0 + made.x_opt) / 2, made.x_opt]
    pairs = np.array([point_at(made, point) for point in points])
    if not len(pairs):
        raise ValueError("points takes at least one pair (w, b)")
    with _style.style():
        figure, (left, right) = _style.panels(2, SIDE, SIDE * 0.82)
        colors = [_style.COLOURS[k % len(_style.COLOURS)] for k in range(len(pairs))]
        draw_data(left, made)
        show_lines(left, model, pairs)
        scene = scene_of(made)
        own = (*scene.bounds.T, *pairs)
        frame = _filled(np.column_stack([np.min(own, axis=0), np.max(own, axis=0)]))
        name_axes(right, scene.plane, frame)
        gaps = draw_field([right], made, field_of(made, scene.plane, frame))
        for k, (pair, color) in enumerate(zip(pairs, colors, strict=True)):
            draw_model(left, made, pair, color=color, linestyle=_style.DASHES[k % len(_style.DASHES)])
            _badge(right, pair, k + 1, color)
        left.set_title("data space: a model is a line", loc="left")
        right.set_title("parameter space: the same model is a point", loc="left")
        caption = (
            f"Each line left and the point of its number right are one pair of parameters. Contours of {gaps}; the "
            "deeper the point lies, the closer the line runs to the samples."
        )
        _style.describe(figure, f"One model, one point: {made.name}", caption)
        settle(figure)
        _number_lines(left, model, pairs, colors)
        texts = [f"w = {_short(w)}, b = {_short(b)}\nJ = {_short(made.fun([w, b]))}" for w, b in pairs]
        labels = [Label(text, pair[None], color) for text, pair, color in zip(texts, pairs, colors, strict=True)]
        place(right, labels, [], [pair[None] for pair in pairs])
    return figure


def _short(value: float) -> str:
    return text_of(float(f"{value:.4g}"))


def _number_lines(ax: Axes, model: Model, points: Array, colors: Sequence[Any]) -> None:
    """Numbers on the lines, inside the axes, each at another place along them."""
    low, high = ax.get_xlim()
    bottom, top = ax.get_ylim()
    for k, (point, color) in enumerate(zip(points, colors, strict=True), 1):
        along = low + (high - low) * np.linspace(0.08, 0.92, 43)
        heights = model.outputs(point, along[:, None])
        inside = np.flatnonzero((heights > bottom) & (heights < top))
        if inside.size:
            at = inside[int((inside.size - 1) * (0.25 + 0.5 * (k % 2)))]
            _badge(ax, (along[at], heights[at]), k, color)


def _badge(ax: Axes, at: ArrayLike, number: int, color: Any) -> None:
    """A number in a disc."""
    disc = {"boxstyle": "circle,pad=0.25", "facecolor": color, "edgecolor": "white", "linewidth": 0.6}
    x, y = np.asarray(at)
    ax.text(x, y, str(number), color="white", weight="bold", ha="center", va="center", zorder=7, bbox=disc)


def both_spaces(problem: Problem, points: ArrayLike, label: str = "gd") -> Figure:
    """Data space and parameter space with a point and the steps from there.

    Parameters
    ----------
    problem : Problem
        Without data of one feature, or of two with classes, parameter space alone is drawn.
    points : array_like, shape (k + 1, n)
        The point and those after each step.
    label : str
        The optimizer.

    Raises
    ------
    ValueError
        The problem has one parameter, or `points` have another shape.
    """
    path = np.atleast_2d(np.asarray(points, dtype=np.float64))
    if path.shape[1] != problem.n:
        raise ValueError(f"points must have shape (k, {problem.n}), not {path.shape}")
    model = model_of(problem)
    shown = model is not None and (model.is_line or model.is_boundary)
    scene = scene_of(problem, {label: path}, at=path[0], plane=_steepest(problem, path[0]))
    if shown:
        scene = scene._replace(bounds=_filled(scene.bounds))
    with _style.style():
        if shown and model is not None:
            figure, (left, right) = _style.panels(2, SIDE + 0.3, SIDE * 0.85)
            name_axes(right, scene.plane, scene.bounds)
            parts = [_draw_models(left, model, path)]
            left.set_title("data space", loc="left")
            right.set_title("parameter space", loc="left")
        else:
            figure, (right,) = frame_figure(scene)
            parts = []
        parts.append(f"Contours of {draw_field([right], problem, field_of(problem, scene.plane, scene.bounds))}.")
        curves = draw_constraints(right, problem, scene.bounds) if in_plane(problem) else []
        tracks = draw_scene(right, scene)
        parts += [CURVES] * bool(curves)
        parts += [part for part in caption_of(scene, tracks) if not part.startswith("Paths")]
        steps = f"{len(path) - 1} step{'s' if len(path) > 2 else ''}"
        _style.describe(figure, f"{problem.name}: {steps} of {label}", " ".join(parts))
        settle(figure)
        drawn, others = obstacles_of(scene, tracks)
        place(right, [*labels_of(scene, tracks), *curves], drawn, [*others, *(curve.anchors for curve in curves)])
    return figure


def _filled(bounds: Array) -> Array:
    """The frame, widened to the proportions of a panel where both its axes have one scale."""
    if not one_scale(bounds):
        return bounds
    center, half = bounds.mean(axis=1), np.diff(bounds, axis=1)[:, 0] / 2
    half = np.maximum(half, half[::-1] * (RATIO, 1.0 / RATIO))
    return np.column_stack([center - half, center + half])


def _steepest(problem: Problem, x: Array) -> str | None:
    """Of more than two parameters the two with the largest derivatives at `x`; else None."""
    if problem.n <= 2:
        return None
    largest = np.sort(np.argsort(-np.abs(problem.grad(x)), kind="stable")[:2])
    names = parameter_names(problem)
    return ",".join(names[i] for i in largest)


def _draw_models(ax: Axes, model: Model, path: Array) -> str:
    """The models of the points onto axes; a sentence for the caption."""
    finite = np.flatnonzero(np.isfinite(path).all(axis=1))
    kept = finite[np.unique(np.rint(np.linspace(0, len(finite) - 1, 6)).astype(int))]
    draw_data(ax, model.problem)
    if model.is_line:
        show_lines(ax, model, path[kept])
        draw_residuals(ax, model.problem, path[0])
    else:
        shade(ax, model, path[-1] if np.isfinite(path[-1]).all() else path[0])
        class_legend(ax)
    for point, color in zip(path[kept], shades(len(kept)), strict=True):
        draw_model(ax, model.problem, point, color=color)
    if model.is_line:
        name_lines(ax, model, path[kept], [str(k) for k in kept])
    if model.is_line:
        return "Left: the samples, the model's line before (0) and after the steps, and the residuals before."
    return (
        "Left: the samples and the boundary from light, before, to dark, after the last step, with its probabilities."
    )
