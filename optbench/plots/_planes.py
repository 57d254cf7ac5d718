"""Planes through parameter space: two coordinates, a slice, the principal plane of trajectories; f on a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optbench.labels import text_of
from optbench.loops.members import evaluate_all
from optbench.points import COMMA, parameter_names, places_of
from optbench.types import Array, Problem

FINEST, COARSEST = 301, 41  # nodes a side
WORK = 2e9  # multiplications, about, that a grid may take
PRINCIPAL = 200  # points of a run, evenly over its iterations, that the principal plane is made from
_FAR = 0.5  # of the region's width, by how much a path may leave it and still be shown whole
_SMALL = 0.5  # of the region's width, below which what is to be seen is shown enlarged
ALIKE = 3.0  # ratio of the sides of a frame up to which both axes have one scale
_NARROW = 1.4  # ratio of the sides of such a frame at most
_ARROW = 0.15  # of the frame, length of a gradient

Bounds = Array  # shape (2, 2): lower and upper end of either direction


class Plane(NamedTuple):
    """A plane ``base + u d_0 + v d_1`` in parameter space.

    `base` has shape (n,), `directions` (2, n), with rows of length 1 at right angles; `names` are those of u and v.
    `explained` is the share of the points' variance that lies along either direction of a principal plane.
    """

    base: Array
    directions: Array
    names: tuple[str, str]
    kind: Literal["whole", "slice", "principal"] = "whole"
    explained: tuple[float, float] = (math.nan, math.nan)

    def coordinates(self, points: ArrayLike) -> Array:
        """Coordinates, shape (k, 2), of the points of the plane nearest to `points`, shape (k, n)."""
        with np.errstate(all="ignore"):  # of paths that overflow
            return np.asarray((np.atleast_2d(points) - self.base) @ self.directions.T)

    def points(self, coordinates: ArrayLike) -> Array:
        """Points of the plane, shape (k, n), at `coordinates`, shape (k, 2)."""
        return np.asarray(self.base + np.atleast_2d(coordinates) @ self.directions)


class Field(NamedTuple):
    """Values of f, shape (len(v), len(u)), on the grid of the coordinates `u` and `v`; NaN where it is not finite."""

    u: Array
    v: Array
    f: Array


def middle(problem: Problem) -> Array:
    """The point that a slice goes through unless another is named: the minimizer where it is known, else the start."""
    return problem.x0 if problem.x_opt is None else problem.x_opt


def text_at(problem: Problem, x: Array) -> str:
    """A point as text: ``w=1, b=2``, of many parameters the first four."""
    pairs = [f"{name}={value:.4g}" for name, value in zip(parameter_names(problem)[:4], x[:4], strict=False)]
    return ", ".join(pairs + ["..."] * (problem.n > 4))


def coordinate_plane(problem: Problem, axes: tuple[int, int] = (0, 1), base: ArrayLike | None = None) -> Plane:
    """The plane of two coordinates through `base`, shape (n,), by default `middle`; u and v are the coordinates."""
    if problem.n < 2:
        raise ValueError(f"{problem.name} has one parameter: there is no plane to show")
    through = np.array(middle(problem) if base is None else base, dtype=np.float64)
    through[list(axes)] = 0.0
    names = parameter_names(problem)
    kind: Literal["whole", "slice"] = "whole" if problem.n == 2 else "slice"
    return Plane(through, np.eye(problem.n)[list(axes)], (names[axes[0]], names[axes[1]]), kind)


def principal_plane(paths: Sequence[Array], base: Array) -> Plane:
    """The plane through `base`, shape (n,), along the two principal directions of the points of `paths`, (k, n) each.

    Of every path 200 points at most count, evenly over its iterations, so that none outweighs another by its length;
    points that are not finite are left out. Every direction's largest entry is positive. The variance is that about the
    mean of the points, as in scikit-learn's PCA.

    Raises
    ------
    ValueError
        There are fewer than three different points.

    Notes
    -----
    Li, Xu, Taylor, Studer & Goldstein (2018), Visualizing the loss landscape of neural nets, NeurIPS 31, section 7.2,
    who take one path and its last point.
    """
    parts = [path[np.unique(np.linspace(0, len(path) - 1, PRINCIPAL).astype(int))] for path in paths]
    cloud = np.concatenate(parts) if parts else np.empty((0, base.size))
    cloud = cloud[np.isfinite(cloud).all(axis=1)]
    if len(np.unique(cloud, axis=0)) < 3:
        raise ValueError("the principal plane takes paths with at least three different points")
    _, lengths, rows = np.linalg.svd(cloud - cloud.mean(axis=0), full_matrices=False)
    rows = rows[:2] * np.sign(rows[[0, 1], np.argmax(np.abs(rows[:2]), axis=1)])[:, None]
    shares = lengths[:2] ** 2 / np.sum(lengths**2)
    return Plane(base, rows, ("direction 1", "direction 2"), "principal", (float(shares[0]), float(shares[1])))


def plane_of(problem: Problem, wanted: str | None, paths: Sequence[Array] = (), base: ArrayLike | None = None) -> Plane:
    """The plane that is asked for: ``"pca"``, two parameters as ``"x1,x3"``, or None, whatever fits.

    None is both coordinates of a problem of two, else the principal plane of the paths, without any the first two
    coordinates. The principal plane goes through `base`, or else the last point of the last path.

    Raises
    ------
    ValueError
        An unknown name, or no plane.
    """
    if wanted == "pca" or (wanted is None and problem.n > 2 and paths):
        if not paths:
            raise ValueError("the principal plane takes paths")
        return principal_plane(paths, np.asarray(paths[-1][-1] if base is None else base))
    if wanted is None:
        return coordinate_plane(problem, base=base)
    names, parts = parameter_names(problem), [part.strip() for part in COMMA.split(wanted)]
    places = places_of(problem, parts) if len(parts) == 2 else []
    if len(set(places)) != 2:
        raise ValueError(f"plane takes pca or two parameters, like {','.join(names[:2])}, not {wanted!r}")
    return coordinate_plane(problem, (places[0], places[1]), base)


def nodes_of(problem: Problem) -> int:
    """Nodes a side of a grid whose evaluation takes a second or a few."""
    return int(np.clip(math.sqrt(WORK / (problem.n * (max(problem.n_samples, problem.m) + 10))), COARSEST, FINEST))


def field_of(problem: Problem, plane: Plane, bounds: Bounds, nodes: int | None = None) -> Field:
    """Values on a grid of `nodes` a side between `bounds`, (2, 2), in the plane."""
    count = nodes or nodes_of(problem)
    u, v = (np.linspace(low, high, count) for low, high in bounds)
    rows = [evaluate_all(problem, plane.points(np.column_stack([u, np.full(count, each)])))[0] for each in v]
    f = np.array(rows)
    f[~np.isfinite(f)] = np.nan
    if np.isnan(f).all():
        raise ValueError(f"{problem.name} has no finite value in the region shown")
    return Field(u, v, f)


def bounds_from(problem: Problem, plane: Plane, text: str | ArrayLike | None) -> Bounds | None:
    """Bounds, shape (2, 2), from ``"-2..2,-1..3"`` or from numbers of that shape.

    Raises
    ------
    ValueError
        Something else, or an end that is not above the other.
    """
    if text is None:
        return None
    try:
        ends = [part.split("..") for part in text.split(",")] if isinstance(text, str) else text
        bounds = np.array([[float(end) for end in each] for each in np.asarray(ends)])
    except ValueError:
        bounds = np.empty(0)
    if bounds.shape != (2, 2) or not (np.isfinite(bounds).all() and (bounds[:, 0] < bounds[:, 1]).all()):
        raise ValueError(f"bounds of {' and '.join(plane.names)} are written like -2..2,-1..3, not {text!r}")
    return bounds


def frame_of(problem: Problem, plane: Plane, paths: Sequence[Array], marks: Array) -> Bounds:
    """The region to show, shape (2, 2): the problem's own with what of the paths is near it; else around the paths.

    `paths`, (k, 2) each, and `marks`, (k, 2), are in coordinates of the plane; all marks are shown. Where all of them
    lie in less than half of either side of the region, or in a principal plane, it is what is around them.
    """
    if plane.kind == "principal":
        return _around(marks[np.isfinite(marks).all(axis=1)], 0.12, 0.6)
    seen = np.concatenate([*paths, marks])
    seen = seen[np.isfinite(seen).all(axis=1)]
    own = (plane.directions @ problem.bounds).reshape(2, 2)
    width = np.diff(own, axis=1)[:, 0]
    near = seen[((seen >= own[:, 0] - _FAR * width) & (seen <= own[:, 1] + _FAR * width)).all(axis=1)]
    near = np.concatenate([near, marks])
    if len(near) and (np.ptp(near, axis=0) < _SMALL * width).all() and np.ptp(near, axis=0).any():
        return _around(near, 0.3, 0.6)
    margin = 0.04 * width
    low, high = (near.min(axis=0), near.max(axis=0)) if len(near) else (own[:, 0], own[:, 1])
    low = np.where(low < own[:, 0] + 1e-9 * width, low - margin, own[:, 0])
    high = np.where(high > own[:, 1] - 1e-9 * width, high + margin, own[:, 1])
    return _broad(np.column_stack([low, high]))


def tip_of(plane: Plane, bounds: Bounds, here: Array, gradient: Array) -> Array:
    """Where the arrow of a gradient ends that starts `here`: its length is the same share of any frame."""
    along = plane.directions @ gradient
    size = float(np.abs(along / np.diff(bounds, axis=1)[:, 0]).max())
    return np.asarray(here + along * (_ARROW / size) if 0.0 < size < np.inf else here)


def with_gradient(problem: Problem, plane: Plane, bounds: Bounds, x: Array) -> Bounds:
    """The frame, widened where the arrow of the gradient at `x`, shape (n,), would leave it."""
    ends = plane.coordinates(x)
    ends = np.concatenate([ends, tip_of(plane, bounds, ends[0], problem.grad(x))[None]])
    margin = 0.03 * np.diff(bounds, axis=1)[:, 0]
    low, high = ends.min(axis=0) - margin, ends.max(axis=0) + margin
    return np.column_stack([np.minimum(bounds[:, 0], low), np.maximum(bounds[:, 1], high)])


def _broad(bounds: Bounds) -> Bounds:
    """A frame of which both axes have one scale, widened where it is narrow."""
    width = np.diff(bounds, axis=1)[:, 0]
    if width.max() > ALIKE * width.min():
        return bounds
    half = np.maximum(width, width.max() / _NARROW) / 2
    return np.column_stack([bounds.mean(axis=1) - half, bounds.mean(axis=1) + half])


def _around(points: Array, margin: float, least: float) -> Bounds:
    """A box around points, (k, 2), with a margin; neither side is less than the `least` share of the other."""
    low, high = points.min(axis=0), points.max(axis=0)
    width = np.maximum(high - low, least * max(float((high - low).max()), 1e-9))
    center = (low + high) / 2
    return np.column_stack([center - (0.5 + margin) * width, center + (0.5 + margin) * width])


def plane_text(problem: Problem, plane: Plane) -> str:
    """What a plane is, as a sentence for a caption; empty where it is the whole space."""
    if plane.kind == "principal":
        one, two = (f"{100 * share:.3g} %" for share in plane.explained)
        return (
            f"A plane in {problem.n} dimensions: the two principal directions of the paths, with {one} and {two} of "
            "their variance, through the lowest end. Paths are projected onto it, contours are values in it."
        )
    if plane.kind == "slice":
        others = [k for k in range(problem.n) if not plane.directions[:, k].any()]
        names = parameter_names(problem)
        fixed = [f"{names[k]} = {text_of(float(f'{plane.base[k]:.4g}'))}" for k in others[:6]]
        more = f" and {len(others) - 6} more" if len(others) > 6 else ""
        return (
            f"A slice in {problem.n} dimensions, through {', '.join(fixed)}{more}. Paths are seen along the other "
            "directions, contours are values in the slice."
        )
    return ""
