"""RAdam: Adam whose adaptive step is rectified for its variance, and left out while that is not finite.

Source: Liu et al. (2020), arXiv:1908.03265, Algorithm 2.

Convention: PyTorch's. The step is adaptive from rho_t > 5 (the paper: > 4); eps is added to the root of the uncorrected
second moment; weight decay is added to the gradient (L2), or with ``decoupled_weight_decay`` is
x <- (1 - lr weight_decay) x.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.optimizers._moments import Powers, moments, next_powers
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    decoupled_weight_decay: bool = False


class State(NamedTuple):
    """Running means of the gradient and of its square."""

    m: float
    v: float


def rectified(t, rate, params, b2):
    """(rate, a, b): the step is rate m / (a sqrt(v) + b), with a = 0 and b = 1 while the variance is not finite."""
    rho_inf = 2.0 / (1.0 - params.beta2) - 1.0
    rho = rho_inf - 2.0 * t * b2 / (1.0 - b2)
    if rho <= 5.0:
        return rate, 0.0, 1.0
    ratio = (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)
    return rate * math.sqrt((1.0 - b2) * ratio), 1.0, params.eps


def constants(t, lr, params, powers):
    """Rate and denominator; factor of x; L2 weight decay."""
    powers = next_powers(powers, params)
    rate, a, b = rectified(t, lr / (1.0 - powers.b1), params, powers.b2)
    keep, l2 = 1.0, params.weight_decay
    if params.decoupled_weight_decay:
        keep, l2 = 1.0 - lr * params.weight_decay, 0.0
    return (rate, a, b, keep, l2, params), powers


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    source="Liu et al. 2020, Algorithm 2; torch RAdam",
)
def radam(x, g, state, c):
    """One coordinate."""
    rate, a, b, keep, l2, p = c
    m, v = moments(g + l2 * x, state.m, state.v, p)
    return keep * x - rate * m / (a * math.sqrt(v) + b), State(m, v)
