"""Decay by a constant factor at every step.

lr_t = lr gamma^t

Convention: PyTorch's ``ExponentialLR``, where `gamma` has no default; here it is 0.999, which halves the rate every
693 steps and divides it by 10 every 2301.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import NonNegative
from optbench.registry import schedule


class Params(NamedTuple):
    """Factor of one step."""

    gamma: NonNegative = 0.999


@schedule(params=Params, source="torch ExponentialLR")
def exponential(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    return lr * math.pow(params.gamma, float(t))
