"""The plan: complete runs in a fixed order, each once; rules that apply; labels that tell runs apart."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optbench import harness
from optbench.config import ConfigError, parse_config, quick_config
from optbench.entries import plain
from optbench.labels import labels_of
from optbench.outcome import DEFAULT_TARGETS, Run
from optbench.plan import Plan, make_plan
from optbench.records import Budget, encode
from optbench.registry import (
    PROBLEMS,
    get_optimizer,
    get_problem,
    list_optimizers,
    list_problems,
    list_schedules,
)
from optbench.single import make_run, schedule_of
from optbench.types import Problem

MATRIX: dict[str, Any] = {
    "problems": ["beale", {"name": "rosenbrock", "n": [10, 2]}],
    "optimizers": ["gd", {"name": "adam", "lr": [0.1, 0.01]}],
    "schedules": [
        "constant",
        {"name": "step", "step_size": 30, "gamma": [0.1, 0.5]},
        {"name": "cosine", "warmup": 100},
    ],
    "clipping": ["none", {"norm": [1.0, 0.5]}],
    "budget": {"seeds": [3, 1], "max_iter": 1000},
}


def plan_of(**changes: Any) -> Plan:
    return make_plan(parse_config({**MATRIX, **changes}, "m.toml"))


def errors_of(**changes: Any) -> list[str]:
    config = parse_config({**MATRIX, **changes}, "m.toml")
    with pytest.raises(ConfigError) as caught:
        make_plan(config)
    return caught.value.errors


# ------------------------------------------------------------------------------------------------ order and keys


def test_order_is_the_file_s() -> None:
    runs = plan_of().runs
    factors: list[list[Any]] = [
        [(), (("n", 10),), (("n", 2),)],
        [("gd", get_optimizer("gd").lr), ("adam", 0.1), ("adam", 0.01)],
        ["constant", 0.1, 0.5, "cosine"],
        [0.0, 1.0, 0.5],
        [3, 1],
    ]

    def facts(run: Run) -> tuple[Any, ...]:
        gamma = dict(run.schedule_params).get("gamma", run.schedule)
        return (run.settings, (run.optimizer, run.lr), gamma, run.clip_at, run.seed)

    assert [facts(run) for run in runs] == list(itertools.product(*factors))


def test_keys_do_not_depend_on_the_order_of_the_file() -> None:
    turned = {key: value[::-1] for key, value in MATRIX.items() if isinstance(value, list)}
    entry = {"gamma": [0.5, 0.1], "step_size": 30, "name": "step"}
    turned["schedules"] = ["constant", entry, {"warmup": 100, "name": "cosine"}]
    one, other = plan_of().runs, plan_of(**turned).runs
    assert one != other
    assert {run.key for run in one} == {run.key for run in other}
    assert len({run.key for run in one}) == len(one)


def test_keys_are_the_same_in_another_process() -> None:
    script = (
        "import json, sys; from optbench.config import parse_config; from optbench.plan import make_plan; "
        "print(' '.join(run.key for run in make_plan(parse_config(json.loads(sys.argv[1]))).runs))"
    )
    wanted = [run.key for run in plan_of().runs]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script, json.dumps(MATRIX)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.split() == wanted


def test_runs_are_complete_plain_and_travel() -> None:
    run = plan_of().runs[-1]
    assert dict(run.params) == get_optimizer("adam").params()._asdict()
    assert run.settings == (("n", 2),)
    assert (run.schedule_params, run.warmup, run.warmup_start) == ((("T_max", 900), ("eta_min", 0.0)), 100, 1 / 3)
    assert (run.max_iter, run.time_limit, run.targets, run.batch_size) == (1000, 60.0, DEFAULT_TARGETS, 0)
    assert pickle.loads(pickle.dumps(run)) == run
    assert (run.clip, run.clip_at) == ("norm", 0.5)


def test_a_default_written_out_is_the_same_run() -> None:
    explicit = {"name": "cosine", "T_max": 900, "eta_min": 0, "warmup": 100.0, "warmup_start": 1 / 3}
    assert plan_of(schedules=[explicit]).runs == plan_of(schedules=[{"name": "cosine", "warmup": 100}]).runs


def test_repeats_are_no_part_of_a_run() -> None:
    other = plan_of(budget={**MATRIX["budget"], "repeats": 0})
    assert (other.repeats, other.runs) == (0, plan_of().runs)


# --------------------------------------------------------------------------------------------------------- rules


def test_later_overrides_win_over_earlier_and_over_entries() -> None:
    problems = [{"name": "rosenbrock", "n": [2, 10], "max_iter": 50, "targets": [0.5], "seeds": 1}, "beale"]
    override = [
        {"problem": "rosenbrock", "max_iter": 60, "lr": 0.5},
        {"problem": ["rosenbrock"], "n": 10, "max_iter": 70, "seeds": [7]},
        {"schedule": "constant", "optimizer": "momentum", "momentum": 0.5, "time_limit": 2},
    ]
    plan = plan_of(problems=problems, optimizers=["gd", "momentum"], clipping=["none"], override=override)
    for run in plan.runs:
        rosenbrock, large = run.problem == "rosenbrock", run.settings == (("n", 10),)
        assert run.max_iter == (70 if large else 60 if rosenbrock else 1000)
        assert (run.seed == 7) == large
        assert run.targets == ((0.5,) if rosenbrock else DEFAULT_TARGETS)
        assert (run.lr == 0.5) == rosenbrock
        changed = run.schedule == "constant" and run.optimizer == "momentum"
        assert dict(run.params).get("momentum") == (0.5 if changed else 0.9 if run.optimizer == "momentum" else None)
        assert run.time_limit == (2.0 if changed else 60.0)


def test_budget_defaults_follow_an_override() -> None:
    plan = plan_of(schedules=["cosine"], override=[{"problem": "beale", "max_iter": 77}])
    assert {(run.problem, dict(run.schedule_params)["T_max"]) for run in plan.runs} == {
        ("beale", 77),
        ("rosenbrock", 1000),
    }


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"problem": "beale"}, lambda run: run.problem != "beale"),
        ({"problem": ["beale", "rosenbrock"], "clip": "norm"}, lambda run: run.clip != "norm"),
        ({"n": 10, "optimizer": "gd"}, lambda run: (run.settings, run.optimizer) != ((("n", 10),), "gd")),
        ({"seed": 3, "schedule": ["step", "cosine"]}, lambda run: run.seed != 3 or run.schedule == "constant"),
    ],
)
def test_exclude(rule: dict[str, Any], kept: Any) -> None:
    everything, plan = plan_of().runs, plan_of(exclude=[rule])
    assert list(plan.runs) == [run for run in everything if kept(run)]
    assert len(plan.runs) < len(everything)


def test_include_adds_cells_that_exclude_leaves_alone() -> None:
    extra = {"problem": "booth", "optimizer": {"name": "adam", "lr": 0.5}, "clip": {"value": [1, 2]}, "seeds": [9]}
    again = {"problem": "beale", "optimizer": "gd", "schedule": {"name": "cosine", "warmup": 100}}
    plan = plan_of(include=[extra, again], exclude=[{"problem": "beale", "schedule": "cosine"}])
    added = plan.runs[-4:]
    assert [(run.problem, run.clip, run.clip_at, run.seed) for run in added] == [
        ("booth", "value", 1.0, 9),
        ("booth", "value", 2.0, 9),
        ("beale", "none", 0.0, 3),
        ("beale", "none", 0.0, 1),
    ]


def test_a_rule_that_matches_nothing_is_an_error() -> None:
    errors = errors_of(
        override=[{"problem": "beale", "n": 10, "lr": 1.0}],
        exclude=[{"problem": "beale"}, {"seed": 2}, {"problem": "beale", "optimizer": "gd"}],
    )
    assert errors == ["m.toml: override[0]: matches no cell", "m.toml: exclude[1]: matches no cell"]


def test_the_same_cell_twice_is_an_error_that_names_both() -> None:
    small = {"schedules": ["constant"], "clipping": ["none"], "problems": ["beale"]}
    (error,) = errors_of(
        **small, include=[{"problem": "beale", "optimizer": {"name": "adam", "lr": 0.1}, "seeds": [1]}]
    )
    assert "include[0].problem x include[0].optimizer" in error
    assert "the same cell as problems[0] x optimizers[1] x schedules[0] x clipping[0]" in error
    (error,) = errors_of(**small, override=[{"optimizer": "adam", "lr": 1.0}])
    assert "problems[0] x optimizers[1]" in error
    assert "(beale, adam, constant, none, full, lr=1)" in error


def test_two_budgets_do_not_make_two_cells() -> None:
    problems = ["beale"]
    include = [{"problem": {"name": "beale", "max_iter": 5}, "optimizer": "gd"}]
    (error,) = errors_of(problems=problems, optimizers=["gd"], schedules=["constant"], include=include)
    assert "the same cell" in error


def test_nothing_left_is_an_error() -> None:
    assert errors_of(exclude=[{"problem": ["beale", "rosenbrock"]}]) == [
        "m.toml: no run is left: every cell is excluded"
    ]


# -------------------------------------------------------------------------------------------------- single cells


def test_make_run_equals_the_plan() -> None:
    run = plan_of().runs[-1]
    spec = {"name": "cosine", "warmup": 100}
    made = make_run("rosenbrock", {"n": 2}, "adam", lr=0.01, schedule=spec, clip={"norm": 0.5}, seed=1, max_iter=1000)
    assert made == run
    assert make_run(get_problem("rosenbrock"), optimizer="gd") == make_run("rosenbrock", optimizer="gd")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"problem": "rosenbrok"}, "Did you mean 'rosenbrock'"),
        ({"settings": {"m": 3}}, "unknown setting of problem 'rosenbrock': 'm'"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"params": {"bet1": 0.5}}, "unknown setting of optimizer 'adam': 'bet1'. Did you mean 'beta1'"),
        ({"params": {"beta1": "x"}}, "beta1 takes a number of at least 0 and below 1, not 'x'"),
        ({"lr": 0}, "lr takes a number above 0, not 0"),
        ({"schedule": {"name": "step", "gama": 1}}, "Did you mean 'gamma'"),
        ({"schedule": {"step_size": 1}}, "takes a name or a table with a name"),
        ({"schedule": {"name": "step", "warmup_start": 0.5}}, "does nothing without warmup"),
        ({"clip": {"norm": -1}}, "norm takes a number above 0, not -1"),
        ({"clip": {"nrm": 1}}, "unknown clip 'nrm'. Did you mean 'norm'"),
        ({"clip": 3}, "takes 'none'"),
        ({"batch_size": 8}, "mini-batches do not apply: the problem is not a sum over samples"),
        ({"seed": -1}, "at least 0, not -1"),
        ({"max_iter": 0}, "at least 1, not 0"),
        ({"time_limit": -1}, "time_limit takes a number above 0"),
        ({"targets": [2.0]}, "numbers between 0 and 1, not 2.0"),
    ],
)
def test_make_run_refuses(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        make_run(**{"problem": "rosenbrock", "optimizer": "adam", **arguments})


def test_numpy_values_and_own_problems() -> None:
    def bowl(x: Any, g: Any, data: Any) -> float:
        g[0] = 2.0 * x[0]
        return float(x[0] * x[0])

    run = make_run(Problem(bowl, [1.0]), optimizer="gd", lr=np.float64(0.5), seed=2, targets=())
    assert (run.problem, run.settings, run.targets) == ("bowl", (), ())
    assert json.loads(json.dumps([run.lr, run.seed])) == [0.5, 2]
    assert type(run.lr) is float


def test_schedule_of() -> None:
    assert schedule_of(None, 10).schedule.name == "constant"
    plateau = schedule_of({"name": "reduce_on_plateau", "threshold_mode": "abs", "warmup": 5}, 10)
    assert (plateau.params.threshold_mode, plateau.warmup, plateau.warmup_start) == ("abs", 5, 1 / 3)
    assert schedule_of({"name": "cosine", "warmup": 20}, 10).params.T_max == 1
    assert schedule_of({"name": "step", "step_size": Budget(0.5)}, 10).params.step_size == 5


# -------------------------------------------------------------------------------------------- labels and summary


def test_labels_show_what_varies_or_differs() -> None:
    plan = plan_of()
    seen = [list(dict.fromkeys(column)) for column in zip(*(plan.label_of(run) for run in plan.runs), strict=True)]
    assert seen == [
        ["beale", "rosenbrock n=10", "rosenbrock n=2"],
        ["gd", "adam lr=0.1", "adam lr=0.01"],
        ["constant", "step step_size=30 gamma=0.1", "step step_size=30 gamma=0.5", "cosine warmup=100"],
        ["none", "norm 1", "norm 0.5"],
        ["full"],
    ]
    assert plan.optimizer_label(plan.runs[-1]) == "adam lr=0.01"


def test_a_rate_set_for_one_problem_does_not_split_an_optimizer() -> None:
    plan = plan_of(optimizers=["gd", {"name": "adam", "beta1": 0.95}], override=[{"problem": "beale", "lr": 0.5}])
    assert {labels.optimizer for labels in plan.labels.values()} == {"gd", "adam beta1=0.95"}


@pytest.mark.parametrize("only", [slice(None), slice(None, None, 3), slice(7, 90, 5)])
def test_labels_are_unique(only: slice) -> None:
    optimizers = [{"name": "adam", "lr": [0.1, 0.2], "beta1": [0.9, 0.5]}, {"name": "adam", "amsgrad": True}]
    runs = plan_of(optimizers=optimizers).runs[only]
    labels = labels_of(runs)
    assert len({(*labels[run], run.seed) for run in runs}) == len(runs)


def test_labels_of_results_whose_names_are_not_registered() -> None:
    runs = [replace(run, optimizer="gone", problem="lost", schedule="past") for run in plan_of().runs[-6:]]
    assert {labels.optimizer for labels in labels_of(runs).values()} == {"gone"}


def test_cells_and_description() -> None:
    plan = plan_of(override=[{"problem": "beale", "max_iter": 10}])
    cells = 3 * 3 * 4 * 3
    assert len(plan.cells) == cells
    assert [run for cell in plan.cells for run in cell.runs] == list(plan.runs)
    facts = plan.describe()
    assert (facts["cells"], facts["runs"], facts["seeds"]) == (cells, 2 * cells, (1, 3))
    assert facts["steps"] == 2 * cells // 3 * (10 + 1000 + 1000)
    assert facts["seconds"] == 2 * cells * 60.0
    assert facts["problems"] == ("beale", "rosenbrock n=10", "rosenbrock n=2")
    assert facts["clipping"] == ("none", "norm 1", "norm 0.5")
    assert facts["memory"] >= 8 * 10


# ------------------------------------------------------------------------------------------------------ contracts


@pytest.mark.parametrize("name", list_optimizers())
def test_every_optimizer_can_be_planned_by_name(name: str) -> None:
    run = make_run("rosenbrock", optimizer=name)
    assert run.lr == get_optimizer(name).lr
    encode(get_optimizer(name).params(**dict(run.params)))


@pytest.mark.parametrize("name", list_schedules())
def test_every_schedule_can_be_planned_by_name(name: str) -> None:
    run = make_run("rosenbrock", optimizer="gd", schedule=name)
    assert (
        schedule_of({"name": name, **dict(run.schedule_params), "warmup": 0, "warmup_start": 1 / 3}, 10_000).warmup == 0
    )
    encode(schedule_of(name, 1).params)


@pytest.mark.parametrize("name", list_problems())
def test_every_problem_can_be_planned_by_name(name: str) -> None:
    method = "augmented_lagrangian" if get_problem(name).constraints else "gd"
    (run,) = make_plan(parse_config({"problems": [name], "optimizers": [method]})).runs
    json.dumps(run.settings)
    assert dict(run.settings) == {key: plain(value) for key, value in PROBLEMS.get(name).defaults().items()}
    assert harness.problem_of(name, run.settings).settings == get_problem(name).settings


def test_quick_plan() -> None:
    plan = make_plan(quick_config())
    facts = plan.describe()
    assert {"quadratic n=10", "quadratic n=100", "rosenbrock"} <= set(facts["problems"])
    steps = ("gd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw", "nadam", "lamb")
    assert facts["optimizers"] == (*steps, "lbfgs", "newton", "lagrange_newton", "augmented_lagrangian")
    free, bound, schedules, seeds = 7, 3, 6, 3
    assert facts["runs"] == seeds * (free * (len(steps) * schedules + 2) + bound * 2)


def test_what_does_not_apply_is_reported_and_never_run_twice() -> None:
    table = {
        "problems": ["beale", "hs006"],
        "optimizers": ["adam", "lbfgs", {"name": "lbfgs", "line_search": "none", "lr": 0.5}, "augmented_lagrangian"],
        "schedules": ["constant", "cosine"],
        "clipping": ["none", {"norm": 1.0}],
    }
    plan = make_plan(parse_config(table))
    labels = [plan.label_of(run) for run in plan.runs]
    pairs = zip(labels, plan.runs, strict=True)
    shown = {(label.problem, run.optimizer, label.schedule, label.clip) for label, run in pairs}
    assert shown == {
        *(("beale", "adam", schedule, clip) for schedule in ("constant", "cosine") for clip in ("none", "norm 1")),
        ("beale", "lbfgs", "line_search", "none"),
        ("beale", "lbfgs", "constant", "none"),
        ("beale", "lbfgs", "cosine", "none"),
        ("hs006", "augmented_lagrangian", "line_search", "none"),
    }
    assert len(plan.runs) == 8
    assert len(plan.skipped) + 8 == 2 * 4 * 2 * 2
    reasons = {cell.reason.split(":")[0] for cell in plan.skipped}
    assert reasons == {
        "schedules do not apply",
        "clipping does not apply",
        "it knows nothing of constraints",
        "the problem has no constraints",
    }
    assert sum(int(line.split()[0]) for line in plan.describe()["not applicable"]) == len(plan.skipped)
