"""Nesterov's accelerated gradient, with constant momentum.

velocity <- momentum velocity + g;  x <- x - lr (g + momentum velocity).

Source: Nesterov (1983), Soviet Math. Dokl. 27, 372-376, in the form of Sutskever et al. (2013), ICML, Equations 3-4.
Convention: PyTorch's ``SGD(nesterov=True)``: x is the point at which the gradient is taken, the first velocity is the
first gradient, and weight decay is added to the gradient (L2). Deviations: momentum is 0.9 by default, where PyTorch's
``SGD`` has none; the momentum is constant and not Nesterov's sequence.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters: PyTorch's defaults, but for the momentum itself."""

    momentum: NonNegative = 0.9
    weight_decay: NonNegative = 0.0


class State(NamedTuple):
    """Running sum of gradients."""

    velocity: float


def constants(t, lr, params):
    """Rates of gradient and velocity; factor of x."""
    return lr, lr * params.momentum, 1.0 - lr * params.weight_decay, params


@optimizer(
    lr=1e-3,
    params=Params,
    state=State,
    constants=constants,
    source="Nesterov 1983; Sutskever et al. 2013; torch SGD(nesterov=True)",
)
def nesterov(x, g, state, c):
    """One coordinate."""
    lr, rate, keep, p = c
    velocity = p.momentum * state.velocity + p.weight_decay * x + g
    return keep * x - lr * g - rate * velocity, State(velocity)
