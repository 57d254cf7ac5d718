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
    """How much of velocity, x and gradient the new velocity takes, then of x, old velocity and gradient the new x."""
    keep, gain = gains(t, params.momentum, params.dampening)
    g_rate, rate = (lr, lr * params.momentum) if params.nesterov else (0.0, lr)
    l2 = gain * params.weight_decay
    x_keep = 1.0 - g_rate * params.weight_decay - rate * l2
    return params.momentum, keep, l2, gain, x_keep, rate * keep, g_rate + rate * gain


@optimizer(lr=1e-3, params=Params, state=State, constants=constants, source="Sutskever et al. 2013; torch SGD")
def sgd(x, g, state, c):
    """One coordinate."""
    momentum, keep, l2, gain, x_keep, v_rate, g_rate = c
    if momentum == 0.0:  # nothing to remember: the compiled loop then leaves the velocity alone
        return x_keep * x - g_rate * g, state
    velocity = keep * state.velocity + l2 * x + gain * g
    return x_keep * x - v_rate * state.velocity - g_rate * g, State(velocity)
