"""Tuning end to end: what is run, who wins, what is kept, what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import optbench
from optbench import harness, tuned, tuning, workers
from optbench.config import Config, ConfigError, parse_config
from optbench.outcome import Result, Run
from optbench.plan import make_plan
from optbench.store import Results, load
from optbench.tables import run_of

TABLE: dict[str, Any] = {"mode": "quasi-random", "budgets": [3, 6], "seeds": 2}
MATRIX: dict[str, Any] = {
    "problems": ["beale", "booth"],
    "optimizers": ["gd", "adam", "lbfgs"],
    "budget": {"max_iter": 60, "seeds": 3, "repeats": 0},
    "tuning": TABLE,
}


def config_of(**changes: Any) -> Config:
    return parse_config({**MATRIX, **changes}, "m.toml")


def run(path: Path, config: Config, **options: Any) -> tuning.Done:
    return tuning.run_matrix(config, make_plan(config), path, jobs=0, repeats=0, **options)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The matrix above, tuned."""
    path = tmp_path_factory.mktemp("tuned") / "r.db"
    run(path, config_of())
    return load(path)


def runs_in(results: Results, role: str) -> pd.DataFrame:
    """Rows of the runs table that have a role, with what `trials` says of them."""
    part = results.trials[results.trials["role"] == role].drop(columns="settings")
    return part.merge(results.runs, left_on="run", right_index=True)


# ------------------------------------------------------------------------------------------------------ what is run


def test_every_study_gets_the_same_number_of_trials_on_tuning_seeds(results: Results) -> None:
    trials = runs_in(results, "trial")
    assert trials["study"].nunique() == 4  # gd and adam on two problems; lbfgs has nothing to search
    assert trials.groupby(["study", "number"])["seed"].apply(list).map(sorted).tolist() == [[1000, 1001]] * 28
    assert sorted(trials["number"].unique()) == list(range(7))


def test_tests_are_on_other_seeds_and_nothing_else_is_run(results: Results) -> None:
    tests = pd.concat([runs_in(results, "default"), runs_in(results, "tuned")])
    assert set(tests["seed"]) == {0, 1, 2}
    assert (tests.groupby(["study", "role", "budget"]).size() == 3).all()
    rest = results.runs[~results.runs.index.isin(results.trials["run"])]
    assert set(rest["optimizer"]) == {"lbfgs"}
    assert len(rest) == 6


def test_trials_of_different_optimizers_have_the_same_learning_rates(results: Results) -> None:
    trials = runs_in(results, "trial")
    rates = trials[trials["number"] > 0].pivot_table(
        index="number", columns="optimizer", values="lr", aggfunc="nunique"
    )
    assert (rates == 1).all(axis=None)
    each = trials[trials["number"] > 0].groupby("number")["lr"].nunique()
    assert (each == 1).all()
    assert trials[trials["number"] == 0].groupby("optimizer")["lr"].first().to_dict() == {"adam": 1e-3, "gd": 1e-3}


def test_winner_is_the_lowest_median_loss_of_the_first_trials(results: Results) -> None:
    """Against an evaluation of its own: run the trials again, one by one, and take the minimum."""
    trials = runs_in(results, "trial")
    for study, rows in trials.groupby("study"):
        values = np.full((7, 2), np.inf)
        for _, row in rows.iterrows():
            done = harness.execute(run_of(row))
            if done.status not in ("diverged", "error") and np.isfinite(done.fun):
                values[row["number"], row["seed"] - 1000] = done.fun
        medians = np.median(values, axis=1)
        winners = results.trials[(results.trials["study"] == study) & (results.trials["role"] == "tuned")]
        for budget in (3, 6):
            number = winners.loc[winners["budget"] == budget, "number"].iloc[0]
            assert medians[number] == medians[: budget + 1].min()
            assert medians[number] <= medians[0]


def test_winners_have_the_hyperparameters_of_their_trial(results: Results) -> None:
    trials, winners = runs_in(results, "trial"), runs_in(results, "tuned")
    assert (winners["number"] > 0).any()
    for _, row in winners.iterrows():
        same = trials[(trials["study"] == row["study"]) & (trials["number"] == row["number"])].iloc[0]
        for column in ("lr", "params", "problem", "schedule", "max_iter", "targets"):
            assert row[column] == same[column]


