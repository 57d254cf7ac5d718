"""Shapes of schedules: the learning rate at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench.entries import split_entry
from optbench.labels import text_of
from optbench.optimize import schedule_values
from optbench.plots import _style
from optbench.records import Empty
from optbench.registry import get_schedule, list_schedules
from optbench.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PERIOD = 60  # steps at least, of the metric that an observing schedule sees
_PERIODS = 5  # at most
_FALLING = 0.75  # share of a period in which it falls
_LOG = 0.02  # median rate relative to the highest, up to which an axis is logarithmic
# In the place of defaults that do not depend on the number of steps: the setting, and its fraction of the steps.
_LENGTHS = {
    "cyclic": ("step_size_up", 1 / 6),
    "inverse_sqrt": ("timescale", 1 / 10),
    "linear": ("total_iters", 1 / 3),
    "polynomial": ("total_iters", 1.0),
}


def schedule_shapes(
    *,
    schedule: Sequence[str | Mapping[str, Any]] = (),
    lr: float = 0.1,
    n_steps: int = 300,
) -> Figure:
    """Learning rate against the step, one panel a schedule.

    Parameters
    ----------
    schedule : sequence of str or mapping, optional
        Registered names, or ``{"name": ..., settings...}`` as in `minimize`; those of one name share a panel. Default:
        every registered schedule; those whose default length does not depend on the number of steps get one that does.
    lr : float
        The optimizer's learning rate.
    n_steps : int
        Number of steps, also the budget that defaults refer to.

    Returns
    -------
    Figure
        A schedule that observes the objective (reduce_on_plateau) is shown what `metric` gives; grey where that stands
        still.

    Raises
    ------
    UnknownName, ValueError
        As in `schedule_values`.
    """
    panels: dict[str, dict[str, Array]] = {}
    for entry in schedule or map(partial(_with_length, n_steps=n_steps), list_schedules()):
        name, given = split_entry("schedule", entry)
        observes = get_schedule(name).state is not Empty
        rates = schedule_values({"name": name, **given}, lr, n_steps, metric=metric(n_steps) if observes else None)
        label = " ".join(f"{key}={text_of(_plain(value))}" for key, value in given.items()) or "defaults"
        panels.setdefault(name, {})[label] = rates
    with _style.style():
        return _draw(panels, lr, n_steps)


def _with_length(name: str, n_steps: int) -> dict[str, Any]:
    setting, fraction = _LENGTHS.get(name, ("", 0.0))
    return {"name": name, **({setting: max(int(fraction * n_steps), 1)} if setting else {})}


def metric(n_steps: int) -> Array:
    """Objective that observing schedules are shown, (n_steps,): it falls by 2 % a step, and stands still now and then.

    Each fifth of the steps (or fewer parts of at least 60) falls for three quarters and stands still for one.
    """
    return np.asarray(np.cumprod(np.where(_still(n_steps), 1.0, 0.98)))


def _still(n_steps: int) -> Any:
    periods = min(max(n_steps // _PERIOD, 1), _PERIODS)
    return np.arange(n_steps) * periods / n_steps % 1.0 >= _FALLING


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _draw(panels: dict[str, dict[str, Array]], lr: float, n_steps: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(len(panels), 4 if len(panels) > 6 else 3)
    rows = -(-len(panels) // columns)
    most = max(map(len, panels.values()))
    width, height = max(9.0 / columns, 2.0) if len(panels) > 1 else 5.0, 1.55 + 0.13 * (most if most > 1 else 0)
    figure = Figure(figsize=(columns * width, rows * height + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    observed = False
    for k, (name, lines) in enumerate(panels.items()):
        ax = figure.add_subplot(rows, columns, k + 1)
        if get_schedule(name).state is not Empty:
            observed = True
            _shade(ax, n_steps)
        _panel(ax, name, lines, n_steps)
        if k % columns == 0:
            ax.set_ylabel("learning rate")
        if k + columns >= len(panels):
            ax.set_xlabel("step $t$")
    _style.describe(figure, "Schedules", _caption(lr, n_steps, observed))
    return figure


def _panel(ax: Axes, name: str, lines: dict[str, Array], n_steps: int) -> None:
    """Lines of one schedule; the first has its look, others tell their settings too."""
    every = np.concatenate([*lines.values()])
    low, high = float(every[every > 0].min()), float(every.max())
    if np.median(every) <= _LOG * high and every.min() > 0:
        ax.set_yscale("log")
        ax.set_ylim(low / 1.6, 1.6 * high)
        _style.few_decades(ax.yaxis, low, high)
    else:
        ax.set_ylim(-0.04 * high, 1.08 * high)
    ax.set_xlim(0, n_steps)
    for k, (label, rates) in enumerate(lines.items()):
        look = _style.style_of("schedule", name)
        colour, dashes = (look.color, "-") if k == 0 else (_style.GREY, _style.DASHES[k % len(_style.DASHES)])
        ax.step(
            np.arange(n_steps + 1),
            [*rates, rates[-1]],
            where="post",
            color=colour,
            linestyle=dashes,
            lw=1.2,
            label=label,
        )
    if len(lines) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.1, handlelength=2.6)
        ax.set_title(name, pad=4 + 1.7 * _style.FONT * len(lines))
    else:
        settings = next(iter(lines))
        ax.set_title(name if settings == "defaults" else f"{name}  {settings}")
    _style.open_frame(ax)


def _shade(ax: Axes, n_steps: int) -> None:
    """Grey where the metric stands still."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], _still(n_steps).astype(int), [0]])))
    for start, stop in edges.reshape(-1, 2):
        ax.axvspan(start, stop, color="0.93", linewidth=0)


def _caption(lr: float, n_steps: int, observed: bool) -> str:
    parts = [
        f"Learning rate at each of {n_steps} steps, from a rate of {text_of(lr)}; what is not given has its default."
    ]
    if observed:
        parts.append(
            "reduce_on_plateau observes an objective that falls by 2 % a step and stands still in the grey stretches."
        )
    return " ".join(parts)
