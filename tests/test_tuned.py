"""Selection and its statistics, against worked examples and brute force."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import curves, stats, tables, tuned

INF, NAN = math.inf, math.nan
RUN: dict[str, Any] = {
    **dict.fromkeys(tables.RUN_COLUMNS, 0),
    **{"problem": "sphere", "n": 2, "settings": '{"n": 2}', "optimizer": "gd", "params": "{}", "label": "gd"},
    **{"schedule": "constant", "schedule_params": "{}", "clip": "none", "batch_order": "shuffle", "multipliers": "[]"},
    **{"targets": "[0.1, 1e-06]", "status": "budget", "fun": 1.0, "f0": 5.0, "f_opt": 0.0, "kkt": NAN, "frozen": False},
    **{"code": "", "message": "", "finished_at": "", "max_iter": 100, "nit": 100, "lr": 0.1, "decay_bias": True},
    **{"warmup_start": 1 / 3, "val_loss": NAN, "val_accuracy": NAN, "wall_median": 0.01},
}
STUDY: dict[str, Any] = {"mode": "grid", "criterion": "final_loss", "target": 1e-3, "parameters": ["lr"]}


def runs_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Table of runs that differ from `RUN` so, named r0, r1, ..."""
    full = [{**RUN, **row} for row in rows]
    names = pd.Index([f"r{k}" for k in range(len(rows))], name="run", dtype="str")
    columns = {
        key: pd.Series([row[key] for row in full], names, dtype=kind) for key, kind in tables.RUN_COLUMNS.items()
    }
    return pd.DataFrame(columns)


def hits_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Hits at 0.1 and 1e-6 of the runs of `runs_of`: iteration ``hit`` at both."""
    keys = [f"r{k}" for k in range(len(rows)) for _ in range(2)]
    met = pd.array([row.get("hit") for row in rows for _ in range(2)], dtype="Int64")
    return pd.DataFrame({"run": keys, "target": [0.1, 1e-6] * len(rows), "iteration": met})


def study(rows: list[dict[str, Any]], **settings: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables of one study; a row says what its run is: number, role (default: trial) and budget."""
    known = [{"role": "trial", "budget": 0, "number": k, **row} for k, row in enumerate(rows)]
    trials = pd.DataFrame([{key: row[key] for key in ("role", "budget", "number")} for row in known])
    trials = trials.assign(
        study="s", run=[f"r{k}" for k in range(len(rows))], settings=json.dumps({**STUDY, **settings})
    )
    extra = {"role", "budget", "number", "hit"}
    return runs_of([{k: v for k, v in row.items() if k not in extra} for row in rows]), hits_of(rows), trials


def winner(rows: list[dict[str, Any]], budget: int = 99, **settings: Any) -> int:
    medians = tuned.scores(tuned.judged(*study(rows, **settings)))
    return tuned.best_trial(medians.loc[["s"]].droplevel(0), budget)


# ------------------------------------------------------------------------------------------------------ selection


def test_lowest_loss_wins_and_budgets_are_nested() -> None:
    losses = [3.0, 2.0, 4.0, 1.0, 0.5]
    rows: list[dict[str, Any]] = [{"fun": loss} for loss in losses]
    assert [winner(rows, budget) for budget in range(5)] == [0, 1, 1, 3, 4]


def test_what_is_not_finite_or_failed_never_beats_the_defaults() -> None:
    bad: list[dict[str, Any]] = [{"fun": NAN}, {"fun": INF}, {"fun": -INF}]
    bad += [{"fun": 0.0, "status": status} for status in ("diverged", "error", "crashed")]
    for row in bad:
        assert winner([{"fun": 9.0}, row]) == 0
    assert winner([{"fun": NAN}, {"fun": INF}]) == 0
    assert winner([{"fun": NAN}, {"fun": 1e9}]) == 1


def test_median_over_tuning_seeds_counts_a_failure_as_infinite() -> None:
    rows: list[dict[str, Any]] = [{"number": 0, "fun": 2.0} for _ in range(3)]
    rows += [{"number": 1, "fun": value} for value in (1.0, 1.5, NAN)]  # median 1.5
    rows += [{"number": 2, "fun": value} for value in (0.0, NAN, NAN)]  # median infinite
    assert winner(rows) == 1


