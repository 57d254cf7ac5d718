"""Paired tests against SciPy and against distributions that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import PermutationMethod, wilcoxon

from optbench import stats

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("count", [2, 5, 12, 30, 50])
def test_signed_rank_without_ties_equals_scipy_s_exact_test(count: int) -> None:
    for seed in range(5):
        d = np.random.default_rng(seed).normal(0.3, size=count)
        assert stats.signed_rank(d) == pytest.approx(wilcoxon(d, method="exact").pvalue, abs=1e-12)


@pytest.mark.parametrize("zero_method", ["pratt", "zsplit"])  # alike in an exact test: a zero has no sign to turn
def test_signed_rank_with_ties_zeros_and_infinities_equals_scipy_s_permutation_test(zero_method: str) -> None:
    for seed in range(6):
        d = np.random.default_rng(seed).choice([-INF, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, INF], size=9)
        expected = wilcoxon(d, zero_method=zero_method, method=PermutationMethod(n_resamples=1 << 10)).pvalue
        assert stats.signed_rank(d) == pytest.approx(expected, abs=1e-12)


def test_signed_rank_of_many_pairs_is_the_normal_approximation_that_the_exact_one_comes_to() -> None:
    rng = np.random.default_rng(1)
    many = rng.integers(-5, 7, size=201).astype(float)
    expected = wilcoxon(many, zero_method="pratt", correction=True, method="asymptotic").pvalue
    assert stats.signed_rank(many) == expected
    exact = stats.signed_rank(many[:200])
    near = wilcoxon(many[:200], zero_method="pratt", correction=True, method="asymptotic").pvalue
    assert exact == pytest.approx(near, rel=0.1)


def test_signed_rank_of_examples_worked_by_hand() -> None:
    assert stats.signed_rank([1, 2, 3]) == 2 / 8  # + + + and - - -
    assert stats.signed_rank([-1, 2, 3]) == 4 / 8  # rank sums of 5, 6, 1 and 0
    assert stats.signed_rank([1, 1, -1]) == 1.0  # ranks 2 2 2: a sum of 4 or more in 4 of 8 cases
    assert stats.signed_rank([0, 0, 5, 7]) == 2 / 4  # two pairs that are no ties
    assert stats.signed_rank([INF, INF, INF, 1, 2, 3]) == 2 / 64
    assert stats.signed_rank([0, 0, 0]) == 1.0
    # Darwin's maize: heights of 15 pairs of crossed and self-fertilized plants, in eighths of an inch.
    maize = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
    assert stats.signed_rank(maize) == 0.041259765625


def test_no_number_of_pairs_gives_less_than_its_smallest_p() -> None:
    for count in range(1, 12):
        assert stats.signed_rank(np.arange(1.0, count + 1)) == stats.smallest_p(count) == min(1.0, 2.0 ** (1 - count))
        assert stats.sign_test(count, 0) == pytest.approx(stats.smallest_p(count))


def test_sign_test_of_examples_worked_by_hand() -> None:
    assert stats.sign_test(8, 2) == pytest.approx(2 * (45 + 10 + 1) / 1024)
    assert stats.sign_test(3, 3) == stats.sign_test(0, 0) == 1.0


def test_holm_of_examples_worked_by_hand() -> None:
    np.testing.assert_allclose(stats.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(stats.holm([0.5, 0.6, 0.001]), [1.0, 1.0, 0.003])
    np.testing.assert_allclose(stats.holm([0.02]), [0.02])
    assert stats.holm([]).shape == (0,)


def test_contrast_of_an_example_worked_by_hand() -> None:
    #   B / A       2    1/2    4    inf   0   both failed
    a = np.array([10.0, 8.0, 10.0, 5.0, INF, INF])
    b = np.array([20.0, 4.0, 40.0, INF, 3.0, INF])
    told = stats.contrast(a, b)
    assert told.effect == pytest.approx(2.0)  # of 0, 1/2, 2, 4, inf
    assert (told.effect_low, told.effect_high) == (0.0, INF)
    assert (told.a_better, told.ties, told.b_better) == (3, 1, 2)
    assert told.superiority == 2.5 / 6
    # Ranks of |log|: tie 1, halves 2.5 2.5, 4, infinite 5.5 5.5; B higher: 2.5 + 4 + 5.5 = 12 of 19.5.
    assert told.p == wilcoxon([1, -1, 2, 9, -9, 0], zero_method="pratt", method=PermutationMethod()).pvalue
    assert told.p_sign == stats.sign_test(2, 3)


def test_contrast_turned_round_is_the_reverse() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.choice([3.0, 5.0, 8.0, INF], size=(2, 11))
    one, other = stats.contrast(a, b), stats.contrast(b, a)
    assert (one.a_better, one.ties, one.b_better) == (other.b_better, other.ties, other.a_better)
    assert one.p == pytest.approx(other.p)
    assert one.superiority == pytest.approx(1 - other.superiority)


def test_contrast_of_losses_and_of_accuracies() -> None:
    loss = stats.contrast([-1.0, 2.0, INF], [-2.0, 2.0, 5.0], ratio=False)
    assert (loss.effect, loss.a_better, loss.ties, loss.b_better) == (-1.0, 0, 1, 2)
    accuracy = stats.contrast([0.5, 0.7, 0.9], [0.6, 0.9, 0.9], ratio=False, larger=True)
    assert (accuracy.a_better, accuracy.ties, accuracy.b_better) == (0, 1, 2)
    assert accuracy.effect == pytest.approx(0.1)


def test_contrast_of_nothing_that_tells() -> None:
    never = stats.contrast([INF, INF], [INF, INF])
    assert math.isnan(never.effect)
    assert (never.ties, never.p, never.superiority) == (2, 1.0, 0.5)
    none = stats.contrast([], [])
    assert math.isnan(none.superiority)
    assert none.p == 1.0
    zero = stats.contrast([0.0, 0.0], [0.0, 3.0])  # met at the start
    assert (zero.a_better, zero.ties) == (1, 1)
