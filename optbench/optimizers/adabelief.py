"""AdaBelief: Adam with the running mean of the squared deviation of the gradient from its mean.

Source: Zhuang et al. (2020), arXiv:2010.07468, Algorithm 2.

Convention: optax's ``adabelief``: eps_root is added to the second moment itself, at every step, before it is
remembered; eps is added to the root. ``nesterov`` is optax's look ahead. The default learning rate is the paper's
1e-3 (optax has none).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.optimizers._moments import Powers, next_powers
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with optax's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-16
    eps_root: float = 1e-16
    nesterov: bool = False


class State(NamedTuple):
    """Running means of the gradient and of its squared deviation."""

    m: float
    s: float


def constants(t, lr, params, powers):
    """Rates of gradient and mean and eps, with the bias corrections in them."""
    powers = next_powers(powers, params)
    root = math.sqrt(1.0 - powers.b2)
    g_rate, m_rate = 0.0, lr * root / (1.0 - powers.b1)
    if params.nesterov:
        g_rate = (1.0 - params.beta1) * m_rate
        m_rate = params.beta1 * lr * root / (1.0 - powers.b1 * params.beta1)
    return (g_rate, m_rate, params.eps * root, params), powers


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    source="Zhuang et al. 2020, Algorithm 2; optax adabelief",
)
def adabelief(x, g, state, c):
    """One coordinate."""
    g_rate, m_rate, eps, p = c
    m = (1.0 - p.beta1) * g + p.beta1 * state.m
    s = (1.0 - p.beta2) * (g - m) * (g - m) + (p.beta2 * state.s + p.eps_root)
    return x - (g_rate * g + m_rate * m) / (math.sqrt(s) + eps), State(m, s)
