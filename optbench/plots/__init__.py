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
from optbench.plots.tuning import tuning_budget
from optbench.plots.tuning_rates import lr_sensitivity
from optbench.tuned import side_by_side

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
    "lr_sensitivity",
    "save",
    "sweep_curve",
    "sweep_map",
    "tuning_budget",
]


def _from_results(draw: Draw) -> Draw:
    """The figure as ``kind(runs, results, **options)``: the other tables come from the results file.

    A figure that does not take the trials shows tuned beside default in their place.
    """
    names = [name for name in inspect.signature(draw).parameters if name in ("hits", "traces", "times", "trials")]

    @functools.wraps(draw)
    def kind(runs: pd.DataFrame, results: Results, **options: Any) -> Figure:
        tables = {name: getattr(results, name) for name in names}
        if "trials" not in names and len(results.trials):
            runs, tables = side_by_side(runs, tables, results.trials)
        return draw(runs, *tables.values(), **options)

    return kind


# For the command line: ``KINDS[name](runs, results, **options)``; the first line of the docstring describes the figure.
_DRAW: dict[str, Draw] = {
    "convergence": convergence,
    "heatmap": heatmap,
    "sweep": sweep_curve,
    "sweep_map": sweep_map,
    "tuning_budget": tuning_budget,
    "lr_sensitivity": lr_sensitivity,
}
KINDS: dict[str, Draw] = {name: _from_results(draw) for name, draw in _DRAW.items()}
