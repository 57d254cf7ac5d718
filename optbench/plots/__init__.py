"""Figures: tables in, a matplotlib Figure out.

Every function takes `runs` and the other tables that it needs, of a results file, and draws whatever runs it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from optbench.plots._files import SUFFIXES, check_target, save
from optbench.plots._kinds import kinds
from optbench.plots._paths import draw_path
from optbench.plots.animation import animation
from optbench.plots.constrained import feasibility, multipliers
from optbench.plots.constraint_space import constraint_space, constraint_space_of_runs
from optbench.plots.convergence import convergence
from optbench.plots.critical_difference import critical_difference
from optbench.plots.data_profile import data_profile
from optbench.plots.data_space import draw_data, draw_model
from optbench.plots.decision_boundary import decision_boundary, decision_boundary_of_runs
from optbench.plots.ecdf import ecdf, ert
from optbench.plots.heatmap import heatmap
from optbench.plots.integrated_score import integrated_score
from optbench.plots.log_ratio import log_ratio
from optbench.plots.model_path import data_space, data_space_of_runs
from optbench.plots.one_model import both_spaces, one_model
from optbench.plots.parameter_space import draw_contours, parameter_space, parameter_space_of_runs
from optbench.plots.performance_profile import performance_profile
from optbench.plots.schedule_shapes import schedule_shapes
from optbench.plots.surface import surface, surface_of_runs
from optbench.plots.sweep import sweep_curve
from optbench.plots.sweep_map import sweep_map
from optbench.plots.target_bars import target_bars
from optbench.plots.traces import traces
from optbench.plots.tuning import tuning_budget
from optbench.plots.tuning_rates import lr_sensitivity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Draw = Callable[..., Figure]

__all__ = [
    "KINDS",
    "SUFFIXES",
    "animation",
    "both_spaces",
    "check_target",
    "constraint_space",
    "convergence",
    "critical_difference",
    "data_profile",
    "data_space",
    "decision_boundary",
    "draw_contours",
    "draw_data",
    "draw_model",
    "draw_path",
    "ecdf",
    "ert",
    "feasibility",
    "heatmap",
    "integrated_score",
    "log_ratio",
    "lr_sensitivity",
    "multipliers",
    "one_model",
    "parameter_space",
    "performance_profile",
    "save",
    "schedule_shapes",
    "surface",
    "sweep_curve",
    "sweep_map",
    "target_bars",
    "traces",
    "tuning_budget",
]


# For the command line: ``KINDS[name](runs, results, **options)``; the first line of the docstring describes the figure.
_DRAW: dict[str, Draw] = {
    "convergence": convergence,
    "heatmap": heatmap,
    "target_bars": target_bars,
    "traces": traces,
    "feasibility": feasibility,
    "multipliers": multipliers,
    "performance_profile": performance_profile,
    "data_profile": data_profile,
    "log_ratio": log_ratio,
    "ecdf": ecdf,
    "ert": ert,
    "integrated_score": integrated_score,
    "critical_difference": critical_difference,
    "sweep": sweep_curve,
    "sweep_map": sweep_map,
    "tuning_budget": tuning_budget,
    "lr_sensitivity": lr_sensitivity,
    "schedules": schedule_shapes,
    "data_space": data_space_of_runs,
    "decision_boundary": decision_boundary_of_runs,
    "one_model": one_model,
    "parameter_space": parameter_space_of_runs,
    "surface": surface_of_runs,
    "constraint_space": constraint_space_of_runs,
}
KINDS = kinds(_DRAW)
