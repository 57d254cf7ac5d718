"""Animations: paths moving through parameter space, and the model that each point stands for beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench.models import model_of
from optbench.plots import _planes, _style
from optbench.plots._contours import draw_field, name_axes, one_scale
from optbench.plots._files import check_target
from optbench.plots._paths import place, track_of
from optbench.plots._scene import Scene, runs_of, scene_of
from optbench.plots._scene_text import labels_of, obstacles_of, title_of
from optbench.plots.constraint_space import CURVES, draw_constraints, in_plane
from optbench.plots.data_space import draw_data, draw_model, drawable, show_lines
from optbench.plots.parameter_space import draw_marks, settle
from optbench.types import Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".gif", ".mp4")
DPI = 120
_SIDE = 3.6  # inches, of a panel


class Animation:
    """Frames of moving paths over a picture that stays.

    Attributes
    ----------
    scene : Scene
        What is shown.
    iterations : ndarray of int, shape (frames,)
        The iteration of each frame; the last one stands still for as long as a fifth of all.
    fps : int
        Frames a second.
    """

    def __init__(self, scene: Scene, *, frames: int = 100, fps: int = 15, data: bool | None = None) -> None:
        for name, value, least in (("frames", frames, 2), ("fps", fps, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} takes a whole number of at least {least}, not {value!r}")
        if not scene.paths:
            raise ValueError("an animation takes paths")
        can = _has_data_space(scene.problem)
        if data and not can:
            raise ValueError(
                f"{scene.problem.name} has no data space that can be drawn: one feature, or two and classes"
            )
        self.scene, self.fps, self.data = scene, fps, can if data is None else data
        self.iterations = iterations_of(max(len(path.points) for path in scene.paths) - 1, frames)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as GIF, or as MP4 where ffmpeg is installed.

        Raises
        ------
        ValueError
            Another ending, a folder that is not there, or no ffmpeg.
        """
        from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

        target = check_animation(path)
        with _style.style():
            figure, update = self._moving()
            stay = [len(self.iterations) - 1] * (len(self.iterations) // 5)
            film = FuncAnimation(figure, update, [*range(len(self.iterations)), *stay], cache_frame_data=False)
            writer = PillowWriter if target.suffix.lower() == ".gif" else FFMpegWriter
            film.save(target, writer=writer(fps=self.fps), dpi=DPI)
        return target

    def _still(self) -> tuple[Figure, list[Axes]]:
        """The picture that stays: contours, start, minima, names; and the samples beside it."""
        scene = self.scene
        width, height = np.diff(scene.bounds, axis=1)[:, 0]
        ratio = float(height / width) if one_scale(scene.bounds) else 0.85
        side = _SIDE / max(ratio, 1.0)
        figure, axes = _style.panels(1 + self.data, side + 0.9, side * ratio + 0.3)
        ax = axes[-1]
        name_axes(ax, scene.plane, scene.bounds)
        what = draw_field([ax], scene.problem, _planes.field_of(scene.problem, scene.plane, scene.bounds))
        curves = draw_constraints(ax, scene.problem, scene.bounds) if in_plane(scene.problem) else []
        draw_marks(ax, scene)
        if self.data:
            draw_data(axes[0], scene.problem)
            model = drawable(scene.problem)
            if model.is_line:
                show_lines(axes[0], model, np.array([path.points[k] for path in scene.paths for k in (0, -1)]))
            axes[0].set_title("Data space")
            axes[0].spines[["top", "right"]].set_visible(False)
            ax.set_title("Parameter space")
        parts = [f"Contours of {what}.", _planes.plane_text(scene.problem, scene.plane)]
        parts += ["Each point of parameters is one model."] * self.data
        parts += [CURVES] * bool(curves)
        _style.describe(figure, title_of(scene.problem), " ".join(filter(None, parts)))
        settle(figure)
        tracks = [track_of(points, scene.bounds) for points in scene.tracks]
        paths, others = obstacles_of(scene, tracks)
        place(ax, [*labels_of(scene, tracks), *curves], paths, [*others, *(curve.anchors for curve in curves)])
        return figure, axes

    def _moving(self) -> tuple[Figure, Any]:
        """A figure with that picture as its background, and the function that draws frame k over it."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        still, axes = self._still()
        still.set_dpi(DPI)
        canvas = FigureCanvasAgg(still)
        canvas.draw()  # type: ignore[no-untyped-call]
        figure = Figure(figsize=tuple(still.get_size_inches()), dpi=DPI)
        FigureCanvasAgg(figure)
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        figure.figimage(pixels.copy(), origin="upper", zorder=-1)
        overlays = []
        for ax in axes:
            over = figure.add_axes(ax.get_position().bounds, xlim=ax.get_xlim(), ylim=ax.get_ylim())
            over.set_axis_off()
            overlays.append(over)
        counter = figure.text(0.99, 0.985, "", ha="right", va="top", fontsize=_style.FONT + 1)
        drawn: list[Artist] = []

        def update(k: int) -> list[Artist]:
            while drawn:
                drawn.pop().remove()
            counter.set_text(f"iteration {self.iterations[k]}")
            drawn.extend(self._frame(overlays, int(self.iterations[k])))
            return drawn

        return figure, update

    def _frame(self, axes: list[Axes], iteration: int) -> list[Artist]:
        """Draw the paths up to an iteration, and the models there."""
        made: list[Artist] = []
        for path, points in zip(self.scene.paths, self.scene.tracks, strict=True):
            look = _style.style_of("optimizer", path.label)
            track = track_of(points[: iteration + 1], self.scene.bounds)
            made += axes[-1].plot(*track.points.T, color=look.color, linestyle=look.linestyle, linewidth=1.3)
            mark = "X" if track.leaves else "o"
            made += axes[-1].plot(
                *track.end[:, None], mark, color=look.color, markersize=6, markeredgecolor="white", clip_on=False
            )
            now = path.points[min(iteration, len(path.points) - 1)]
            if self.data and np.isfinite(now).all():
                made += draw_model(
                    axes[0], self.scene.problem, now, color=look.color, linestyle=look.linestyle, linewidth=1.3
                )
        return made


def animation(
    problem: str | Problem,
    paths: Mapping[str, Any],
    *,
    frames: int = 100,
    fps: int = 15,
    data: bool | None = None,
    plane: str | None = None,
    bounds: str | ArrayLike | None = None,
) -> Animation:
    """Paths that move through parameter space, with the model of each point over the data beside it.

    Parameters
    ----------
    problem, paths, plane, bounds
        As in `optbench.plots.parameter_space`.
    frames : int
        At most; every iteration is one where there are fewer, else they are evenly spaced in log(1 + t).
    fps : int
        Frames a second.
    data : bool, optional
        Whether the data space is drawn beside it. Default: where it can be.

    Returns
    -------
    Animation
        ``animation(...).save("file.gif")`` writes it.

    Raises
    ------
    ValueError
        As in `parameter_space`; no paths, or no data space where one is asked for.
    """
    return Animation(scene_of(problem, paths, plane=plane, bounds=bounds), frames=frames, fps=fps, data=data)


def animation_of_runs(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
    frames: int = 100,
    fps: int = 15,
    plane: str | None = None,
    bounds: str | None = None,
) -> Animation:
    """Paths of the runs of one problem moving through parameter space, as GIF or MP4.

    Parameters
    ----------
    runs : DataFrame
        Of a results file. Every run shown is done again, for its points.
    problem, optimizer, schedule, seed, plane, bounds
        As in `optbench.plots.parameter_space_of_runs`.
    frames, fps : int
        As in `animation`.

    Returns
    -------
    Animation

    Raises
    ------
    ValueError
        As in `animation`; the runs are of several problems, or there is none.
    """
    made, paths = runs_of(runs, problem, optimizer, schedule, seed, False)
    return animation(made, paths, frames=frames, fps=fps, plane=plane, bounds=bounds)


def iterations_of(last: int, frames: int) -> NDArray[np.int64]:
    """Iterations of the frames, from 0 to `last`: all, or `frames` of them at most, evenly in log(1 + t)."""
    if last < frames:
        return np.arange(last + 1, dtype=np.int64)
    for count in range(8 * frames, frames - 1, -1):  # early iterations of several frames are one
        spaced = np.expm1(np.linspace(0.0, np.log1p(last), count))
        chosen = np.unique(np.round(spaced).astype(np.int64))
        if len(chosen) <= frames:
            break
    return chosen


def check_animation(path: str | os.PathLike[str]) -> Path:
    """The path, if an animation can be saved there.

    Raises
    ------
    ValueError
        Another ending, a folder that is not there, or MP4 without ffmpeg.
    """
    from matplotlib.animation import FFMpegWriter

    target = check_target(path, "an animation", SUFFIXES)
    if target.suffix.lower() == ".mp4" and not FFMpegWriter.isAvailable():
        raise ValueError(f"{target}: an MP4 needs ffmpeg, which is not installed here; save it as {target.stem}.gif")
    return target


def _has_data_space(problem: Problem) -> bool:
    model = model_of(problem)
    return model is not None and (model.is_line or model.is_boundary)
