"""What a sweep varies: ranges as text, where a key belongs, the plan that follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optbench.config import ConfigError
from optbench.outcome import DEFAULT_TARGETS
from optbench.vary import known_keys, parse_range, resolve, resolved_values, sweep_plan


def plan_of(
    vary: dict[str, Any], *, target: float | None = None, budget: dict[str, Any] | None = None, **entries: Any
) -> list[Any]:
    """Runs of a sweep with one seed; problem and optimizer by default Booth and Adam."""
    full = {"problem": ["booth"], "optimizer": ["adam"], **entries}
    return list(sweep_plan(full, vary, {"seeds": 1, **(budget or {})}, target)[0].runs)


def setting(run: Any, key: str) -> Any:
    return {**dict(run.settings), **dict(run.params), **dict(run.schedule_params)}[key]


# --------------------------------------------------------------------------------------------------------- ranges


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,3", [1, 2, 3]),
        ("0.5, .9", [0.5, 0.9]),
        ("cos,linear", ["cos", "linear"]),
        ('"cos","linear"', ["cos", "linear"]),
        ("true,false", [True, False]),
        ("[1, 2], [3]", [[1, 2], [3]]),
        ("1e-4..1:log:5", [1e-4, 1e-3, 1e-2, 1e-1, 1]),
        ("1..100:log:5", [1, 3.16, 10.0, 31.6, 100]),
        ("0..1:linear:5", [0, 0.25, 0.5, 0.75, 1]),
        ("-1..1:linear:3", [-1, 0.0, 1]),
        ("0.9..0.999:reverse_log:5", [0.9, 0.9684, 0.99, 0.99684, 0.999]),
        ("0.123456..0.2:linear:2", [0.123456, 0.2]),
    ],
)
def test_ranges(text: str, values: list[Any]) -> None:
    assert parse_range(text) == values


def test_values_of_a_range_are_rounded_no_further_than_their_spacing_allows() -> None:
    assert parse_range("100..101:linear:5") == [100, 100.25, 100.5, 100.75, 101]
    dense = np.array(parse_range("1..1.001:log:50"))
    assert np.diff(dense) == pytest.approx(np.full(49, 0.001 / 49), rel=0.05)
    exact = np.geomspace(1e-4, 10, 16)
    assert np.abs(np.log(parse_range("1e-4..10:log:16") / exact)).max() < 0.005


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1..2", r"LOW\.\.HIGH:SPACING:COUNT"),
        ("1..2:log", r"LOW\.\.HIGH:SPACING:COUNT"),
        ("1..2:logg:3", "Did you mean 'log'"),
        ("1..b:log:3", "finite numbers"),
        ("1..inf:log:3", "finite numbers"),
        ("1..2:log:1", "from 2 to 10000, not '1'"),
        ("1..2:log:2.5", r"LOW\.\.HIGH:SPACING:COUNT"),
        ("1..2:log:x", "finite numbers"),
        ("2..1:linear:3", "from a smaller to a larger"),
        ("0..1:log:3", "above 0"),
        ("0.5..1:reverse_log:3", "below 1"),
    ],
)
def test_wrong_ranges(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_range(text)


def test_whole_numbers_are_rounded_and_kept_once() -> None:
    known = known_keys({"problem": ["quadratic"], "optimizer": ["lbfgs"]})
    assert resolved_values("optimizer.m", known["optimizer.m"], "1..10:log:8").values == [1, 2, 3, 4, 5, 7, 10]
    assert resolved_values("problem.n", known["problem.n"], "2..4:linear:3").values == [2, 3, 4]
    assert resolved_values("problem.cond", known["problem.cond"], "2..4:linear:3").values == [2, 3.0, 4]
    assert resolved_values("problem.cond", known["problem.cond"], np.array([1.0, 2.0])).values == [1.0, 2.0]
    with pytest.raises(ValueError, match="at least two values"):
        resolved_values("problem.n", known["problem.n"], "2..2.2:linear:3")
    with pytest.raises(ValueError, match="at least two values"):
        resolved_values("problem.n", known["problem.n"], [5])
    with pytest.raises(ValueError, match="takes a list of values or a range"):
        resolved_values("problem.n", known["problem.n"], 5)


# ----------------------------------------------------------------------------------------------------------- keys


KNOWN = known_keys({"problem": ["quadratic"], "optimizer": ["adam"], "schedule": ["exponential"]})


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("lr", "optimizer.lr"),
        ("beta1", "optimizer.beta1"),
        ("optimizer.eps", "optimizer.eps"),
        ("gamma", "schedule.gamma"),
        ("warmup", "schedule.warmup"),
        ("n", "problem.n"),
        ("problem.cond", "problem.cond"),
        *((key, key) for key in ("batch_size", "clip_norm", "clip_value", "max_iter", "epochs")),
    ],
)
def test_a_key_is_found_where_it_belongs(key: str, name: str) -> None:
    assert resolve(key, KNOWN) == name


def test_unknown_and_ambiguous_keys() -> None:
    with pytest.raises(ValueError, match=r"unknown setting 'bet1'\. Did you mean 'beta1'\? Known: amsgrad, "):
        resolve("bet1", KNOWN)
    with pytest.raises(ValueError, match=r"Did you mean 'schedule\.gamma'"):
        resolve("schedule.gama", KNOWN)
    with pytest.raises(ValueError, match=r"'momentum' is a setting of the optimizers .*momentum, .*sgd"):
        resolve("momentum", KNOWN)
    several = known_keys({"problem": ["ridge"], "optimizer": ["rmsprop"], "schedule": ["constant"]})
    with pytest.raises(ValueError, match=r"'alpha' may be optimizer\.alpha or problem\.alpha: write which"):
        resolve("alpha", several)
    assert resolve("problem.alpha", several) == "problem.alpha"


def test_a_key_must_do_something_for_everyone() -> None:
    assert "optimizer.beta1" not in known_keys({"problem": ["booth"], "optimizer": ["adam", "gd"]})
    assert "optimizer.lr" not in known_keys({"problem": ["booth"], "optimizer": ["lbfgs"]})
    assert "optimizer.lr" in known_keys({"problem": ["booth"], "optimizer": [{"name": "lbfgs", "line_search": "none"}]})
    with pytest.raises(ValueError, match="at least one optimizer"):
        known_keys({"problem": ["booth"], "optimizer": []})


# ----------------------------------------------------------------------------------------------------------- plan


def test_settings_of_optimizer_schedule_and_problem_are_varied() -> None:
    assert [run.lr for run in plan_of({"lr": "0.1..10:log:3"})] == [0.1, 1.0, 10]
    assert [setting(run, "beta1") for run in plan_of({"beta1": [0.5, 0.9]})] == [0.5, 0.9]
    assert [setting(run, "gamma") for run in plan_of({"gamma": [0.9, 0.99]}, schedule=["exponential"])] == [0.9, 0.99]
    runs = plan_of({"problem.n": "2..8:log:3"}, problem=[{"name": "quadratic", "cond": 10}])
    assert [(setting(run, "n"), setting(run, "cond")) for run in runs] == [(2, 10.0), (4, 10.0), (8, 10.0)]
    warm = plan_of({"warmup": [0, 10]}, schedule=["cosine"], budget={"max_iter": 100})
    assert [(run.warmup, setting(run, "T_max")) for run in warm] == [(0, 100), (10, 90)]


def test_clipping_batches_and_budgets_are_varied() -> None:
    runs = plan_of({"clip_norm": [1.0, "none"]})
    assert [(run.clip, run.clip_at) for run in runs] == [("norm", 1.0), ("none", 0.0)]
    runs = plan_of({"clip_value": "0.1,1"})
    assert [(run.clip, run.clip_at) for run in runs] == [("value", 0.1), ("value", 1.0)]
    data: dict[str, Any] = {"problem": [{"name": "linear_regression", "data": "sales"}]}
    assert [run.batch_size for run in plan_of({"batch_size": [8, 16, "full"]}, **data)] == [8, 16, 0]
    runs = plan_of({"max_iter": [10, 100]}, schedule=["cosine"])
    assert [(run.max_iter, setting(run, "T_max")) for run in runs] == [(10, 10), (100, 100)]
    runs = plan_of({"epochs": [1, 2]}, **data, batch=[20])
    assert runs[1].max_iter == 2 * runs[0].max_iter


def test_two_settings_are_a_product_and_several_optimizers_run_side_by_side() -> None:
    runs = plan_of({"lr": [0.1, 1.0], "weight_decay": [0.0, 0.1]}, optimizer=["adam", "adamw"])
    assert [(run.optimizer, run.lr, setting(run, "weight_decay")) for run in runs] == [
        (name, lr, decay) for name in ("adam", "adamw") for lr in (0.1, 1.0) for decay in (0.0, 0.1)
    ]
    assert len(set(runs)) == 8


def test_targets_are_the_usual_ones_and_the_wanted() -> None:
    assert plan_of({"lr": [0.1, 1.0]})[0].targets == DEFAULT_TARGETS
    assert plan_of({"lr": [0.1, 1.0]}, target=1e-6)[0].targets == DEFAULT_TARGETS
    assert plan_of({"lr": [0.1, 1.0]}, target=0.02)[0].targets == (0.1, 0.02, *DEFAULT_TARGETS[1:])


@pytest.mark.parametrize(
    ("vary", "entries", "message"),
    [
        ({}, {}, "one or two settings, not 0"),
        ({"lr": [1, 2], "beta1": [0, 0.5], "beta2": [0, 0.5]}, {}, "one or two settings, not 3"),
        ({"lr": [1, 2], "optimizer.lr": [1, 2]}, {}, "varied twice"),
        ({"clip_norm": [1, 2], "clip_value": [1, 2]}, {}, "clip_norm or clip_value, not both"),
        ({"max_iter": [1, 2], "epochs": [1, 2]}, {}, "epochs or max_iter, not both"),
        ({"lr": [1, 2]}, {"optimizer": [{"name": "adam", "lr": 0.1}]}, "lr of adam is varied: do not set it to 0.1"),
        ({"clip_norm": [1, 2]}, {"clip": [{"norm": 1.0}]}, "clip_norm is varied: do not set it"),
        ({"max_iter": [1, 2]}, {"budget": {"max_iter": 5}}, "max_iter is varied: do not set it to 5"),
        ({"max_iter": "100,100,200"}, {}, "two values of max_iter make the same runs"),
        ({"epochs": [0.1, 0.2]}, {"problem": ["logistic_regression"]}, "two values of epochs make the same runs"),
        ({"epochs": [1, 2]}, {}, "epochs do not apply to booth: it is not a sum over samples; vary max_iter"),
        ({"batch_size": [1, 2]}, {}, "adam on booth: mini-batches do not apply"),
        ({"clip_norm": [1, 2]}, {"optimizer": ["lbfgs"]}, "lbfgs on booth: clipping does not apply"),
        ({"gamma": [0.5, 0.9]}, {"optimizer": ["lbfgs"], "schedule": ["step"]}, "schedules do not apply"),
        ({"lr": [1, 2]}, {"problem": ["both"]}, "Did you mean 'booth'"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(vary: dict[str, Any], entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_of(vary, **entries)


def test_wrong_values_are_found_by_the_matrix() -> None:
    with pytest.raises(ConfigError, match=r"sweep: optimizers\[0\]\.lr: lr takes a number above 0, not -1"):
        plan_of({"lr": "-1..1:linear:2"})
    with pytest.raises(ConfigError, match=r"beta1 takes a number of at least 0 and below 1, not 1\.5"):
        plan_of({"beta1": "0.5..1.5:linear:3"})
    with pytest.raises(ConfigError, match="same settings"):
        plan_of({"beta1": [0.5, 0.5]})
