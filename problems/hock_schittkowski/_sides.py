"""Simple bounds l <= x <= u as inequality constraints, shared by the problems of the collection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optbench.records import Vector


class Sides(NamedTuple):
    """Rows sign (x_which - limit) <= 0, one for every finite bound: each vector has shape (number of bounds,)."""

    which: Vector
    sign: Vector
    limit: Vector


def sides(n: int, low: ArrayLike = -np.inf, high: ArrayLike = np.inf) -> Sides:
    """Rows of the bounds of n coordinates: finite lower bounds by index, then finite upper bounds by index."""
    lows, highs = (np.broadcast_to(np.asarray(side, dtype=np.float64), (n,)) for side in (low, high))
    below, above = np.flatnonzero(np.isfinite(lows)), np.flatnonzero(np.isfinite(highs))
    which = np.concatenate([below, above]).astype(np.float64)
    sign = np.repeat([-1.0, 1.0], [below.size, above.size])
    return Sides(which, sign, np.concatenate([lows[below], highs[above]]))


def write_sides(x, c, jac, first, data):
    """Rows from `first` on: values and Jacobian of the bounds in `data`."""
    for k in range(data.which.size):
        i = int(data.which[k])
        c[first + k] = data.sign[k] * (x[i] - data.limit[k])
        for j in range(x.size):
            jac[first + k, j] = data.sign[k] if j == i else 0.0


def only_sides(x, c, jac, data):
    """Constraints of a problem that has bounds alone."""
    write_sides(x, c, jac, 0, data)


def clear(jac):
    """Fill with zeros."""
    for i in range(jac.shape[0]):
        for j in range(jac.shape[1]):
            jac[i, j] = 0.0


def linear(x, h, data):
    """Hessian of a linear objective: none."""


def flat(x, w, h, data):
    """Curvature of linear constraints: none."""