def test_runs_that_met_every_target_are_equal_and_the_fastest_wins() -> None:
    done = {"status": "converged"}
    rows: list[dict[str, Any]] = [
        {"fun": 1.0},
        {"fun": 1e-9, "nit": 90, **done},
        {"fun": 4e-6, "nit": 40, **done},
        {"fun": 1e-5, "nit": 100},
    ]
    losses = stats.losses(runs_of(rows)).tolist()
    assert losses == pytest.approx([1.0, 5e-6, 5e-6, 1e-5], rel=1e-12)  # 1e-6 of the gap at the start
    assert winner(rows) == 2
    assert winner([{"fun": 1.0, "nit": 7}, {"fun": 1.0, "nit": 7}, {"fun": 1.0, "nit": 7}]) == 0


def test_loss_under_constraints_and_of_a_frozen_problem() -> None:
    rows: list[dict[str, Any]] = [{"fun": -9.0, "kkt": 0.5}, {"kkt": 1e-9, "status": "converged"}]
    done = {"f_opt": 0.2, "frozen": True, "status": "converged"}
    rows += [{**done, "fun": 0.21}, {**done, "fun": 0.22}, {**done, "fun": 0.9, "status": "budget"}]
    rows += [{**done, "fun": 0.3, "settings": "{}"}, {"f_opt": NAN, "fun": 0.7}]
    assert stats.losses(runs_of(rows)).tolist() == [0.5, 1e-6, 0.22, 0.22, 0.9, 0.3, 0.7]


def test_time_to_target() -> None:
    rows: list[dict[str, Any]] = [
        {"hit": 50, "fun": 0.0},
        {"hit": 20, "fun": 9.0},
        {"fun": 0.0},
        {"hit": 20, "fun": 8.0},
    ]
    assert winner(rows, criterion="time_to_target", target=0.1) == 3
    assert winner([{"fun": 2.0}, {"fun": 1.0}], criterion="time_to_target", target=0.1) == 1  # nobody met it


def test_held_out_criteria() -> None:
    rows: list[dict[str, Any]] = [
        {"val_loss": 0.5, "val_accuracy": 0.9, "fun": 1.0},
        {"val_loss": 0.4, "val_accuracy": 0.8, "fun": 2.0},
        {"fun": 0.0},
    ]
    assert winner(rows, criterion="val_loss") == 1
    assert winner(rows, criterion="val_accuracy") == 0


# -------------------------------------------------------------------------------------------------------- best of k


def brute(values: list[float], k: int, replacement: bool) -> dict[float, float]:
    """Distribution of the lowest of k values by listing all choices."""
    choices = itertools.product(values, repeat=k) if replacement else itertools.combinations(values, k)
    lowest = [min(choice) for choice in choices]
    return {value: lowest.count(value) / len(lowest) for value in set(lowest)}


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("values", [[4.0, 1.0, 3.0, 2.0, 5.0], [2.0, 2.0, 1.0, INF, INF], [1.0]])
def test_best_of_k_equals_brute_force(values: list[float], replacement: bool) -> None:
    for k in range(1, len(values) + 1):
        ordered, weights = curves.best_of_k(values, k, replacement=replacement)
        truth = brute(values, k, replacement)
        assert weights.sum() == pytest.approx(1.0)
        for value in set(values):
            assert weights[ordered == value].sum() == pytest.approx(truth.get(value, 0.0))
        wanted = sum(value * chance for value, chance in truth.items())
        assert curves.expected(ordered, weights) == pytest.approx(wanted)


def test_best_of_k_by_hand() -> None:
    ordered, weights = curves.best_of_k([3.0, 1.0, 2.0], 2)
    assert ordered.tolist() == [1.0, 2.0, 3.0]
    assert weights.tolist() == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert curves.best_of_k([3.0, 1.0, 2.0], 2, replacement=True)[1] == pytest.approx([5 / 9, 3 / 9, 1 / 9])
    assert [curves.quantile(ordered, weights, q) for q in (0.25, 0.6, 2 / 3, 0.7)] == [1.0, 1.0, 1.0, 2.0]
    assert curves.expected(*curves.best_of_k([1.0, INF, INF], 3)) == 1.0
    for k in (0, 4):
        with pytest.raises(ValueError, match="k must lie between 1 and the 3 trials"):
            curves.best_of_k([1.0, 2.0, 3.0], k)


def test_curve_starts_from_the_defaults_and_ends_at_the_winner() -> None:
    medians = pd.DataFrame({"score": [2.0, 5.0, INF, 1.0]}, index=[0, 1, 2, 3])
    made = curves.curve(medians, [1, 2, 3])
    assert made.loc[[1]].to_numpy()[0].tolist() == pytest.approx(
        [5 / 3, 1.0, 2.0, 2.0]
    )  # 2, 2, 1: one in three improves
    assert made.loc[[3]].to_numpy()[0].tolist() == [1.0] * 4


