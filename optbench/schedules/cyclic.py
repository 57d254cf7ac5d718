"""Cyclical learning rate: up and down between two rates in straight lines.

In cycle c = 0, 1, ..., k steps after its start, lr_t = base_lr + (max_lr - base_lr) h s, where h rises from 0 to 1
over `step_size_up` steps and falls back over `step_size_down`, and s is 1 (triangular), 2^-c (triangular2) or gamma^t
(exp_range).

Source: Smith (2017), arXiv:1506.01186, Section 3. Convention: PyTorch's ``CyclicLR``, without its cycling of the
momentum. It starts at `base_lr` and knows nothing of the optimizer's rate; `base_lr` and `max_lr` have no defaults
there. Here a negative `base_lr` stands for lr / 10, a negative `max_lr` for lr, a negative `step_size_down` for
`step_size_up`.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from optbench.records import Count, NonNegative
from optbench.registry import schedule

TRIANGULAR2, EXP_RANGE = 1, 2  # positions in Params.mode


class Params(NamedTuple):
    """Both ends of the range, steps up and down (at least one of them positive), and how the range shrinks."""

    base_lr: float = -1.0
    max_lr: float = -1.0
    step_size_up: Count = 2000
    step_size_down: int = -1
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: NonNegative = 1.0


@schedule(params=Params, source="Smith 2017; torch CyclicLR")
def cyclic(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    base = params.base_lr if params.base_lr >= 0.0 else lr / 10.0
    peak = params.max_lr if params.max_lr >= 0.0 else lr
    up = params.step_size_up
    down = params.step_size_down if params.step_size_down >= 0 else up
    cycle, k = t // (up + down), t % (up + down)
    height = k / up if k < up else (up + down - k) / down
    if params.mode == TRIANGULAR2:
        height *= math.pow(0.5, float(cycle))
    elif params.mode == EXP_RANGE:
        height *= math.pow(params.gamma, float(t))
    return base + (peak - base) * height
