r"""Samples with far more features than there are samples, for problems of millions of parameters.

Entry (j, i) of the features is s_i z_ji with z_ji from the standard normal distribution and s_1, ..., s_m in equal
ratios from the largest to 1 / `cond` of it, their mean square 1. For d >> m the singular values of the features are in
these proportions, and their mean square is 1 in each feature, as for the other synthetic data. Half of the signs,
rounded down, are +1, at random. The features depend on `n_features`, `n_samples`, `cond` and `instance` alone.

A minimizer of a loss of X'w plus alpha ||w||^2 / 2 is a combination of the samples (the representer theorem), so it is
found among m numbers: with the eigenvectors V and eigenvalues s^2 of X'X, w = X V v / s and X'w = V s v, and the
problem for v is the same with the m x m features s V'. Cost: O(d m^2) for X'X, once.

Source: Kimeldorf & Wahba (1971), J. Math. Anal. Appl. 33, 82-95; Scholkopf, Herbrich & Smola (2001), COLT, 416-426.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optbench.memory import aligned
from optbench.problems._data import Array
from optbench.problems._sources import Synthetic

BLOCK = 1 << 14  # features whose products are summed at a time: tall matrices are slow to multiply in one piece


@dataclass(frozen=True, eq=False)
class Wide:
    """Features, shape (d, m), signs, shape (m,), and the same in the span of the samples.

    `columns`, shape (m, m), are the features s V' there; ``X @ (back @ v)``, `back` of shape (m, m), is w for v.
    """

    X: Array
    y: Array
    columns: Array
    back: Array


def wide(settings: Synthetic) -> Wide:
    """Draw the data. Raises ValueError for a setting out of range."""
    m, d, _, cond, instance = settings
    least = {"n_samples": 2, "n_features": m, "cond": 1, "instance": 0}
    for (key, low), value in zip(least.items(), (m, d, cond, instance), strict=True):
        if not low <= value < np.inf:
            raise ValueError(f"data 'wide': {key} must be at least {low}, not {value}")
    rng = np.random.default_rng(instance)
    x = aligned(d * m).reshape(d, m)
    rng.standard_normal(out=x)
    scales = np.geomspace(1.0, 1.0 / cond, m)
    x *= scales / np.sqrt(np.mean(scales**2))
    y = rng.permutation(np.where(np.arange(m) < m // 2, 1.0, -1.0))
    products = sum(part.T @ part for part in np.split(x, range(BLOCK, d, BLOCK)))
    squares, vectors = np.linalg.eigh(products)
    if not squares[0] > 0.0:
        raise ValueError(f"data 'wide': cond = {cond} is too large for {d} features in double precision")
    singular = np.sqrt(squares)
    return Wide(x, y, np.ascontiguousarray((vectors * singular).T), vectors / singular)