# ----------------------------------------------------------------------------------------------------- sensitivity


def test_good_rates_are_those_around_the_winner() -> None:
    losses = [5.0, 0.4, 3.0, 0.9, 0.1, 1.0, 1.1, 0.5, NAN]
    rates = np.geomspace(1e-4, 1e4, 9)
    rows: list[dict[str, Any]] = [
        {"fun": 1.0, "lr": 0.3},
        *({"fun": f, "lr": lr} for f, lr in zip(losses, rates, strict=True)),
    ]
    made = curves.sensitivity(*study(rows))
    assert made["lr"].tolist() == pytest.approx(rates.tolist())
    assert made["good"].tolist() == [False, False, False, True, True, True, False, False, False]
    assert made["best"].tolist() == [k == 4 for k in range(9)]
    assert made["decades"].iloc[0] == pytest.approx(3.0)
    assert made["default"].iloc[0] == 0.3


def test_good_rates_by_time_and_without_a_minimum() -> None:
    rows: list[dict[str, Any]] = [
        {"number": 0},
        *({"hit": hit, "lr": 10.0**k} for k, hit in enumerate([40, 20, 41, None])),
    ]
    timed = curves.sensitivity(*study(rows, criterion="time_to_target", target=0.1))
    assert timed["good"].tolist() == [True, True, False, False]
    rows = [
        {"f_opt": NAN},
        *({"fun": f, "f_opt": NAN, "lr": 10.0**k} for k, f in enumerate([1.3, 1.2, 1.0, 5.0])),
    ]
    unknown = curves.sensitivity(*study(rows))
    assert unknown["good"].tolist() == [False, True, True, False]  # start 5, best 1: up to 1.2
    failed = curves.sensitivity(*study([{"number": 0}, *({"fun": NAN, "lr": 10.0**k} for k in range(3))]))
    assert not failed["good"].any()


@pytest.mark.parametrize(
    ("criterion", "name", "values", "good"),
    [
        ("val_accuracy", "val_accuracy", [0.6, 0.86, 0.9, 0.85], [False, True, True, False]),  # from 0.855
        ("val_loss", "val_loss", [1.1, 1.04, 1.0, 1.06], [False, True, True, False]),
        ("final_loss", "kkt", [2e-3, 9e-4, 1e-4, 1.1e-3], [False, True, True, False]),
    ],
)
def test_good_rates_are_in_the_unit_of_the_score(
    criterion: str, name: str, values: list[float], good: list[bool]
) -> None:
    kept = {"f0": 1e3, "f_opt": NAN} if name != "kkt" else {"f0": 1e3}
    rows: list[dict[str, Any]] = [{**kept, name: value, "lr": 10.0**k} for k, value in enumerate([0.5, *values], -1)]
    made = curves.sensitivity(*study(rows, criterion=criterion))
    assert made["good"].tolist() == good
    assert made["start"].isna().all()


def test_sensitivity_needs_a_grid_of_rates() -> None:
    for settings in ({"mode": "random"}, {"parameters": ["beta1"]}):
        with pytest.raises(ValueError, match="no grid of learning rates"):
            curves.sensitivity(*study([{}, {}], **settings))


# --------------------------------------------------------------------------------------------------------- tables


def test_comparison_places_and_cost() -> None:
    rows: list[dict[str, Any]] = [{"fun": 4.0}, {"fun": 1.0, "lr": 0.5, "nit": 50}, {"fun": 2.0}]
    rows += [{"role": "default", "number": 0, "fun": f} for f in (3.0, 5.0, 4.0)]
    rows += [
        {"role": "tuned", "number": 1, "budget": 2, "lr": 0.5, "fun": f, "hit": h}
        for f, h in ((1.0, 9), (INF, None), (2.0, 7))
    ]
    runs, hits, trials = study(rows)
    made = tuned.comparison(runs, hits, trials)
    assert made[["budget", "trial", "lr", "tuning", "score"]].to_numpy().tolist() == [
        [0, 0, 0.1, 4, 4],
        [2, 1, 0.5, 1, 2],
    ]
    assert made["success"].tolist() == [0.0, pytest.approx(2 / 3)]
    assert made["iterations"].tolist() == [INF, 9.0]
    spent = tuned.cost(runs, hits, trials).iloc[0]
    assert (spent["trials"], spent["runs"], spent["iterations"]) == (3, 3, 250)
    assert spent["seconds"] == pytest.approx(250 * 0.01 / 100)
    two = pd.concat([made.assign(optimizer="a"), made.assign(optimizer="b", score=[1.0, 9.0])])
    assert tuned.places(two).to_dict() == {0: {"a": 2.0, "b": 1.0}, 2: {"a": 1.0, "b": 2.0}}
    equal = pd.concat([made.assign(optimizer="a"), made.assign(optimizer="b", tie=[99.0, 200.0])])
    assert tuned.places(equal).to_dict() == {0: {"a": 2.0, "b": 1.0}, 2: {"a": 1.0, "b": 2.0}}


