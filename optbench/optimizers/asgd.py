"""Averaged stochastic gradient descent.

x <- (1 - lambd eta) x - eta g; average <- average + mu (x - average).

Source: Polyak & Juditsky (1992), SIAM J. Control Optim. 30(4), 838-855; the step sizes are those of Bottou's sgd 2.0
(Xu, arXiv:1107.2490).

Convention: PyTorch's. eta_1 = lr, then eta_t+1 = lr_t / (1 + lambd lr_t t)**alpha, so a changed learning rate acts
one step late; mu_t+1 = 1 / max(1, t - t0). Weight decay is added to the gradient (L2), beside the decay by lambd. The
average is state and is not the point that a run reports, as PyTorch's parameters are not the average either.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with PyTorch's defaults."""

    lambd: NonNegative = 1e-4
    alpha: NonNegative = 0.75
    t0: NonNegative = 1e6
    weight_decay: NonNegative = 0.0


class State(NamedTuple):
    """Running average of the points."""

    average: float


class Rates(NamedTuple):
    """eta and mu of the coming step."""

    eta: float = 0.0
    mu: float = 1.0


def constants(t, lr, params, rates):
    """Factor of x, step size, weight of the average; then the rates of the next step."""
    eta = lr if t == 1 else rates.eta
    following = Rates(lr / (1.0 + params.lambd * lr * t) ** params.alpha, 1.0 / max(1.0, t - params.t0))
    return (1.0 - (params.lambd + params.weight_decay) * eta, eta, rates.mu), following


@optimizer(
    lr=1e-2,
    params=Params,
    state=State,
    shared=Rates,
    constants=constants,
    source="Polyak & Juditsky 1992; torch ASGD",
)
def asgd(x, g, state, c):
    """One coordinate."""
    keep, eta, mu = c
    x = keep * x - eta * g
    return x, State(state.average + mu * (x - state.average))
