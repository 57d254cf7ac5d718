"""Runtime distributions with restarts: worked by hand, against simulation, and their mean against the ERT."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import stats

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def seeds(costs: list[tuple[int, bool]], **changes: Any) -> tuple[list[dict[str, Any]], list[dict[float, Any]]]:
    """Runs of one cell: evaluations and whether each met its target at its end."""
    rows = [{"seed": k, "nit": cost - 1, "nfev": cost, **changes} for k, (cost, _) in enumerate(costs)]
    return rows, [{1e-6: cost - 1 if met else None} for cost, met in costs]


def test_restarts_of_a_hand_worked_cell(frames: Frames) -> None:
    # One of three runs fails after 10 evaluations: met at 4 or 6 (1/3 each), 10 + 4, 10 + 6 (1/9), 20 + 4, ...
    table = stats.ecdf(*frames(*seeds([(4, True), (6, True), (10, False)])))
    assert table["evaluations"][:7].tolist() == [0, 4, 6, 14, 16, 24, 26]
    np.testing.assert_allclose(table["share"][:7], [0, 1 / 3, 2 / 3, 7 / 9, 8 / 9, 25 / 27, 26 / 27])
    assert table["evaluations"].iloc[-2] == 96  # the horizon is 10 times the longest run
    assert table["share"].iloc[-1] == pytest.approx(1 - 3.0**-10)
    assert table.attrs["longest"] == {"gd": 10.0}
    single = stats.ecdf(*frames(*seeds([(4, True), (6, True), (10, False)])), restarts=False)
    assert single["evaluations"].tolist() == [0, 4, 6, INF]
    np.testing.assert_allclose(single["share"], [0, 1 / 3, 2 / 3, 2 / 3])


def test_pairs_of_problems_and_targets_count_alike(frames: Frames) -> None:
    rows = [{"problem": "a", "nit": 10, "nfev": 11}, {"problem": "b", "nit": 20, "nfev": 21}]
    runs, hits = frames(rows, [{0.1: 4, 1e-6: 10}, {0.1: 20, 1e-6: None}])
    table = stats.ecdf(runs, hits)
    assert table["evaluations"].tolist() == [0, 5, 11, 21, INF]
    assert table["share"].tolist() == [0, 0.25, 0.5, 0.75, 0.75]
    assert table.attrs["pairs"] == 4
    assert stats.ecdf(runs, hits, targets=[1e-6])["share"].tolist() == [0, 0.5, 0.5]


def test_restarts_against_simulation(frames: Frames) -> None:
    """COCO's simulated restarts: runs drawn with replacement until one meets the target, what they ran added up."""
    costs = [(7, True), (30, True), (12, False), (25, False), (25, False), (3, False)]
    table = stats.ecdf(*frames(*seeds(costs)))
    rng = np.random.default_rng(0)
    total, open_ = np.zeros(200_000), np.ones(200_000, dtype=bool)
    length, met = np.array([cost for cost, _ in costs]), np.array([met for _, met in costs])
    while open_.any():
        drawn = rng.integers(0, len(costs), open_.sum())
        total[open_] += length[drawn]
        open_[open_] = ~met[drawn]
    for at in (6, 7, 10, 30, 37, 60, 100, 200):
        share = table["share"][table["evaluations"] <= at].iloc[-1]
        assert share == pytest.approx((total <= at).mean(), abs=4 * math.sqrt(0.25 / len(total)))


def test_mean_of_the_distribution_is_the_expected_running_time(frames: Frames) -> None:
    runs, hits = frames(*seeds([(7, True), (30, True), (12, False), (9, False), (20, True)]))
    table = stats.ecdf(runs, hits)
    at, share = (table[name].to_numpy()[:-1] for name in ("evaluations", "share"))
    mean = float((at[1:] * np.diff(share)).sum() / share[-1])
    expected = stats.ert(runs, hits)["ert"].item()
    assert expected == pytest.approx((7 + 30 + 12 + 9 + 20) / 3)
    assert mean == pytest.approx(expected, rel=1e-4)  # what lies beyond the horizon


def test_many_different_failures_stay_close(frames: Frames) -> None:
    """More sums than are told apart: the mean is kept, the distribution within a group of neighbours."""
    rng = np.random.default_rng(1)
    costs = [(int(cost), k < 3) for k, cost in enumerate(rng.integers(50, 5000, 40))]
    runs, hits = frames(*seeds(costs))
    table = stats.ecdf(runs, hits)
    total, open_ = np.zeros(50_000), np.ones(50_000, dtype=bool)
    while open_.any():
        drawn = rng.integers(0, len(costs), open_.sum())
        total[open_] += np.array([cost for cost, _ in costs])[drawn]
        open_[open_] = drawn >= 3
    for at in (1000, 10_000, 40_000):
        share = table["share"][table["evaluations"] <= at].iloc[-1]
        assert share == pytest.approx((total <= at).mean(), abs=0.01)


def test_ert_is_that_of_the_summary(frames: Frames) -> None:
    rows = [{"problem": p, "seed": s, "nit": 10, "nfev": 21} for p in "ab" for s in range(2)]
    runs, hits = frames(rows, [{0.1: 2, 1e-6: 9}, {0.1: 3, 1e-6: None}, {0.1: 4, 1e-6: None}, {0.1: 5, 1e-6: None}])
    ons: tuple[stats.On, ...] = ("evaluations", "iterations", "seconds")
    for on in ons:
        table, cells = stats.ert(runs, hits, on=on), stats.summary(runs, hits, [0.1, 1e-6])
        expected = cells[[f"ert_{on} 1e-1", f"ert_{on} 1e-6"]].to_numpy().ravel()
        np.testing.assert_allclose(table["ert"], expected)
    assert table["problem"].tolist() == ["a n=2", "a n=2", "b n=2", "b n=2"]
    assert table["target"].tolist() == [0.1, 1e-6] * 2


def test_a_failure_of_unknown_length_never_ends(frames: Frames) -> None:
    rows, hits = seeds([(4, True), (10, False)])
    rows[1]["wall_median"] = NAN
    table = stats.ecdf(*frames(rows, hits), on="seconds")
    assert table["share"].iloc[-1] == 0.5
    assert stats.ert(*frames(rows, hits), on="seconds")["ert"].item() == INF


def test_a_run_that_broke_before_its_problem_was_made_has_failed(frames: Frames) -> None:
    runs, hits = frames(*seeds([(4, True), (6, False)]))
    runs.loc["r1", "status"], runs.loc["r1", "f_opt"] = "crashed", NAN
    table = stats.ecdf(runs, hits[hits["run"] == "r0"])
    assert table["evaluations"][:3].tolist() == [0, 4, 10]
    assert table["share"][:3].tolist() == [0, 0.5, 0.75]
    assert stats.ert(runs, hits[hits["run"] == "r0"])["ert"].item() == 10.0


def test_nobody_meets_anything(frames: Frames) -> None:
    table = stats.ecdf(*frames(*seeds([(10, False), (10, False)])))
    assert table["share"].tolist() == [0.0, 0.0]
    assert stats.ert(*frames(*seeds([(10, False)])))["ert"].tolist() == [INF]
