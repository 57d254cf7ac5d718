"""Mean ranks and who differs: the example of the paper, and p-values of scikit-posthocs and SciPy."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from optbench import stats
from optbench.stats.friedman import _groups

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
CASES: dict[str, Any] = json.loads((Path(__file__).parent / "reference" / "post_hoc.json").read_text())["cases"]

# Demsar (2006), Table 6: area under the curve of C4.5 and with -m, -cf, both, on 14 data sets.
# Of two values 0.975 the paper gives the former the higher rank: the latter stands here as 0.974.
AUC = """763 768 771 798  599 591 590 569  954 971 968 967  628 661 654 657  882 888 886 898
         936 931 916 931  661 668 609 685  583 583 563 625  775 838 866 875  1000 1000 1000 1000
         940 962 965 962  619 666 614 669  972 981 975 974  957 978 946 970"""
NAMES = ["adam", "gd", "lion", "yogi"]  # for C4.5, C4.5+m, C4.5+cf, C4.5+m+cf


def made(frames: Frames, costs: np.ndarray[Any, np.dtype[Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs and hits with these costs, shape (problems, competitors); infinite ones failed."""
    names = NAMES if costs.shape[1] == 4 else [*"stuvwxyz"[: costs.shape[1]]]
    rows = [{"optimizer": name, "problem": f"p{k:02}", "nit": 9} for k in range(len(costs)) for name in names]
    return frames(rows, [{1e-6: None if np.isinf(cost) else int(cost)} for cost in costs.ravel()])


def test_the_example_of_the_paper(frames: Frames) -> None:
    costs = 1001 - np.array(AUC.split(), dtype=np.int64).reshape(14, 4)
    table = stats.critical_difference(*made(frames, costs))
    ranks = dict(zip(table["competitor"], table["rank"].round(3), strict=True))
    assert ranks == {"yogi": 1.964, "gd": 2.0, "lion": 2.893, "adam": 3.143}
    facts = table.attrs
    assert round(facts["difference"], 2) == 1.25  # 2.569 sqrt(4 5 / (6 14))
    # The paper's statistic, 9.28, has no correction for ties: one of all four (4^3 - 4 = 60), three of two (6 each),
    # of N k (k^2 - 1) = 840.
    plain = facts["chi2"] * (1 - (60 + 3 * 6) / 840)
    assert round(plain, 2) == 9.28
    assert round(13 * plain / (14 * 3 - plain), 2) == 3.69
    assert facts["f"] == pytest.approx(13 * facts["chi2"] / (14 * 3 - facts["chi2"]))
    assert facts["groups"] == (("yogi", "gd", "lion", "adam"),)  # at 5 % nothing differs
    loose = stats.critical_difference(*made(frames, costs), alpha=0.1)
    assert round(loose.attrs["difference"], 2) == 1.12  # 2.291 in place of 2.569
    assert loose.attrs["groups"] == (("yogi", "gd", "lion"), ("lion", "adam"))


@pytest.mark.parametrize("case", CASES)
def test_p_values_of_other_implementations(frames: Frames, case: str) -> None:
    costs = np.array(CASES[case]["costs"])
    tables = made(frames, costs)
    facts = stats.critical_difference(*tables).attrs
    np.testing.assert_allclose([facts["chi2"], facts["p"]], CASES[case]["friedman"], rtol=1e-9)
    pairs = stats.rank_differences(*tables)
    np.testing.assert_allclose(pairs["p"], CASES[case]["nemenyi"], rtol=1e-6, atol=1e-10)
    assert pairs["differ"].tolist() == (pairs["p"] <= 0.05).tolist()
    if "wilcoxon_holm" in CASES[case]:
        paired = stats.rank_differences(*tables, post_hoc="wilcoxon")
        np.testing.assert_allclose(paired["p"], CASES[case]["wilcoxon_holm"], rtol=1e-9)
        assert paired["differ"].any()


def test_failures_share_the_last_places(frames: Frames) -> None:
    rng = np.random.default_rng(2)
    costs = rng.integers(1, 8, (11, 4)).astype(np.float64)
    costs[rng.random(costs.shape) < 0.3] = np.inf
    table = stats.critical_difference(*made(frames, costs))
    expected = friedmanchisquare(*np.where(np.isinf(costs), 1e9, costs).T)
    np.testing.assert_allclose([table.attrs["chi2"], table.attrs["p"]], expected)


def test_signed_ranks_of_failures(frames: Frames) -> None:
    # B fails on all of 8 problems, A on none: every sign the same, p = 2^(1 - 8).
    costs = np.column_stack([np.arange(5, 13), np.full(8, np.inf)])
    pairs = stats.rank_differences(*made(frames, costs), post_hoc="wilcoxon")
    assert pairs["p"].tolist() == [2.0**-7]
    assert pairs["difference"].tolist() == [1.0]


def test_all_tie_and_one_problem(frames: Frames) -> None:
    tie = stats.critical_difference(*made(frames, np.full((5, 3), 7.0))).attrs
    assert (tie["chi2"], tie["p"], tie["p_f"]) == (0.0, 1.0, 1.0)
    one = stats.critical_difference(*made(frames, np.array([[1.0, 2.0, 3.0]]))).attrs
    assert math.isnan(one["p"])
    assert len(one["groups"]) == 1
    same = stats.critical_difference(*made(frames, np.tile([1.0, 2.0, 3.0], (6, 1)))).attrs
    assert (same["chi2"], same["f"], same["p_f"]) == (pytest.approx(12.0), math.inf, 0.0)


def test_groups_are_the_longest_of_neighbours() -> None:
    def differ(*pairs: str) -> set[frozenset[str]]:
        return {frozenset(pair) for pair in pairs}

    assert _groups([*"abcd"], differ("ad", "bd")) == ((*"abc",), (*"cd",))
    assert _groups([*"abcd"], differ("ac")) == ((*"ab",), (*"bcd",))
    assert _groups([*"abc"], differ("ab", "bc", "ac")) == ()
    assert _groups([*"abc"], set()) == ((*"abc",),)
    assert _groups([*"abcd"], differ("bc")) == ((*"ab",), (*"cd",))  # a and d are alike, but b and c between are not


def test_smallest_p_says_when_no_pair_can_differ(frames: Frames) -> None:
    costs = np.arange(1.0, 13.0).reshape(4, 3)
    facts = stats.critical_difference(*made(frames, costs), post_hoc="wilcoxon").attrs
    assert facts["p_smallest"] == 3 * 2.0**-3  # three pairs, four problems
    assert len(facts["groups"][0]) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 1.5}, "alpha is between 0 and 1, not 1.5"),
        ({"post_hoc": "bonferroni"}, "post_hoc is one of nemenyi, wilcoxon, not 'bonferroni'"),
        ({"by": "schedule"}, "ranks compare at least two competitors on the same problems, and constant is alone"),
    ],
)
def test_bad_arguments_are_one_sentence(frames: Frames, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stats.critical_difference(*made(frames, np.ones((3, 2))), **options)
