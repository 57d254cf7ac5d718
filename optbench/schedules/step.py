"""Decay by a constant factor every `step_size` steps.

lr_t = lr gamma^floor(t / step_size)

Convention: PyTorch's ``StepLR``, where `step_size` has no default; here it is a third of the run's budget, the
proportion of the common recipe for ImageNet (every 30 of 90 epochs).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import Budget, Count, NonNegative
from optbench.registry import schedule


class Params(NamedTuple):
    """Steps between two decays, at least 1 (default: a third of the run's budget), and the factor of each."""

    step_size: Count = Budget(1 / 3)  # type: ignore[assignment]
    gamma: NonNegative = 0.1


@schedule(params=Params, source="torch StepLR")
def step(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    return lr * math.pow(params.gamma, float(t // params.step_size))
