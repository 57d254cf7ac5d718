"""The learning rate as it is given, at every step."""

from __future__ import annotations

from optbench.registry import schedule


@schedule(source="no schedule")
def constant(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    return lr
