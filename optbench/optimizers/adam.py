"""Adam: steps scaled by bias-corrected running means of the gradient and of its square.

Source: Kingma & Ba (2015), arXiv:1412.6980, Algorithm 1; amsgrad: Reddi, Kale & Kumar (2018), arXiv:1904.09237.

Convention: PyTorch's. eps is added to the root of the corrected second moment; weight decay is added to the gradient
(L2), not decoupled; amsgrad keeps the maximum of the uncorrected second moment. The powers of beta are running products.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.registry import optimizer
from optbench.types import Variant


class Params(NamedTuple):
    """Hyperparameters, with the defaults of the paper."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
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


class Powers(NamedTuple):
    """beta1**t and beta2**t."""

    b1: float = 1.0
    b2: float = 1.0


def constants(t, lr, params, powers):
    """Bias corrections, once a step."""
    b1 = powers.b1 * params.beta1
    b2 = powers.b2 * params.beta2
    return (lr / (1.0 - b1), 1.0 / math.sqrt(1.0 - b2), params), Powers(b1, b2)


def moments(x, g, m, v, p):
    """Both running means after this gradient."""
    g = g + p.weight_decay * x
    return p.beta1 * m + (1.0 - p.beta1) * g, p.beta2 * v + (1.0 - p.beta2) * g * g


def amsgrad(x, g, state, c):
    """One coordinate with the largest second moment so far in the denominator."""
    rate, root, p = c
    m, v = moments(x, g, state.m, state.v, p)
    v_max = max(state.v_max, v)
    return x - rate * m / (math.sqrt(v_max) * root + p.eps), AmsgradState(m, v, v_max)


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    variants={"amsgrad": Variant(amsgrad, AmsgradState)},
    source="Kingma & Ba 2015, Algorithm 1",
)
def adam(x, g, state, c):
    """One coordinate."""
    rate, root, p = c
    m, v = moments(x, g, state.m, state.v, p)
    return x - rate * m / (math.sqrt(v) * root + p.eps), State(m, v)
