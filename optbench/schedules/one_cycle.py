"""One cycle: from a small rate up to the largest, then down to almost nothing.

Two phases: max_lr / div_factor to max_lr over the first `pct_start` of `total_steps`, then to max_lr / (div_factor
final_div_factor) at step total_steps - 1. With `three_phase` the way down first mirrors the way up, then goes on from
max_lr / div_factor to the smallest rate. Every phase follows half a cosine or a straight line.

Source: Smith & Topin (2018), arXiv:1708.07120. Convention: PyTorch's ``OneCycleLR`` with its defaults, without its
cycling of the momentum. `max_lr` has no default there; here a negative one stands for lr, and `total_steps` is the
run's budget. Deviations: from step `total_steps` on, where PyTorch raises, the last rate is kept; a first phase that
ends at step 0, where PyTorch divides by zero, starts at `max_lr`.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, NamedTuple

from optbench.records import Budget, Count, Positive, Range
from optbench.registry import schedule

LINEAR = 1  # position in Params.anneal_strategy
NO_LENGTH = 1e-9  # a phase of fewer steps is rounding: pct_start * total_steps need not come out whole


class Params(NamedTuple):
    """Largest rate, steps of the cycle (at least 1), fraction of the way up, form, both divisors, number of phases."""

    max_lr: float = -1.0
    total_steps: Count = Budget(1.0)  # type: ignore[assignment]
    pct_start: Annotated[float, Range(0.0, 1.0)] = 0.3
    anneal_strategy: Literal["cos", "linear"] = "cos"
    div_factor: Positive = 25.0
    final_div_factor: Positive = 1e4
    three_phase: bool = False


def anneal(start, end, first, last, s, strategy):
    """Rate at step s between `start`, at step `first`, and `end`, at step `last`."""
    done = (s - first) / (last - first) if last - first > NO_LENGTH else 1.0
    if strategy == LINEAR:
        return start + (end - start) * done
    return end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * done))


@schedule(params=Params, source="Smith & Topin 2018; torch OneCycleLR")
def one_cycle(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    peak = params.max_lr if params.max_lr >= 0.0 else lr
    initial = peak / params.div_factor
    smallest = initial / params.final_div_factor
    end = params.total_steps - 1.0
    s = min(float(t), end)
    top = params.pct_start * params.total_steps - 1.0
    if s <= top:
        return anneal(initial, peak, 0.0, top, s, params.anneal_strategy)
    if not params.three_phase:
        return anneal(peak, smallest, top, end, s, params.anneal_strategy)
    mirrored = 2.0 * params.pct_start * params.total_steps - 2.0
    if s <= mirrored:
        return anneal(peak, initial, top, mirrored, s, params.anneal_strategy)
    return anneal(initial, smallest, mirrored, end, s, params.anneal_strategy)
