"""What the linear models share: the region for plots, parameter groups and the loops over features and samples."""

from __future__ import annotations

import numpy as np

from optbench.parallel import PIECE, span
from optbench.problems._data import Array, DataSet
from optbench.types import Group


def box(data: DataSet, x_opt: Array, spread: float) -> Array:
    """Region for plots and random starts, shape (d + 1, 2): 0 and `x_opt` with a margin.

    The margin is half of |x_opt| and half of what makes one standard deviation of a feature move the prediction by
    `spread`.
    """
    deviation = np.append(data.columns.std(axis=1), 1.0)
    margin = 0.5 * (np.abs(x_opt) + (spread or 1.0) / np.where(deviation > 0.0, deviation, 1.0))
    return np.column_stack([np.minimum(x_opt, 0.0) - margin, np.maximum(x_opt, 0.0) + margin])


def weights_and_bias(d: int) -> tuple[Group, Group]:
    """Parameter groups of x = (w_1, ..., w_d, b)."""
    return Group("weights", d), Group("bias", 1, bias=True)


def room(n: int, m: int) -> Array:
    """Work array ``data.r`` for m samples and n parameters: m numbers for every piece of x."""
    return np.zeros(m * -(-n // PIECE))


def predict(x, data):
    """Write b + sum_j w_j X[j, i] for every sample i into the work array ``data.r``; x = (w, b)."""
    r = data.r
    d = data.X.shape[0]
    for i in range(data.y.size):
        r[i] = x[d]
    for j in range(d):
        row = data.X[j]
        w = x[j]
        for i in range(data.y.size):
            r[i] += w * row[i]


def correlate(g, data, factor):
    """Write factor * sum_i r_i X[j, i] into g[j] and factor * sum_i r_i into the last."""
    correlate_piece(g, 0, g.size, data, factor)


def correlate_piece(g, first, last, data, factor):
    """Do the same for the entries from `first` to before `last` alone."""
    r = data.r
    d = data.X.shape[0]
    for j in span(first, d if last > d else last):
        row = data.X[j]
        total = 0.0
        for i in range(data.y.size):
            total += r[i] * row[i]
        g[j] = factor * total
    if last > d:
        total = 0.0
        for i in range(data.y.size):
            total += r[i]
        g[d] = factor * total


def predict_piece(x, g, first, last, data):
    """Write the sum of w_j X[j, i] over the features of a piece, for every sample, into its place in ``data.r``."""
    m = data.y.size
    place = first // PIECE * m
    r = data.r[place : place + m]
    for i in range(m):
        r[i] = 0.0
    d = data.X.shape[0]
    for j in span(first, d if last > d else last):
        row = data.X[j]
        w = x[j]
        for i in range(m):
            r[i] += w * row[i]
    return 0.0


def predict_whole(x, data):
    """Add up what `predict_piece` has left, and b: the same as `predict`."""
    m = data.y.size
    r = data.r[:m]
    for place in range(m, data.r.size, m):
        more = data.r[place : place + m]
        for i in range(m):
            r[i] += more[i]
    for i in range(m):
        r[i] += x[data.X.shape[0]]


def gram(h, data, factor):
    """Write factor * sum_i r_i u_i u_i^T, u_i = (X[:, i], 1), into `h`, shape (d + 1, d + 1)."""
    r = data.r
    d = data.X.shape[0]
    for j in range(d):
        row = data.X[j]
        for k in range(j + 1):
            other = data.X[k]
            total = 0.0
            for i in range(data.y.size):
                total += r[i] * row[i] * other[i]
            h[j, k] = h[k, j] = factor * total
    correlate(h[d], data, factor)
    for j in range(d):
        h[j, d] = h[d, j]
