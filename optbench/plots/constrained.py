"""Runs under constraints: feasibility against stationarity, and multipliers over the iterations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench import harness, stats
from optbench.constrained._residual import infeasibility, stationarity
from optbench.plots import _style
from optbench.plots._lines import of_seed, rows_of
from optbench.plots._paths import Label, place
from optbench.plots.convergence import LINEAR
from optbench.tables import run_of
from optbench.trajectories import points_of, trajectory
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-16  # what is less is shown here
_MOST = 400  # points of a path that are evaluated
_FEW = 40  # steps up to which every iterate is a dot
_SHOWN = 6  # multipliers of a panel: the largest certified


class _Path(NamedTuple):
    """A run: its optimizer, iterations (k,), points (k, n) and multipliers (k, m), whether it converged."""

    label: str
    at: Array
    points: Array
    multipliers: Array
    converged: bool


def feasibility(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
) -> Figure:
    """Feasibility against stationarity: the path of every method through the two parts of the KKT residual.

    Parameters
    ----------
    runs : DataFrame
        Of a results file, or a part of it; those of problems without constraints are left out.
    problem, optimizer, schedule : str, optional
        Only this one: a label or a registered name. Of runs that differ otherwise those that `convergence` shows.
    seed : int
        Of which start; where it was not run, the lowest that was.

    Returns
    -------
    Figure
        One panel a problem. To the right the largest violation of a constraint, upwards the largest entry of the
        gradient of the Lagrangian, as in the KKT residual (Nocedal & Wright 2006, Definition 12.1 and Theorem 12.1), of
        all iterates, from the runs done again (`optbench.trajectories`). Numbers are iterations; a dot is the end of a
        run that converged, a cross that of another.

    Raises
    ------
    ValueError
        No runs under constraints, an unknown name, or a run that cannot be done again.
    """
    with _style.style():
        return _draw_paths(*_paths(runs, problem, optimizer, schedule, seed))


def multipliers(
    runs: pd.DataFrame,
    *,
    problem: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    seed: int = 0,
) -> Figure:
    """Lagrange multipliers over the iterations, with the certified ones as dashed lines.

    Parameters
    ----------
    runs : DataFrame
    problem, optimizer, schedule, seed
        As in `feasibility`.

    Returns
    -------
    Figure
        One panel a problem and optimizer, one colour a multiplier, of L = f + sum of multipliers_i c_i; of many, the
        six whose certified values are largest.

    Raises
    ------
    ValueError
        As in `feasibility`.
    """
    with _style.style():
        return _draw_multipliers(*_paths(runs, problem, optimizer, schedule, seed))


def _paths(
    runs: pd.DataFrame, problem: str | None, optimizer: str | None, schedule: str | None, seed: int
) -> tuple[dict[str, list[_Path]], dict[str, Problem], float]:
    """Paths and problem of every panel, and the smallest target of the runs."""
    stats.need(runs, "plot")
    constrained = runs["kkt"].notna().groupby([runs["problem"], runs["settings"]]).transform("any")
    runs = runs[constrained & ~runs["status"].isin(("error", "crashed"))]
    stats.need(runs, "plot: none is under constraints")
    frame = rows_of(runs, "optimizer", problem=problem, optimizer=optimizer, schedule=schedule)
    frame = of_seed(frame, seed)
    paths, problems = dict[str, list[_Path]](), dict[str, Problem]()
    recorded = (row for _, row in runs.loc[frame.index].iterrows())
    for (_, shown), row in zip(frame.iterrows(), recorded, strict=True):
        name, run = str(shown["problem"]), run_of(row)
        problems[name] = harness.problem_of(run.problem, run.settings)
        points = trajectory(row)
        made = _Path(
            str(shown["optimizer"]),
            points["iteration"].to_numpy(dtype=np.float64),
            points_of(points),
            points_of(points, "m"),
            row["status"] == "converged",
        )
        paths.setdefault(name, []).append(made)
    targets = [min(json.loads(text), default=0.0) for text in frame["targets"].unique()]
    return paths, problems, min(targets)


# ------------------------------------------------------------------------------------- feasibility and stationarity


def parts(problem: Problem, points: Array, lam: Array) -> Array:
    """Infeasibility and stationarity, parts of the KKT residual, (2, k), at points (k, n) with multipliers (k, m)."""
    made, slope = np.empty((2, len(points))), np.empty(problem.n)
    for k, (x, multiplier) in enumerate(zip(points, lam, strict=True)):
        c, jac = problem.constraint(x)
        made[0, k] = infeasibility(c, problem.m_eq)  # type: ignore[no-untyped-call]
        made[1, k] = stationarity(problem.grad(x), jac, multiplier, slope)  # type: ignore[no-untyped-call]
    return made


def _draw_paths(paths: dict[str, list[_Path]], problems: dict[str, Problem], target: float) -> Figure:
    figure, axes = _style.panels(len(paths), 3.5, 3.0)
    drawn = []
    for ax, (name, members) in zip(axes, paths.items(), strict=True):
        shown = []
        for path in members:
            at = _thinned(path.at)
            values = np.maximum(parts(problems[name], path.points[at], path.multipliers[at]), FLOOR)
            shown.append((path, values, path.at[at].astype(int)))
        _frame(ax, np.concatenate([values for _, values, _ in shown], axis=1), target)
        drawn.append([_draw_path(ax, *each, own) for own, each in enumerate(shown)])
        _style.panel_title(ax, name)
    _style.describe(figure, "Feasibility and stationarity", _path_caption(target))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, labels in zip(axes, drawn, strict=True):
        names, numbers = [each[0] for each in labels], [number for each in labels for number in each[1:]]
        place(ax, names + numbers, [label.anchors for label in names])
    return figure


def _thinned(at: Array) -> Any:
    """Places of the first iterates and of those at equal ratios, of many."""
    if at.size <= _MOST:
        return np.arange(at.size)
    return np.unique(np.geomspace(1, at.size, _MOST).astype(int) - 1)


def _frame(ax: Axes, values: Array, target: float) -> None:
    """Logarithmic axes around what is finite, with the target's lines."""
    for axis, each, name in ((ax.xaxis, values[0], "x"), (ax.yaxis, values[1], "y")):
        finite = np.log10(np.append(each[np.isfinite(each)], max(target, FLOOR)))
        low, high = finite.min(), finite.max()
        room = 0.06 * (high - low) + 0.3
        ax.set(**{f"{name}scale": "log", f"{name}lim": (10.0 ** (low - room), 10.0 ** (high + room))})
        _style.few_decades(axis, 10.0 ** (low - room), 10.0 ** (high + room))
    if target:
        line: dict[str, Any] = {"color": _style.GREY, "linewidth": 0.7, "linestyle": (0, (1, 1.5)), "zorder": 1}
        ax.axhline(target, **line)
        ax.axvline(target, **line)
    ax.set_xlabel("infeasibility: largest violation of a constraint")
    ax.set_ylabel(r"stationarity: $\|\nabla_x L(x_t, \lambda_t)\|_\infty$")
    _style.open_frame(ax)


