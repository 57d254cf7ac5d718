"""The sign of a number, for the methods that use nothing else of it."""

from __future__ import annotations

import math


def sign(value):
    """-1, 0 or 1; NaN stays NaN, so that a broken gradient shows. One comparison, which compiles to no branch."""
    return math.copysign(1.0, value) if abs(value) > 0.0 else value
