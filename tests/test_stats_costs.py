"""Costs of runs, in hand-worked tables."""

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


def test_costs_are_infinite_for_failures_and_unknown_without_a_minimum_or_a_target(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"seed": 2, "f_opt": NAN},
        {"seed": 3},
        {"seed": 4, "wall_median": NAN},
    ]
    runs, hits = frames(rows, [{1e-6: 5}, {1e-6: None}, {1e-6: None}, {0.1: 1}, {1e-6: 7}])
    np.testing.assert_equal(stats.costs(runs, hits, 1e-6).to_numpy(), [5, INF, NAN, NAN, 7])
    np.testing.assert_allclose(stats.costs(runs, hits, 1e-6, "seconds"), [5e-4, INF, NAN, NAN, NAN])
    assert stats.costs(runs, hits, 1e-6).index.equals(runs.index)
    np.testing.assert_allclose(stats.budget_costs(runs), 100)
    np.testing.assert_allclose(stats.budget_costs(runs, "seconds"), [0.01] * 4 + [NAN])


def test_targets_that_were_not_recorded_are_refused_with_those_that_were(frames: Frames) -> None:
    runs, hits = frames([{}], [{0.1: 1, 10.0**-4: 5}])
    assert stats.pick_target(hits) == 1e-4
    assert stats.pick_target(frames([{}], [{0.1: 1, 1e-6: None, 1e-8: None}])[1]) == 0.1
    assert stats.pick_target(frames([{}], [{0.1: 1, 1e-6: 2, 1e-8: 3}])[1]) == 1e-6
    assert stats.pick_target(frames([{}], [{0.1: None, 1e-8: None}])[1]) == 1e-8
    assert stats.pick_target(hits, 0.1) == 0.1
    with pytest.raises(ValueError, match=r"target 0\.01 was not recorded\. Known: 1e-1, 1e-4"):
        stats.costs(runs, hits, 0.01)
    with pytest.raises(ValueError, match="not asked for any target"):
        stats.pick_target(hits[:0])
    with pytest.raises(ValueError, match="iterations, epochs, evaluations, seconds, not 'steps'"):
        stats.costs(runs, hits, 0.1, "steps")  # type: ignore[arg-type]


def test_evaluations_count_the_start_and_go_in_proportion_to_the_iterations(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"nit": 10, "nfev": 11}, {"nit": 10, "nfev": 31}, {"nit": 0, "nfev": 1}]
    runs, hits = frames(rows, [{0.1: 4}, {0.1: 5}, {0.1: 0}])
    assert stats.costs(runs, hits, 0.1, "evaluations").tolist() == [5, 16, 1]


def test_epochs_are_known_for_finite_sums_alone(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"n_samples": 100, "epochs": 2.5}, {"n_samples": 100, "seed": 1}, {"seed": 2}]
    runs, hits = frames(rows, [{0.1: 4}, {0.1: None}, {0.1: 4}])
    np.testing.assert_equal(stats.costs(runs, hits, 0.1, "epochs").to_numpy(), [1.0, INF, NAN])
    np.testing.assert_equal(stats.budget_costs(runs, "epochs").to_numpy(), [25.0, 0.0, NAN])


def test_what_failed_spent_all_that_it_ran(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"nit": 40, "nfev": 81},
        {"nit": 7, "nfev": 8, "wall_median": 2e-3, "status": "diverged"},
        {"nit": 9, "nfev": 10, "wall_median": NAN, "status": "timeout", "time_limit": 60.0},
        {"nit": 9, "nfev": 10, "wall_median": NAN, "status": "crashed"},
        {"f_opt": NAN},
    ]
    runs, hits = frames(rows, [{0.1: 20}, {0.1: None}, {0.1: None}, {0.1: None}, {0.1: None}])
    np.testing.assert_equal(stats.spent(runs, hits, 0.1).to_numpy(), [20, 7, 9, 9, NAN])
    np.testing.assert_equal(stats.spent(runs, hits, 0.1, "evaluations").to_numpy(), [41, 8, 10, 10, NAN])
    np.testing.assert_allclose(stats.spent(runs, hits, 0.1, "seconds"), [5e-4, 2e-3, 60, NAN, NAN])


def test_final_values_of_runs_that_broke_are_the_worst(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"fun": 1.0, "val_loss": 2.0, "val_accuracy": 0.9},
        {"fun": NAN, "val_loss": NAN, "val_accuracy": 0.3, "seed": 1},
        {"fun": 3.0, "problem": "booth"},
        {"fun": -INF, "problem": "booth"},
    ]
    runs, _ = frames(rows)
    np.testing.assert_equal(stats.final(runs).to_numpy(), [1, INF, 3, INF])
    np.testing.assert_equal(stats.final(runs, "val_loss").to_numpy(), [2, INF, NAN, NAN])
    np.testing.assert_equal(stats.final(runs, "val_accuracy").to_numpy(), [0.9, 0, NAN, NAN])
    with pytest.raises(ValueError, match="fun, val_loss, val_accuracy, not 'gap'"):
        stats.final(runs, "gap")  # type: ignore[arg-type]


def test_losses_of_runs_that_met_every_target_are_that_level(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"fun": 1e-9, "f_opt": 1.0, "f0": 11.0},  # 1 + 1e-6 (11 - 1)
        {"fun": 7.0, "f_opt": 1.0, "f0": 11.0, "status": "budget"},
        {"fun": 7.0, "status": "diverged"},
        {"fun": -INF, "status": "budget"},
        {"fun": 3.0, "f_opt": NAN},  # no level is known
        {"fun": 3.0, "problem": "b", "frozen": True},
        {"fun": 4.0, "problem": "b", "frozen": True, "seed": 1},
        {"fun": 5.0, "problem": "b", "frozen": True, "targets": "[0.1]"},
        {"fun": 9.0, "problem": "b", "frozen": True, "status": "budget"},
        {"fun": 3.0, "kkt": 1e-9},
        {"fun": -3.0, "kkt": 0.5, "status": "budget"},
    ]
    runs, _ = frames([{"kkt": NAN, **row} for row in rows])
    level = 1.0 + 1e-6 * 10.0
    np.testing.assert_equal(stats.losses(runs).to_numpy(), [level, 7, INF, INF, 3, 4, 4, 5, 9, 1e-6, 0.5])
