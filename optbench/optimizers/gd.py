"""Gradient descent: a step along the negative gradient.

x <- x - lr g.

Source: Cauchy (1847), C. R. Acad. Sci. Paris 25, 536-538. Convention: PyTorch's ``SGD`` without momentum, its default
learning rate included; weight decay is added to the gradient (L2).
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    weight_decay: NonNegative = 0.0


def constants(t, lr, params):
    """Learning rate; factor of x."""
    return lr, 1.0 - lr * params.weight_decay


@optimizer(lr=1e-3, params=Params, constants=constants, source="Cauchy 1847; torch SGD")
def gd(x, g, state, c):
    """One coordinate."""
    lr, keep = c
    return keep * x - lr * g, state
