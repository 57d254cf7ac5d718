"""Check the rule by which the learning rates of optbench/quick.toml are chosen; print every rate that breaks it.

The rule: of 1, 1e-1, ..., 1e-4 the one that, with the constant schedule, has the smallest mean over seeds and targets
of the first iteration at the target, a missed target counting as the whole budget.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
from typing import Any

from optbench import harness
from optbench.config import quick_config
from optbench.methods import Optimizer
from optbench.outcome import Run
from optbench.plan import make_plan
from optbench.registry import get_optimizer

RATES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)


def score(run: Run, lr: float) -> float:
    """Mean first iteration over the targets of one run."""
    hits = harness.execute(dataclasses.replace(run, lr=lr)).hits.values()
    return statistics.mean(run.max_iter if hit is None else hit for hit in hits)


def broken() -> list[str]:
    """A line for every rate that is not the best of its optimizer on its problem."""
    groups: dict[Any, list[Run]] = {}
    for run in make_plan(quick_config()).runs:
        if isinstance(get_optimizer(run.optimizer), Optimizer) and run.schedule == "constant":
            groups.setdefault((run.problem, run.settings, run.optimizer), []).append(run)
    lines = []
    for (problem, _, optimizer), runs in groups.items():
        means = {lr: statistics.mean(score(run, lr) for run in runs) for lr in RATES}
        best = min(RATES, key=lambda lr: means[lr])
        if runs[0].lr != best:
            lines.append(
                f"{problem}, {optimizer}: {runs[0].lr:g} ({means[runs[0].lr]:.0f}), best {best:g} ({means[best]:.0f})"
            )
    return lines


if __name__ == "__main__":
    found = broken()
    print("\n".join(found) or "every rate is the best of its rule")
    sys.exit(bool(found))
