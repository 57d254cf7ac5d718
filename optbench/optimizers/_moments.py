"""What the relatives of Adam share: running powers of beta and running means."""

from __future__ import annotations

from typing import NamedTuple

SMALLEST = 1e-300


class Powers(NamedTuple):
    """beta1**t and beta2**t."""

    b1: float = 1.0
    b2: float = 1.0


def next_power(power, base):
    """`power` times `base`; zero before the product reaches the denormal numbers, which are slow to compute with."""
    power = power * base
    return power if power > SMALLEST else 0.0


def next_powers(powers, p):
    """Both powers, one step on."""
    return Powers(next_power(powers.b1, p.beta1), next_power(powers.b2, p.beta2))


def moments(g, m, v, p):
    """Update the running means of the gradient and of its square."""
    return (1.0 - p.beta1) * g + p.beta1 * m, (1.0 - p.beta2) * g * g + p.beta2 * v