def _draw_path(ax: Axes, path: _Path, values: Array, iterations: Any, own: int) -> list[Label]:
    """A path with its marks; its name, then numbers of iterations, as labels that are still to be placed.

    All paths of a panel start at one point: the first has its number.
    """
    look = _style.style_of("optimizer", path.label)
    marked = np.isin(iterations, [0, *(m * 10**k for k in range(7) for m in (1, 2, 5))])
    dots = np.ones(iterations.size, dtype=bool) if iterations.size <= _FEW else marked
    white: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.5, "clip_on": False, "zorder": 4}
    width = 1.1 if iterations.size <= _FEW else 0.7
    ax.plot(*values, color=look.color, linestyle=look.linestyle, linewidth=width, zorder=3)
    ax.plot(*values[:, dots], "o", color=look.color, markersize=2.6, markeredgewidth=0, zorder=3)
    ax.plot(*values[:, -1:], "o" if path.converged else "X", color=look.color, markersize=5.5, **white)
    told = [k for k, t in enumerate(iterations) if t in (0, 1, 10, 100, 1000, 10_000) or k == iterations.size - 1]
    return [
        Label(path.label, values.T, look.color, own),
        *(Label(_style.number_text(iterations[k]), values.T[[k]], look.color, own) for k in told if k or not own),
    ]


