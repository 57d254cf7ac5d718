"""Networks: loss, gradient, measures and Adam against PyTorch; settings; frozen losses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from optbench import evaluation
from optbench.cli.matrix import entry
from optbench.config import parse_config
from optbench.harness import start_of
from optbench.optimize import minimize
from optbench.plan import make_plan
from optbench.problems._frozen import FILE, frozen_losses
from optbench.problems._network import TILE
from optbench.records import encode
from optbench.registry import UnknownName, get_problem
from optbench.types import Problem

REFERENCE = Path(__file__).parent / "reference"
RECORD = json.loads((REFERENCE / "networks.json").read_text())
ARRAYS = np.load(REFERENCE / "networks.npz")
CASES = [(k, case["problem"], case["settings"]) for k, case in enumerate(RECORD["cases"])]
every_case = pytest.mark.parametrize(
    ("k", "name", "settings"), CASES, ids=[",".join((n, *(f"{v}" for v in s.values()))) for _, n, s in CASES]
)


def recorded(k: int, key: str) -> Any:
    return ARRAYS[f"{k}-{key}"]


# ---------------------------------------------------------------------------------------------- against PyTorch


@every_case
def test_loss_and_gradient_are_pytorchs(k: int, name: str, settings: dict[str, Any]) -> None:
    f, g = get_problem(name, **settings).fun_and_grad(recorded(k, "x"))
    assert f == pytest.approx(recorded(k, "f"), rel=1e-13)
    assert_allclose(g, recorded(k, "g"), rtol=1e-12, atol=1e-13 * np.abs(g).max())


@every_case
def test_measures_are_pytorchs(k: int, name: str, settings: dict[str, Any]) -> None:
    problem = get_problem(name, **settings)
    problem.validation = problem.data
    loss, accuracy = evaluation.evaluate_measure(problem, recorded(k, "x"))
    assert loss == pytest.approx(recorded(k, "loss"), rel=1e-13)
    assert_array_equal(accuracy, recorded(k, "accuracy"))


@every_case
def test_25_steps_of_adam_are_pytorchs(k: int, name: str, settings: dict[str, Any]) -> None:
    result = minimize(
        get_problem(name, **settings),
        optimizer="adam",
        lr=RECORD["lr"],
        max_iter=RECORD["steps"],
        x0=recorded(k, "x"),
        targets=(),
    )
    assert result.nit == RECORD["steps"]
    assert_allclose(result.x, recorded(k, "adam"), rtol=0.0, atol=1e-10)


def test_groups_are_layers_in_the_order_of_x() -> None:
    problem = get_problem("mlp", data="iris", hidden=[5, 4])
    assert [tuple(group) for group in problem.groups] == [
        ("weights 1", 20, False),
        ("biases 1", 5, True),
        ("weights 2", 20, False),
        ("biases 2", 4, True),
        ("weights 3", 12, False),
        ("biases 3", 3, True),
    ]
    at = 0
    for group in problem.groups:  # a bias that starts at 0; weights drawn within Glorot's limits
        part = problem.x0[at : at + group.size]
        assert np.all(part == 0.0) == group.bias
        at += group.size
    assert 0.9 < np.abs(problem.x0[:20]).max() / np.sqrt(6 / 9) <= 1.0


# ------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize("name", ["mlp", "autoencoder", "softmax_regression"])
def test_mean_over_equal_batches_is_the_whole(name: str) -> None:
    problem = get_problem(name, data="digits").batch(np.arange(1796))  # eight tiles, the last of which is short
    x = get_problem(name, data="digits").x0 + 0.1 * np.random.default_rng(0).standard_normal(problem.n)
    order = np.random.default_rng(1).permutation(1796)
    f, g = problem.fun_and_grad(x)
    for size in (4, 449, 898):
        parts = [problem.batch(order[at : at + size]).fun_and_grad(x) for at in range(0, 1796, size)]
        assert_allclose(np.mean([part[0] for part in parts]), f, rtol=1e-12)
        assert_allclose(np.mean([part[1] for part in parts], axis=0), g, rtol=1e-9, atol=1e-13 * np.abs(g).max())


@pytest.mark.parametrize("size", [1, TILE - 1, TILE, TILE + 1])
def test_tiles_hold_every_sample_once(size: int) -> None:
    whole = get_problem("mlp", data="digits", hidden=[3])
    x = recorded_point(whole)
    compiled = whole.batch(np.arange(size)).fun_and_grad(x)
    singles = [whole.batch([i]).fun_and_grad(x) for i in range(size)]
    assert_allclose(compiled[0], np.mean([f for f, _ in singles]), rtol=1e-12)
    assert_allclose(compiled[1], np.mean([g for _, g in singles], axis=0), rtol=1e-9, atol=1e-13)


def recorded_point(problem: Problem) -> Any:
    return problem.x0 + 0.1 * np.random.default_rng(3).standard_normal(problem.n)


def test_nothing_overflows_and_nan_stays() -> None:
    problem = get_problem("mlp", data="iris", hidden=[], alpha=0.0)
    for scale in (1e3, 1e6):
        f, g = problem.fun_and_grad(scale * np.ones(problem.n) * np.arange(problem.n))
        assert np.isfinite(f)
        assert np.all(np.isfinite(g))
    assert np.isnan(problem.fun(np.full(problem.n, np.nan)))
    for activation in ("tanh", "relu", "sigmoid", "gelu"):
        broken = get_problem("mlp", data="iris", activation=activation)
        assert np.isnan(broken.fun(np.where(np.arange(broken.n) == 0, np.nan, broken.x0)))


def test_kernel_is_loaded_by_a_second_process() -> None:
    """Every activation, so every symbol that the code needs; the same bits, whatever the number of threads."""
    code = (
        "from optbench import evaluation, get_problem\n"
        "for name in ('tanh', 'relu', 'sigmoid', 'gelu'):\n"
        "    p = get_problem('mlp', data='iris', activation=name, hidden=[5, 3])\n"
        "    print(evaluation.objective(p).cached, p.fun(p.x0).hex())"
    )
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    first, second = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout.split()
        for env in (None, one_thread)
    )
    assert second[0::2] == ["True"] * 4
    assert first[1::2] == second[1::2]


# ------------------------------------------------------------------------------------------------------ settings


def test_units_and_layers_make_the_list_of_hidden_layers() -> None:
    assert get_problem("mlp", data="iris", units=6, layers=2).n == get_problem("mlp", data="iris", hidden=[6, 6]).n
    assert get_problem("mlp", data="iris", layers=0).n == 15
    sizes = [get_problem("autoencoder", hidden=hidden).data.sizes.tolist() for hidden in ([], [4], [9, 2, 9])]
    assert sizes == [[30, 30], [30, 4, 30], [30, 9, 2, 9, 30]]


def test_lists_on_the_command_line_and_in_a_matrix() -> None:
    assert entry("mlp:data=iris,hidden=[8, 4],activation=relu") == {
        "name": "mlp",
        "data": "iris",
        "hidden": [8, 4],
        "activation": "relu",
    }
    table = {
        "problems": [{"name": "mlp", "data": "iris", "hidden": [[8], [8, 4]]}, {"name": "mlp", "units": [4, 8]}],
        "optimizers": ["adam"],
    }
    runs = make_plan(parse_config(table)).runs
    assert {dict(run.settings)["hidden"] for run in runs} == {(8,), (8, 4), None}
    assert len(runs) == 4


def test_start_is_drawn_with_the_seed_and_the_data_are_not() -> None:
    options: tuple[dict[str, Any], ...] = ({}, {"instance": 1}, {"init": "he"})
    one, other, he = (get_problem("mlp", **given) for given in options)
    assert_array_equal(one.data.X, other.data.X)
    assert np.all(one.x0[:416] != other.x0[:416])
    assert_allclose(he.x0[:416], one.x0[:416] * np.sqrt(45 / 13), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": [8, 0]}, "hidden takes a list of numbers of units of at least 1.* not hidden = .8, 0."),
        ({"hidden": 8}, "not hidden = 8"),
        ({"hidden": [2.5]}, "not hidden = .2.5."),
        ({"layers": -1}, "layers = -1"),
        ({"units": 0}, "units = 0"),
        ({"alpha": -1.0}, "problem 'mlp': alpha must be at least 0 and finite, not -1"),
        ({"instance": -1}, "problem 'mlp': instance must be at least 0, not -1"),
        ({"data": "diabetes", "loss": "cross_entropy"}, "must hold 2 to 100 distinct values, but holds 214"),
    ],
)
def test_bad_setting_is_one_clear_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_problem("mlp", **settings)


@pytest.mark.parametrize(("key", "value"), [("activation", "tan"), ("loss", "mae"), ("init", "hee")])
def test_unknown_choice_names_the_nearest(key: str, value: str) -> None:
    with pytest.raises(UnknownName, match=f"unknown {key} of problem 'mlp'"):
        get_problem("mlp", **{key: value})


def test_classes_by_text_in_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,kind\n1,2,red\n2,1,blue\n3,5,green\n4,4,red\n")
    problem = get_problem("mlp", data=str(path), target="kind", hidden=[2])
    assert problem.data.Y.tolist() == [[2, 0, 1, 2]]
    assert problem.n == 2 * 3 + 3 * 3
    assert get_problem("mlp", data=str(path), target="b", features=["a"], hidden=[2]).data.loss == "mse"
    assert get_problem("autoencoder", data=str(path), hidden=[1]).data.X.shape == (2, 4)


# ---------------------------------------------------------------------------------------------------- frozen losses

ENTRIES = json.loads(FILE.read_text())["losses"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e['problem']}-{e['n']}-{e['n_samples']}")
def test_frozen_losses_belong_to_their_problem(entry: dict[str, Any]) -> None:
    name, settings = entry["problem"], entry["settings"]
    problem = get_problem(name, **settings)
    assert problem.frozen == (entry["start"], entry["best"])
    assert (problem.n, problem.n_samples, problem.f_opt) == (entry["n"], entry["n_samples"], None)
    assert entry["best"] == pytest.approx(min(entry["ends"]), rel=1e-3)
    if "init" in settings:
        starts = [get_problem(name, **{**settings, "instance": seed}) for seed in range(10)]
        assert all(start.frozen == problem.frozen for start in starts)
        if problem.n_samples < 600:
            assert entry["start"] == pytest.approx(np.median([start.fun(start.x0) for start in starts]), rel=1e-9)


def test_a_frozen_best_is_what_its_protocol_finds() -> None:
    from scipy.optimize import minimize as scipy_minimize

    entry = next(item for item in ENTRIES if item["settings"].get("data") == "wine")
    problem = get_problem("mlp", **entry["settings"])
    options = {"maxiter": 5000, "maxfun": 50000, "maxcor": 20, "ftol": 0.0, "gtol": 1e-12}
    end = scipy_minimize(problem.fun_and_grad, problem.x0, jac=True, method="L-BFGS-B", options=options)
    assert end.fun == pytest.approx(entry["ends"][0], rel=5e-3)
    assert end.fun >= entry["best"] * (1 - 1e-6)


def test_other_settings_have_no_frozen_losses() -> None:
    assert get_problem("mlp").frozen is not None
    assert get_problem("autoencoder").frozen is not None
    assert get_problem("mlp", units=32, init="he", instance=7).frozen == get_problem("mlp", hidden=[32]).frozen
    for other in ({"alpha": 0.3}, {"hidden": [33]}, {"standardize": False}, {"validation": 0.1}):  # type: dict[str, Any]
        assert get_problem("mlp", **other).frozen is None
    for seed in (0, 3):
        split = {"validation": 0.2, "split_seed": seed}
        assert (get_problem("mlp", **split).frozen is None) == (seed == 3)
    assert frozen_losses("sphere", {}) is None


SAME: list[tuple[str, dict[str, Any]]] = [
    ("mlp", {"hidden": [32]}),
    ("mlp", {"hidden": (32,), "units": 5, "layers": 3}),
    ("mlp", {"loss": "cross_entropy"}),
    ("mlp", {"target": "class", "split_seed": 3}),
    ("autoencoder", {"target": "benign", "hidden": [8]}),
]


@pytest.mark.parametrize(("name", "spelling"), SAME, ids=str)
def test_one_network_has_one_start_and_its_frozen_losses(name: str, spelling: dict[str, Any]) -> None:
    """However it is asked for."""
    plain, same = get_problem(name), get_problem(name, **spelling)
    assert same.frozen == plain.frozen is not None
    assert same.settings == plain.settings
    assert_array_equal(start_of(same, 1), start_of(plain, 1))
    assert get_problem(name, **same.settings).settings == same.settings
    assert get_problem(name, hidden=[9]).settings != same.settings


def test_encoded_record_has_choices_as_numbers() -> None:
    data = encode(get_problem("mlp", activation="sigmoid", data="diabetes").data)
    assert (data.activation, data.loss) == (2, 1)
