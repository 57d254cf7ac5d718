"""Points of a search: ranges, spacing, nesting, the same in every process and for every optimizer."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from optbench.config import ConfigError, parse_config
from optbench.search import RANGES, Span, Tuning, points, tuning_of

MATRIX: dict[str, Any] = {"problems": ["beale"], "optimizers": ["adam", "gd"]}


def tuning(**given: Any) -> Tuning:
    """Settings of a valid [tuning] table."""
    made = parse_config({**MATRIX, "tuning": given}).tuning
    assert made is not None
    return made


def unit(name: str, values: np.ndarray) -> np.ndarray:
    """Where values lie in the range of a hyperparameter, on its scale, from 0 to 1."""
    low, high, scale = RANGES[name]
    if scale == "log":
        return np.asarray(np.log(values / low) / np.log(high / low))
    return np.asarray(np.log((1 - values) / (1 - low)) / np.log((1 - high) / (1 - low)))


def test_default_grid_has_36_rates_five_a_decade() -> None:
    rates = points(tuning())["lr"]
    assert rates.shape == (36,)
    assert (rates[0], rates[-1]) == (1e-5, 1e2)
    assert {1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0} <= set(rates.tolist())
    np.testing.assert_allclose(np.diff(np.log10(rates)), 0.2, rtol=1e-9)


def test_grid_of_a_coefficient_is_even_in_its_complement() -> None:
    values = points(tuning(mode="grid", parameters=["beta2"], budgets=7))["beta2"]
    np.testing.assert_allclose(1 - values, np.geomspace(1e-1, 1e-4, 7), rtol=1e-8)


@pytest.mark.parametrize("mode", ["random", "quasi-random"])
def test_points_lie_in_their_ranges_and_are_nested(mode: str) -> None:
    few = points(tuning(mode=mode, parameters="all", budgets=[25]))
    many = points(tuning(mode=mode, parameters="all", budgets=[75, 25, 50]))
    assert set(few) == set(many) == set(RANGES)
    for name, values in many.items():
        assert len(values) == 75
        assert ((values >= RANGES[name].low) & (values <= RANGES[name].high)).all()
        np.testing.assert_array_equal(few[name], values[:25])
        assert len(set(values.tolist())) == 75


@pytest.mark.parametrize("mode", ["random", "quasi-random"])
def test_a_value_does_not_depend_on_what_else_is_searched(mode: str) -> None:
    every = points(tuning(mode=mode, parameters="all"))
    for name in ("lr", "beta2"):
        np.testing.assert_array_equal(points(tuning(mode=mode, parameters=[name]))[name], every[name])
    more = {"lambd": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
    added = points(tuning(mode=mode, parameters="all", ranges=more))
    assert set(added) == {*every, "lambd"}
    np.testing.assert_array_equal(added["lr"], every["lr"])
    assert not np.array_equal(points(tuning(mode=mode, search_seed=1))["lr"], every["lr"])


def test_quasi_random_points_fill_every_stratum() -> None:
    """One of b**k points of a scrambled Halton sequence lies in every interval of length b**-k, b a prime."""
    found = points(tuning(mode="quasi-random", parameters="all", budgets=[128]))
    for name, count in (("lr", 32), ("momentum", 27), ("beta1", 25), ("beta2", 49), ("alpha", 121)):
        places = np.floor(unit(name, found[name][:count]) * count).astype(int)
        assert sorted(places) == list(range(count)), name


def test_random_points_are_even_on_their_scale() -> None:
    found = points(tuning(mode="random", parameters="all", budgets=[2000]))
    for name, values in found.items():
        assert abs(unit(name, values).mean() - 0.5) < 5 * np.sqrt(1 / 12 / 2000), name


@pytest.mark.parametrize("mode", ["grid", "random", "quasi-random"])
def test_points_are_the_same_in_another_process(mode: str) -> None:
    code = (
        "from optbench.search import points, tuning_of\n"
        f"print({{name: values.tolist() for name, values in points(tuning_of({{'mode': {mode!r}}})).items()}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    made = tuning_of({"mode": mode})
    assert made is not None
    assert done.stdout.strip() == str({name: values.tolist() for name, values in points(made).items()})


def test_defaults_of_the_modes() -> None:
    assert parse_config({**MATRIX, "tuning": {"mode": "none"}}).tuning is None
    assert parse_config(MATRIX).tuning is None
    grid, search = tuning(), tuning(mode="random")
    assert (grid.budgets, grid.parameters) == ((36,), ("lr",))
    assert (search.budgets, search.parameters[0]) == ((25, 50, 75), "lr")
    assert not {"eps", "weight_decay"} & set(search.parameters)
    assert grid.seeds == (1000, 1001, 1002)


def test_what_is_searched_of_an_optimizer() -> None:
    every = tuning(mode="random", parameters="all")
    assert every.searched("adam", own_step=False) == ("lr", "beta1", "beta2", "eps", "weight_decay")
    assert every.searched("lbfgs", own_step=True) == ()
    assert "alpha" in every.searched("rmsprop", own_step=False)
    assert "alpha" not in every.searched("asgd", own_step=False)


def test_ranges_of_the_user() -> None:
    ranges = {"lr": [1e-3, 1], "t0": {"low": 1, "high": 9.0, "scale": "linear"}}
    made = dict(tuning(mode="random", parameters=["lr", "t0"], ranges=ranges).ranges)
    assert made["lr"] == Span(1e-3, 1.0, "log")
    assert made["t0"] == Span(1.0, 9.0, "linear")
    assert made["beta1"] == RANGES["beta1"]
    np.testing.assert_allclose(made["t0"].at(np.array([0.0, 0.5, 1.0])), [1, 5, 9])


@pytest.mark.parametrize("name", ["lr", "beta2"])
def test_place_is_the_inverse_of_at(name: str) -> None:
    span = RANGES[name]
    places = [span.place(float(value)) for value in span.at(np.linspace(0.0, 1.0, 5))]
    np.testing.assert_allclose(places, np.linspace(0.0, 1.0, 5), atol=1e-9)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"mode": "gird"}, "tuning.mode: unknown mode 'gird'. Did you mean 'grid'"),
        ({"mod": "grid"}, "tuning.mod: unknown key 'mod'. Did you mean 'mode'"),
        ({"criterion": "loss"}, "tuning.criterion: unknown criterion 'loss'. Did you mean 'val_loss'"),
        ({"budgets": 0}, "tuning.budgets: budgets takes a whole number of at least 1"),
        ({"budgets": [5, 10]}, "a grid has one budget"),
        ({"parameters": ["lr", "beta1"]}, "a grid has one hyperparameter"),
        ({"mode": "random", "parameters": ["beta3"]}, "unknown hyperparameter 'beta3'. Did you mean 'beta"),
        ({"mode": "random", "parameters": "lr"}, "parameters takes 'all' or a list of names"),
        ({"ranges": {"lr": [1, 0.1]}}, "lr takes [low, high] with low < high"),
        ({"ranges": {"lr": [0, 0.1]}}, "low > 0"),
        ({"ranges": {"beta1": [0, 1]}}, "high < 1"),
        ({"ranges": {"lambd": [0, 1]}}, "lambd has no usual scale"),
        ({"ranges": {"lrr": [1e-3, 1]}}, "lrr has no usual scale: did you mean 'lr'?"),
        ({"ranges": {"beta1": [0.5, 0.9]}}, "the range of beta1 does nothing: searched are lr"),
        ({"ranges": {"lr": {"low": 1, "high": 2}}}, "lr takes [low, high] or { low, high, scale }"),
        ({"target": 0.1}, "target does nothing without criterion"),
        ({"criterion": "time_to_target", "target": 2}, "target takes a number between 0 and 1"),
        ({"seeds": [7, 7]}, "seeds takes different values"),
        ("grid", "tuning: takes a table"),
    ],
)
def test_bad_tables_get_a_sentence(table: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config({**MATRIX, "tuning": table}, "m.toml")
    assert len(error.value.errors) == 1
    assert error.value.errors[0].startswith("m.toml: tuning")
    assert message in error.value.errors[0]
