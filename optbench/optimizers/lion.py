"""Lion: the sign of a mix of gradient and momentum.

Source: Chen et al. (2023), arXiv:2302.06675, Algorithm 2.

Convention: optax's ``lion``, defaults included: weight decay is decoupled and multiplied by the learning rate. The
default learning rate is 1e-4, a tenth of Adam's, since the paper advises 3 to 10 times less than AdamW's (optax has
none).
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.optimizers._sign import sign
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with optax's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.99
    weight_decay: NonNegative = 1e-3


class State(NamedTuple):
    """Running mean of the gradient."""

    m: float


def constants(t, lr, params):
    """Learning rate; factor of x."""
    return lr, 1.0 - lr * params.weight_decay, params


@optimizer(lr=1e-4, params=Params, state=State, constants=constants, source="Chen et al. 2023, Algorithm 2; optax lion")
def lion(x, g, state, c):
    """One coordinate."""
    lr, keep, p = c
    direction = sign(p.beta1 * state.m + (1.0 - p.beta1) * g)
    return keep * x - lr * direction, State(p.beta2 * state.m + (1.0 - p.beta2) * g)
