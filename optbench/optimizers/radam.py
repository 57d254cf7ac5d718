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


def rectified(t, lr, params, powers):
    """(rate, a, b): the step is rate m / (a sqrt(v) + b), with a = 0 and b = 1 while the variance is not finite.

    The limit of rho is `limit` / e, and rho_t is `rho` / (e free): without those divisions one is left.
    """
    e, free, limit = 1.0 - params.beta2, 1.0 - powers.b2, 1.0 + params.beta2
    rho, unit = free * limit - 2.0 * e * t * powers.b2, e * free
    if rho <= 5.0 * unit:
        return lr / (1.0 - powers.b1), 0.0, 1.0
    rest = (limit - 4.0 * e) * (limit - 2.0 * e) * rho * (1.0 - powers.b1) * (1.0 - powers.b1)
    return lr * math.sqrt((rho - 4.0 * unit) * (rho - 2.0 * unit) * limit / rest), 1.0, params.eps


def constants(t, lr, params, powers):
    """Rate and denominator; factor of x; L2 weight decay."""
    powers = next_powers(powers, params)
    rate, a, b = rectified(t, lr, params, powers)
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
