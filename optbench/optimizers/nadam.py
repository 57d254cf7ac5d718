"""NAdam: Adam with Nesterov's look ahead and a momentum that warms up.

The momentum of step t is mu_t = beta1 (1 - 0.96**(t momentum_decay) / 2).

Source: Dozat (2016), "Incorporating Nesterov Momentum into Adam", ICLR workshop, Algorithm 2.

Convention: PyTorch's. eps is added to the root of the corrected second moment; mu_t corrects the bias and mixes
gradient and mean, while the mean itself decays with beta1; weight decay is added to the gradient (L2), or with
``decoupled_weight_decay`` is x <- (1 - lr weight_decay) x. All powers and products run from step to step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.optimizers._moments import moments, next_power
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    momentum_decay: NonNegative = 4e-3
    decoupled_weight_decay: bool = False


class State(NamedTuple):
    """Running means of the gradient and of its square."""

    m: float
    v: float


class Products(NamedTuple):
    """beta2**t, 0.96**momentum_decay, 0.96**(t momentum_decay) and mu_1 ... mu_t."""

    b2: float = 1.0
    base: float = 1.0
    decay: float = 1.0
    mus: float = 1.0


def constants(t, lr, params, products):
    """Rates of gradient and mean and eps, with the bias corrections in them; factor of x; L2 weight decay."""
    base = 0.96**params.momentum_decay if t == 1 else products.base
    decay = next_power(products.decay, base)
    mu = params.beta1 * (1.0 - 0.5 * decay)
    mu_next = params.beta1 * (1.0 - 0.5 * decay * base)
    b2, mus = next_power(products.b2, params.beta2), next_power(products.mus, mu)
    root = math.sqrt(1.0 - b2)
    g_rate, m_rate = lr * root * (1.0 - mu) / (1.0 - mus), lr * root * mu_next / (1.0 - mus * mu_next)
    keep, l2 = 1.0, params.weight_decay
    if params.decoupled_weight_decay:
        keep, l2 = 1.0 - lr * params.weight_decay, 0.0
    return (g_rate, m_rate, params.eps * root, keep, l2, params), Products(b2, base, decay, mus)


@optimizer(
    lr=2e-3,
    params=Params,
    state=State,
    shared=Products,
    constants=constants,
    source="Dozat 2016, Algorithm 2; torch NAdam",
)
def nadam(x, g, state, c):
    """One coordinate."""
    g_rate, m_rate, eps, keep, l2, p = c
    g = g + l2 * x
    m, v = moments(g, state.m, state.v, p)
    return keep * x - (g_rate * g + m_rate * m) / (math.sqrt(v) + eps), State(m, v)
