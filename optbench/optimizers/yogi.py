"""Yogi: Adam with a second moment that grows and shrinks additively.

v <- v - (1 - beta2) sign(v - g^2) g^2.

Source: Zaheer et al. (2018), "Adaptive Methods for Nonconvex Optimization", NeurIPS, Algorithm 2.

Convention: optax's ``yogi``: both moments start at ``initial_accumulator_value`` and both are bias-corrected (the paper
corrects neither); eps, 1e-3, is added to the root. The default learning rate is the paper's 1e-2 (optax has none).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.optimizers._moments import Powers, next_powers
from optbench.optimizers._sign import sign
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with optax's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-3
    initial_accumulator_value: NonNegative = 1e-6


class State(NamedTuple):
    """Running mean of the gradient and the additive second moment."""

    m: float
    v: float


def init(params):
    """Both moments before the first step."""
    return State(params.initial_accumulator_value, params.initial_accumulator_value)


def constants(t, lr, params, powers):
    """Learning rate and eps with the bias corrections in them."""
    powers = next_powers(powers, params)
    root = math.sqrt(1.0 - powers.b2)
    return (lr * root / (1.0 - powers.b1), params.eps * root, params), powers


@optimizer(
    lr=1e-2,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    init=init,
    source="Zaheer et al. 2018, Algorithm 2; optax yogi",
)
def yogi(x, g, state, c):
    """One coordinate."""
    rate, eps, p = c
    m = p.beta1 * state.m + (1.0 - p.beta1) * g
    v = state.v - (1.0 - p.beta2) * sign(state.v - g * g) * g * g
    return x - rate * m / (math.sqrt(v) + eps), State(m, v)
