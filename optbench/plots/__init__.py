"""Figures: tables in, a matplotlib Figure out.

Every function takes `runs` and the other tables that it needs, of a results file, and draws whatever runs it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from optbench.plots._kinds import kinds
from optbench.plots._style import SUFFIXES, check_target, save
from optbench.plots.convergence import convergence
from optbench.plots.heatmap import heatmap
from optbench.plots.sweep import sweep_curve
from optbench.plots.sweep_map import sweep_map
from optbench.plots.tuning import tuning_budget
from optbench.plots.tuning_rates import lr_sensitivity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


# For the command line: ``KINDS[name](runs, results, **options)``; the first line of the docstring describes the figure.
_DRAW: dict[str, Draw] = {
    "convergence": convergence,
    "heatmap": heatmap,
    "sweep": sweep_curve,
    "sweep_map": sweep_map,
    "tuning_budget": tuning_budget,
    "lr_sensitivity": lr_sensitivity,
}
KINDS = kinds(_DRAW)
