"""Trapezoid: a linear rise, a constant stretch, a linear fall.

lr_t = lr min(1, (t + 1) / rise, (total_steps - t) / fall), and 0 from step `total_steps` on

Source: Xing et al. (2018), arXiv:1802.08770; also known as warmup-stable-decay: Hu et al. (2024), arXiv:2404.06395.
Convention: no step of the run has rate 0: the first has lr / rise, the last lr / fall. PyTorch has none.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.records import Budget, Count
from optbench.registry import schedule


class Params(NamedTuple):
    """Steps of the run, of the rise and of the fall, each at least 1: by default a tenth of the run for either."""

    total_steps: Count = Budget(1.0)  # type: ignore[assignment]
    rise: Count = Budget(0.1)  # type: ignore[assignment]
    fall: Count = Budget(0.1)  # type: ignore[assignment]


@schedule(params=Params, source="Xing et al. 2018")
def trapezoidal(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    left = max(params.total_steps - t, 0)
    return lr * min(1.0, (t + 1.0) / params.rise, left / params.fall)
