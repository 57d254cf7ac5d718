"""Decay by a constant factor when the objective has stopped improving.

A step is better when its f lies below the best so far by more than the threshold,

f < best (1 - threshold) (rel)  or  f < best - threshold (abs),

or above it likewise with mode "max". After more than `patience` steps in a row that are not better the rate becomes
max(factor lr, min_lr), unless that changes it by no more than `eps`; then `cooldown` steps do not count.

Convention: PyTorch's ``ReduceLROnPlateau``, its ``step(f)`` called after every step. A NaN is not better. As there,
"rel" is meant for objectives that stay positive: where best < 0 the bar lies above the best.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from optbench.records import CountOrZero, Fraction, NonNegative
from optbench.registry import schedule

MAX, ABS = 1, 1  # positions in Params.mode and Params.threshold_mode


class Params(NamedTuple):
    """What counts as better, and what is done about too long without it; factor < 1, patience and cooldown in steps."""

    mode: Literal["min", "max"] = "min"
    factor: Fraction = 0.1
    patience: CountOrZero = 10
    threshold: NonNegative = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: CountOrZero = 0
    min_lr: NonNegative = 0.0
    eps: NonNegative = 1e-8


class State(NamedTuple):
    """Best so far (of -f with mode "max"), steps in a row that were not better, steps left of the cooldown."""

    best: float = math.inf
    bad_steps: int = 0
    resting: int = 0


@schedule(params=Params, state=State, source="torch ReduceLROnPlateau")
def reduce_on_plateau(f, lr, params, state):
    """Learning rate of the next step after a step with rate `lr` and objective `f`."""
    best, bad_steps, resting = state.best, state.bad_steps, state.resting
    sign = -1.0 if params.mode == MAX else 1.0
    bar = best - params.threshold if params.threshold_mode == ABS else best * (1.0 - sign * params.threshold)
    if sign * f < bar:
        best = sign * f
        bad_steps = 0
    else:
        bad_steps += 1
    if resting > 0:
        resting -= 1
        bad_steps = 0
    if bad_steps > params.patience:
        lower = max(lr * params.factor, params.min_lr)
        if lr - lower > params.eps:
            lr = lower
        resting = params.cooldown
        bad_steps = 0
    return lr, State(best, bad_steps, resting)
