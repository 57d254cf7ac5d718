"""Figures: tables in, a matplotlib Figure out.

Every function takes `runs` and the other tables that it needs, of a results file, and draws whatever runs it is given.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from optbench.plots._style import SUFFIXES, check_target, save
from optbench.plots.convergence import convergence
from optbench.plots.heatmap import heatmap
from optbench.plots.sweep import sweep_curve
from optbench.plots.sweep_map import sweep_map

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from optbench.store import Results

    Draw = Callable[..., Figure]

__all__ = [
    "KINDS",
    "SUFFIXES",
    "check_target",
    "convergence",
    "heatmap",
    "save",
    "sweep_curve",
    "sweep_map",
]


def _from_results(draw: Draw) -> Draw:
    """The figure as ``kind(runs, results, **options)``: the other tables come from the results file."""
    tables = [name for name in inspect.signature(draw).parameters if name in ("hits", "traces", "times")]

    @functools.wraps(draw)
    def kind(runs: pd.DataFrame, results: Results, **options: Any) -> Figure:
        return draw(runs, *(getattr(results, name) for name in tables), **options)

    return kind


# For the command line: ``KINDS[name](runs, results, **options)``; the first line of the docstring describes the figure.
_DRAW: dict[str, Draw] = {
    "convergence": convergence,
    "heatmap": heatmap,
    "sweep": sweep_curve,
    "sweep_map": sweep_map,
}
KINDS: dict[str, Draw] = {name: _from_results(draw) for name, draw in _DRAW.items()}
