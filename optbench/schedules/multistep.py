"""Decay by a constant factor at given steps.

lr_t = lr gamma^k,  k the number of milestones <= t (a milestone that is listed twice counts twice)

Source: He et al. (2016), arXiv:1512.03385, Section 4.2, decays at 1/2 and 3/4 of the run. Convention: PyTorch's
``MultiStepLR``, where `milestones` has no default. Here an empty list stands for these two places in `total_steps`;
for a rate that never decays take `constant`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import Budget, Count, NonNegative, Vector
from optbench.registry import schedule


class Params(NamedTuple):
    """Steps of the decays (whole numbers, any order), the factor of each, and what an empty list of steps refers to."""

    milestones: Vector = ()  # type: ignore[assignment]
    gamma: NonNegative = 0.1
    total_steps: Count = Budget(1.0)  # type: ignore[assignment]


@schedule(params=Params, source="He et al. 2016; torch MultiStepLR")
def multistep(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    passed = 0
    if params.milestones.size == 0:
        passed = (2 * t >= params.total_steps) + (4 * t >= 3 * params.total_steps)
    for k in range(params.milestones.size):
        passed += params.milestones[k] <= t
    return lr * math.pow(params.gamma, float(passed))
