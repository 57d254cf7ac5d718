"""Every optimizer against trajectories of torch and optax, as plain Python and compiled; contracts over the registry.

The reference is ``reference/optimizers.json.gz``, made by ``reference/make_optimizers.py``. Gradients here are
written out by hand, there they come from automatic differentiation.
"""

from __future__ import annotations

import functools
import gzip
import importlib
import itertools
import json
import math
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optbench
import optbench.optimizers
from optbench import coordinate, kernels, memory
from optbench.methods import Optimizer
from optbench.optimizers._moments import SMALLEST, next_power
from optbench.records import encode, fields, pack
from optbench.registry import get_optimizer
from optbench.types import Array

TOLERANCE = 1e-10
FILES = sorted(m.name for m in pkgutil.iter_modules(optbench.optimizers.__path__) if not m.name.startswith("_"))
STEMS = [name for name in FILES if isinstance(get_optimizer(name), Optimizer)]  # the others are in test_descent.py
REFERENCE = json.loads(gzip.decompress((Path(__file__).parent / "reference" / "optimizers.json.gz").read_bytes()))
CASES = [pytest.param(case, id=case["id"]) for case in REFERENCE["cases"]]


def first_order(name: str) -> Optimizer:
    optimizer = get_optimizer(name)
    assert isinstance(optimizer, Optimizer)
    return optimizer


# ------------------------------------------------------------------------------------------------- gradients


def rosenbrock(x: Array, data: dict[str, Array]) -> Array:
    g = np.zeros_like(x)
    a = x[1:] - x[:-1] ** 2
    g[:-1] = -400.0 * x[:-1] * a - 2.0 * (1.0 - x[:-1])
    g[1:] += 200.0 * a
    return g


def quadratic(x: Array, data: dict[str, Array]) -> Array:
    return data["a"] @ x - data["b"]


def network(x: Array, data: dict[str, Array]) -> Array:
    outer, inner, shift = x[0:2], x[2:4], x[4:6]
    hidden = np.tanh(data["inputs"][:, None] * inner + shift)
    error = 2.0 * (hidden @ outer - data["outputs"]) / data["outputs"].size
    back = error[:, None] * outer * (1.0 - hidden**2)
    return np.concatenate([error @ hidden, data["inputs"] @ back, back.sum(axis=0)])


GRADIENTS = {"rosenbrock": rosenbrock, "quadratic": quadratic, "network": network}


@functools.cache
def problem_data(name: str) -> dict[str, Array]:
    return {key: np.array(value) for key, value in REFERENCE["problems"][name].items()}


# ------------------------------------------------------------------------------------------------- both forms


class Plain:
    """An optimizer stepped coordinate by coordinate in Python."""

    def __init__(self, name: str, settings: dict[str, Any], x: Array, groups: list[int]) -> None:
        self.optimizer = first_order(name)
        self.params = encode(self.optimizer.params(**settings))
        self.update, record = kernels.form_of(self.optimizer, self.params)
        start = self.optimizer.init(self.params) if self.optimizer.init else record(*[0.0] * len(fields(record)))
        self.x, self.states, self.groups = x.tolist(), [start] * x.size, groups
        self.shared = self.optimizer.shared()

    def step(self, t: int, lr: float, g: Array) -> Array:
        """Take step t with gradient `g`, shape (n,): the new point, shape (n,)."""
        if self.optimizer.shared._fields:  # type: ignore[attr-defined]
            c, self.shared = self.optimizer.constants(t, lr, self.params, self.shared)
        else:
            c = self.optimizer.constants(t, lr, self.params)
        pairs = [self.update(*each, c) for each in zip(self.x, g.tolist(), self.states, strict=True)]
        new, self.states = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if self.optimizer.scale:
            self._finish(new, c)
        else:
            self.x = new
        return np.array(self.x)

    def _finish(self, u: list[float], c: Any) -> None:
        assert self.optimizer.scale
        assert self.optimizer.finish
        for first, end in itertools.pairwise(self.groups):
            s = self.optimizer.scale(math.hypot(*self.x[first:end]), math.hypot(*u[first:end]), c)
            for i in range(first, end):
                self.x[i], self.states[i] = self.optimizer.finish(self.x[i], u[i], s, self.states[i], c)

    def state(self) -> Array:
        """Shape (fields, n)."""
        return np.array(self.states).T


