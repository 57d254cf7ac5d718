"""Curve fitting: residuals and curvature from the model of one observation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optbench.records import Vector


class Observations(NamedTuple):
    """What is fitted: y at t, both of shape (m,)."""

    t: Vector
    y: Vector


def observations(t: ArrayLike, y: ArrayLike) -> Observations:
    """Observations from sequences of numbers."""
    return Observations(np.array(t, dtype=np.float64), np.array(y, dtype=np.float64))


def fit(model: Callable[..., float], bend: Callable[..., None]) -> tuple[Callable[..., None], Callable[..., None]]:
    """Residuals model - y and their curvature, for a problem whose data are `Observations`.

    Parameters
    ----------
    model : callable
        ``model(t, x, g) -> value`` writes the gradient with respect to x, shape (n,), into `g`.
    bend : callable
        ``bend(t, x, w, h)`` adds w times the model's Hessian to the upper triangle of `h`, shape (n, n).
    """

    def residuals(x: Any, r: Any, jac: Any, data: Any) -> None:
        for i in range(r.size):
            r[i] = model(data.t[i], x, jac[i]) - data.y[i]

    def curvature(x: Any, w: Any, h: Any, data: Any) -> None:
        for i in range(w.size):
            bend(data.t[i], x, w[i], h)
        mirror(h)

    return residuals, curvature


def mirror(h):
    """Copy the upper triangle to the lower one."""
    for i in range(h.shape[0]):
        for j in range(i):
            h[i, j] = h[j, i]
