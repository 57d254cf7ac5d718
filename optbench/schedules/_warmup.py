"""Linear warm-up around any schedule.

For t < warmup the rate is peak (start + (1 - start) t / warmup); from step `warmup` on the schedule runs with its own
count from zero: PyTorch's ``SequentialLR([LinearLR(start, total_iters=warmup), schedule], milestones=[warmup])``. A
schedule that observes the objective sees it for the first time after step `warmup`.
"""

from __future__ import annotations

from typing import Any

from optbench.methods import Schedule
from optbench.records import fields


def warmup_value(t: int, lr: float, warmup: int, start: float) -> float:
    """Learning rate at step t = 0, ..., warmup - 1 on the way from start * lr to `lr`."""
    return lr * (start + (1.0 - start) * t / warmup)


def warmup_target(schedule: Schedule, lr: float, params: Any) -> float:
    """Rate that the warm-up around a schedule leads to.

    `lr`, whatever the schedule makes of it at its first step, as with PyTorch; but the first rate of a schedule that
    takes rates of its own (the setting `max_lr`: cyclic, one_cycle), because PyTorch puts that in the place of `lr`.

    Parameters
    ----------
    schedule : Schedule
    lr : float
        Learning rate of the run.
    params : NamedTuple
        The schedule's settings, encoded (`optbench.records.encode`).
    """
    if any(field.name == "max_lr" for field in fields(schedule.params)):
        return float(schedule.value(0, lr, params))
    return lr
