"""Gradient descent with every option of PyTorch's ``SGD``: momentum, dampening, Nesterov's look ahead, weight decay.

Source: Sutskever, Martens, Dahl & Hinton (2013), ICML, Section 2. Convention: PyTorch's: the learning rate multiplies
the velocity, the first velocity is the first gradient, undamped, and weight decay is added to the gradient (L2). With
no momentum, dampening has no effect. Deviation: PyTorch refuses nesterov without momentum or with dampening; here the
same formulas are applied. Without momentum ``gd`` gives the same numbers and keeps no state.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.optimizers._velocity import gains
from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    momentum: NonNegative = 0.0
    dampening: float = 0.0
    weight_decay: NonNegative = 0.0
    nesterov: bool = False


class State(NamedTuple):
    """Running sum of gradients."""

    velocity: float


def constants(t, lr, params):
    """Gains of the velocity; how much of the gradient and of the velocity the step takes; weight decay."""
    keep, gain = gains(t, params.momentum, params.dampening)
    if params.nesterov:
        return keep, gain, lr, lr * params.momentum, params.weight_decay
    return keep, gain, 0.0, lr, params.weight_decay


@optimizer(lr=1e-3, params=Params, state=State, constants=constants, source="Sutskever et al. 2013; torch SGD")
def sgd(x, g, state, c):
    """One coordinate."""
    keep, gain, g_rate, velocity_rate, weight_decay = c
    g = g + weight_decay * x
    velocity = keep * state.velocity + gain * g
    return x - g_rate * g - velocity_rate * velocity, State(velocity)
