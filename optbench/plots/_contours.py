"""The frame of a plane: contours of the objective, a bar of their levels, names and scales of the axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optbench.labels import text_of
from optbench.plots import _planes, _style
from optbench.plots._planes import Field, Plane
from optbench.points import symbol
from optbench.types import Array, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet

LIGHT = ("#ffffff", "#b9bec6")  # of the lowest and the highest values
_SPAN = 100.0  # ratio of values from which levels are spaced evenly in their logarithm
_LINEAR = 12  # levels of others
_PIECES = 300  # pieces of contour lines, beyond which there are too many to see


def contours(ax: Axes, problem: Problem, field: Field) -> tuple[QuadContourSet, str]:
    """Filled contours and lines; what they are of, in words."""
    from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

    values, levels, what = levels_of(problem, field)
    shades = LinearSegmentedColormap.from_list("light", LIGHT)
    norm = BoundaryNorm(levels, shades.N, extend="both")
    shown = np.ma.masked_invalid(values)
    filled = ax.contourf(field.u, field.v, shown, levels, cmap=shades, norm=norm, extend="both", zorder=1)
    lines = ax.contour(field.u, field.v, shown, levels, colors="0.5", linewidths=0.35, linestyles="-", zorder=1.5)
    if sum(int(np.sum(path.codes == path.MOVETO)) for path in lines.get_paths() if path.codes is not None) > _PIECES:
        lines.remove()  # of a surface full of bumps, which shades show better
    if np.isnan(field.f).any():
        ax.contourf(field.u, field.v, np.isnan(field.f), [0.5, 1.5], colors="none", hatches=["xxxx"], zorder=1)
    return filled, what


def levels_of(problem: Problem, field: Field) -> tuple[Array, Array, str]:
    """What is contoured, shape of the field; its levels; and what it is, in words.

    f itself, or f - f* (or above the lowest value shown) where that spans more than two decades; f* may be unknown, or,
    under constraints, not the lowest value.
    """
    from matplotlib.ticker import MaxNLocator

    f, name = field.f, symbol(problem)
    lowest = float(np.nanmin(f))
    known = problem.f_opt is not None and problem.f_opt <= lowest
    gap = f - (problem.f_opt if problem.f_opt is not None and known else lowest)
    above = gap[gap > 0.0]
    if not above.size:
        return f, np.array([lowest, lowest + 1.0]), f"{name}, which is constant here"
    low, high = float(np.quantile(above, 0.01)), float(above.max())
    if high / low < _SPAN:
        return f, np.asarray(MaxNLocator(_LINEAR).tick_values(lowest, float(np.nanmax(f)))), f"{name}, evenly spaced"
    decades = np.log10(high / low)
    steps: tuple[float, ...] = (1.0, 2.0, 5.0) if decades <= 4 else (1.0, 3.0) if decades <= 7 else (1.0,)
    every = max(1, round(decades / 12))
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1, every)
    levels = np.array([power * each for power in powers for each in steps])
    levels = levels[(levels >= low / 3) & (levels <= high)]
    reference = f"{name}*" if known else f"its lowest value here, {text_of(float(f'{lowest:.4g}'))}"
    return gap, levels, f"{name} - {reference}" if known else f"{name} above {reference}"


def draw_field(axes: Sequence[Axes], problem: Problem, field: Field) -> str:
    """Contours in every panel, with one bar of their levels; what they are of, in words."""
    drawn = [contours(ax, problem, field) for ax in axes]
    filled, what = drawn[0]
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(
        filled,
        ax=list(axes),
        fraction=0.045,
        pad=0.02,
        aspect=28 if len(drawn) == 1 else 70,
        spacing="uniform",
        extendfrac=0.03,
    )
    levels = np.asarray(filled.levels)
    bar.set_ticks(levels.tolist(), labels=[text_of(float(f"{level:.8g}")) for level in levels])
    bar.ax.tick_params(length=0, labelsize=_style.FONT - 1)
    bar.ax.set_title(_short(what), fontsize=_style.FONT, pad=6)
    bar.outline.set_linewidth(0.4)
    return what


def _short(what: str) -> str:
    return what.split(",")[0].split(" above")[0].replace("*", "$^*$").replace("-", "\N{MINUS SIGN}")


def name_axes(ax: Axes, plane: Plane, bounds: Array) -> None:
    """Limits and names of axes that show a plane; one scale for both where the frame is not too long for that."""
    ax.set_xlim(*bounds[0])
    ax.set_ylim(*bounds[1])
    ax.set_xlabel(axis_name(plane, 0))
    ax.set_ylabel(axis_name(plane, 1))
    ax.spines[["top", "right"]].set_visible(False)
    if one_scale(bounds):
        ax.set_aspect("equal")


def axis_name(plane: Plane, k: int) -> str:
    """Name of a direction of the plane, with its share of the variance in a principal plane."""
    name, share = plane.names[k], plane.explained[k]
    if plane.kind == "principal":
        return f"principal direction {k + 1} ({100 * share:.3g} %)"
    return f"${name[0]}_{{{name[1:]}}}$" if name[0] == "x" and name[1:].isdigit() else name


def one_scale(bounds: Array) -> bool:
    """Whether both axes of a frame, (2, 2), have one scale, so that gradients are at right angles to contours."""
    width, height = np.diff(bounds, axis=1)[:, 0]
    return bool(max(width, height) <= _planes.ALIKE * min(width, height))