class Compiled:
    """The same through the step kernel, on memory laid out as the driver lays it out."""

    def __init__(self, name: str, settings: dict[str, Any], x: Array, groups: list[int]) -> None:
        optimizer = first_order(name)
        params = encode(optimizer.params(**settings))
        _, record = kernels.form_of(optimizer, params)
        self.n, m = x.size, memory.padded(x.size)
        self.x, self.g, work = (memory.aligned(m) for _ in range(3))
        self.x[: self.n] = x
        self.states = memory.aligned(m * len(fields(record))).reshape(-1, m)
        if optimizer.init:
            self.states[:] = np.array(optimizer.init(params))[:, None]
        shared, packed, bounds = pack(encode(optimizer.shared())), pack(params), np.array(groups, dtype=np.int64)
        self.frame = np.zeros(coordinate.FRAME_WORDS, dtype=np.int64)
        arrays = {"X": self.x, "G": self.g, "STATE": self.states, "PARAMS": packed, "SHARED": shared}
        for word, array in {**arrays, "WORK": work, "GROUPS": bounds}.items():
            self.frame[getattr(coordinate, word)] = array.ctypes.data
        for word, value in {"N": self.n, "STRIDE": m, "N_BOUNDS": len(groups)}.items():
            self.frame[getattr(coordinate, word)] = value
        self.keep = (shared, packed, bounds, work)
        self.kernel = kernels.step(optimizer, params)

    def step(self, t: int, lr: float, g: Array) -> Array:
        """Take step t with gradient `g`, shape (n,): the new point, shape (n,)."""
        self.g[: self.n] = g
        self.kernel(self.frame.ctypes.data, t, lr)
        return self.x[: self.n].copy()

    def state(self) -> Array:
        """Shape (fields, n)."""
        return self.states[:, : self.n]


FORMS = [pytest.param(Plain, id="plain"), pytest.param(Compiled, id="compiled")]


def trajectory(stepper: Any, case: dict[str, Any], x: Array, data: dict[str, Array]) -> Iterator[tuple[int, Array]]:
    steps = REFERENCE["kept"][-1]
    rates = case["lr"] if isinstance(case["lr"], list) else [case["lr"]] * steps
    for t, lr in enumerate(rates, start=1):
        x = stepper.step(t, lr, GRADIENTS[case["problem"]](x, data))
        yield t, x


