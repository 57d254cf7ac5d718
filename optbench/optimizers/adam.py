"""Adam: steps scaled by bias-corrected running means of the gradient and of its square.

Source: Kingma & Ba (2015), arXiv:1412.6980, Algorithm 1; amsgrad: Reddi, Kale & Kumar (2018), arXiv:1904.09237.

Convention: PyTorch's. eps is added to the root of the corrected second moment; weight decay is added to the gradient
(L2), not decoupled; amsgrad keeps the maximum of the uncorrected second moment. The powers of beta are running
products, and the correction of the second moment is moved into the learning rate and eps, which gives the same step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.methods import Variant
from optbench.optimizers._moments import Powers, moments, next_powers
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with the defaults of the paper."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
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
    """Learning rate and eps with the bias corrections in them."""
    powers = next_powers(powers, params)
    root = math.sqrt(1.0 - powers.b2)
    return (lr * root / (1.0 - powers.b1), params.eps * root, params), powers


def amsgrad(x, g, state, c):
    """One coordinate with the largest second moment so far in the denominator."""
    rate, eps, p = c
    m, v = moments(g + p.weight_decay * x, state.m, state.v, p)
    v_max = max(state.v_max, v)
    return x - rate * m / (math.sqrt(v_max) + eps), AmsgradState(m, v, v_max)


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    variants={"amsgrad": Variant(amsgrad, AmsgradState)},
    source="Kingma & Ba 2015, Algorithm 1; torch Adam",
)
def adam(x, g, state, c):
    """One coordinate."""
    rate, eps, p = c
    m, v = moments(g + p.weight_decay * x, state.m, state.v, p)
    return x - rate * m / (math.sqrt(v) + eps), State(m, v)
