"""RMSProp: steps divided by the root of a running mean of the squared gradient.

Source: Tieleman & Hinton (2012), Coursera "Neural Networks for Machine Learning", Lecture 6.5; centered: Graves
(2013), arXiv:1308.0850, Equations 38-41.

Convention: PyTorch's. eps is added to the root; no bias correction; momentum sums the divided gradients, and the
learning rate multiplies that sum; weight decay is added to the gradient (L2). As in PyTorch, the centered form takes
the root of a difference that rounding can make negative when the gradient never changes: the result then is NaN.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.methods import Variant
from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    alpha: NonNegative = 0.99
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    momentum: NonNegative = 0.0
    centered: bool = False


class State(NamedTuple):
    """Running mean of the squared gradient; running sum of divided gradients."""

    v: float
    velocity: float


class CenteredState(NamedTuple):
    """The same with the running mean of the gradient."""

    v: float
    velocity: float
    mean: float


def constants(t, lr, params):
    """Rates of the step and of the steps before it."""
    return lr, lr * params.momentum, params


def centered(x, g, state, c):
    """One coordinate with the running variance in the denominator."""
    lr, rate, p = c
    g = g + p.weight_decay * x
    v = (1.0 - p.alpha) * g * g + p.alpha * state.v
    mean = (1.0 - p.alpha) * g + p.alpha * state.mean
    step = g / (math.sqrt(v - mean * mean) + p.eps)
    return x - rate * state.velocity - lr * step, CenteredState(v, p.momentum * state.velocity + step, mean)


@optimizer(
    lr=1e-2,
    params=Params,
    state=State,
    constants=constants,
    variants={"centered": Variant(centered, CenteredState)},
    source="Tieleman & Hinton 2012, Lecture 6.5; torch RMSprop",
)
def rmsprop(x, g, state, c):
    """One coordinate."""
    lr, rate, p = c
    g = g + p.weight_decay * x
    v = (1.0 - p.alpha) * g * g + p.alpha * state.v
    step = g / (math.sqrt(v) + p.eps)
    return x - rate * state.velocity - lr * step, State(v, p.momentum * state.velocity + step)
