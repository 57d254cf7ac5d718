"""Constraints in the plane: the feasible set, contours of the objective, and gradients that cancel at the solution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.labels import text_of
from optbench.plots import _planes, _style
from optbench.plots._contours import draw_field
from optbench.plots._paths import Label, place
from optbench.plots._planes import tip_of
from optbench.plots._scene import Scene, runs_of, scene_of
from optbench.plots._scene_text import GRADIENT, caption_of, labels_of, obstacles_of
from optbench.plots.parameter_space import arrow, draw_scene, frame_figure, settle
from optbench.registry import get_problem
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NODES = 151  # a side of the grid of the constraint functions
ACTIVE = 1e-6  # what a constraint function is at most, relative to the length of its gradient, where it holds as c = 0
CONSTRAINT = "black"
CURVES = "Lines c = 0, heavy for equalities; hatched: excluded; dashed: where f is as at the solution."
_ASIDE = 0.008  # of the frame, by which arrows that would cover each other are moved apart
_PARALLEL = 0.98  # cosine of the angle between such
_SHORTEST = 0.3  # of the longest arrow


def constraint_space(
    problem: str | Problem, paths: Mapping[str, Any] | None = None, *, bounds: str | ArrayLike | None = None
) -> Figure:
    """Contours and constraints of a problem of two parameters, with the gradients of both at its solution.

    Parameters
    ----------
    problem : str or Problem
        A registered name, with its default settings, or a problem; it has two parameters and constraints.
    paths : mapping of str to trajectory, optional
        As in `optbench.plots.parameter_space`.
    bounds : str or array_like, shape (2, 2), optional
        The frame, ``"-2..2,-1..3"``.

    Returns
    -------
    Figure
        At the solution the gradients of f and of the constraints that hold there as c = 0, and their multipliers, for
        which grad f + sum of lambda_i grad c_i = 0: with one such constraint they are parallel.

    Raises
    ------
    ValueError
        The problem has no constraints or not two parameters; or as in `parameter_space`.
    """
    made = get_problem(problem) if isinstance(problem, str) else problem
    if not in_plane(made):
        has = f"{made.n} parameters" if made.constraints else "no constraints"
        raise ValueError(
            f"constraint space is shown of problems with constraints and 2 parameters; {made.name} has {has}"
        )
    scene = scene_of(made, paths, bounds=bounds)
    with _style.style():
        figure, (ax,) = frame_figure(scene)
        what = draw_field([ax], made, _planes.field_of(made, scene.plane, scene.bounds))
        curves = draw_constraints(ax, made, scene.bounds)
        tracks = draw_scene(ax, scene)
        arrows = _draw_gradients(ax, scene)
        parts = [f"Contours of {what}.", *_explained(made), *caption_of(scene, tracks)]
        _style.describe(figure, f"Constraint space: {made.name}", " ".join(parts))
        settle(figure)
        paths_drawn, others = obstacles_of(scene, tracks)
        labels = [*_labels(scene), *labels_of(scene, tracks), *curves]
        place(ax, labels, paths_drawn, [*others, *arrows, *(curve.anchors for curve in curves)])
    return figure


def constraint_space_of_runs(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
    every_seed: bool = False,
    bounds: str | None = None,
) -> Figure:
    """Contours, constraints and gradients at the solution with the paths of the runs of one problem.

    Parameters
    ----------
    runs : DataFrame
        Of a results file. Every run shown is done again, for its points.
    problem, optimizer, schedule, seed, every_seed, bounds
        As in `optbench.plots.parameter_space_of_runs`.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        As in `constraint_space`; the runs are of several problems, or there is none.
    """
    made, paths = runs_of(runs, problem, optimizer, schedule, seed, every_seed)
    return constraint_space(made, paths, bounds=bounds)


def in_plane(problem: Problem) -> bool:
    """Whether a problem has constraints that can be drawn: those of two parameters."""
    return problem.constraints is not None and problem.n == 2


def draw_constraints(ax: Axes, problem: Problem, bounds: Array) -> list[Label]:
    """Draw the curves c_i = 0, those of equalities heavy, and hatch what inequalities exclude; their labels."""
    plane = _planes.coordinate_plane(problem)
    u, v = (np.linspace(low, high, NODES) for low, high in bounds)
    grid = plane.points(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2))
    c = np.array([problem.constraint(point)[0] for point in grid]).T.reshape(problem.m, NODES, NODES)
    unequal = c[problem.m_eq :]
    if len(unequal):
        worst = unequal.max(axis=0)
        outside: dict[str, Any] = {"colors": ["0.25"], "alpha": 0.16, "zorder": 1.7}
        ax.contourf(u, v, worst, [0.0, np.inf], **outside)
        ax.contourf(u, v, worst, [0.0, np.inf], colors="none", hatches=["////"], zorder=1.7)
    if problem.f_opt is not None:
        f = _planes.field_of(problem, plane, bounds, NODES).f
        ax.contour(u, v, f, [problem.f_opt], colors="black", linewidths=0.8, linestyles=[(0, (4, 2))], zorder=2)
    labels = []
    for k, values in enumerate(c):
        drawn = ax.contour(u, v, values, [0.0], colors="black", linewidths=1.8 if k < problem.m_eq else 1.0, zorder=2.5)
        points = [np.asarray(path.vertices) for path in drawn.get_paths()]
        if sum(map(len, points)):
            sign = "=" if k < problem.m_eq else "\N{LESS-THAN OR EQUAL TO}"
            labels.append(Label(f"$c_{{{k + 1}}}$ {sign} 0", np.concatenate(points)))
    return labels


def active(problem: Problem) -> tuple[Array, Array, list[int]]:
    """Gradient of f at the solution, shape (2,); those of the constraints, (m, 2); which constraints hold as c = 0."""
    assert problem.x_opt is not None
    c, jac = problem.constraint(problem.x_opt)
    scale = 1.0 + np.abs(jac).max(axis=1)
    return problem.grad(problem.x_opt), jac, np.flatnonzero(np.abs(c) <= ACTIVE * scale).tolist()


def _tips(scene: Scene) -> list[tuple[str, Array, Array, str]]:
    """What stands at the solution: name, start and tip of the arrow, colour; none is much shorter than the longest."""
    assert scene.problem.x_opt is not None
    gradient, jac, holding = active(scene.problem)
    here, frame = scene.problem.x_opt, np.diff(scene.bounds, axis=1)[:, 0]
    vectors = [(rf"$\nabla f$ = {_pair(gradient)}", gradient, GRADIENT)]
    vectors += [(rf"$\nabla c_{{{k + 1}}}$ = {_pair(jac[k])}", jac[k], CONSTRAINT) for k in holding]
    reach = [np.abs(tip_of(scene.plane, scene.bounds, np.zeros(2), vector) / frame).max() for _, vector, _ in vectors]
    lengths = [np.abs(vector / frame).max() for _, vector, _ in vectors]
    longest = max(lengths)
    made = []
    for (text, vector, color), length in zip(vectors, lengths, strict=True):
        if length > 0.0:
            share = max(reach) * max(length / longest, _SHORTEST) / length
            aside = _aside(vector / frame, [other / frame for _, other, _ in vectors if other is not vector]) * frame
            start = here + (aside if color == GRADIENT else -aside)
            made.append((text, start, start + vector * share, color))
    return made


def _aside(vector: Array, others: list[Array]) -> Array:
    """A small move across a vector, shape (2,), where another one has its direction; else none."""
    unit = vector / np.hypot(*vector)
    if all(unit @ other < _PARALLEL * np.hypot(*other) for other in others):
        return np.zeros(2)
    across = np.array([-unit[1], unit[0]])
    return np.asarray(across * _ASIDE * (1.0 if across[0] >= 0.0 else -1.0))


def _pair(vector: Array) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in vector + 0.0) + ")"


def _draw_gradients(ax: Axes, scene: Scene) -> list[Array]:
    """Arrows at the solution; their ends, (2, 2) each."""
    if scene.problem.x_opt is None:
        return []
    tips = _tips(scene)
    for _, here, tip, color in tips:
        arrow(ax, here, tip, color)
    return [np.array([here, tip]) for _, here, tip, _ in tips]


def _labels(scene: Scene) -> list[Label]:
    if scene.problem.x_opt is None:
        return []
    return [Label(text, np.array([tip]), color) for text, _, tip, color in _tips(scene)]


def _explained(problem: Problem) -> list[str]:
    """The constraints and the condition at the solution, with its numbers, as sentences."""
    parts = []
    if problem.m_eq:
        parts.append("Heavy: equalities c = 0.")
    if problem.m > problem.m_eq:
        parts.append("Hatched: where an inequality c \N{LESS-THAN OR EQUAL TO} 0 does not hold.")
    if problem.f_opt is not None:
        parts.append("Dashed: f = f*.")
    if problem.multipliers is not None and problem.x_opt is not None:
        _, _, holding = active(problem)
        terms = " + ".join(["\N{NABLA}f", *(f"\N{GREEK SMALL LETTER LAMDA}{k + 1} \N{NABLA}c{k + 1}" for k in holding)])
        numbers = [
            f"\N{GREEK SMALL LETTER LAMDA}{k + 1}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
            f"{text_of(float(f'{problem.multipliers[k]:.6g}'))}"
            for k in holding
        ]
        parts.append("Arrows: gradients at the minimum, lengths not to scale.")
        parts.append(f"There {terms} = 0{' with ' if numbers else ''}{', '.join(numbers)}.")
    return parts