def test_trials_keep_no_trace_and_tests_do(results: Results) -> None:
    assert set(results.traces["run"]) == set(results.runs.index) - set(runs_in(results, "trial")["run"])


def test_distance_to_a_minimizer_plays_no_part(tmp_path: Path) -> None:
    """The same objective with minimizers that are said to lie elsewhere: the same trials win."""
    (tmp_path / "mine.py").write_text(
        "import optbench\n"
        "def bowl(x, g, data):\n    g[0] = 2 * x[0]\n    g[1] = 20 * x[1]\n    return x[0] ** 2 + 10 * x[1] ** 2\n"
        "@optbench.problem()\ndef bowl_at(at: float = 0.0) -> optbench.Problem:\n"
        "    return optbench.Problem(bowl, [1.0, -2.0], x_opt=[at, at], f_opt=0.0)\n"
    )
    table = {**MATRIX, "problems": [{"name": "bowl_at", "at": [0.0, 3.0]}], "load": ["mine.py"]}
    table["budget"] = {**MATRIX["budget"], "seeds": [1]}
    config = parse_config({**table, "tuning": {**TABLE, "seeds": [0]}}, "m.toml", tmp_path)
    run(tmp_path / "r.db", config)
    winners = runs_in(load(tmp_path / "r.db"), "tuned").sort_values(["optimizer", "budget"])
    each = winners.groupby("settings")["number"].apply(list)
    assert len(each) == 2
    assert each.iloc[0] == each.iloc[1]


# ------------------------------------------------------------------------------------------------------ resumption


def test_the_same_command_does_nothing_again_and_a_larger_budget_only_the_rest(tmp_path: Path) -> None:
    path, small = tmp_path / "r.db", config_of(tuning={**TABLE, "budgets": [3]})
    first = run(path, small)
    assert first.trials is not None
    assert (first.trials.done, first.trials.kept) == (4 * 4 * 2, 0)
    again = run(path, small)
    assert again.trials is not None
    assert (again.trials.done, again.outcome.done) == (0, 0)
    larger = run(path, config_of())
    assert larger.trials is not None
    assert (larger.trials.done, larger.trials.kept) == (4 * 3 * 2, 4 * 4 * 2)
    assert larger.studies == first.studies
    recorded = load(path).trials
    smaller = run(path, small)
    results = load(path)
    pd.testing.assert_frame_equal(results.trials, recorded)
    assert results.runs.index[results.runs["label"].str.contains("trial")].isin(results.trials["run"]).all()
    mine = smaller.of(results.trials)
    assert (mine["number"].max(), set(mine["budget"])) == (3, {0, 3})


