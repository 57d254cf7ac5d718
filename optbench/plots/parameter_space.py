"""Parameter space: contours of the objective with the paths of optimizers, a gradient, and one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.plots import _planes, _style
from optbench.plots._contours import contours, draw_field, name_axes, one_scale
from optbench.plots._paths import Track, draw_path, place
from optbench.plots._planes import Plane, tip_of
from optbench.plots._scene import Scene, Step, runs_of, scene_of
from optbench.plots._scene_text import GRADIENT, STEP, caption_of, labels_of, obstacles_of, title_of
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet
    from matplotlib.figure import Figure

TOGETHER = 6  # optimizers in one panel; of more each has its own
_SIDE, _SMALL_SIDE = 4.3, 2.7  # inches, the longer side of a frame alone, and of one of many
_COARSE = 151  # nodes a side of the grid of a small frame
_BELOW = 0.25  # points, by which a path is wider than the one drawn over it


def parameter_space(
    problem: str | Problem,
    paths: Mapping[str, Any] | None = None,
    *,
    at: str | Mapping[str, float] | ArrayLike | None = None,
    step: str | None = None,
    lr: float | None = None,
    plane: str | None = None,
    bounds: str | ArrayLike | None = None,
) -> Figure:
    """Contours of the objective in a plane of parameters, with the paths of optimizers.

    Parameters
    ----------
    problem : str or Problem
        A registered name, with its default settings, or a problem.
    paths : mapping of str to trajectory, optional
        By the label of the optimizer: a result of `optbench.minimize` (with ``record="all"``), its ``trace``, a table
        of `optbench.trajectories`, or points, shape (k, n); or a list of such, one for every start.
    at : str, mapping or array_like, optional
        A point, ``"w=1,b=2"`` or numbers, at which the gradient is drawn with its numbers.
    step : str, optional
        An optimizer whose first step from `at` is drawn, as its kernel does it.
    lr : float, optional
        Its learning rate; default: the optimizer's.
    plane : str, optional
        Two parameters, ``"x1,x3"``: the slice through `at`, else through the minimizer, else the start. ``"pca"``: the
        principal plane of the paths, which is the default with more than two parameters.
    bounds : str or array_like, shape (2, 2), optional
        The frame, ``"-2..2,-1..3"``. Default: the problem's region, with the parts of the paths that are near it, or
        what is around the paths where they take little of it.

    Returns
    -------
    Figure
        A path ends in a dot, or in a cross where it leaves the frame for good or is no longer finite. More than six
        optimizers have a panel each.

    Raises
    ------
    ValueError
        An unknown name, a trajectory without points, a wrong point, plane or frame.
    """
    scene = scene_of(problem, paths, at=at, step=step, lr=lr, plane=plane, bounds=bounds)
    apart = [scene.only(label) for label in scene.labels] if len(scene.labels) > TOGETHER else [scene]
    with _style.style():
        figure, axes = frame_figure(scene, len(apart))
        nodes = min(_planes.nodes_of(scene.problem), _planes.FINEST if len(apart) == 1 else _COARSE)
        gaps = draw_field(axes, scene.problem, _planes.field_of(scene.problem, scene.plane, scene.bounds, nodes))
        tracks = [draw_scene(ax, each) for ax, each in zip(axes, apart, strict=True)]
        title = f"Parameter space: {title_of(scene.problem)}"
        parts = caption_of(scene, [track for each in tracks for track in each])
        _style.describe(figure, title, " ".join((f"Contours of {gaps}.", *parts)))
        settle(figure)
        for ax, each, drawn in zip(axes, apart, tracks, strict=True):
            place(ax, labels_of(each, drawn), *obstacles_of(each, drawn))
    return figure


def parameter_space_of_runs(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
    every_seed: bool = False,
    at: str | None = None,
    step: str | None = None,
    lr: float | None = None,
    plane: str | None = None,
    bounds: str | None = None,
) -> Figure:
    """Contours in a plane of parameters with the paths of the runs of one problem.

    Parameters
    ----------
    runs : DataFrame
        Of a results file. Every run shown is done again, for its points.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name. The runs must be of one problem.
    seed : int
        Whose runs are shown; where it was not run, the lowest.
    every_seed : bool
        Show the runs of all seeds.
    at, step, lr, plane, bounds
        As in `parameter_space`.

    Returns
    -------
    Figure
        Of the schedules, clippings and batches of an optimizer the combination that `convergence` shows.

    Raises
    ------
    ValueError
        As in `parameter_space`; the runs are of several problems, or there is none.
    """
    made, paths = runs_of(runs, problem, optimizer, schedule, seed, every_seed)
    return parameter_space(made, paths, at=at, step=step, lr=lr, plane=plane, bounds=bounds)


def draw_contours(
    ax: Axes, problem: Problem, bounds: ArrayLike, axes: tuple[int, int] = (0, 1), base: ArrayLike | None = None
) -> QuadContourSet:
    """Draw the contours of a problem over two of its parameters onto axes, and set their limits and names.

    Parameters
    ----------
    ax : Axes
    problem : Problem
    bounds : array_like, shape (2, 2)
        Lower and upper end of either parameter.
    axes : tuple of int
        Which parameters, from 0.
    base : array_like, shape (n,), optional
        The other parameters; by default those of the minimizer, or of the start where it is not known.

    Returns
    -------
    QuadContourSet
        The filled contours. Levels are spaced as logarithms above the minimum where values span decades.

    Raises
    ------
    ValueError
        The problem has one parameter, or no finite value there.
    """
    plane, frame = _planes.coordinate_plane(problem, axes, base), np.asarray(bounds, dtype=np.float64)
    name_axes(ax, plane, frame)
    return contours(ax, problem, _planes.field_of(problem, plane, frame))[0]


def frame_figure(scene: Scene, count: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with empty frames of a scene."""
    width, height = np.diff(scene.bounds, axis=1)[:, 0]
    ratio = float(height / width) if one_scale(scene.bounds) else 0.85
    longest = _SIDE if count == 1 else _SMALL_SIDE
    side = min(longest, longest / ratio)
    beside = 1.1 if count == 1 else 0.5
    figure, axes = _style.panels(count, side + beside, side * ratio + 0.4, beside=0.0 if count == 1 else 0.7)
    for ax in axes:
        name_axes(ax, scene.plane, scene.bounds)
    return figure, axes


