"""What the linear problems and the systems of equations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optbench.types import Array

Real = NDArray[np.floating[Any]]


def straight(x, w, h, data):
    """Curvature of linear residuals: none."""


def root(system: Callable[[Real], tuple[Real, Real]], start: Array) -> Array:
    """Zero of a square system by Newton's method, shape (n,), rounded.

    Parameters
    ----------
    system : callable
        ``system(x)`` gives the residuals, shape (n,), and their Jacobian, shape (n, n).
    start : ndarray, shape (n,)
        A point from which Newton's method converges.
    """
    x: Real = start.astype(np.longdouble)  # residuals in the longest type there is leave x with rounding errors only
    for _ in range(60):
        r, jac = system(x)
        step = np.linalg.solve(jac.astype(np.float64), r.astype(np.float64))
        x = x - step
        if np.max(np.abs(step)) <= 1e-17 * np.max(np.abs(x)):
            break
    return x.astype(np.float64)


def check_size(name: str, n: int, lowest: int, highest: int | None = None) -> None:
    """Raise ValueError for a dimension outside the range."""
    if n < lowest or (highest is not None and n > highest):
        wanted = f"at least {lowest}" if highest is None else f"at least {lowest} and at most {highest}"
        raise ValueError(f"problem {name!r}: n must be {wanted}, not {n}")
