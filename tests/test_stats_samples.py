"""Quartiles and intervals of samples with infinities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, bootstrap

from optbench import stats
from optbench.stats.samples import _median_places

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (4, 2), (7,), (8, 3)])
def test_quartiles_of_finite_values_equal_numpy_s(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_allclose(stats.quartiles(values), np.quantile(values, [0.25, 0.5, 0.75], axis=0), rtol=1e-13)


def test_quartiles_with_infinities_and_nan() -> None:
    np.testing.assert_equal(stats.quartiles([1, 2, INF]), [1.5, 2, INF])
    np.testing.assert_equal(stats.quartiles([INF, 1, INF, 2, 3]), [2, 3, INF])
    np.testing.assert_equal(stats.quartiles([INF, INF]), [INF] * 3)
    np.testing.assert_equal(stats.quartiles([-INF, 0, 1]), [-INF, 0, 0.5])
    np.testing.assert_equal(stats.quartiles([1, NAN, 2]), [NAN] * 3)
    with pytest.raises(ValueError, match="no values"):
        stats.quartiles([])


def by_enumeration(values: list[float], confidence: float) -> list[float]:
    """Percentiles of the medians of all n^n resamples."""
    medians = np.sort([stats.quartiles(resample)[1] for resample in itertools.product(values, repeat=len(values))])
    tail = (1 - confidence) / 2
    return [medians[max(0, math.ceil(q * len(medians) - 1e-6) - 1)] for q in (tail, 1 - tail)]


@pytest.mark.parametrize(
    "values", [[3, 1], [1, 2, 9], [4, 1, 7, 2], [4, 1, INF, 2], [5, 1, 9, 2, 7], [1, 2, 3, INF, INF]]
)
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_intervals_of_the_median_are_those_of_all_resamples(values: list[float], confidence: float) -> None:
    np.testing.assert_equal(stats.median_interval(values, confidence), by_enumeration(values, confidence))


@pytest.mark.parametrize("count", [8, 9, 25, 30])
def test_intervals_of_the_median_are_what_scipy_s_bootstrap_comes_to(count: int) -> None:
    values = np.random.default_rng(count).lognormal(size=(count, 1))
    drawn = bootstrap((values[:, 0],), np.median, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    low, high = stats.median_interval(values)[:, 0]
    ordered = np.sort(values[:, 0])
    spacing = np.diff(ordered).max()  # drawn medians may stop at the place beside
    assert abs(low - drawn.low) <= spacing / 2
    assert abs(high - drawn.high) <= spacing / 2


def test_intervals_of_the_median_at_the_edges() -> None:
    np.testing.assert_equal(stats.median_interval([2, 2, 2, 2]), [2, 2])
    np.testing.assert_equal(stats.median_interval([INF] * 3), [INF, INF])
    np.testing.assert_equal(stats.median_interval([5]), [NAN, NAN])
    np.testing.assert_equal(stats.median_interval([1, NAN, 2]), [NAN, NAN])
    np.testing.assert_equal(stats.median_interval([-INF, INF], 0.4), [0, 0])  # half of the resamples have one of each
    assert stats.median_interval(np.ones((4, 2, 3))).shape == (2, 2, 3)
    with pytest.raises(ValueError, match="no values"):
        stats.median_interval([])


@pytest.mark.parametrize("count", [2, 7, 100, 1001, 5000])
def test_all_resamples_of_a_sample_of_any_size_add_up(count: int) -> None:
    low, high, weights = _median_places(count)
    assert weights.sum() == pytest.approx(1.0, abs=1e-10)
    assert weights.min() >= 0
    assert np.average(low + high, weights=weights) == pytest.approx(count - 1)  # symmetric


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"),  # Newcombe, Statist. Med. 17 (1998) 857-872, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_success_intervals_equal_published_ones(successes: int, runs: int, low: float, high: float) -> None:
    np.testing.assert_allclose(stats.success_interval(successes, runs), [low, high], atol=5e-5)


def test_success_intervals_equal_scipy_s() -> None:
    cells = [(k, n) for n in (1, 2, 5, 30) for k in range(n + 1)]
    expected = [binomtest(k, n).proportion_ci(0.9, method="wilson") for k, n in cells]
    successes, runs = np.transpose(cells)
    np.testing.assert_allclose(stats.success_interval(successes, runs, 0.9).T, expected, atol=1e-14)
    assert np.isnan(stats.success_interval(NAN, 3)).all()
