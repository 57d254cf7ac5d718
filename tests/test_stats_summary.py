"""The summary of hand-worked tables, in which every number can be checked by eye."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import console, stats

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def test_summary_of_a_hand_worked_table(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"seed": 0, "fun": 1e-9, "nit": 40, "wall_median": 4e-3, "compile_seconds": 0.5},
        {"seed": 1, "fun": 2e-9, "nit": 60, "wall_median": 6e-3},
        {"seed": 2, "fun": NAN, "nit": 3, "wall_median": 1e-3, "status": "diverged"},
        {"optimizer": "adam", "status": "budget", "fun": 0.5, "nit": 100, "wall_median": NAN, "n_times": 0},
    ]
    reached: list[Mapping[float, int | None]] = [
        {0.1: 4, 1e-6: 30},
        {0.1: 5, 1e-6: 60},
        {0.1: None, 1e-6: None},
        {0.1: 50, 1e-6: None},
    ]
    table = stats.summary(*frames(rows, reached))
    assert list(table["problem"]) == ["sphere n=2"] * 2
    gd, adam = (row for _, row in table.iterrows())
    assert (gd["optimizer"], gd["schedule"], gd["runs"], gd["converged"], gd["diverged"]) == ("gd", "constant", 3, 2, 1)
    assert gd["success 1e-1"] == gd["success 1e-6"] == pytest.approx(2 / 3)
    assert (gd["iterations 1e-1"], gd["iterations 1e-6"]) == (5, 60)  # of 4, 5, inf and of 30, 60, inf
    assert gd["seconds 1e-6"] == pytest.approx(6e-3)
    assert (gd["wall_seconds"], gd["compile_seconds"], gd["gap"]) == (4e-3, 0.5, 2e-9)
    assert (adam["budget"], adam["success 1e-1"], adam["success 1e-6"], adam["iterations 1e-1"]) == (1, 1.0, 0.0, 50)
    assert math.isnan(adam["seconds 1e-1"])  # met, but not timed
    assert adam["iterations 1e-6"] == adam["seconds 1e-6"] == INF
    assert math.isnan(adam["wall_seconds"])
    assert "clip" not in table

    text = stats.text(table)
    assert list(text["iterations 1e-6"]) == ["60", "-"]
    assert list(text["seconds 1e-1"]) == ["0.0005", "?"]
    assert list(text["gap"]) == ["2e-09", "0.5"]


def test_summary_medians_are_infinite_from_one_half_of_failures_on(frames: Frames) -> None:
    rows = [{"seed": k} for k in range(4)]
    table = stats.summary(*frames(rows, [{1e-6: 1}, {1e-6: 2}, {1e-6: None}, {1e-6: None}]))
    assert table["iterations 1e-6"].item() == INF
    assert table["success 1e-6"].item() == 0.5


def test_summary_without_a_known_minimum_says_so(frames: Frames) -> None:
    table = stats.summary(*frames([{"f_opt": NAN}], [{0.1: None}]))
    assert table[["success 1e-1", "iterations 1e-1", "seconds 1e-1", "gap"]].isna().all(axis=None)


def test_summary_shows_the_clipping_where_it_varies_and_the_targets_asked_for(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{}, {"clip": "norm", "clip_at": 1.0}]
    table = stats.summary(*frames(rows, [{0.1: 1, 0.01: 2}, {0.1: 3, 0.01: 4}]), targets=[0.01])
    assert list(table["clip"]) == ["none", "norm 1"]
    assert [name for name in table.columns if str(name).startswith("iterations ")] == ["iterations 1e-2"]


def test_summary_without_targets_and_without_runs(frames: Frames) -> None:
    runs, hits = frames([{"targets": "[]"}], [{}])
    assert not [name for name in stats.summary(runs, hits).columns if str(name).startswith("iterations")]
    with pytest.raises(ValueError, match="no runs to summarize"):
        stats.summary(runs[:0], hits)


def test_summary_gives_intervals_and_expected_running_times(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"seed": 0, "nit": 40, "nfev": 41, "wall_median": 4e-3},
        {"seed": 1, "nit": 60, "nfev": 121, "wall_median": 6e-3},
        {"seed": 2, "nit": 3, "nfev": 4, "wall_median": 1e-3, "status": "diverged", "fun": NAN},
        {"optimizer": "adam", "nit": 100, "status": "budget"},
    ]
    gd, adam = (
        row for _, row in stats.summary(*frames(rows, [{0.1: 30}, {0.1: 60}, {0.1: None}, {0.1: None}])).iterrows()
    )
    assert gd["ert_iterations 1e-1"] == (30 + 60 + 3) / 2
    assert gd["ert_evaluations 1e-1"] == (31 + 121 + 4) / 2
    assert gd["ert_seconds 1e-1"] == pytest.approx((3e-3 + 6e-3 + 1e-3) / 2)
    assert math.isnan(gd["ert_epochs 1e-1"])  # no finite sum
    assert (gd["iterations_q25 1e-1"], gd["iterations_q75 1e-1"]) == (45, INF)
    assert (gd["iterations_low 1e-1"], gd["iterations_high 1e-1"]) == (30, INF)
    np.testing.assert_allclose([gd["success_low 1e-1"], gd["success_high 1e-1"]], [0.2077, 0.9385], atol=5e-5)
    assert adam["ert_iterations 1e-1"] == adam["ert_seconds 1e-1"] == INF
    assert math.isnan(adam["iterations_low 1e-1"])  # one run
    assert (gd["fun"], gd["fun_q75"]) == (0, INF)


def test_summary_of_problems_without_a_minimum_has_their_final_values(frames: Frames) -> None:
    ends = {"n_samples": 10, "f_opt": NAN, "problem": "mlp"}
    rows = [{**ends, "seed": k, "fun": k, "val_loss": 2.0 * k, "val_accuracy": 0.5 + 0.1 * k} for k in range(3)]
    table = stats.summary(*frames(rows, [{0.1: None}] * 3))
    assert table[["val_loss_q25", "val_loss", "val_loss_q75"]].to_numpy().tolist() == [[1, 2, 3]]
    np.testing.assert_allclose(table[["val_accuracy_q25", "val_accuracy"]], [[0.55, 0.6]])
    assert table["fun"].item() == 1
    assert table[["success 1e-1", "success_low 1e-1", "ert_iterations 1e-1", "gap"]].isna().all(axis=None)


def test_the_printed_table_shows_the_spread_over_seeds_and_what_there_is_to_judge(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"seed": 0, "nit": 40}, {"seed": 1, "nit": 60}, {"seed": 2, "nit": 3}]
    runs, hits = frames(rows, [{0.1: 4, 1e-6: 30}, {0.1: 6, 1e-6: 60}, {0.1: 5, 1e-6: None}])
    row = console.accuracy(stats.summary(runs, hits)).iloc[0]
    assert (row["to 1e-1"], row["to 1e-6"], row["ERT 1e-6"], row["met 1e-6"]) == ("5", "60 [45, -]", "46", "2/3")
    assert "loss at end" not in row
    one = console.accuracy(stats.summary(runs[:1], hits)).iloc[0]
    assert one["to 1e-6"] == "30"
    assert "ERT 1e-6" not in one
    unknown = runs.assign(f_opt=NAN, val_loss=[0.1, 0.2, 0.3])
    row = console.accuracy(stats.summary(unknown, hits)).iloc[0]
    assert (row["to 1e-6"], row["met 1e-6"], row["loss at end"]) == ("?", "?/3", "0 [0, 0]")
    assert row["held-out loss"] == "0.2 [0.15, 0.25]"
    assert "gap at end" not in row


def test_epochs_are_shown_where_batches_vary(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"batch_size": size, "batch_order": "shuffle", "n_samples": 64, "epochs": epochs}
        for size, epochs in ((0, 10), (32, 5))
    ]
    table = console.accuracy(stats.summary(*frames(rows, [{0.1: 4}, {0.1: 6}])))
    assert table[["batch", "epochs to 1e-1"]].to_numpy().tolist() == [["full", "4"], ["32", "3"]]


def test_the_best_schedule_of_every_batch_and_by_its_loss_where_no_minimum_is_known(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"schedule": schedule, "batch_size": size, "n_samples": 50, "f_opt": NAN, "fun": fun}
        for schedule, size, fun in (("constant", 0, 2.0), ("cosine", 0, 1.0), ("constant", 8, 3.0), ("cosine", 8, 4.0))
    ]
    best = console._best_schedules(stats.summary(*frames(rows, [{0.1: None}] * 4)))
    assert best[["schedule", "batch", "fun"]].to_numpy().tolist() == [["cosine", "full", 1.0], ["constant", "8", 3.0]]
