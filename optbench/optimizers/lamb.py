"""LAMB: Adam's direction, scaled to the norm of the parameters.

u = m_hat / (sqrt(v_hat) + eps) + weight_decay x;  x <- x - lr (||x|| / ||u||) u, the norms over one parameter group.

Source: You et al. (2020), arXiv:1904.00962, Algorithm 2.

Convention: optax's ``lamb``. The moments are bias-corrected; the trust ratio is 1 when either norm is zero, and is not
clamped (the paper's phi is the identity). Defaults of optax; it has none for the learning rate, which is Adam's here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.optimizers._moments import Powers, moments, next_powers
from optbench.records import Fraction, NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with optax's defaults."""

    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-6
    weight_decay: NonNegative = 0.0


class State(NamedTuple):
    """Running means of the gradient and of its square."""

    m: float
    v: float


def constants(t, lr, params, powers):
    """Learning rate; rate and eps of Adam's direction with the bias corrections in them."""
    powers = next_powers(powers, params)
    root = math.sqrt(1.0 - powers.b2)
    return (lr, root / (1.0 - powers.b1), params.eps * root, params), powers


def scale(x_norm, u_norm, c):
    """Learning rate times trust ratio."""
    return c[0] * x_norm / u_norm if x_norm > 0.0 and u_norm > 0.0 else c[0]


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    shared=Powers,
    constants=constants,
    scale=scale,
    source="You et al. 2020, Algorithm 2; optax lamb",
)
def lamb(x, g, state, c):
    """Direction of one coordinate."""
    _, rate, eps, p = c
    m, v = moments(g, state.m, state.v, p)
    return rate * m / (math.sqrt(v) + eps) + p.weight_decay * x, State(m, v)
