"""Gradient clipping by value and by global norm.

Source: Pascanu, Mikolov & Bengio (2013), arXiv:1211.5063, Algorithm 1, for the norm. Convention: PyTorch's
``clip_grad_value_`` and ``clip_grad_norm_``: the norm gets 1e-6 added before it divides, and the gradient is
multiplied by the coefficient even where that is 1.

What is not finite passes as it does there. By value: an infinity becomes the limit, a NaN stays. By norm: a NaN makes
every entry NaN; with an infinity the coefficient is zero, so that finite entries become 0 and infinite ones NaN;
finite entries whose squares overflow (above 1e154) all become 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from optbench.types import Array

NORM_EPS = 1e-6


def coefficient(norm: float, limit: float) -> float:
    """Factor for a gradient of this norm: at most 1, NaN for a NaN."""
    c = limit / (norm + NORM_EPS)
    return 1.0 if c > 1.0 else c  # this way round, so that a NaN passes


def clip_norm(g: Array, limit: float) -> float:
    """Scale `g`, shape (n,), in place to a Euclidean norm of at most `limit`; return the norm before.

    The sum vectorizes when it may be reordered: compile with `optbench.jit.SUM_MATH`.
    """
    squares = 0.0
    for i in range(g.size):
        squares += g[i] * g[i]
    norm = math.sqrt(squares)
    c = coefficient(norm, limit)
    for i in range(g.size):
        g[i] *= c
    return norm


def clip_value(g: Array, limit: float) -> None:
    """Confine every entry of `g`, shape (n,), in place to [-limit, limit]."""
    for i in range(g.size):
        v = g[i]
        g[i] = limit if v > limit else (-limit if v < -limit else v)


def clip(g: ArrayLike, *, norm: float | None = None, value: float | None = None) -> Array:
    """Clip a gradient by its global norm or by value, as PyTorch does.

    Parameters
    ----------
    g : array_like, any shape
        Gradient; not changed.
    norm : float, optional
        Largest Euclidean norm of all entries together.
    value : float, optional
        Largest absolute value of an entry.

    Returns
    -------
    ndarray of float64, same shape
        A new array.

    Raises
    ------
    ValueError
        Not exactly one of `norm` and `value` is given, or it is not a positive number.

    Examples
    --------
    >>> clip([3.0, -4.0], value=1.0)
    array([ 1., -1.])
    """
    if (norm is None) == (value is None):
        raise ValueError("clip takes exactly one of norm and value")
    key, limit = ("norm", norm) if value is None else ("value", value)
    if isinstance(limit, bool) or not isinstance(limit, (int, float, np.integer, np.floating)) or not limit > 0.0:
        raise ValueError(f"clip: {key} takes a positive number, not {limit!r}")
    out = np.array(g, dtype=np.float64)
    if value is not None:
        return np.clip(out, -value, value, out=out)
    with np.errstate(over="ignore", invalid="ignore"):
        flat = out.ravel()
        out *= coefficient(math.sqrt(np.dot(flat, flat)), limit)
    return out
