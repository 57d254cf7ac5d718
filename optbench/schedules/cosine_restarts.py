"""Cosine annealing with warm restarts: SGDR.

lr_t = eta_min + (lr - eta_min) (1 + cos(pi s / T_i)) / 2,  s the steps since the last restart, T_i = T_0 T_mult^i

Source: Loshchilov & Hutter (2017), arXiv:1608.03983, Equation 5 and Section 3. Convention: PyTorch's
``CosineAnnealingWarmRestarts``, where `T_0` has no default; here it is a quarter of the run's budget.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import Budget, Count, NonNegative
from optbench.registry import schedule


class Params(NamedTuple):
    """Length of the first cycle in steps (default: a quarter of the run's budget), growth of each next, smallest rate.

    `T_0` and `T_mult` are at least 1.
    """

    T_0: Count = Budget(0.25)  # type: ignore[assignment]
    T_mult: Count = 1
    eta_min: NonNegative = 0.0


@schedule(params=Params, source="Loshchilov & Hutter 2017; torch CosineAnnealingWarmRestarts")
def cosine_restarts(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    since, length = float(t), float(params.T_0)  # floats: a length that grows past the largest integer does no harm
    if params.T_mult > 1:
        while 0.0 < length <= since:
            since -= length
            length *= params.T_mult
    else:
        since = float(t % params.T_0)
    return params.eta_min + 0.5 * (lr - params.eta_min) * (1.0 + math.cos(math.pi * since / length))
