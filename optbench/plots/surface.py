"""The objective as a surface over a plane of parameters, with the paths of optimizers on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.labels import text_of
from optbench.loops.members import evaluate_all
from optbench.plots import _planes, _style
from optbench.plots._contours import LIGHT, axis_name, levels_of
from optbench.plots._paths import Label, place, track_of, visible
from optbench.plots._planes import Field
from optbench.plots._scene import Scene, runs_of, scene_of
from optbench.plots._scene_text import caption_of, title_of
from optbench.plots.parameter_space import settle
from optbench.points import symbol
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NODES = 121  # a side of the surface
_HEIGHT = 0.7  # of the box, in the length of its base
_LOWEST = 0.1  # of the lowest level of the contours, at which logarithms end
_GRID: dict[Any, Any] = {"grid.linewidth": 0.4, "grid.color": "0.85"}


def surface(
    problem: str | Problem,
    paths: Mapping[str, Any] | None = None,
    *,
    plane: str | None = None,
    bounds: str | ArrayLike | None = None,
    elevation: float = 40.0,
    azimuth: float = -125.0,
) -> Figure:
    """The objective as a surface over a plane of parameters, with the paths of optimizers on it.

    Parameters
    ----------
    problem, paths, plane, bounds
        As in `optbench.plots.parameter_space`.
    elevation, azimuth : float
        Where the surface is seen from, in degrees.

    Returns
    -------
    Figure
        The height is f, or the logarithm of f - f* where that spans more than two decades. Paths lie at their own
        values of f, which in a slice or a principal plane need not be those of the surface.

    Raises
    ------
    ValueError
        As in `parameter_space`.
    """
    import matplotlib as mpl

    scene = scene_of(problem, paths, plane=plane, bounds=bounds)
    field = _planes.field_of(scene.problem, scene.plane, scene.bounds, min(NODES, _planes.nodes_of(scene.problem)))
    with _style.style(), mpl.rc_context(_GRID):
        figure, axes = _style.panels(1, 5.4, 4.4)
        figure.delaxes(axes[0])
        ax: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        lift, what = _draw_surface(ax, scene, field)
        tracks = [track_of(points, scene.bounds) for points in scene.tracks]
        lifted = _draw_paths(ax, scene, lift)
        ax.view_init(elevation, azimuth)
        _style.describe(
            figure,
            f"Surface: {title_of(scene.problem)}",
            " ".join([f"Height: {what}.", *caption_of(scene, tracks, flat=False)]),
        )
        settle(figure)
        _label(ax, scene, lifted, lift)
    return figure


def surface_of_runs(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
    every_seed: bool = False,
    plane: str | None = None,
    bounds: str | None = None,
    elevation: float = 40.0,
    azimuth: float = -125.0,
) -> Figure:
    """The objective as a surface over a plane of parameters, with the paths of the runs of one problem.

    Parameters
    ----------
    runs : DataFrame
        Of a results file. Every run shown is done again, for its points.
    problem, optimizer, schedule, seed, every_seed, plane, bounds
        As in `optbench.plots.parameter_space_of_runs`.
    elevation, azimuth : float
        Where the surface is seen from, in degrees.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        As in `surface`; the runs are of several problems, or there is none.
    """
    made, paths = runs_of(runs, problem, optimizer, schedule, seed, every_seed)
    return surface(made, paths, plane=plane, bounds=bounds, elevation=elevation, azimuth=azimuth)


class _Lift:
    """From values of f to heights: f, or the logarithm of its gap to a reference."""

    def __init__(self, problem: Problem, field: Field) -> None:
        gap, levels, what = levels_of(problem, field)
        self.log = "evenly" not in what and "constant" not in what
        at = np.unravel_index(int(np.nanargmax(field.f)), field.f.shape)
        self.base = float(field.f[at] - gap[at])
        self.low = float(levels[0]) * _LOWEST if self.log else -np.inf
        cut = f", as a logarithm, cut at {text_of(float(f'{self.low:.3g}'))}"
        self.what = what + cut if self.log else what.split(",")[0]
        self.ends = self([np.nanmin(field.f), np.nanmax(field.f)])

    def __call__(self, f: Any) -> Array:
        """Heights of values."""
        values = np.asarray(f, dtype=np.float64) - self.base
        return np.log10(np.maximum(values, self.low)) if self.log else values


def _draw_surface(ax: Any, scene: Scene, field: Field) -> tuple[_Lift, str]:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    lift = _Lift(scene.problem, field)
    height = lift(field.f)
    shades = LinearSegmentedColormap.from_list("light", LIGHT)
    u, v = np.meshgrid(field.u, field.v)
    every = max(1, len(field.u) // 60)
    ax.plot_surface(
        u, v, height, cmap=shades, rstride=every, cstride=every, linewidth=0.15, edgecolor="0.6", alpha=0.9, zorder=1
    )
    levels = np.linspace(np.nanmin(height), lift.ends[1], 14)[1:-1]
    ax.contour(u, v, height, levels, colors="0.35", linewidths=0.5, linestyles="-", zorder=2)
    ax.set_xlim(*scene.bounds[0])
    ax.set_ylim(*scene.bounds[1])
    name = symbol(scene.problem)
    height_name = f"{name} \N{MINUS SIGN} {name}*" if "*" in lift.what else name
    for axis, text in (
        (ax.xaxis, axis_name(scene.plane, 0)),
        (ax.yaxis, axis_name(scene.plane, 1)),
        (ax.zaxis, height_name),
    ):
        axis.set_rotate_label(False)  # else they stand on their heads from some sides
        axis.set_label_text(text, rotation=90.0 if axis is ax.zaxis else 0.0)
    ax.zaxis.set_major_locator(MaxNLocator(6, integer=lift.log))
    if lift.log:
        ax.zaxis.set_major_formatter(FuncFormatter(lambda power, _: f"$10^{{{power:.0f}}}$"))
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color("1.0")
    ax.tick_params(pad=0)
    width, depth = np.diff(scene.bounds, axis=1)[:, 0]
    base = (1.0, 1.0) if max(width, depth) > _planes.ALIKE * min(width, depth) else (width, depth)
    ax.set_box_aspect((base[0], base[1], _HEIGHT * max(base)))
    return lift, lift.what


def _draw_paths(ax: Any, scene: Scene, lift: _Lift) -> list[Array]:
    """Draw the paths at the heights of their own values, in the frame; their points, shape (k, 3)."""
    lifted = []
    for path, points in zip(scene.paths, scene.tracks, strict=True):
        look = _style.style_of("optimizer", path.label)
        f = evaluate_all(scene.problem, np.ascontiguousarray(path.points))[0]
        inside = ((points >= scene.bounds[:, 0]) & (points <= scene.bounds[:, 1])).all(axis=1)
        whole = np.column_stack([points, lift(f)])
        whole[~(inside & (whole[:, 2] <= lift.ends[1]))] = np.nan
        half = np.append(np.diff(scene.bounds, axis=1)[:, 0], np.ptp(lift.ends) or 1.0) / 2
        whole = whole[visible(whole / half)]
        kept = whole[np.isfinite(whole).all(axis=1)]
        ax.plot(*whole.T, color=look.color, linestyle=look.linestyle, linewidth=1.3, zorder=4)
        if len(kept):
            ax.plot(*kept[-1:].T, "o", color=look.color, markersize=4, markeredgecolor="white", zorder=6)
            ax.plot(*kept[:1].T, "o", color="white", markeredgecolor="black", markersize=4.5, zorder=7)
        lifted.append(kept)
    return lifted


def _label(ax: Any, scene: Scene, lifted: list[Array], lift: _Lift) -> None:
    """Names beside the paths, where these are on paper."""
    from mpl_toolkits.mplot3d.proj3d import proj_transform  # type: ignore[import-untyped]

    flat = [np.column_stack(proj_transform(*points.T, ax.get_proj())[:2]) for points in lifted]
    labels, seen = [], set()
    for k, path in enumerate(scene.paths):
        if path.label not in seen and len(flat[k]):
            seen.add(path.label)
            labels.append(Label(path.label, flat[k], _style.style_of("optimizer", path.label).color, k))
    starts = [points[:1] for points in flat if len(points)]
    if starts:
        labels.append(Label("start", starts[0]))
    place(ax, labels, flat, starts)
