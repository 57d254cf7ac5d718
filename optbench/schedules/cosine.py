"""Cosine annealing without restarts.

lr_t = eta_min + (lr - eta_min) (1 + cos(pi t / T_max)) / 2

Source: Loshchilov & Hutter (2017), arXiv:1608.03983, Equation 5. Convention: PyTorch's ``CosineAnnealingLR``; past
T_max the rate rises again along the same cosine. PyTorch runs the formula as a recursion; here it is evaluated anew
at every step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import Budget, Count, NonNegative
from optbench.registry import schedule


class Params(NamedTuple):
    """Half period in steps, at least 1 (default: the run's budget), and the smallest rate."""

    T_max: Count = Budget(1.0)  # type: ignore[assignment]
    eta_min: NonNegative = 0.0


@schedule(params=Params, source="Loshchilov & Hutter 2017; torch CosineAnnealingLR")
def cosine(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    phase = t % (2 * params.T_max)  # whole numbers: the angle stays exact however large t is
    return params.eta_min + 0.5 * (lr - params.eta_min) * (1.0 + math.cos(math.pi * phase / params.T_max))
