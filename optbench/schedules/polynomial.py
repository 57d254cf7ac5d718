"""Polynomial decay to zero over the first `total_iters` steps.

lr_t = lr (1 - min(t, total_iters) / total_iters)^power

Convention: PyTorch's ``PolynomialLR`` with its defaults. Those end at zero after 5 steps: set `total_iters` to the
length of the run. PyTorch runs the formula as a recursion; here it is evaluated anew at every step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import Count, NonNegative
from optbench.registry import schedule


class Params(NamedTuple):
    """Steps until zero, at least 1, and the exponent, at least 0."""

    total_iters: Count = 5
    power: NonNegative = 1.0


@schedule(params=Params, source="torch PolynomialLR")
def polynomial(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    return lr * math.pow(1.0 - min(t, params.total_iters) / params.total_iters, params.power)
