"""Configuration: what is wrong is said at once, with file, key and nearest name; what is right comes out complete."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optbench.config import Config, ConfigError, load_config, parse_config, quick_config
from optbench.entries import BUDGET, keys_of
from optbench.outcome import DEFAULT_TARGETS
from optbench.registry import list_optimizers, list_problems

GOOD: dict[str, Any] = {"problems": ["rosenbrock"], "optimizers": ["gd", "momentum"]}


def errors_of(table: dict[str, Any], file: str = "m.toml", base: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(table, file, base)
    assert str(caught.value) == "\n".join(caught.value.errors)
    return caught.value.errors


def levels(config: Config, factor: int) -> list[tuple[str, dict[str, Any]]]:
    return [(level.name, level.values) for level in config.blocks[0].factors[factor]]


# ------------------------------------------------------------------------------------------------------- errors

CASES: list[tuple[dict[str, Any], str, str]] = [
    (
        {"problem": ["beale"]},
        "problem",
        "unknown key 'problem'. Did you mean 'problems'? Known: batch_size, budget, clipping,",
    ),
    ({"problems": []}, "problems", "takes a list with at least one entry, not []"),
    ({"problems": "rosenbrock"}, "problems", "takes a list with at least one entry, not 'rosenbrock'"),
    ({"problems": ["rosenbrok"]}, "problems[0]", "unknown problem 'rosenbrok'. Did you mean 'rosenbrock'? Known: "),
    ({"problems": [3]}, "problems[0]", "takes a name or a table with a name, not 3"),
    ({"problems": [{"n": 3}]}, "problems[0]", "takes a name or a table with a name, not {'n': 3}"),
    ({"problems": ["beale", {"name": "rosenbrock", "m": 3}]}, "problems[1].m", "unknown key 'm'"),
    ({"problems": [{"name": "rosenbrock", "n": "x"}]}, "problems[0].n", "n takes a whole number, not 'x'"),
    ({"problems": [{"name": "rosenbrock", "n": [2, 1]}]}, "problems[0]", "n must be at least 2, not 1"),
    ({"problems": [{"name": "rosenbrock", "n": []}]}, "problems[0].n", "takes a list with at least one entry"),
    (
        {"problems": [{"name": "rosenbrock", "max_iter": 0}]},
        "problems[0].max_iter",
        "whole number of at least 1, not 0",
    ),
    ({"problems": [{"name": "rosenbrock", "max_iter": [1, 2]}]}, "problems[0].max_iter", "not [1, 2]"),
    ({"problems": [{"name": "linear_regression", "data": "no.csv"}]}, "problems[0]", "no.csv"),
    ({"problems": [{"name": "linear_regression", "data": 3}]}, "problems[0].data", "data takes a string, not 3"),
    ({"problems": ["rosenbrock", {"name": "rosenbrock", "n": [3, 2]}]}, "problems[1]", "as in problems[0]"),
    ({"optimizers": ["adm"]}, "optimizers[0]", "unknown optimizer 'adm'. Did you mean 'adam'? Known: "),
    (
        {"optimizers": ["gd", {"name": "momentum", "momentun": 1}]},
        "optimizers[1].momentun",
        "unknown key 'momentun'. Did you mean 'momentum'? Known: dampening, decay_bias, lr, momentum",
    ),
    (
        {"optimizers": ["gd", {"name": "momentum", "momentum": "x"}]},
        "optimizers[1].momentum",
        "takes a number of at least 0, not 'x'",
    ),
    ({"optimizers": ["gd", {"name": "momentum", "momentum": [0.9, [0.8]]}]}, "optimizers[1].momentum", "not [0.8]"),
    ({"optimizers": ["gd", {"name": "momentum", "momentum": float("nan")}]}, "optimizers[1].momentum", "not nan"),
    ({"optimizers": ["gd", {"name": "momentum", "lr": -1}]}, "optimizers[1].lr", "lr takes a number above 0, not -1"),
    ({"optimizers": ["gd", {"name": "momentum", "lr": float("inf")}]}, "optimizers[1].lr", "above 0, not inf"),
    ({"optimizers": ["gd", {"name": "momentum", "lr": float("nan")}]}, "optimizers[1].lr", "above 0, not nan"),
    ({"optimizers": ["gd", {"name": "momentum", "batch_size": 8}]}, "optimizers[1].batch_size", "unknown key"),
    ({"optimizers": [{"name": "adam", "amsgrad": 1}]}, "optimizers[0].amsgrad", "amsgrad takes true or false, not 1"),
    ({"optimizers": ["gd", "gd"]}, "optimizers[1]", "gd with the same settings as in optimizers[0]"),
    ({"schedules": []}, "schedules", "at least one entry"),
    ({"schedules": [{"name": "cosin"}]}, "schedules[0]", "Did you mean 'cosine'?"),
    (
        {"schedules": [{"name": "step", "step_size": 0.5}]},
        "schedules[0].step_size",
        "takes a whole number of at least 1, not 0.5",
    ),
    ({"schedules": [{"name": "step", "warmup": -1}]}, "schedules[0].warmup", "at least 0, not -1"),
    (
        {"schedules": [{"name": "step", "warmup": 9, "warmup_start": 2}]},
        "schedules[0].warmup_start",
        "a number above 0 and at most 1, not 2",
    ),
    ({"schedules": [{"name": "step", "warmup_start": 0.1}]}, "schedules[0]", "does nothing without warmup"),
    ({"clipping": ["norm"]}, "clipping[0]", "clip 'norm' needs a value of 'norm'"),
    (
        {"clipping": [{"norms": 1.0}]},
        "clipping[0]",
        "unknown clip 'norms'. Did you mean 'norm'? Known: none, norm, value",
    ),
    (
        {"clipping": [{"norm": 1.0, "value": 1.0}]},
        "clipping[0]",
        "takes 'none', { norm = ... } or { value = ... }, not",
    ),
    ({"clipping": [{"value": [1.0, 0.0]}]}, "clipping[0].value", "value takes a number above 0, not 0.0"),
    (
        {"budget": {"max_iters": 3}},
        "budget.max_iters",
        "unknown key 'max_iters'. Did you mean 'max_iter'? Known: backend, dtype, epochs, max_iter",
    ),
    ({"budget": {"max_iter": 2.5}}, "budget.max_iter", "max_iter takes a whole number of at least 1, not 2.5"),
    ({"budget": {"max_iter": True}}, "budget.max_iter", "not True"),
    ({"budget": {"time_limit": 0}}, "budget.time_limit", "time_limit takes a number above 0, not 0"),
    ({"budget": {"targets": [0.1, 1.0]}}, "budget.targets", "targets takes numbers between 0 and 1, not 1.0"),
    ({"budget": {"targets": [0.1, 0.1]}}, "budget.targets", "targets takes different values, not [0.1, 0.1]"),
    ({"budget": {"targets": 0.1}}, "budget.targets", "targets takes a list, not 0.1"),
    ({"budget": {"targets": []}}, "budget.targets", "at least one entry"),
    ({"budget": {"seeds": [0, -1]}}, "budget.seeds", "seeds takes a whole number of at least 0, not -1"),
    ({"budget": {"seeds": 0}}, "budget.seeds", "seeds takes a whole number of at least 1, not 0"),
    ({"budget": {"seeds": ["a"]}}, "budget.seeds", "not 'a'"),
    ({"budget": {"seeds": [1, 1]}}, "budget.seeds", "different values"),
    ({"budget": {"repeats": -1}}, "budget.repeats", "at least 0, not -1"),
    ({"budget": 3}, "budget", "takes a table, not 3"),
    ({"override": [{"problem": "beal", "lr": 1}]}, "override[0].problem", "Did you mean 'beale'?"),
    (
        {"override": [{"problem": "beale", "lr": 1}]},
        "override[0].problem",
        "matches no cell: 'beale' is not in the matrix",
    ),
    ({"override": [{"problem": 3, "lr": 1}]}, "override[0].problem", "takes a name or a list of names, not 3"),
    ({"override": [{"problem": "rosenbrock"}]}, "override[0]", "sets nothing"),
    ({"override": [{"optimizer": "momentum", "lr": [1, 2]}]}, "override[0].lr", "above 0, not [1, 2]"),
    ({"override": [{"momentum": 0.5}]}, "override[0].momentum", "unknown key 'momentum'"),
    (
        {"override": [{"optimizer": "momentum", "momentum": "x"}]},
        "override[0].momentum",
        "takes a number of at least 0, not 'x'",
    ),
    ({"override": [7]}, "override[0]", "takes a table, not 7"),
    ({"exclude": [{"optimiser": "gd"}]}, "exclude[0].optimiser", "Did you mean 'optimizer'?"),
    ({"exclude": [{}]}, "exclude[0]", "needs at least one of problem, optimizer, schedule, clip, batch, n, seed"),
    ({"exclude": [{"clip": "norm"}]}, "exclude[0].clip", "matches no cell: 'norm' is not in the matrix"),
    ({"exclude": [{"seed": "x"}]}, "exclude[0].seed", "seed takes a whole number of at least 0, not 'x'"),
    ({"include": [{"problem": "beale"}]}, "include[0].optimizer", "takes a name or a table with a name, missing"),
    ({"include": [{"problem": "beale", "optimizer": "gd", "lr": 1}]}, "include[0].lr", "unknown key 'lr'"),
    ({"include": [{"problem": "beale", "optimizer": "gd", "seeds": -1}]}, "include[0].seeds", "not -1"),
    ({"load": ["no.py"]}, "load[0]", "no such file: 'no.py'"),
    ({"load": "no.py"}, "load", "takes a list with at least one entry, not 'no.py'"),
]


@pytest.mark.parametrize(("change", "path", "reason"), CASES, ids=[f"{k}-{case[1]}" for k, case in enumerate(CASES)])
def test_error_names_file_key_and_reason(change: dict[str, Any], path: str, reason: str) -> None:
    errors = errors_of({**GOOD, **change})
    assert len(errors) == 1
    assert errors[0].startswith(f"m.toml: {path}: ")
    assert reason in errors[0]


def test_all_errors_at_once() -> None:
    together: dict[str, Any] = {}
    paths = []
    for change, path, _ in CASES:
        if not set(change) & set(together) and "n" not in path.split(".")[-1:]:
            together.update(change)
            paths.append(path)
    errors = errors_of({**GOOD, **together})
    assert len(paths) >= 8
    assert [path for path in paths if not any(error.startswith(f"m.toml: {path}: ") for error in errors)] == []


def test_nothing_given_is_an_error_for_both_factors() -> None:
    assert [error.split(": ")[1] for error in errors_of({})] == ["problems", "optimizers"]
    assert [error.split(": ")[1] for error in errors_of({"problems": ["beale"]})] == ["optimizers"]


def test_every_bad_value_of_a_grid_is_told() -> None:
    errors = errors_of({**GOOD, "optimizers": [{"name": "gd", "lr": [0.1, -1, -2]}]})
    assert [error.rsplit(" ", 1)[1] for error in errors] == ["-1", "-2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"problems = [\n  'a'\noptimizers = 3", "line 3"), (b"\xff\xfe", "utf-8"), (None, "No such file")],
)
def test_unreadable_file(content: bytes | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "matrix.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(file)
    assert caught.value.errors[0].startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ny = x / 0\n", "line 2: ZeroDivisionError"),
        ("x = 1\n\ndef f(:\n", "line 3: SyntaxError"),
        (
            "from optbench.registry import schedule\n\n@schedule()\ndef cosine(t, lr, p):\n    return lr\n",
            "is registered already",
        ),
    ],
)
def test_fault_in_a_loaded_file(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(text)
    (error,) = errors_of({**GOOD, "load": ["own.py"]}, base=tmp_path)
    assert error.startswith(f"m.toml: load[0]: {tmp_path / 'own.py'}, line ")
    assert said in error


# ------------------------------------------------------------------------------------------------- what is right


def test_defaults() -> None:
    config = parse_config(GOOD)
    assert config.budget == {
        "max_iter": 10_000,
        "epochs": None,
        "time_limit": 60.0,
        "targets": DEFAULT_TARGETS,
        "seeds": (0,),
        "backend": "cpu",
        "dtype": "float64",
    }
    assert config.repeats == 5
    assert [level[0] for factor in (2, 3) for level in levels(config, factor)] == ["constant", "none"]
    assert levels(config, 0) == [("rosenbrock", {"n": 2})]


def test_grids_are_products_in_file_order() -> None:
    entry = {"name": "momentum", "lr": [1e-2, 1e-3], "momentum": [0.9, 0.99]}
    config = parse_config({**GOOD, "optimizers": [entry], "clipping": [{"value": [0.1, 0.5]}, "none", {"norm": 1}]})
    assert [(v["lr"], v["momentum"]) for _, v in levels(config, 1)] == [
        (1e-2, 0.9),
        (1e-2, 0.99),
        (1e-3, 0.9),
        (1e-3, 0.99),
    ]
    assert levels(config, 3) == [
        ("value", {"value": 0.1}),
        ("value", {"value": 0.5}),
        ("none", {}),
        ("norm", {"norm": 1.0}),
    ]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [([10, 20], [(10.0, 20.0)]), ([[10], [5, 20]], [(10.0,), (5.0, 20.0)]), ([], [()])],
    ids=["one", "grid", "none"],
)
def test_a_list_setting_takes_a_list_as_one_value(given: list[Any], wanted: list[Any]) -> None:
    config = parse_config({**GOOD, "schedules": [{"name": "multistep", "milestones": given}]})
    assert [values["milestones"] for _, values in levels(config, 2)] == wanted


def test_features_and_data_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "sales.csv").write_text("a,b,c,sales\n1,2,0,3\n2,1,1,5\n4,4,0,1\n3,0,2,2\n5,1,1,0\n")
    entry = {"name": "linear_regression", "data": "sales.csv", "target": "sales", "features": [["a"], ["b", "c"]]}
    monkeypatch.chdir(tmp_path)
    config = parse_config({**GOOD, "problems": [entry]}, base=tmp_path / "sub")
    values = [values for _, values in levels(config, 0)]
    assert [v["features"] for v in values] == [("a",), ("b", "c")]
    assert {v["data"] for v in values} == {"sub/sales.csv"}
    assert [level.n for level in config.blocks[0].factors[0]] == [2, 3]


def test_values_are_normalized() -> None:
    entry = {"name": "quadratic", "cond": 10, "n": 4.0}
    config = parse_config(
        {**GOOD, "problems": [entry], "budget": {"targets": [1e-3, 1e-1], "seeds": 2, "max_iter": 1e3}}
    )
    values = levels(config, 0)[0][1]
    assert (type(values["cond"]), type(values["n"])) == (float, int)
    assert config.budget["targets"] == (1e-1, 1e-3)
    assert (config.budget["seeds"], config.budget["max_iter"]) == ((0, 1), 1000)


def test_inclusions_alone_are_a_matrix() -> None:
    config = parse_config({"include": [{"problem": "beale", "optimizer": "adam"}]})
    assert [len(block.factors[0]) for block in config.blocks] == [0, 1]


def test_load_config_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('problems = ["beale"]\noptimizers = ["adam"]\n[budget]\nrepeats = 0\n')
    assert load_config(tmp_path / "m.toml").repeats == 0


@pytest.mark.parametrize(("factor", "names"), [("problem", list_problems), ("optimizer", list_optimizers)])
def test_no_setting_has_a_reserved_name(factor: str, names: Callable[[], list[str]]) -> None:
    reserved = {"name", "problem", "optimizer", "schedule", "clip", "seed", *BUDGET}
    for name in names():
        assert not reserved & set(keys_of(factor, name)), name


SCRIPT = """
import sys
from optbench.config import parse_config
from optbench.plan import make_plan
plan = make_plan(parse_config({"problems": ["rosenbrock"], "optimizers": ["adam"], "schedules": ["cosine"]}))
heavy = {"numba", "pandas", "matplotlib", "scipy", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""

OWN = """
from typing import NamedTuple
from optbench.registry import optimizer

class Params(NamedTuple):
    tilt: float = 0.5

@optimizer(lr=0.25, params=Params)
def own_step(x, g, state, c):
    return x - c[0] * g, state
"""

USER = """
import sys
from optbench.config import load_config; from optbench.entries import load_file
from optbench.plan import make_plan
plan = make_plan(load_config(sys.argv[1]))
assert [(run.optimizer, run.lr, run.params) for run in plan.runs] == [("own_step", 0.25, (("tilt", 2.0),))]
load_file(plan.load[0])  # as a worker does, or the same process again
"""


def run_script(text: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-c", text, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_planning_imports_nothing_heavy() -> None:
    run_script(SCRIPT)


def test_own_files_register_what_they_define(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    matrix = 'load = ["own.py"]\nproblems = ["beale"]\noptimizers = [{ name = "own_step", tilt = 2 }]\n'
    (tmp_path / "m.toml").write_text(matrix)
    run_script(USER, str(tmp_path / "m.toml"))


def test_quick_config_is_as_large_as_promised() -> None:
    config = quick_config()
    problems, optimizers, schedules, *_ = ({level.name for level in factor} for factor in config.blocks[0].factors)
    assert len(problems) >= 6
    assert {"linear_regression", "quadratic", "rosenbrock", "himmelblau", "logistic_regression"} <= problems
    assert len(optimizers) >= 8
    assert len(schedules) >= 5
    assert len(config.budget["seeds"]) == 3
