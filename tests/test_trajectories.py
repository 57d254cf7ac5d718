"""Trajectories: the points of a recorded run are those of the same run from Python, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import optbench
from optbench.outcome import Result
from optbench.plan import make_plan
from optbench.store import Entry, Results, Store
from optbench.trajectories import points_of, trajectories, trajectory

SALES = {"name": "linear_regression", "data": "sales", "features": ["spending"]}
MATRIX: dict[str, Any] = {
    "problems": ["rosenbrock", "beale", SALES, "circle_on_line", "hs071"],
    "optimizers": ["adam", "lbfgs", {"name": "gd", "lr": 10.0}, "lagrange_newton", "augmented_lagrangian"],
    "schedules": ["constant", {"name": "cosine", "warmup": 10}],
    "batch_size": ["full", 3],
    "budget": {"max_iter": 300, "seeds": [0, 4]},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return optbench.run(MATRIX, tmp_path_factory.mktemp("trajectories") / "r.db", repeats=0)


def test_every_row_is_the_run_that_minimize_does(results: Results) -> None:
    kinds = set()
    for key, row in results.runs.iterrows():
        frame = trajectory(row)
        assert list(frame["run"].unique()) == [key]
        assert frame["iteration"].tolist() == list(range(row["nit"] + 1))
        np.testing.assert_array_equal(frame["f"].iloc[-1], row["fun"])
        kinds.add((row["problem"], row["status"], row["batch_size"] > 0))
    assert {status for _, status, _ in kinds} == {"converged", "budget", "diverged"}
    assert ("linear_regression", "budget", True) in kinds


def test_points_equal_those_of_minimize(results: Results) -> None:
    runs = results.runs
    row = runs[(runs["problem"] == "beale") & (runs["optimizer"] == "adam") & (runs["seed"] == 4)]
    row = row[row["schedule"] == "cosine"]
    schedule = {"name": "cosine", "warmup": 10}
    r = optbench.minimize("beale", "adam", schedule=schedule, max_iter=300, seed=4)
    frame = trajectory(row.iloc[0])
    np.testing.assert_array_equal(points_of(frame), r.trace.attrs["x"])
    for column in ("f", "grad_norm", "lr"):
        np.testing.assert_array_equal(frame[column], r.trace[column])
    assert frame["kkt"].isna().all()


def test_multipliers_of_constrained_runs(results: Results) -> None:
    runs = results.runs
    row = runs[(runs["problem"] == "hs071") & (runs["optimizer"] == "lagrange_newton") & (runs["seed"] == 0)].iloc[0]
    r = optbench.minimize("hs071", "lagrange_newton", max_iter=300)
    frame = trajectory(str(row.name), results)
    np.testing.assert_array_equal(points_of(frame, "m"), r.trace.attrs["multipliers"])
    np.testing.assert_array_equal(frame["kkt"], r.trace["kkt"])


def test_several_runs_stand_below_each_other(results: Results) -> None:
    some = results.runs[results.runs["optimizer"] == "lagrange_newton"]
    both = trajectories(some, results)
    assert len(both) == (some["nit"] + 1).sum()
    assert both["x3"].isna().any()  # circle_on_line has two parameters, hs071 four
    with pytest.raises(ValueError, match="there is no run"):
        trajectories(some.iloc[:0])


def test_recorded_points_are_taken_from_the_file(tmp_path: Path) -> None:
    run = make_plan(optbench.config.parse_config({"problems": ["beale"], "optimizers": ["gd"]})).runs[0]
    trace = {name: np.array([0.0, 7.0]) for name in ("iteration", "f", "grad_norm", "lr")}
    trace["x"] = np.array([[1.0, 2.0], [3.0, 4.0]])
    result = Result(np.ones(2), np.ones(2), 7.0, 0.0, 7, 1, 1, "budget", "", {}, trace)
    with Store(tmp_path / "r.db") as store:
        store.add_many([Entry(run, result, "code", 2)], store.begin("test", {}))
    frame = trajectory(run.key, optbench.load(tmp_path / "r.db"))
    assert frame["iteration"].tolist() == [0, 7]
    np.testing.assert_array_equal(points_of(frame), trace["x"])


def test_a_run_that_is_no_longer_the_recorded_one_is_refused(results: Results) -> None:
    row = results.runs.iloc[0].copy()
    for name, value in (("nit", row["nit"] - 1), ("fun", row["fun"] * 1.001)):
        changed = row.copy()
        changed[name] = value
        with pytest.raises(ValueError, match=r"when it was recorded, .* now: code or data have changed since"):
            trajectory(changed)
    there = row.copy()
    there["backend"], there["device"] = "cuda", "GPU X"
    with pytest.raises(ValueError, match="was done on GPU X, which keeps no points"):
        trajectory(there)
    row["status"], row["message"] = "crashed", "signal 11"
    with pytest.raises(ValueError, match="has no points: crashed, signal 11"):
        trajectory(row)


def test_a_run_that_the_clock_ended_is_done_up_to_there(results: Results) -> None:
    runs = results.runs
    row = runs[(runs["problem"] == "rosenbrock") & (runs["optimizer"] == "adam") & (runs["seed"] == 0)].iloc[0].copy()
    r = optbench.minimize("rosenbrock", "adam", max_iter=50)
    row["status"], row["nit"], row["fun"] = "timeout", 50, r.fun
    np.testing.assert_array_equal(points_of(trajectory(row)), r.trace.attrs["x"])


def test_bad_arguments_have_one_sentence(results: Results) -> None:
    with pytest.raises(ValueError, match="needs the results"):
        trajectory("0123")
    with pytest.raises(ValueError, match="unknown run '0123'"):
        trajectory("0123", results)
    with pytest.raises(ValueError, match="has no points"):
        points_of(pd.DataFrame({"f": [1.0]}))