def _path_caption(target: float) -> str:
    dotted = f"Dotted: the smallest target, {stats.target_text(target)}. " if target else ""
    return (
        "Two parts of the KKT residual along one run each; numbers are iterations. Large dot: converged; cross: ended "
        f"otherwise. {dotted}Values below 1e-16, 0 among them, are shown there."
    )


# ------------------------------------------------------------------------------------------------------ multipliers


def _draw_multipliers(paths: dict[str, list[_Path]], problems: dict[str, Problem], target: float) -> Figure:
    shown = [(name, path) for name, members in paths.items() for path in members]
    figure, axes = _style.panels(len(shown), 3.3, 2.2)
    for ax, (name, path) in zip(axes, shown, strict=True):
        certified = problems[name].multipliers
        size = path.multipliers[-1] if certified is None else certified
        chosen = np.sort(np.argsort(-np.abs(size), kind="stable")[:_SHOWN])
        _multiplier_panel(ax, path, chosen, certified)
        ax.set_title(f"{name}\n{path.label}")
    some = any(problem.m > _SHOWN for problem in problems.values())
    certain = all(problem.multipliers is not None for problem in problems.values())
    _style.describe(figure, "Multipliers", _multiplier_caption(some, certain))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in axes:
        _spread_names(ax)
    return figure


def _multiplier_panel(ax: Axes, path: _Path, chosen: Any, certified: Array | None) -> None:
    from matplotlib.ticker import MaxNLocator

    values = path.multipliers[:, chosen]
    last = float(path.at[-1])
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if last > LINEAR:
        ax.set_xscale("log")
    ax.set_xlim(1.0 if last > LINEAR else 0.0, last or 1.0)
    known = values[-1:] if certified is None else np.stack([values[-1], certified[chosen]])
    finite = values[np.isfinite(values)]
    low, high = min(finite.min(), known.min()), max(finite.max(), known.max())
    scale = max(float(np.ptp(known)), float(np.abs(known).max()), 1e-3)
    low, high = max(low, known.min() - 3.0 * scale), min(high, known.max() + 3.0 * scale)
    room = 0.07 * (high - low) or 0.1
    ax.set_ylim(low - room, high + room)
    for k, i in enumerate(chosen):
        colour = _style.COLOURS[k]
        marker: dict[str, Any] = (
            {"marker": _style.MARKERS[k], "markersize": 3.0, "markeredgewidth": 0} if last <= LINEAR else {}
        )
        ax.plot(path.at, values[:, k], color=colour, linewidth=1.1, zorder=3, **marker)
        if certified is not None:
            ax.axhline(certified[i], color=colour, linewidth=0.8, linestyle=(0, (4, 2)), zorder=2)
        end = certified[i] if certified is not None else values[-1, k]
        text = rf"$\lambda_{{{i + 1}}} = {end:.4g}$"
        ax.annotate(
            text, (1, end), (6, 0), ax.get_yaxis_transform(), textcoords="offset points", va="center", color=colour
        )
    ax.set_xlabel("iteration $t$")
    ax.set_ylabel("multipliers")
    _style.open_frame(ax)


def _spread_names(ax: Axes) -> None:
    """Move the names at the right apart, in the order of their values."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    height = ax.get_window_extent().height * 72 / figure.dpi
    low, high = ax.get_ylim()
    order = sorted(range(len(ax.texts)), key=lambda k: ax.texts[k].xy[1])  # type: ignore[attr-defined]
    wanted = [(ax.texts[k].xy[1] - low) / (high - low) for k in order]  # type: ignore[attr-defined]
    for k, y in zip(order, _style.spread(wanted, 1.3 * _style.FONT / height), strict=True):
        ax.texts[k].xy = (1, low + y * (high - low))  # type: ignore[attr-defined]


def _multiplier_caption(some: bool, certain: bool) -> str:
    told = "Dashed, with its value: the certified one." if certain else "With the value: the last one."
    most = f" Of each problem the {_SHOWN} largest at most." * some
    return f"Multipliers of L = f + sum of multipliers times constraints, along one run each. {told}{most}"
