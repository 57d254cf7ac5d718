"""Statistics of one sample that may hold infinities, which are values like any other: runs that failed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

Places = NDArray[np.int64]


def medians(values: pd.Series[float], keys: Sequence[pd.Series[Any]]) -> pd.Series[float]:
    """Median of every group in order of appearance; NaN where a value is NaN, infinite where half are infinite."""
    groups = values.groupby(list(keys), sort=False)
    return groups.median().mask(values.isna().groupby(list(keys), sort=False).any())


def quartiles(values: ArrayLike) -> Array:
    """Lower quartile, median and upper quartile along the first axis, interpolated linearly; shape (3, ...).

    Infinities are values like any other: a quartile between a finite and an infinite value is infinite. NaN stays NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    if not len(ordered):
        raise ValueError("no values")
    parts = []
    for fraction in (0.25, 0.5, 0.75):
        place = fraction * (len(ordered) - 1)
        low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
        weight = place - int(place)
        with np.errstate(invalid="ignore"):  # 0 inf, where the weight is 0
            between = (1.0 - weight) * low + weight * high
        parts.append(np.where((weight == 0.0) | (low == high), low, between))
    made = np.stack(parts)
    return np.where(np.isnan(ordered).any(axis=0), np.nan, made)


def median_interval(values: ArrayLike, confidence: float = 0.95) -> Array:
    """Bootstrap percentile interval of the median along the first axis, shape (2, ...).

    The median of a resample lies at, or halfway between, places of the ordered sample whose probabilities are known in
    closed form [1]_, [2]_. So all n^n resamples count with their probabilities; nothing is drawn and there is no seed.
    Infinities are values like any other; halfway between opposite ones is 0. NaN stays NaN, and there is no interval,
    NaN, around a single value.

    Whatever the method, an interval within the data covers the median with a probability of at most 1 - 2^(1 - n):
    0.75 with 3 values, 0.94 with 5, 0.97 with 6.

    References
    ----------
    .. [1] Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7 (1979) 1-26, section 3.
    .. [2] Maritz and Jarrett, "A note on estimating the variance of the sample median", JASA 73 (1978) 194-196.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    count, shape = len(ordered), ordered.shape[1:]
    if count < 2:
        if not count:
            raise ValueError("no values")
        return np.full((2, *shape), np.nan)
    ordered = ordered.reshape(count, -1)
    low, high, weights = _median_places(count)
    with np.errstate(invalid="ignore"):  # opposite infinities
        between = np.nan_to_num(0.5 * (ordered[low] + ordered[high]), nan=0.0, posinf=np.inf, neginf=-np.inf)
    order = np.argsort(between, axis=0, kind="stable")
    reached = np.cumsum(weights[order], axis=0)
    tail = 0.5 * (1.0 - confidence)
    made = [
        np.take_along_axis(between, np.take_along_axis(order, (reached >= q).argmax(axis=0)[None], axis=0), axis=0)
        for q in (tail - 1e-9, 1.0 - tail - 1e-9)
    ]
    return np.where(np.isnan(ordered).any(axis=0), np.nan, np.concatenate(made)).reshape(2, *shape)


@functools.cache
def _median_places(count: int) -> tuple[Places, Places, Array]:
    """The two places of the ordered sample whose mean is the median of a resample, and the probability of each pair.

    Places that are reached with a probability below 1e-12 are left out.
    """
    from scipy.special import bdtrc, gammaln

    half, place = (count + 1) // 2, np.arange(count + 1)
    # The half-th smallest of a resample lies at or below place i where at least half of it does.
    single = np.diff(bdtrc(half - 1, count, place / count))
    near = np.flatnonzero(single > 1e-12)
    if count % 2:
        return near, near, single[near]
    first, near = near[0], np.arange(near[0], count - near[0])
    # The lower half of a resample ends at i and the upper one begins at j > i: C(n, n/2) u_i u_(n - 1 - j).
    with np.errstate(divide="ignore"):
        logs = half * np.log(np.append(near, near[-1] + 1) / count) + 0.5 * gammaln(count + 1) - gammaln(half + 1)
    step = np.diff(np.exp(logs))
    low, high = np.triu_indices(len(near), 1)
    weights = step[low] * step[-1 - high]
    both = single[near] - np.bincount(low, weights, len(near))  # and where i = j
    return np.r_[low + first, near], np.r_[high + first, near], np.r_[weights, both.clip(min=0.0)]


def success_interval(successes: ArrayLike, runs: ArrayLike, confidence: float = 0.95) -> Array:
    """Wilson's score interval of success rates, shape (2, ...); NaN where the number of successes is.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212; recommended
    for small samples by Brown, Cai and DasGupta, Statist. Sci. 16 (2001) 101-133.
    """
    from scipy.special import ndtri

    k, n = np.asarray(successes, dtype=np.float64), np.asarray(runs, dtype=np.float64)
    z2 = ndtri(0.5 + 0.5 * confidence) ** 2
    center, half = (k + 0.5 * z2) / (n + z2), np.sqrt(z2 * (k * (n - k) / n + 0.25 * z2)) / (n + z2)
    limits: Array = np.clip(np.stack([center - half, center + half]), 0.0, 1.0)
    return limits
