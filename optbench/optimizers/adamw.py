"""AdamW: Adam with weight decay that does not pass through the moments.

Source: Loshchilov & Hutter (2019), arXiv:1711.05101, Algorithm 2; amsgrad: Reddi, Kale & Kumar (2018),
arXiv:1904.09237.

Convention: PyTorch's. The decay is x <- (1 - lr weight_decay) x before the step, so the learning rate multiplies it,
where the paper has a separate schedule multiplier; all else is as in ``adam``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.methods import Variant
from optbench.optimizers._moments import Powers, moments, next_powers
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 1e-2
    amsgrad: bool = False


class State(NamedTuple):
    """Running means of the gradient and of its square."""

    m: float
    v: float


class AmsgradState(NamedTuple):
    """The same with the largest second moment so far."""

    m: float
    v: float
    v_max: float


def constants(t, lr, params, powers):
    """Learning rate and eps with the bias corrections in them; the factor of the decay."""
    powers = next_powers(powers, params)
    root = math.sqrt(1.0 - powers.b2)
    rate = lr * root / (1.0 - powers.b1)
    return (rate, params.eps * root, 1.0 - lr * params.weight_decay, params), powers


def amsgrad(x, g, state, c):
    """One coordinate with the largest second moment so far in the denominator."""
    rate, eps, keep, p = c
    m, v = moments(g, state.m, state.v, p)
    v_max = max(state.v_max, v)
    return keep * x - rate * m / (math.sqrt(v_max) + eps), AmsgradState(m, v, v_max)


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    variants={"amsgrad": Variant(amsgrad, AmsgradState)},
    source="Loshchilov & Hutter 2019, Algorithm 2; torch AdamW",
)
def adamw(x, g, state, c):
    """One coordinate."""
    rate, eps, keep, p = c
    m, v = moments(g, state.m, state.v, p)
    return keep * x - rate * m / (math.sqrt(v) + eps), State(m, v)
