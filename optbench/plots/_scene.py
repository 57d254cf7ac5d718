"""What figures of parameter space show: a problem, a plane, a frame, and paths, given or of recorded runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench import harness
from optbench.optimize import OptimizeResult, minimize
from optbench.plots import _planes, _style
from optbench.plots._lines import of_seed, rows_of
from optbench.plots._planes import Plane
from optbench.points import point_at
from optbench.registry import get_problem, search_of
from optbench.tables import run_of
from optbench.trajectories import points_of, trajectory
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd

_ON = 1e-9  # relative distance at which a minimizer counts as a point of the plane


class Path(NamedTuple):
    """A path: the label of its optimizer and its points, shape (k, n)."""

    label: str
    points: Array


class Step(NamedTuple):
    """One step of an optimizer: its name, its learning rate (None: a search of its own), where from and where to."""

    optimizer: str
    lr: float | None
    x: Array
    after: Array


class Scene(NamedTuple):
    """A problem on a plane; `bounds`, (2, 2), is the frame; `tracks`, the paths in coordinates of the plane."""

    problem: Problem
    plane: Plane
    bounds: Array
    paths: tuple[Path, ...]
    tracks: tuple[Array, ...]
    at: Array | None = None
    step: Step | None = None

    @property
    def labels(self) -> list[str]:
        """Labels of the paths, each once, in order."""
        return _style.present(path.label for path in self.paths)

    def only(self, label: str) -> Scene:
        """The same with the paths of one label alone."""
        kept = [k for k, path in enumerate(self.paths) if path.label == label]
        paths, tracks = tuple(self.paths[k] for k in kept), tuple(self.tracks[k] for k in kept)
        return self._replace(paths=paths, tracks=tracks)

    @property
    def minima(self) -> Array:
        """Coordinates, shape (k, 2), of the minimizers that lie in the plane and in the frame."""
        if self.problem.minimizers is None:
            return np.empty((0, 2))
        points = self.problem.minimizers
        found = self.plane.coordinates(points)
        size = 1.0 + np.abs(points).max(axis=1)
        on = np.abs(self.plane.points(found) - points).max(axis=1) <= _ON * size
        return np.asarray(found[on & ((found >= self.bounds[:, 0]) & (found <= self.bounds[:, 1])).all(axis=1)])


def paths_from(problem: Problem, paths: Mapping[str, Any] | None) -> tuple[Path, ...]:
    """Paths by the labels of their optimizers.

    Parameters
    ----------
    problem : Problem
    paths : mapping of str to trajectory or sequence of trajectories
        A result of `optbench.minimize`, its ``trace``, a table of `optbench.trajectories`, or points, shape (k, n).

    Raises
    ------
    ValueError
        A trajectory without points or with another number of parameters.
    """
    made = []
    for label, given in (paths or {}).items():
        for one in given if isinstance(given, (list, tuple)) else [given]:
            trace = one.trace if isinstance(one, OptimizeResult) else one
            points = points_of(trace) if hasattr(trace, "columns") else np.asarray(trace, dtype=np.float64)
            if points.ndim != 2 or points.shape[1] != problem.n:
                raise ValueError(f"points of {label} must have shape (k, {problem.n}), not {points.shape}")
            made.append(Path(label, points))
    return tuple(made)


def runs_of(
    runs: pd.DataFrame, problem: str | None, optimizer: str | None, schedule: str | None, seed: int, every_seed: bool
) -> tuple[Problem, dict[str, list[pd.DataFrame]]]:
    """The problem and the trajectories, by optimizer, of recorded runs.

    Of the runs that differ in other factors the combination is taken that `convergence` shows; of the seeds, `seed`, or
    where it was not run the lowest.

    Raises
    ------
    ValueError
        The runs are of more than one problem, a name is unknown, there is none, or it cannot be done again.
    """
    runs = runs[~runs["status"].isin(("error", "crashed")) & (runs["backend"] == "cpu")]  # those with points
    frame = rows_of(runs, "optimizer", problem=problem, optimizer=optimizer, schedule=schedule)
    names = _style.present(frame["problem"])
    if len(names) > 1:
        raise ValueError(f"one problem is shown: choose it by problem, of {', '.join(names)}")
    frame = frame if every_seed else of_seed(frame, seed)
    rows = runs.loc[frame.index]
    made: dict[str, list[pd.DataFrame]] = {}
    for label, (_, row) in zip(frame["optimizer"], rows.iterrows(), strict=True):
        made.setdefault(str(label), []).append(trajectory(row))
    run = run_of(rows.iloc[0])
    return harness.problem_of(run.problem, run.settings), made


def step_from(problem: Problem, optimizer: str | None, lr: float | None, x: Array | None) -> Step | None:
    """One step of an optimizer from `x`, by its kernel. Raises ValueError without a point, or for what is unknown."""
    if optimizer is None:
        if lr is not None:
            raise ValueError("lr is that of a step: name its optimizer too")
        return None
    if x is None:
        raise ValueError("a step starts at a point: give at as well")
    r = minimize(problem, optimizer, lr=lr, max_iter=1, x0=x, targets=())
    used = float(r.trace["lr"].iloc[0]) if search_of(optimizer, {}) == "none" else None
    return Step(optimizer, used, x, r.trace.attrs["x"][-1])


def scene_of(
    problem: str | Problem,
    paths: Mapping[str, Any] | None = None,
    *,
    at: Any = None,
    step: str | None = None,
    lr: float | None = None,
    plane: str | None = None,
    bounds: Any = None,
) -> Scene:
    """Everything that a figure of parameter space draws, checked; see `parameter_space` for the arguments."""
    made = get_problem(problem) if isinstance(problem, str) else problem
    shown = paths_from(made, paths)
    point = None if at is None else point_at(made, at)
    taken = step_from(made, step, lr, point)
    lower = _lowest_last(made, shown)
    used = _planes.plane_of(made, plane, [path.points for path in lower], point)
    tracks = tuple(used.coordinates(path.points) for path in shown)
    marks = [path.points[:1] for path in shown] + [each for each in (point,) if each is not None]
    marks += [made.minimizers] if made.minimizers is not None and used.kind == "whole" else []
    marks += [path.points for path in lower] if used.kind == "principal" else []
    frame = _planes.bounds_from(made, used, bounds)
    if frame is None:
        after = () if taken is None else (used.coordinates(taken.after),)
        frame = _planes.frame_of(made, used, (*tracks, *after), _together(used, marks))
        frame = frame if point is None else _planes.with_gradient(made, used, frame, point)
    return Scene(made, used, frame, shown, tracks, point, taken)


def _together(plane: Plane, points: Sequence[Array]) -> Array:
    """Coordinates, shape (k, 2), of points, shape (n,), or of arrays of some, one after the other."""
    return np.concatenate([np.empty((0, 2)), *(plane.coordinates(each) for each in points)])


def _lowest_last(problem: Problem, paths: Sequence[Path]) -> list[Path]:
    """Paths that ended lower than they started, by f at the end, descending; all, if none did."""
    ends = [(problem.fun(path.points[0]), problem.fun(path.points[-1])) for path in paths]
    lower = [(end, k) for k, (start, end) in enumerate(ends) if end < start]
    return [paths[k] for _, k in sorted(lower, reverse=True)] if lower else list(paths)
