"""Adadelta: steps whose length comes from the running means of squared gradients and of squared steps.

Source: Zeiler (2012), arXiv:1212.5701, Algorithm 1.

Convention: PyTorch's. eps lies under both roots; the learning rate, absent from the paper, multiplies the step and
does not enter the running mean of steps; weight decay is added to the gradient (L2). The quotient of the two roots is
taken as one root of the quotient.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from optbench.records import NonNegative, Range
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    rho: Annotated[float, Range(0.0, 1.0)] = 0.9
    eps: NonNegative = 1e-6
    weight_decay: NonNegative = 0.0


class State(NamedTuple):
    """Running means of the squared gradient and of the squared step."""

    v: float
    steps: float


@optimizer(lr=1.0, params=Params, state=State, source="Zeiler 2012, Algorithm 1; torch Adadelta")
def adadelta(x, g, state, c):
    """One coordinate."""
    lr, p = c
    g = g + p.weight_decay * x
    v = p.rho * state.v + (1.0 - p.rho) * g * g
    step = math.sqrt((state.steps + p.eps) / (v + p.eps)) * g
    return x - lr * step, State(v, p.rho * state.steps + (1.0 - p.rho) * step * step)
