"""Ranks, worked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import console, stats

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def test_ranking_of_a_hand_worked_table(competitors: Frames) -> None:
    #        a     b     c                  ranks on a, b, c
    table: dict[str, list[int | None]] = {
        "adam": [10, 20, None],  #          1.5  2    3    -> 13/6
        "gd": [10, None, None],  #          1.5  3.5  3    -> 16/6
        "lion": [30, 5, 7],  #              3    1    1    -> 10/6
        "yogi": [40, None, None],  #        4    3.5  3    -> 21/6
    }
    ranks = stats.ranking(*competitors(table)).set_index("optimizer")
    assert list(ranks.index) == ["lion", "adam", "gd", "yogi"]
    np.testing.assert_allclose(ranks["rank_iterations"], np.array([10, 13, 16, 21]) / 6)
    assert list(ranks["best_iterations"]) == [2, 1, 1, 0]  # a tie for the first place counts for both
    assert list(ranks["solved"]) == [3, 2, 1, 1]
    assert list(ranks["problems"]) == [3] * 4
    np.testing.assert_allclose(ranks["success"], [1, 2 / 3, 1 / 3, 1 / 3])


def test_nobody_is_best_where_all_fail(competitors: Frames) -> None:
    ranks = stats.ranking(*competitors({"adam": [None], "gd": [None]}))
    assert list(ranks["rank_iterations"]) == [1.5, 1.5]
    assert list(ranks["best_iterations"]) == [0, 0]


def test_ranks_are_averaged_over_seeds_first_so_that_problems_count_alike(frames: Frames) -> None:
    rows = [
        {"optimizer": o, "problem": p, "seed": s} for o in ("adam", "gd") for p, s in (("a", 0), ("a", 1), ("b", 0))
    ]
    ranks = stats.ranking(*frames(rows, [{1e-6: k} for k in (1, 1, 9, 2, 2, 3)]))
    assert dict(zip(ranks["optimizer"], ranks["rank_iterations"], strict=True)) == {"adam": 1.5, "gd": 1.5}


def test_ranks_in_seconds_follow_the_clock_and_skip_pairings_that_were_not_timed(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [10, 10], "gd": [20, 20]})
    assert stats.ranking(runs, hits)["rank_seconds"].tolist() == [1.5, 1.5]  # 1 ms for every run, whatever it took
    hits.loc[hits["run"] == "r3", "seconds"] = NAN  # gd on b
    hits.loc[hits["run"] == "r2", "seconds"] = 1e-5  # gd on a
    table = stats.ranking(runs, hits).set_index("optimizer")
    assert table["rank_seconds"].to_dict() == {"adam": 2.0, "gd": 1.0}
    assert table["best_seconds"].to_dict() == {"adam": 0, "gd": 1}


def test_places_over_different_problems_stand_apart(competitors: Frames, capsys: pytest.CaptureFixture[str]) -> None:
    runs, hits = competitors({"adam": [2, 2, 9], "gd": [3, 3, 8], "lion": [1, 1]})
    ranks = stats.ranking(runs, hits)
    assert ranks[["optimizer", "problem_set", "problems"]].to_numpy().tolist() == [
        ["adam", 0, 3], ["gd", 0, 3], ["lion", 1, 2],
    ]  # fmt: skip
    console._print_ranking(ranks, full=False)
    told = capsys.readouterr().out
    assert told.index("over starts and 3 problems") < told.index("gd") < told.index("starts and 2 problems")
    assert told.index("starts and 2 problems") < told.index("lion")


def test_batches_are_ranked_by_epochs(frames: Frames) -> None:
    # On `a` a batch of 10 of 100 samples takes 5 epochs in 50 iterations; on `b`, no finite sum, iterations count.
    rows: list[dict[str, Any]] = [
        {"problem": "a", "n_samples": 100, "batch_size": 10, "nit": 50, "epochs": 5.0},
        {"problem": "a", "n_samples": 100, "nit": 20, "epochs": 20.0},
        {"problem": "b", "nit": 7},
        {"problem": "b", "optimizer": "adam", "nit": 8},
    ]
    ranks = stats.ranking(*frames(rows, [{1e-6: row["nit"]} for row in rows]))
    assert ranks[["optimizer", "batch", "rank_epochs", "rank_iterations"]].to_numpy().tolist() == [
        ["gd", "full", 1.5, 1.0], ["gd", "10", 1.0, 2.0], ["adam", "full", 2.0, 2.0],
    ]  # fmt: skip


def test_ranking_leaves_problems_without_a_known_minimum_out(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [1, 5], "gd": [2, 4]})
    runs.loc[runs["problem"] == "b", "f_opt"] = NAN
    assert stats.ranking(runs, hits)["rank_iterations"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="no runs to rank: no problem has a known minimum"):
        stats.ranking(runs.assign(f_opt=NAN), hits)
    with pytest.raises(ValueError, match="no runs to rank"):
        stats.ranking(runs[:0], hits)
