"""Decay with the inverse square root of the step.

lr_t = lr sqrt(timescale / (t + timescale))

Source: Vaswani et al. (2017), arXiv:1706.03762, Section 5.3, for the law. Convention: ``get_inverse_sqrt_schedule``
of Hugging Face's transformers and its `timescale`, without its warm-up, which is this schedule behind a warm-up that
starts at zero. PyTorch has none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from optbench.records import Count
from optbench.registry import schedule


class Params(NamedTuple):
    """Steps after which the rate has fallen to lr / sqrt(2), at least 1."""

    timescale: Count = 10_000


@schedule(params=Params, source="Vaswani et al. 2017; transformers get_inverse_sqrt_schedule")
def inverse_sqrt(t, lr, params):
    """Learning rate at step t = 0, 1, ..."""
    return lr * math.sqrt(params.timescale / (t + params.timescale))