def test_what_is_not_known_is_no_failure_and_targets_are_those_of_the_runs_concerned() -> None:
    rows: list[dict[str, Any]] = [{"f_opt": NAN}, {"role": "default", "number": 0, "f_opt": NAN}]
    runs, hits, trials = study(rows)
    other = pd.DataFrame({"run": ["x"], "target": [1e-9], "iteration": pd.array([3], dtype="Int64")})
    made = tuned.comparison(runs, pd.concat([hits, other]), trials)
    assert made[["iterations", "success"]].isna().all(axis=None)
    assert made["target"].tolist() == [1e-6]
    runs, hits, trials = study([{**row, "f_opt": 0.0} for row in rows])
    assert tuned.comparison(runs, hits, trials)[["iterations", "success"]].to_numpy().tolist() == [[INF, 0.0]]


@pytest.mark.parametrize("criterion", ["val_loss", "val_accuracy"])
def test_held_out_measures_of_a_failed_run_are_worst(criterion: str) -> None:
    good = {"val_loss": 0.5, "val_accuracy": 0.5}
    for bad in ({"status": "diverged"}, {"fun": NAN}, {"fun": INF, "nit": 1}):
        assert winner([good, {"val_loss": 0.1, "val_accuracy": 0.9, **bad}], criterion=criterion) == 0


def test_side_by_side_leaves_trials_out_and_shows_a_run_in_both_roles() -> None:
    rows: list[dict[str, Any]] = [{"fun": 4.0, "seed": 9}, {"fun": 1.0, "seed": 9, "lr": 0.5}]
    rows += [{"role": "default", "number": 0}, {"role": "tuned", "number": 1, "budget": 2, "lr": 0.5}, {"lr": 7.0}]
    runs, hits, trials = study(rows)
    trials = trials.iloc[:4]  # the last run is of no study
    both = trials.iloc[[2]].assign(role="tuned", budget=1)  # the defaults won the smaller budget
    trials = pd.concat([trials, both])
    shown, moved = tuned.side_by_side(runs, {"hits": hits}, trials)
    assert shown["label"].tolist() == ["gd", "gd tuned", "gd"]
    assert shown.index.tolist() == ["r2", "r3", "r4"]
    assert set(moved["hits"]["run"]) == {"r2", "r3", "r4"}
    shown, moved = tuned.side_by_side(runs, {"hits": hits}, trials, budgets=[1, 2])
    assert shown["label"].tolist() == ["gd", "gd tuned 1", "gd tuned 2", "gd"]
    assert shown.index.tolist() == ["r2", "r2/1", "r3", "r4"]
    assert moved["hits"].groupby("run").size().tolist() == [2, 2, 2, 2]


def test_side_by_side_counts_the_winner_of_two_studies_once_and_tells_different_ones_apart() -> None:
    rows: list[dict[str, Any]] = [{"role": "default", "number": 0}, {"role": "tuned", "number": 1, "budget": 2}]
    rows += [{"role": "tuned", "number": 1, "budget": 3, "lr": 0.5}]
    runs, hits, trials = study(rows[:2], mode="random")
    again = trials.assign(study="t", budget=trials["budget"] + trials["budget"] // 2)  # the same cell, budget 3
    shown, moved = tuned.side_by_side(runs, {"hits": hits}, pd.concat([trials, again]))
    assert shown["label"].tolist() == ["gd", "gd tuned"]
    assert len(moved["hits"]) == 4
    runs, hits, trials = study(rows)
    other = json.dumps({**STUDY, "criterion": "val_loss"})
    trials.loc[[2], ["study", "settings"]] = ["t", other]
    shown, _ = tuned.side_by_side(runs, {}, trials)
    assert shown["label"].tolist() == ["gd", "gd tuned criterion=final_loss", "gd tuned criterion=val_loss"]


def test_side_by_side_leaves_out_what_only_tuning_asked_for_and_no_study_names() -> None:
    labels = ["gd", "gd trial 3", "gd tuned 25", "mine"]
    runs, hits, trials = study([{"label": label} for label in labels])
    shown, _ = tuned.side_by_side(runs, {"hits": hits}, trials.assign(role="default").iloc[:1])
    assert shown["label"].tolist() == ["gd", "mine"]