# -------------------------------------------------------------------------------------------------- reference


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_reference(case: dict[str, Any], form: Any) -> None:
    data = problem_data(case["problem"])
    x0 = np.zeros_like(data["x0"]) if case["start"] == "zero" else data["x0"]
    stepper = form(case["optimizer"], case["params"], x0, case["groups"])
    expected = dict(zip(REFERENCE["kept"], np.array(case["x"]), strict=True))
    for t, x in trajectory(stepper, case, x0, data):
        if t in expected:
            error = np.abs(x - expected[t]).max() / np.abs(expected[t]).max()
            assert error <= TOLERANCE, f"step {t}: {error:.1e}"
    if "average" in case:
        np.testing.assert_allclose(stepper.state()[0], case["average"], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("case", [case for case in CASES if re.fullmatch(r".*-rosenbrock-\d", str(case.id))])
def test_minimize_walks_the_reference(case: dict[str, Any]) -> None:
    """The driver starts state and running scalars, counts steps and hands over rates as the reference does."""
    method = {"optimizer": case["optimizer"], "params": case["params"], "lr": case["lr"]}
    x0, last = REFERENCE["problems"]["rosenbrock"]["x0"], REFERENCE["kept"][-1]
    r = optbench.minimize("rosenbrock", x0=x0, max_iter=last, targets=(), record="all", **method)
    points, expected = r.trace.attrs["x"][REFERENCE["kept"]], np.array(case["x"])
    assert (np.abs(points - expected).max(axis=1) / np.abs(expected).max(axis=1)).max() <= TOLERANCE


# -------------------------------------------------------------------------------------------------- contracts


@pytest.mark.parametrize("name", STEMS)
def test_file_registers_its_stem(name: str) -> None:
    importlib.import_module(f"optbench.optimizers.{name}")
    optimizer = first_order(name)
    assert optimizer.name == name
    assert optimizer.update.__module__ == f"optbench.optimizers.{name}"
    assert optimizer.source
    assert optimizer.doc
    assert optimizer.lr > 0.0


@pytest.mark.parametrize("name", STEMS)
def test_options_are_all_exercised(name: str) -> None:
    """A reference case with the defaults, one with another learning rate at every step, every option set somewhere."""
    cases = [case for case in REFERENCE["cases"] if case["optimizer"] == name]
    assert {case["problem"] for case in cases if not case["params"]} == set(GRADIENTS)
    assert any(isinstance(case["lr"], list) for case in cases)
    used = {key for case in cases for key in case["params"]}
    assert used == {field.name for field in fields(first_order(name).params)}


@pytest.mark.parametrize("name", STEMS)
def test_defaults_are_the_reference_library_s(name: str) -> None:
    optimizer, theirs = first_order(name), REFERENCE["defaults"][name]
    ours = {field.name: field.default for field in fields(optimizer.params)}
    shared = ours.keys() & theirs.keys()
    assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}
    if REFERENCE["libraries"][name] == "torch":
        assert optimizer.lr == theirs["lr"]


@pytest.mark.parametrize("name", STEMS)
def test_broken_gradient_shows(name: str) -> None:
    stepper = Compiled(name, {}, np.array([1.0, 2.0, 3.0]), [0, 3])
    stepper.step(1, 0.01, np.array([0.1, 0.2, 0.3]))
    x = stepper.step(2, 0.01, np.array([0.1, math.nan, 0.3]))
    assert math.isnan(x[1])
    assert first_order(name).scale or np.isfinite(x[[0, 2]]).all()


@pytest.mark.parametrize("name", STEMS)
def test_zero_gradient_is_harmless(name: str) -> None:
    """Nothing is divided by zero where a coordinate, or all of them, has no gradient from the start."""
    stepper = Compiled(name, {}, np.array([1.0, -2.0, 0.0]), [0, 2, 3])
    for t in range(1, 4):
        x = stepper.step(t, 0.01, np.zeros(3))
    np.testing.assert_allclose(x, [1.0, -2.0, 0.0], atol=1e-3)


@pytest.mark.parametrize("name", STEMS)
def test_coordinates_do_not_depend_on_n(name: str) -> None:
    """A coordinate steps the same alone and among others; with norms, the same as a group of its own."""
    groups = [[0, 1], [0, 1, 11]] if first_order(name).scale else [[0, 1], [0, 11]]
    rng = np.random.default_rng(3)
    x, g = rng.standard_normal(11), rng.standard_normal((5, 11))
    alone, among = Compiled(name, {}, x[:1], groups[0]), Compiled(name, {}, x, groups[1])
    for t in range(1, 6):
        first = alone.step(t, 0.01, g[t - 1, :1])
        np.testing.assert_allclose(among.step(t, 0.01, g[t - 1])[0], first[0], rtol=1e-14)


def test_running_powers_skip_the_denormal_numbers() -> None:
    power, seen = 1.0, []
    while power > 0.0:
        power = next_power(power, 0.9)  # type: ignore[no-untyped-call]
        seen.append(power)
    assert min(value for value in seen if value) > SMALLEST
    assert len(seen) == math.ceil(math.log(SMALLEST) / math.log(0.9))
    assert power == 0.0
