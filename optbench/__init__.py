"""Benchmark suite of gradient-based optimization algorithms in compiled Numba kernels.

Importing this package compiles nothing and imports neither Numba nor pandas nor matplotlib: every public name is loaded
when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optbench import plots as plots
    from optbench.api import run as run
    from optbench.api import tune as tune
    from optbench.clipping import clip as clip
    from optbench.ensembles import EnsembleResult as EnsembleResult
    from optbench.ensembles import ensemble as ensemble
    from optbench.explanations import Explanation as Explanation
    from optbench.explanations import explain as explain
    from optbench.methods import Variant as Variant
    from optbench.optimize import OptimizeResult as OptimizeResult
    from optbench.optimize import minimize as minimize
    from optbench.optimize import schedule_values as schedule_values
    from optbench.parallel import set_threads as set_threads
    from optbench.records import Budget as Budget
    from optbench.records import Matrix as Matrix
    from optbench.records import Vector as Vector
    from optbench.registry import get_optimizer as get_optimizer
    from optbench.registry import get_problem as get_problem
    from optbench.registry import get_schedule as get_schedule
    from optbench.registry import list_optimizers as list_optimizers
    from optbench.registry import list_problems as list_problems
    from optbench.registry import list_schedules as list_schedules
    from optbench.registry import optimizer as optimizer
    from optbench.registry import problem as problem
    from optbench.registry import schedule as schedule
    from optbench.stats import changes as changes
    from optbench.stats import compare as compare
    from optbench.store import load as load
    from optbench.sweeps import Sweep as Sweep
    from optbench.sweeps import sweep as sweep
    from optbench.types import Group as Group
    from optbench.types import Phase as Phase
    from optbench.types import Problem as Problem

__version__ = "0.1.0"

_HOMES = {
    "api": ("run", "tune"),
    "clipping": ("clip",),
    "ensembles": ("EnsembleResult", "ensemble"),
    "explanations": ("Explanation", "explain"),
    "optimize": ("OptimizeResult", "minimize", "schedule_values"),
    "parallel": ("set_threads",),
    "records": ("Budget", "Matrix", "Vector"),
    "registry": (
        "get_optimizer",
        "get_problem",
        "get_schedule",
        "list_optimizers",
        "list_problems",
        "list_schedules",
        "optimizer",
        "problem",
        "schedule",
    ),
    "stats": ("changes", "compare"),
    "store": ("load",),
    "sweeps": ("Sweep", "sweep"),
    "methods": ("Variant",),
    "types": ("Group", "Phase", "Problem"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", "plots", *_HOME]


def __getattr__(name: str) -> Any:
    if name == "plots":
        return importlib.import_module("optbench.plots")
    if name in _HOME:
        value = getattr(importlib.import_module(f"optbench.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'optbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
