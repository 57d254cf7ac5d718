"""Runs done together: the numbers of single runs, bit for bit; in lanes, to rounding."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import optbench
from optbench import cohort, evaluation, harness
from optbench.cohort import Cohort, blocks_of, execute_many
from optbench.config import parse_config
from optbench.loops import members
from optbench.loops.lanes import WIDTH, objective, refusal
from optbench.memory import aligned
from optbench.methods import Optimizer
from optbench.outcome import Result, Run
from optbench.plan import make_plan
from optbench.single import make_run
from optbench.types import Problem

SAMPLES = {"data": "synthetic", "n_samples": 40, "n_features": 5}
CASES: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("rosenbrock", {}, "adam", {"lr": [1e-3, 1e-1]}),
    ("himmelblau", {}, "gd", {"lr": [1e-2, 1.0], "clip": {"norm": 1.0}, "schedule": {"name": "cosine", "warmup": 5}}),
    ("himmelblau", {}, "gd", {"lr": [1e-2, 1.0, 1e-30]}),  # converges, diverges, stalls
    ("ackley", {"n": 5}, "rmsprop", {"lr": [0.1], "clip": {"value": 0.5}, "schedule": "reduce_on_plateau"}),
    ("quadratic", {"n": 10}, "lamb", {"lr": [1e-2, 1e-1], "schedule": {"name": "one_cycle", "max_lr": 0.1}}),
    ("quadratic", {"n": 12, "rotated": True}, "lars", {"lr": [1e-2], "schedule": {"name": "cosine", "warmup": 7}}),
    ("linear_regression", SAMPLES, "nesterov", {"lr": [1e-3, 1e-2]}),  # writes to scratch
    ("beale", {}, "rprop", {"lr": [1e-2]}),  # residuals and Jacobian
    ("powell_singular", {}, "adagrad", {"lr": [0.1], "params": {"initial_accumulator_value": 0.5}}),
    ("rosenbrock", {}, "adam", {"lr": [0.1], "params": {"amsgrad": True, "weight_decay": 1e-3}}),
]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[2]}-{len(case[3]['lr'])}")
def test_members_are_single_runs(case: tuple[str, dict[str, Any], str, dict[str, Any]], threads: int) -> None:
    name, settings, optimizer, options = case
    problem = optbench.get_problem(name, **settings)
    seeds = [0, 3, 1, 7]
    together = optbench.ensemble(
        problem, optimizer, seeds=seeds, max_iter=2500, record=threads == 1, threads=threads, **options
    )
    assert together.threads == threads
    pairs = [(lr, seed) for lr in options["lr"] for seed in seeds]
    rest = {key: value for key, value in options.items() if key != "lr"}
    for k, (lr, seed) in enumerate(pairs):
        alone = optbench.minimize(problem, optimizer, lr=lr, seed=seed, max_iter=2500, record="log", **rest)
        assert (together.lr[k], together.seed[k]) == (lr, seed)
        assert together.x[k].tobytes() == alone.x.tobytes()
        assert (together.status[k], together.nit[k]) == (alone.status, alone.nit)
        assert np.array_equal(together.fun[k], alone.fun, equal_nan=True)
        assert together.f0[k] == alone.columns["f"][0]
        hits = dict(zip(together.targets, together.hits[k].tolist(), strict=True))
        assert hits == {tau: -1 if hit is None else hit for tau, hit in alone.hits.items()}
        if together.trace is not None:
            rows = len(alone.columns["f"])
            for column, values in together.trace.items():
                assert values[k, :rows].tobytes() == alone.columns[column].tobytes()
                assert np.isnan(values[k, rows:]).all()


def test_cases_end_in_every_way() -> None:
    ends = set()
    for name, settings, optimizer, options in CASES:
        problem = optbench.get_problem(name, **settings)
        ends |= set(optbench.ensemble(problem, optimizer, seeds=4, max_iter=2500, **options).status)
    assert ends == {"converged", "diverged", "stalled", "budget"}


# -------------------------------------------------------------------------------------------------- runs of a plan

MATRIX: dict[str, Any] = {
    "problems": ["beale", "booth", "hs071", {"name": "linear_regression", **SAMPLES}],
    "optimizers": ["gd", {"name": "adam", "lr": [1e-2, 1e-1]}, "lbfgs", "augmented_lagrangian"],
    "schedules": ["constant", "reduce_on_plateau"],
    "batch_size": ["full", 8],
    "budget": {"max_iter": 40, "seeds": 3},
}


def the_same(a: Result, b: Result) -> bool:
    return all(
        repr(value) == repr(vars(b)[name])
        if not isinstance(value, (np.ndarray, dict))
        else _alike(value, vars(b)[name])
        for name, value in vars(a).items()
    )


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return bool(a.shape == b.shape and a.tobytes() == b.tobytes())
    return list(a) == list(b) and all(_alike(a[k], b[k]) if isinstance(a[k], np.ndarray) else a[k] == b[k] for k in a)


def test_runs_of_a_plan_are_single_runs() -> None:
    runs = make_plan(parse_config(MATRIX)).runs
    found = execute_many(runs)
    assert len(found) == len(runs)
    assert all(the_same(a, harness.execute(run)) for a, run in zip(found, runs, strict=True))


def runs_of(seeds: int, **changes: Any) -> list[Run]:
    return [make_run("rosenbrock", optimizer="adam", lr=1e-3, seed=seed, **changes) for seed in range(seeds)]


def test_no_run_begins_after_the_time() -> None:
    runs = runs_of(64, max_iter=10_000, targets=())
    found = execute_many(runs, 0.0)
    assert 1 <= len(found) <= len(runs)
    assert the_same(found[-1], harness.execute(runs[len(found) - 1]))
    long = runs_of(8, max_iter=10_000_000, targets=(), time_limit=0.2)
    assert 1 <= len(execute_many(long, 0.0)) < len(long)


def test_time_limits_hold_for_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohort, "SLICE", 0.01)
    for result in execute_many(runs_of(2, max_iter=10**9, targets=(), time_limit=0.05)):
        assert (result.status, result.message) == harness.TIMEOUT
        assert result.trace["iteration"][-1] == result.nit > 0
        assert result.trace["f"][-1] == result.fun
        assert len(result.trace["f"]) == len(result.trace["lr"]) > 50


def test_what_fails_is_a_row_of_its_own() -> None:
    good, bad = runs_of(2, max_iter=10), make_run("rosenbrock", optimizer="adam", max_iter=10)
    lost = [Run(**{**vars(bad), "settings": (("n", -1),), "seed": seed}) for seed in range(2)]
    found = execute_many([*good, *lost])
    assert [result.status for result in found] == ["budget", "budget", "error", "error"]


def test_number_of_seeds_may_come_from_an_array() -> None:
    options: dict[str, Any] = {"lr": 1e-3, "max_iter": 5}
    assert optbench.ensemble("rosenbrock", seeds=np.int64(3), **options).seed.tolist() == [0, 1, 2]
    starts = [[0.0, 0.0], [1.0, 2.0]]
    assert len(optbench.ensemble("rosenbrock", seeds=np.int64(1), x0s=starts, **options)) == 2


def test_held_out_samples_are_left_alone() -> None:
    problem = optbench.get_problem("ridge", validation=0.25)
    found = optbench.ensemble(problem, "adam", lr=1e-3, seeds=6, max_iter=50, threads=2, record=True)
    assert problem not in evaluation._HELD_OUT  # the room for what is measured on them is one for all threads
    alone = optbench.minimize(problem, "adam", lr=1e-3, seed=5, max_iter=50)
    assert found.x[5].tobytes() == alone.x.tobytes()


def test_decay_that_spares_biases_is_refused_for_what_it_is() -> None:
    with pytest.raises(ValueError, match=r"does not apply: decay_bias=False .*: use minimize"):
        optbench.ensemble("mlp", "adamw", params={"weight_decay": 0.1, "decay_bias": False})
    with pytest.raises(ValueError, match="with 70000 variables is worked on in pieces"):
        optbench.ensemble(optbench.get_problem("quadratic", n=70_000))


# --------------------------------------------------------------------------------------------------------- lanes


def eligible() -> list[str]:
    problem = optbench.get_problem("rosenbrock")
    made = (optbench.get_optimizer(name) for name in optbench.list_optimizers())
    return [item.name for item in made if refusal(problem, item, False) is None]


def both(
    problem: str | Problem, optimizer: str, seeds: int, lr: Sequence[float], **options: Any
) -> tuple[optbench.EnsembleResult, optbench.EnsembleResult]:
    """The same ensemble in lanes and not."""
    pair = [
        optbench.ensemble(problem, optimizer, lr=lr, seeds=seeds, lanes=lanes, **options) for lanes in (True, False)
    ]
    assert pair[0].lanes
    assert not pair[1].lanes
    return pair[0], pair[1]


def assert_close(a: optbench.EnsembleResult, b: optbench.EnsembleResult, tolerance: float = 1e-9) -> None:
    assert a.status.tolist() == b.status.tolist()
    assert (a.nit == b.nit).all()
    assert (a.hits == b.hits).all()
    assert (a.f0 == b.f0).all()
    assert a.lr.tolist() == b.lr.tolist()
    assert a.seed.tolist() == b.seed.tolist()
    fine = a.status != "diverged"
    np.testing.assert_allclose(a.x[fine], b.x[fine], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("optimizer", eligible())
def test_every_eligible_optimizer_in_lanes(optimizer: str) -> None:
    """Enough seeds for blocks of one learning rate, then few of many learning rates in one block.

    Lanes may round differently, by the processor. Runs that amplify that are left out: those that end elsewhere when
    they start 1e-14 away.
    """
    lr = optbench.get_optimizer(optimizer).lr * 3
    problem = optbench.get_problem("rosenbrock")
    for seeds, rates in ((WIDTH + 5, [lr, 3 * lr]), (7, (lr * np.geomspace(0.1, 3, 9)).tolist())):
        lanes, exact = both(problem, optimizer, seeds, rates, max_iter=150)
        starts = np.array([harness.start_of(problem, seed) for seed in range(seeds)])
        beside = optbench.ensemble(problem, optimizer, lr=rates, x0s=starts * (1.0 + 1e-14), max_iter=150)
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(beside.x - exact.x).max(axis=1) / np.maximum(1.0, np.abs(exact.x).max(axis=1))
        steady = (beside.nit == exact.nit) & (beside.hits == exact.hits).all(axis=1) & (apart < 1e-11)
        assert steady.mean() > 0.3
        assert_close(*both(problem, optimizer, seeds, rates, max_iter=4))
        assert_close(only(lanes, steady), only(exact, steady))


def only(result: optbench.EnsembleResult, kept: Any) -> optbench.EnsembleResult:
    """Some of the members."""
    names = ("x", "fun", "f0", "nit", "status", "hits", "lr", "seed")
    return replace(result, **{name: getattr(result, name)[kept] for name in names})


def test_all_first_order_optimizers_without_norms_are_eligible() -> None:
    made = (optbench.get_optimizer(name) for name in optbench.list_optimizers())
    assert eligible() == [item.name for item in made if isinstance(item, Optimizer) and item.scale is None]


OPTIONS: list[Mapping[str, Any]] = [
    {"clip": {"norm": 1.0}},
    {"clip": {"value": 0.5}},
    {"schedule": {"name": "cosine", "warmup": 50}},
    {"schedule": {"name": "one_cycle", "max_lr": 0.05, "warmup": 3}},
    {"schedule": {"name": "step", "step_size": 30}},
    {"params": {"amsgrad": True}},
    {"targets": ()},
    {"max_iter": 1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: str(next(iter(options.values()))))
@pytest.mark.parametrize(("seeds", "lr"), [(WIDTH + 1, [0.05]), (3, [0.01, 0.02, 0.05])], ids=["one", "mixed"])
def test_clipping_and_schedules_in_lanes(seeds: int, lr: list[float], options: Mapping[str, Any]) -> None:
    assert_close(*both("himmelblau", "adam", seeds, lr, **{"max_iter": 300, **options}))


@pytest.mark.parametrize(("seeds", "lr"), [(150, [1e-2]), (50, [1e-30, 1e-2, 1.0])], ids=["narrows", "ends"])
def test_lanes_end_as_single_runs_do(seeds: int, lr: list[float]) -> None:
    a, b = both("himmelblau", "gd", seeds, lr, max_iter=2500)
    assert_close(a, b)
    assert len(set(a.nit.tolist())) > 20
    if len(lr) == 3:
        assert set(a.status) >= {"converged", "diverged", "stalled"}
    mixed = both("himmelblau", "gd", 9, [1e-30, 1e-2, 1.0], max_iter=2500)
    assert_close(*mixed)
    assert set(mixed[0].status) >= {"converged", "diverged", "stalled"}


PROBLEMS: list[tuple[str, dict[str, Any]]] = [
    ("beale", {}),
    ("quadratic", {"n": 16}),
    ("quadratic", {"n": 5, "rotated": True}),
    ("ackley", {"n": 3}),
    ("powell_singular", {}),
    ("kowalik_osborne", {}),
    ("rosenbrock", {"n": 9}),
]


@pytest.mark.parametrize(("name", "settings"), PROBLEMS, ids=lambda value: str(value))
def test_objective_in_lanes(name: str, settings: dict[str, Any]) -> None:
    problem, tiles = optbench.get_problem(name, **settings), 2
    n, count = problem.n, 2 * WIDTH
    low, high = problem.bounds.T
    points = np.random.default_rng(3).uniform(low, high, size=(count, n))
    x, g, f, floors = (aligned(size) for size in (n * count, n * count, count, count))
    x[:] = points.reshape(tiles, WIDTH, n).transpose(0, 2, 1).ravel()
    wanted, gradients = members.evaluate_all(problem, points)
    floors[:] = wanted.min() - 1.0
    at = [array.ctypes.data for array in (x, g, f, floors)]
    data = optbench.evaluation.data_words(problem)
    assert objective(problem)(*at, tiles, data.ctypes.data) == 0
    np.testing.assert_allclose(f, wanted, rtol=1e-12)
    scale = np.abs(gradients).max(axis=1, keepdims=True)
    got = g.reshape(tiles, n, WIDTH).transpose(0, 2, 1).reshape(count, n)
    np.testing.assert_allclose(got / scale, gradients / scale, atol=1e-12)
    floors[WIDTH + 3] = f[WIDTH + 3]
    assert objective(problem)(*at, tiles, data.ctypes.data) == 1


def test_blocks_cover_all_members_once() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        rates = np.repeat(np.arange(1.0, 9.0), rng.integers(0, 4 * WIDTH, 8) // rng.integers(1, 30, 8))
        if not rates.size:
            continue
        blocks = blocks_of(rates, 2 * WIDTH)
        assert [k for first, last, _ in blocks for k in range(first, last)] == list(range(rates.size))
        assert all(last - first <= 2 * WIDTH for first, last, _ in blocks)
        assert all(mixed or len(set(rates[first:last])) == 1 for first, last, mixed in blocks)


# -------------------------------------------------------------------------------------------------------- mistakes

MISTAKES: list[tuple[Any, dict[str, Any], str]] = [
    ("rosenbrock", {"optimizer": "lbfgs"}, "takes a first-order optimizer"),
    ("hs071", {}, "knows nothing of constraints"),
    ("rosenbrock", {"lr": [1e-2, -1.0]}, "lr takes numbers above 0"),
    ("rosenbrock", {"lr": []}, "lr takes numbers above 0"),
    ("rosenbrock", {"seeds": -1}, "seeds takes"),
    ("rosenbrock", {"seeds": [0.5]}, "seeds takes"),
    ("rosenbrock", {"seeds": 2, "x0s": [[1.0, 2.0]]}, "not both"),
    ("rosenbrock", {"x0s": [1.0, 2.0]}, r"shape \(s, 2\)"),
    ("rosenbrock", {"x0s": [[1.0, np.inf]]}, "finite"),
    ("rosenbrock", {"threads": 0}, "threads takes"),
    ("rosenbrock", {"optimizer": "lamb", "lanes": True}, "does not act on each coordinate alone"),
    (optbench.get_problem("quadratic", n=17), {"lanes": True}, "at most 16"),
    (optbench.get_problem("linear_regression", **SAMPLES), {"lanes": True}, "many samples"),
    ("rosenbrock", {"lanes": True, "schedule": "reduce_on_plateau"}, "observes the objective"),
    ("rosenbrock", {"lanes": True, "record": True}, "no trace"),
]


@pytest.mark.parametrize(("problem", "options", "message"), MISTAKES, ids=lambda value: str(value)[:40])
def test_mistakes_are_named(problem: str | Problem, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optbench.ensemble(problem, **options)


def test_large_problems_are_for_minimize() -> None:
    with pytest.raises(ValueError, match="in pieces"):
        optbench.ensemble(optbench.get_problem("sphere", n=1 << 16))


# ------------------------------------------------------------------------------------------------------- processes


@pytest.mark.usefixtures("heeds_ctrl_c")
@pytest.mark.parametrize("lanes", [False, True])
def test_interruption_stops_every_thread(lanes: bool) -> None:
    before = set(threading.enumerate())
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        optbench.ensemble("rosenbrock", lr=1e-9, seeds=200, max_iter=10**7, targets=(), threads=2, lanes=lanes)
    timer.join()
    assert set(threading.enumerate()) <= before


def test_a_failure_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(Cohort, "advance", fail)
    with pytest.raises(MemoryError, match="no room"):
        optbench.ensemble("rosenbrock", seeds=20, max_iter=10, threads=2)


AGAIN = """
import optbench
from optbench import jit
optbench.ensemble("beale", "adam", lr=[1e-3, 1e-2], seeds=40, max_iter=20, lanes=True)
optbench.ensemble("beale", "adam", lr=[1e-3, 1e-2], seeds=2, max_iter=20, lanes=True)
optbench.ensemble("beale", "adam", seeds=2, max_iter=20)
print([kernel.name for kernel in jit.loaded() if not kernel.cached], len(jit.loaded()))
"""


def test_a_second_process_compiles_nothing() -> None:
    exec(AGAIN, {})
    done = subprocess.run([sys.executable, "-c", AGAIN], env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    compiled, loaded = done.stdout.rsplit(maxsplit=1)
    assert compiled == "[]"
    assert int(loaded) > 8
