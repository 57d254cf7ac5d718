"""AdaMax: Adam with the largest recent gradient in the denominator.

Source: Kingma & Ba (2015), arXiv:1412.6980, Algorithm 2.

Convention: PyTorch's. eps is added to the magnitude of the gradient before the maximum is taken (the paper has no eps);
weight decay is added to the gradient (L2).
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.optimizers._moments import Powers, next_powers
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0


class State(NamedTuple):
    """Running mean of the gradient and its decaying largest magnitude."""

    m: float
    top: float


def constants(t, lr, params, powers):
    """Learning rate with the bias correction in it."""
    powers = next_powers(powers, params)
    return (lr / (1.0 - powers.b1), params), powers


@optimizer(
    lr=2e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    source="Kingma & Ba 2015, Algorithm 2; torch Adamax",
)
def adamax(x, g, state, c):
    """One coordinate."""
    rate, p = c
    g = g + p.weight_decay * x
    m = p.beta1 * state.m + (1.0 - p.beta1) * g
    top = max(p.beta2 * state.top, abs(g) + p.eps)
    return x - rate * m / top, State(m, top)
