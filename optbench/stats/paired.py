"""Two treatments of the same starts: exact tests, their correction for many problems, and sizes of effect.

A pair is one start with both. The tests see only how B stands to A in every pair: a number below 0 where B is lower,
above 0 where A is, infinite where only one of them reached the target, and 0, a tie, where neither did.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optbench.stats.samples import median_interval, quartiles
from optbench.types import Array

EXACT = 200  # pairs up to which the distribution of the signed-rank statistic is computed


def signed_rank(differences: ArrayLike) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test of paired differences, shape (n,).

    Exact for up to 200 pairs, with ties and zeros too, for the observed ranks: each sign is as likely as the other.
    Equal sizes share the mean of their ranks, infinite ones the highest. Zeros are ranked and then left out (Pratt).
    For more pairs the normal approximation with corrections for ties and continuity. With k pairs that are no ties the
    smallest value is 2^(1 - k); without any it is 1.

    References
    ----------
    Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945) 80-83; Pratt, "Remarks
    on zeros and ties in the Wilcoxon signed rank procedures", JASA 54 (1959) 655-667.
    """
    from scipy.stats import rankdata, wilcoxon

    d = np.asarray(differences, dtype=np.float64)
    if not d.any():
        return 1.0
    if len(d) > EXACT:
        return float(wilcoxon(d, zero_method="pratt", correction=True, method="asymptotic").pvalue)
    # SciPy's exact distributions end at 13 pairs where there are ties, which is the rule for counts of iterations.
    doubled = np.rint(2.0 * rankdata(np.abs(d))).astype(np.int64)[d != 0]
    positive = int(doubled[d[d != 0] > 0].sum())
    chance = np.zeros(doubled.sum() + 1)
    chance[0] = 1.0
    for rank in doubled:
        chance[rank:] = 0.5 * (chance[rank:] + chance[:-rank])
        chance[:rank] *= 0.5
    return float(min(1.0, 2.0 * min(chance[: positive + 1].sum(), chance[positive:].sum())))


def sign_test(lower: int, higher: int) -> float:
    """Two-sided p-value of the sign test; ties are left out. Conover, Practical Nonparametric Statistics, 3.4."""
    from scipy.stats import binomtest

    return float(binomtest(lower, lower + higher).pvalue) if lower + higher else 1.0


def holm(p: ArrayLike) -> Array:
    """P-values, shape (m,), corrected for testing m times; the chance of any false alarm stays below the level.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979) 65-70.
    """
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    made = np.empty_like(given)
    made[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)))
    return made


def smallest_p(pairs: ArrayLike) -> Array:
    """Smallest p-value that the signed-rank and the sign test can give for a number of pairs: 2^(1 - n)."""
    return np.minimum(1.0, np.exp2(1.0 - np.asarray(pairs, dtype=np.float64)))


class Contrast(NamedTuple):
    """How B stands to A over pairs.

    Attributes
    ----------
    effect, effect_low, effect_high : float
        Median over pairs of B / A, or of B - A where losses are compared, and its bootstrap interval; pairs in which
        neither reached the target are left out.
    a_better, ties, b_better : int
        Pairs.
    superiority : float
        Share of pairs in which B was better, ties counting one half: the paired form of Vargha and Delaney's A.
    p, p_sign : float
        Of the signed-rank test of log(B / A), or of B - A, and of the sign test.
    """

    effect: float
    effect_low: float
    effect_high: float
    a_better: int
    ties: int
    b_better: int
    superiority: float
    p: float
    p_sign: float


def contrast(a: ArrayLike, b: ArrayLike, *, ratio: bool = True, larger: bool = False, alpha: float = 0.05) -> Contrast:
    """Compare values of A and B, both shape (n,), pair by pair.

    Parameters
    ----------
    a, b : array_like
        Costs of at least 0, or losses; infinite for a failure.
    ratio : bool
        Compare B / A, else B - A.
    larger : bool
        The larger value is the better one.
    alpha : float
        The interval is one of 1 - alpha.

    References
    ----------
    Vargha and Delaney, "A critique and improvement of the CL common language effect size statistics of McGraw and
    Wong", J. Educ. Behav. Statist. 25 (2000) 101-132.
    """
    first, second = (np.asarray(values, dtype=np.float64) for values in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.log(second) - np.log(first) if ratio else second - first
    d = np.where(first == second, 0.0, d)  # both 0, or both infinite
    told = d[np.isfinite(first) | np.isfinite(second)]
    effect = np.full(3, np.nan)
    if len(told):
        effect = np.r_[middle(told), median_interval(told, 1.0 - alpha)]
    lower, higher = int((d < 0).sum()), int((d > 0).sum())
    a_better, b_better = (lower, higher) if larger else (higher, lower)
    ties = len(d) - lower - higher
    share = (b_better + 0.5 * ties) / len(d) if len(d) else np.nan
    shown = np.exp(effect) if ratio else effect
    median, low, high = map(float, shown)
    return Contrast(median, low, high, a_better, ties, b_better, share, signed_rank(d), sign_test(lower, higher))


def middle(values: ArrayLike) -> float:
    """Median; halfway between opposite infinities is 0."""
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(quartiles(values)[1], nan=0.0, posinf=np.inf, neginf=-np.inf))
