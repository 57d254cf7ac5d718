"""A factor that changes linearly over the first `total_iters` steps and then stays.

lr_t = lr (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters)

Convention: PyTorch's ``LinearLR`` with its defaults, a short warm-up: for a decay over the whole run set start_factor
= 1, end_factor = 0 and `total_iters`. PyTorch runs the formula as a recursion; here it is evaluated anew at every
step.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from optbench.records import Count, Range
from optbench.registry import schedule


class Params(NamedTuple):
    """First and last factor, both in [0, 1], and the number of steps between them, at least 1."""

    start_factor: Annotated[float, Range(0.0, 1.0, open_low=True)] = 1 / 3
    end_factor: Annotated[float, Range(0.0, 1.0)] = 1.0
    total_iters: Count = 5


@schedule(params=Params, source="torch LinearLR")
def linear(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    done = min(t, params.total_iters) / params.total_iters
    return lr * (params.start_factor + (params.end_factor - params.start_factor) * done)
