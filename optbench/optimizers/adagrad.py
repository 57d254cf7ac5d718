"""Adagrad: steps divided by the root of the sum of all squared gradients.

Source: Duchi, Hazan & Singer (2011), J. Mach. Learn. Res. 12, 2121-2159, Figure 1 (diagonal form).

Convention: PyTorch's. eps is added to the root; the sum may start above zero; the learning rate falls as
lr / (1 + (t - 1) lr_decay); weight decay is added to the gradient (L2).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    lr_decay: NonNegative = 0.0
    weight_decay: NonNegative = 0.0
    initial_accumulator_value: NonNegative = 0.0
    eps: NonNegative = 1e-10


class State(NamedTuple):
    """Sum of squared gradients."""

    total: float


def init(params):
    """Start the sum."""
    return State(params.initial_accumulator_value)


def constants(t, lr, params):
    """Learning rate of the step."""
    return lr / (1.0 + (t - 1) * params.lr_decay), params


@optimizer(
    lr=1e-2,
    params=Params,
    state=State,
    constants=constants,
    init=init,
    source="Duchi, Hazan & Singer 2011, Figure 1; torch Adagrad",
)
def adagrad(x, g, state, c):
    """One coordinate."""
    lr, p = c
    g = g + p.weight_decay * x
    total = state.total + g * g
    return x - lr * g / (math.sqrt(total) + p.eps), State(total)