def settle(figure: Figure) -> None:
    """Make the layout final, so that texts can be put at pixels."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def draw_scene(ax: Axes, scene: Scene) -> list[Track]:
    """Paths with their starts, minima, gradient and step of a scene."""
    labels = scene.labels
    thin = 0.7 if len(scene.paths) > len(labels) else 1.1
    tracks = []
    for path, points in zip(scene.paths, scene.tracks, strict=True):
        wider = _BELOW * (
            len(labels) - 1 - labels.index(path.label)
        )  # than those drawn over it, to be seen beside them
        tracks.append(draw_path(ax, points, path.label, bounds=scene.bounds, width=thin + wider))
    draw_marks(ax, scene)
    return tracks


def draw_marks(ax: Axes, scene: Scene) -> None:
    """Starts, minima, gradient and step of a scene."""
    starts = np.unique([points[0] for points in scene.tracks], axis=0) if scene.tracks else np.empty((0, 2))
    ax.plot(*starts.T, "o", color="white", markeredgecolor="black", markeredgewidth=0.9, markersize=5, zorder=7)
    if len(scene.minima):
        ax.plot(
            *scene.minima.T, "*", color="white", markeredgecolor="black", markeredgewidth=0.8, markersize=9, zorder=7
        )
    if scene.at is not None:
        draw_gradient(ax, scene.problem, scene.at, scene.plane, scene.bounds)
    if scene.step is not None:
        draw_step(ax, scene.step, scene.plane)


def draw_gradient(
    ax: Axes, problem: Problem, x: Array, plane: Plane | None = None, bounds: Array | None = None
) -> Array:
    """Draw the gradient at `x`, shape (n,), as an arrow of one length, uphill; returns its tip in the plane, (2,)."""
    plane = plane or _planes.coordinate_plane(problem)
    frame = np.array([ax.get_xlim(), ax.get_ylim()]) if bounds is None else bounds
    here = plane.coordinates(x)[0]
    tip = tip_of(plane, frame, here, problem.grad(x))
    arrow(ax, here, tip, GRADIENT)
    ax.plot(*here[:, None], "s", color="black", markersize=3.5, markeredgecolor="white", markeredgewidth=0.5, zorder=7)
    return tip


def draw_step(ax: Axes, step: Step, plane: Plane | None = None) -> None:
    """Draw a step of an optimizer as an arrow, true to scale."""
    ends = np.array([step.x, step.after])
    here, after = ends if plane is None else plane.coordinates(ends)
    arrow(ax, here, after, STEP, linestyle=(0, (3, 1.2)))
    ax.plot(*after[:, None], "D", color=STEP, markersize=3.2, markeredgecolor="white", markeredgewidth=0.5, zorder=7)


def arrow(ax: Axes, here: Array, tip: Array, color: str, linestyle: Any = "-") -> None:
    """An arrow between two points in data coordinates."""
    look = {"arrowstyle": "-|>,head_width=0.22,head_length=0.45", "color": color, "linewidth": 1.4, "shrinkA": 0}
    ax.annotate(
        "",
        tuple(tip),
        tuple(here),
        arrowprops={**look, "shrinkB": 0, "linestyle": linestyle},
        zorder=6,
        annotation_clip=False,
    )
