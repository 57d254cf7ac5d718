"""Texts of figures of parameter space: labels and where they may stand, numbers, title and caption."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.labels import text_of
from optbench.plots import _planes, _style
from optbench.plots._contours import one_scale
from optbench.plots._paths import Label, Track
from optbench.plots._planes import tip_of
from optbench.plots._scene import Scene, Step
from optbench.points import parameter_names, symbol
from optbench.types import Array, Problem

GRADIENT, STEP = "#882255", "#332288"


def labels_of(scene: Scene, tracks: Sequence[Track]) -> list[Label]:
    """Texts of a scene: paths by name, start, minimum, the gradient's and the step's numbers."""
    labels = []
    if scene.at is not None:
        here = scene.plane.coordinates(scene.at)
        tip = tip_of(scene.plane, scene.bounds, here[0], scene.problem.grad(scene.at))
        labels.append(Label(gradient_text(scene.problem, scene.at), np.array([tip]), GRADIENT))
    if scene.step is not None:
        labels.append(Label(step_text(scene.problem, scene.step), scene.plane.coordinates(scene.step.after), STEP))
    seen = set()
    for k, (path, track) in enumerate(zip(scene.paths, tracks, strict=True)):
        if path.label not in seen:
            seen.add(path.label)
            labels.append(Label(path.label, _along(track), _style.style_of("optimizer", path.label).color, k))
    if len(scene.minima):
        labels.append(Label("minimum" if len(scene.minima) == 1 else "minima", scene.minima))
    if scene.tracks:
        starts = np.unique([points[0] for points in scene.tracks], axis=0)
        labels.append(Label("start" if len(starts) == 1 else "starts", starts))
    return labels


def _along(track: Track) -> Array:
    """Points at equal distances along the drawn path."""
    if len(track.points) < 2:
        return track.end[None]
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(track.points, axis=0).T))])
    wanted = np.linspace(0.0, at[-1], 200)
    return np.column_stack([np.interp(wanted, at, column) for column in track.points.T])


def obstacles_of(scene: Scene, tracks: Sequence[Track]) -> tuple[list[Array], list[Array]]:
    """What texts should not cover: the paths; and arrows and marks."""
    others = [minimum[None] for minimum in scene.minima] + [points[:1] for points in scene.tracks]
    if scene.at is not None:
        here = scene.plane.coordinates(scene.at)[0]
        others.append(np.array([here, tip_of(scene.plane, scene.bounds, here, scene.problem.grad(scene.at))]))
    if scene.step is not None:
        others.append(scene.plane.coordinates(np.array([scene.step.x, scene.step.after])))
    return [track.points for track in tracks], others


def gradient_text(problem: Problem, x: Array) -> str:
    """The gradient at a point with its numbers, of many parameters its length."""
    name, g = symbol(problem), problem.grad(x)
    if problem.n > 4:
        return rf"$\nabla {name}$, of length {np.linalg.norm(g):.4g}"
    numbers = ", ".join(f"{value:.4g}" for value in g)
    return f"$\\nabla {name}$({_planes.text_at(problem, x)})\n= ({numbers})"


def step_text(problem: Problem, step: Step) -> str:
    """One step with its numbers."""
    rate = "" if step.lr is None else f", lr = {text_of(float(f'{step.lr:.4g}'))}"
    return f"step of {step.optimizer}{rate}:\nto {_planes.text_at(problem, step.after)}"


def title_of(problem: Problem) -> str:
    """The problem, with the cost and its parameters where it is of a model on data."""
    names = parameter_names(problem)
    if symbol(problem) == "J" and problem.n <= 3:
        return f"J({', '.join(names)}) of {problem.name}"
    return problem.name if problem.n == 2 else f"{problem.name} with {problem.n} parameters"


def caption_of(scene: Scene, tracks: Sequence[Track], *, flat: bool = True) -> list[str]:
    """What a scene shows, as sentences; a surface, which is not `flat`, has no arrows and no star."""
    parts = [_planes.plane_text(scene.problem, scene.plane)]
    if tracks:
        counts = [len(path.points) - 1 for path in scene.paths]
        steps = f"{counts[0]}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
        parts.append(f"Paths of {steps} iterations; a dot ends each.")
        if any(track.leaves for track in tracks):
            parts.append("Cross: leaves the frame for good, or is no longer finite.")
    if scene.at is not None:
        parts.append("Solid arrow: direction of the gradient, its length not to scale.")
    if scene.step is not None:
        parts.append("Dashed arrow: one step, to scale.")
    if flat and len(scene.minima):
        parts.append("Star: certified minimum.")
    if flat and not one_scale(scene.bounds):
        parts.append("The axes have different scales: right angles do not look like such.")
    return [part for part in parts if part]