def test_an_interrupted_search_goes_on(tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BATCH", 10)

    class Stop(BaseException):
        """Ends the command in the middle of a stage."""

    def stop(stage: str, done: int, total: int) -> None:
        if stage == stopped:
            raise Stop

    path, config = tmp_path / "r.db", config_of()
    for stopped in ("tune", "run"):
        with pytest.raises(Stop):
            run(path, config, progress=stop)
        half = load(path)
        assert set(half.trials["role"]) == ({"trial"} if stopped == "tune" else {"trial", "default", "tuned"})
        assert 0 < len(half.runs) < len(results.runs)
    run(path, config)
    whole = load(path)
    columns = ["fun", "nit", "status", "label", "seed", "lr"]
    pd.testing.assert_frame_equal(whole.runs[columns].sort_index(), results.runs[columns].sort_index())
    pd.testing.assert_frame_equal(whole.trials, results.trials)


def test_winner_is_chosen_anew_when_the_code_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, config = tmp_path / "r.db", config_of(problems=["booth"], optimizers=["gd"])
    run(path, config)
    before = load(path).trials
    work = workers._work

    def reversed_losses(batch: list[Run]) -> list[Result]:
        results = work(batch)
        for result in results:
            result.fun, result.status = -result.fun, "budget"
        return results

    monkeypatch.setattr(harness, "code_of", lambda run: "changed")
    monkeypatch.setattr(workers, "_work", reversed_losses)
    run(path, config)
    after = load(path).trials
    assert after.groupby("role").size().to_dict() == before.groupby("role").size().to_dict()
    assert after[after["role"] == "tuned"]["number"].tolist() != before[before["role"] == "tuned"]["number"].tolist()


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tuning": {**TABLE, "seeds": [2, 7]}}, "tuning.seeds: seed 2 is a test seed as well"),
        (
            {"tuning": {**TABLE, "parameters": ["lr", "momentum"]}},
            "unknown hyperparameter of these optimizers: 'momentum'",
        ),
        (
            {"tuning": {**TABLE, "ranges": {"beta1": {"low": -1, "high": 0.5, "scale": "linear"}}}},
            "tuning.ranges: adam: beta1",
        ),
        ({"tuning": {**TABLE, "criterion": "val_loss"}}, "beale has no held-out samples for val_loss"),
        ({"tuning": {**TABLE, "criterion": "time_to_target", "target": 0.5}}, "0.5 is none of the targets of beale"),
        (
            {
                "problems": [{"name": "linear_regression", "validation": 0.25}],
                "tuning": {**TABLE, "criterion": "val_accuracy"},
            },
            "has no classes for val_accuracy",
        ),
        (
            {"problems": [{"name": "mlp", "units": 3}], "tuning": {**TABLE, "criterion": "time_to_target"}},
            "no known minimum",
        ),
        (
            {"optimizers": ["gd"], "tuning": {**TABLE, "ranges": {"beta1": [0.5, 0.9]}}},
            "the range of beta1 does nothing: no optimizer here has it searched",
        ),
        ({"optimizers": [{"name": "gd", "lr": [0.1, 0.2]}]}, "differ in nothing but what is searched"),
        ({"optimizers": ["lbfgs"]}, "no optimizer has anything to search"),
    ],
)
def test_plans_that_cannot_be_tuned_get_a_sentence(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        run(tmp_path / "r.db", config_of(**changes))
    assert message in str(error.value)
    assert all(line.startswith("m.toml: tuning") for line in error.value.errors)
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_stay_whole_and_search_methods_can_be_tuned(tmp_path: Path) -> None:
    table = {**TABLE, "parameters": ["m"], "ranges": {"m": {"low": 1, "high": 9, "scale": "linear"}}}
    run(tmp_path / "r.db", config_of(problems=["booth"], optimizers=["lbfgs"], tuning=table))
    sizes = runs_in(load(tmp_path / "r.db"), "trial")["params"].map(lambda text: json.loads(text)["m"])
    assert set(map(type, sizes)) == {int}
    assert len(set(sizes)) > 3


def test_held_out_accuracy_as_criterion(tmp_path: Path) -> None:
    problem = {"name": "logistic_regression", "data": "breast_cancer", "validation": 0.25}
    table = {**TABLE, "criterion": "val_accuracy", "budgets": [2], "seeds": 1}
    run(tmp_path / "r.db", config_of(problems=[problem], optimizers=["gd"], tuning=table))
    results = load(tmp_path / "r.db")
    compared = tuned.comparison(results.runs, results.hits, results.trials)
    assert (compared["score"] <= -0.5).all()
    assert compared["tuning"].is_monotonic_decreasing


# --------------------------------------------------------------------------------------------------------- Python


def test_tune_from_python_takes_single_entries_and_tests_on_five_seeds(tmp_path: Path) -> None:
    made = optbench.tune("booth", {"name": "gd"}, tmp_path / "r.db", budget={"max_iter": 5}, budgets=[2], seeds=1)
    assert set(runs_in(made, "default")["seed"]) == {0, 1, 2, 3, 4}
    assert set(made.runs["problem"]) == {"booth"}


def test_tune_from_python_is_the_matrix(tmp_path: Path, results: Results) -> None:
    made = optbench.tune(MATRIX["problems"], MATRIX["optimizers"], tmp_path / "r.db", budget=MATRIX["budget"], **TABLE)
    pd.testing.assert_frame_equal(made.trials, results.trials)
    assert json.loads(made.trials["settings"].iloc[0])["criterion"] == "final_loss"
