"""Rprop: every coordinate has its own step length, which grows until the sign of its gradient flips, then shrinks.

Source: Riedmiller & Braun (1993), IEEE Int. Conf. Neural Networks, 586-591.

Convention: PyTorch's. After a flip the coordinate rests for one step and the remembered gradient is zero (no step
back). The step lengths start at the learning rate of the first step; later rates have no effect. PyTorch's pairs
``etas`` and ``step_sizes`` are eta_minus, eta_plus and step_size_min, step_size_max.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from optbench.optimizers._sign import sign
from optbench.records import NonNegative, Range
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    eta_minus: Annotated[float, Range(0.0, 1.0, True, True)] = 0.5
    eta_plus: Annotated[float, Range(1.0, open_low=True)] = 1.2
    step_size_min: NonNegative = 1e-6
    step_size_max: NonNegative = 50.0


class State(NamedTuple):
    """Gradient of the step before, zero after a flip; step length."""

    before: float
    size: float


def constants(t, lr, params):
    """Start of the step lengths: zero states become lr in the first step."""
    return lr if t == 1 else 0.0, params


@optimizer(lr=1e-2, params=Params, state=State, constants=constants, source="Riedmiller & Braun 1993; torch Rprop")
def rprop(x, g, state, c):
    """One coordinate."""
    start, p = c
    agreement = g * state.before
    factor = p.eta_plus if agreement > 0.0 else (p.eta_minus if agreement < 0.0 else 1.0)
    size = min(max((state.size + start) * factor, p.step_size_min), p.step_size_max)
    g = 0.0 if agreement < 0.0 else g
    return x - size * sign(g), State(g, size)
