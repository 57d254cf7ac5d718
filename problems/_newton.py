"""Newton's method to rounding level, for the minima of the convex problems: run once a data set, in NumPy."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Convex(Protocol):
    """A strictly convex function of v, shape (n,)."""

    def value(self, v: Array) -> float:
        """Value at `v`."""

    def newton(self, v: Array) -> tuple[Array, float]:
        """Newton's step at `v` and what it lowers the quadratic model by, twice."""


def minimize(function: Convex, v: Array) -> Array | None:
    """Minimizer by Newton's method with step halving, from `v`; None where double precision does not reach it.

    Ends when the decrement, which bounds the error in f, has fallen below 1e-12 and rounding keeps it from falling on;
    it must then be small beside f itself, which tends to 0 where the minimum is too far out.
    """
    last = math.inf
    for _ in range(200):
        try:
            step, decrement = function.newton(v)
        except np.linalg.LinAlgError:
            break
        if decrement <= 0.0 or (decrement < 1e-12 and decrement >= last):
            return v if abs(decrement) < 1e-10 * function.value(v) else None
        f, t = function.value(v), 1.0
        while decrement >= 1e-8 and function.value(v + t * step) > f - 0.25 * t * decrement and t > 1e-9:
            t *= 0.5
        v, last = v + t * step, decrement
    return None


def solve_scaled(h: Array, g: Array) -> tuple[Array, float]:
    """Newton's step -h^-1 g and g . h^-1 g, with rows and columns of `h` scaled to a diagonal of ones."""
    root = np.sqrt(np.diag(h))
    step = np.linalg.solve(h / np.outer(root, root), g / root) / root
    return -step, float(g @ step)
