"""Gradient descent with momentum (the heavy ball).

velocity <- momentum velocity + (1 - dampening) g;  x <- x - lr velocity.

Source: Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17. Convention: PyTorch's ``SGD``: the learning
rate multiplies the velocity instead of being summed into it, the first velocity is the first gradient, undamped, and
weight decay is added to the gradient (L2). Deviation: momentum is 0.9 by default, where PyTorch's ``SGD`` has none.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.optimizers._velocity import gains
from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters: PyTorch's defaults, but for the momentum itself."""

    momentum: NonNegative = 0.9
    dampening: float = 0.0
    weight_decay: NonNegative = 0.0


class State(NamedTuple):
    """Running sum of gradients."""

    velocity: float


def constants(t, lr, params):
    """Learning rate; how much of the velocity, of x and of the gradient the new velocity takes."""
    keep, gain = gains(t, params.momentum, params.dampening)
    return lr, keep, gain * params.weight_decay, gain


@optimizer(lr=1e-3, params=Params, state=State, constants=constants, source="Polyak 1964; torch SGD")
def momentum(x, g, state, c):
    """One coordinate."""
    lr, keep, l2, gain = c
    velocity = keep * state.velocity + l2 * x + gain * g
    return x - lr * velocity, State(velocity)
