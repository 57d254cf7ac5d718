"""LARS: gradient descent with momentum whose steps are scaled to the norm of the parameters.

u = g + weight_decay x;  ratio = trust_coefficient ||x|| / (||u|| + eps), the norms over one parameter group;
velocity <- momentum velocity + lr ratio u;  x <- x - velocity.

Source: You, Gitman & Ginsburg (2017), arXiv:1708.03888, Algorithm 1.

Convention: optax's ``lars``, defaults included: the norm of u is taken with the weight decay in it (the paper adds
the two norms), the ratio is 1 when either norm is zero, the velocity sums steps that are already scaled, and
``nesterov`` steps by lr ratio u + momentum velocity. optax has no default learning rate; 1, a thousandth of the norm
of x a step, is ours.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.records import NonNegative
from optbench.registry import optimizer


class Params(NamedTuple):
    """Hyperparameters, with optax's defaults."""

    weight_decay: NonNegative = 0.0
    trust_coefficient: NonNegative = 1e-3
    eps: NonNegative = 0.0
    momentum: NonNegative = 0.9
    nesterov: bool = False


class State(NamedTuple):
    """Running sum of scaled steps."""

    velocity: float


def scale(x_norm, u_norm, c):
    """Learning rate times trust ratio."""
    lr, p = c
    return lr * p.trust_coefficient * x_norm / (u_norm + p.eps) if x_norm > 0.0 and u_norm > 0.0 else lr


def finish(x, u, s, state, c):
    """One coordinate, moved by the sum of scaled steps."""
    p = c[1]
    step = s * u
    velocity = p.momentum * state.velocity + step
    return x - (step + p.momentum * velocity if p.nesterov else velocity), State(velocity)


@optimizer(
    lr=1.0, params=Params, state=State, scale=scale, finish=finish, source="You et al. 2017, Algorithm 1; optax lars"
)
def lars(x, g, state, c):
    """Direction of one coordinate."""
    return g + c[1].weight_decay * x, state
