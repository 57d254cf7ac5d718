"""Gradient descent ascent: a step down in x and a step up in lam, on the Lagrangian with damping.

x_{t+1} is one step of any first-order update on L_A(x, lam_t) (see `augmented_lagrangian`) with the fixed penalty rho;
then lam <- lam + dual_lr c(x_{t+1}), for inequalities lam <- max(0, lam + dual_lr max(c, -lam / rho)): the gradient of
L_A in lam. With ``penalty=0`` it is the plain Lagrangian, f + lam'c with lam projected to >= 0, as Arrow & Hurwicz have
it, which circles around its saddle point where f is not strictly convex; the damping makes that a minimum in x wherever
rho is large enough. The learning rate and the schedule are those of the step in x; the step in lam has its own.

Source: Arrow, Hurwicz & Uzawa (1958), Studies in Linear and Non-Linear Programming, chapter 6; for the damping Platt &
Barr (1987), Constrained differential optimization, NIPS.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.records import Name, NonNegative, Positive, Vector
from optbench.registry import lagrangian


class Params(NamedTuple):
    """The update of x; step size of the multipliers; penalty of the damping, 0 for the plain Lagrangian."""

    inner: Name = "adam"
    dual_lr: Positive = 1e-2
    penalty: NonNegative = 1.0


class Memory(NamedTuple):
    """Nothing: shape (0,)."""

    state: Vector


def memory(n, m, params):
    """Memory for n variables and m constraints."""
    return Memory(np.zeros(0))


@lagrangian(
    params=Params,
    memory=memory,
    inner="step",
    source="Arrow, Hurwicz & Uzawa 1958; Platt & Barr 1987",
)
def gradient_descent_ascent(t, at, evaluate, inner, memory, params):
    """One step in x, one in the multipliers."""
    inner(at, at.x, params.penalty, 0.0)
    at.values[0] = evaluate(at, at.x, at.g, at.c, at.jac)
    for i in range(at.lam.size):
        slope = at.c[i]
        if i >= at.m_eq and params.penalty > 0.0:
            slope = max(slope, -at.lam[i] / params.penalty)
        at.lam[i] += params.dual_lr * slope
        if i >= at.m_eq and math.isfinite(at.lam[i]):
            at.lam[i] = max(0.0, at.lam[i])
    return params.dual_lr
