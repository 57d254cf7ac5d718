"""What every run on a GPU must give: the numbers of the CPU, to 1e-12 in float64.

``test_cuda.py`` runs these tests in Numba's simulator, in processes of their own; ``test_gpu.py`` on a device.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optbench
from optbench import parallel
from optbench.config import parse_config
from optbench.cuda.cohort import refusal
from optbench.devices import DTYPES, device_name, simulated
from optbench.harness import method_of
from optbench.methods import Optimizer
from optbench.plan import make_plan
from optbench.records import fields
from optbench.registry import get_optimizer
from optbench.runner import run_plan
from optbench.single import make_run
from optbench.types import Problem

STEPS = 12 if simulated() else 200
FIRST_ORDER = [name for name in optbench.list_optimizers() if isinstance(get_optimizer(name), Optimizer)]
LARGE_DATA = ("enso", "hahn1", "gauss1", "gauss2", "gauss3", "nelson", "bennett5", "chwirut1", "kirby2")  # hundreds


def usable(name: str) -> bool:
    """Whether the GPU takes the problem."""
    problem = optbench.get_problem(name)
    return refusal(problem, method_of(make_run(problem), problem)) is None


def problems() -> list[str]:
    """Problems without constraints; in the simulator those with little data."""
    names = [name for name in optbench.list_problems() if not name.startswith("hs")]
    return [name for name in names if not (simulated() and name in LARGE_DATA) and usable(name)]


def both(problem: str | Problem, optimizer: str, **options: Any) -> tuple[Any, Any]:
    """The same run on the CPU and on the GPU, which must agree."""
    cpu = optbench.minimize(problem, optimizer, **options)
    gpu = optbench.minimize(problem, optimizer, backend="cuda", **options)
    same(cpu, gpu)
    return cpu, gpu


def same(cpu: Any, gpu: Any, tolerance: float = 1e-12) -> None:
    """Raise AssertionError unless counts are equal and points, values and traces agree."""
    assert (gpu.status, gpu.nit, gpu.hits, gpu.samples) == (cpu.status, cpu.nit, cpu.hits, cpu.samples)
    np.testing.assert_array_equal(gpu.trace.index, cpu.trace.index)
    scale = max(1.0, float(np.nanmax(np.abs(cpu.x)))) if np.isfinite(cpu.x).all() else 1.0
    np.testing.assert_allclose(gpu.x, cpu.x, rtol=tolerance, atol=tolerance * scale)
    for name in ("f", "grad_norm", "lr"):
        values = cpu.trace[name].to_numpy()
        size = np.max(np.abs(values[np.isfinite(values)]), initial=1e-300)
        np.testing.assert_allclose(gpu.trace[name], values, rtol=10 * tolerance, atol=10 * tolerance * size)


@pytest.mark.parametrize("optimizer", FIRST_ORDER)
def test_optimizer(optimizer: str) -> None:
    rate = 1e-3 if optimizer in ("gd", "momentum", "nesterov", "sgd", "asgd") else 1e-2
    both("rosenbrock", optimizer, lr=rate, max_iter=STEPS)  # in registers
    both(optbench.get_problem("quadratic", n=20, cond=10.0), optimizer, lr=rate, max_iter=STEPS)  # in memory


@pytest.mark.parametrize("optimizer", FIRST_ORDER)
def test_hyperparameters(optimizer: str) -> None:
    known = {field.name for field in fields(get_optimizer(optimizer).params)}
    given = {"weight_decay": 0.01, "amsgrad": True, "nesterov": True, "momentum": 0.8}
    params: dict[str, Any] = {name: value for name, value in given.items() if name in known}
    if "dampening" in known:
        params.pop("nesterov", None)
        params["dampening"] = 0.1
    both("beale", optimizer, lr=1e-3, params=params, max_iter=STEPS)


@pytest.mark.parametrize("schedule", optbench.list_schedules())
def test_schedule(schedule: str) -> None:
    steps = 3 * STEPS
    needed: dict[str, dict[str, Any]] = {
        "multistep": {"milestones": [5, 9]},
        "step": {"step_size": 4},
        "reduce_on_plateau": {"patience": 1},
    }
    both("quadratic", "gd", lr=5e-3, schedule={"name": schedule, **needed.get(schedule, {})}, max_iter=steps)
    entry = {"name": schedule, "warmup": 5, **needed.get(schedule, {})}
    both("booth", "momentum", lr=1e-2, schedule=entry, max_iter=steps)


@pytest.mark.parametrize("clip", [{"norm": 0.5}, {"value": 0.1}], ids=str)
def test_clipping(clip: dict[str, float]) -> None:
    both("rosenbrock", "momentum", lr=1e-2, clip=clip, max_iter=STEPS)
    # Few steps: on the CPU, too, a change of the start by one unit in the last place grows to 1e-5 in 200 of them.
    both(optbench.get_problem("rosenbrock", n=20), "adam", lr=1e-2, clip=clip, max_iter=12)


@pytest.mark.parametrize("problem", problems())
def test_problem(problem: str) -> None:
    made = optbench.get_problem(problem)
    _, gpu = both(made, "gd", lr=1e-9, max_iter=3, targets=(), record="log")
    np.testing.assert_allclose(gpu.trace["f"].iloc[0], made.fun(made.x0), rtol=1e-12)


@pytest.mark.parametrize("order", ["shuffle", "replacement", "sequential"])
@pytest.mark.parametrize("problem", ["linear_regression", "logistic_regression"])
def test_mini_batches(problem: str, order: str) -> None:
    settings: dict[str, dict[str, Any]] = {
        "linear_regression": {"data": "sales"},
        "logistic_regression": {"alpha": 0.1},
    }
    data = settings[problem]
    made = optbench.get_problem(problem, **data)
    size = 7 if problem == "linear_regression" else 100
    options: dict[str, Any] = {
        "lr": 1e-2,
        "batch_size": size,
        "order": order,
        "max_iter": STEPS,
        "record": "log",
        "seed": 3,
    }
    both(made, "adam", **options)
    both(
        made,
        "momentum",
        **options,
        drop_last=order != "replacement",
        schedule={"name": "reduce_on_plateau", "patience": 0},
    )


def test_targets_divergence_stalls_and_the_end() -> None:
    assert both("sphere", "gd", lr=0.3, max_iter=200)[1].status == "converged"
    assert both("rosenbrock", "gd", lr=1.0, max_iter=200)[1].status == "diverged"
    assert both("sphere", "gd", lr=0.3, targets=(), gtol=1e-3, max_iter=200)[1].status == "converged"
    assert both("sphere", "gd", lr=0.5, targets=(), max_iter=5)[1].status == "budget"
    if not simulated():
        assert both("sphere", "gd", lr=0.5, targets=(0.5, 1e-300), max_iter=10_000)[1].nit < 10_000


def test_points_are_recorded() -> None:
    cpu, gpu = both("himmelblau", "nesterov", lr=1e-3, max_iter=STEPS)
    np.testing.assert_allclose(gpu.trace.attrs["x"], cpu.trace.attrs["x"], rtol=1e-12)


@pytest.mark.parametrize("problem", ["rosenbrock", "linear_regression"])
def test_ensemble(problem: str) -> None:
    options: dict[str, Any] = {"lr": [1e-3, 1e-2, 3.0], "seeds": 3, "max_iter": STEPS, "record": True}
    cpu = optbench.ensemble(problem, "momentum", **options)
    gpu = optbench.ensemble(problem, "momentum", backend="cuda", **options)
    assert (gpu.device, gpu.dtype, cpu.device) == (device_name(), "float64", "cpu")
    assert gpu.transfer_seconds > 0.0
    np.testing.assert_array_equal(gpu.status, cpu.status)
    np.testing.assert_array_equal(gpu.hits, cpu.hits)
    np.testing.assert_array_equal(gpu.nit, cpu.nit)
    fine = np.isfinite(cpu.fun) & (np.abs(cpu.x).max(axis=1) < 1e6)
    assert 0 < fine.sum() < len(cpu)  # some diverge
    np.testing.assert_allclose(gpu.x[fine], cpu.x[fine], rtol=1e-11)
    assert cpu.trace is not None
    assert gpu.trace is not None
    np.testing.assert_allclose(gpu.trace["f"][fine], cpu.trace["f"][fine], rtol=1e-11)


def test_ensemble_on_mini_batches_has_the_streams_of_single_runs() -> None:
    problem = optbench.get_problem("linear_regression", data="sales")
    options: dict[str, Any] = {"batch_size": 8, "max_iter": STEPS}
    many = optbench.ensemble(problem, "adam", lr=[1e-2, 1e-1], seeds=[0, 5], backend="cuda", **options)
    for k, (lr, seed) in enumerate(zip(many.lr, many.seed, strict=True)):
        one = optbench.minimize(problem, "adam", lr=lr, seed=int(seed), record="log", **options)
        np.testing.assert_allclose(many.x[k], one.x, rtol=1e-12)
        assert many.nit[k] == one.nit


@pytest.mark.parametrize("clip", [None, {"norm": 1.0}, {"value": 0.5}], ids=str)
@pytest.mark.parametrize("optimizer", ["gd", "adam", "lamb", "lars", "nadam"])
@pytest.mark.parametrize("problem", ["rosenbrock", "quadratic"])
def test_large_problem(problem: str, optimizer: str, clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if simulated():  # as if it were large
        monkeypatch.setattr(parallel, "THRESHOLD", 10)
    if simulated() and clip and optimizer in ("gd", "lars", "nadam"):
        pytest.skip("the simulator's barriers are slow: clipping with two optimizers is enough")
    n, steps = (11, 4) if simulated() else (200_001, 50)
    made = optbench.get_problem(problem, n=n)
    options: dict[str, Any] = {"lr": 1e-3, "clip": clip, "max_iter": steps, "record": "log"}
    _, first = both(made, optimizer, **options)
    again = optbench.minimize(made, optimizer, backend="cuda", **options)
    np.testing.assert_array_equal(again.x, first.x)  # to the last bit
    np.testing.assert_array_equal(again.trace, first.trace)


def test_large_problem_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    if simulated():
        monkeypatch.setattr(parallel, "THRESHOLD", 10)
    n = 11 if simulated() else 100_000
    made = optbench.get_problem("quadratic", n=n, cond=1.5)
    assert both(made, "gd", lr=0.8, targets=(0.5, 0.1), max_iter=50, record="log")[1].status == "converged"
    assert both(made, "gd", lr=0.8, targets=(), gtol=0.5, max_iter=50, record="log")[1].status == "converged"
    diverged = optbench.minimize(made, "gd", lr=1e200, max_iter=50, record="log", backend="cuda")
    assert diverged.status == "diverged"


def test_float32() -> None:
    options: dict[str, Any] = {"lr": 1e-2, "max_iter": STEPS, "schedule": "cosine"}
    exact = optbench.minimize("rosenbrock", "adam", **options)
    for dtype in DTYPES:
        r = optbench.minimize("rosenbrock", "adam", backend="cuda", dtype=dtype, **options)
        error = np.max(np.abs(r.x - exact.x))
        assert error < {"float64": 1e-12, "float32": 1e-4}[dtype]
        assert (error > 1e-12) == (dtype == "float32")
        assert r.fun == optbench.get_problem("rosenbrock").fun(r.x)  # evaluated again in float64
    single = optbench.minimize("sphere", "gd", lr=0.3, max_iter=200, backend="cuda", dtype="float32")
    assert single.status == "converged"


def test_time_limit() -> None:
    r = optbench.minimize("rosenbrock", "gd", lr=1e-5, max_iter=10**8, record="log", time_limit=0.05, backend="cuda")
    assert r.status == "timeout"
    assert 0 < r.nit < 10**8
    assert r.trace.index[-1] == r.nit
    assert r.trace["f"].iloc[-1] == r.fun


def test_matrix_on_the_gpu_is_recorded_timed_and_resumed(tmp_path: Path) -> None:
    matrix = {
        "problems": ["booth", {"name": "linear_regression", "data": "sales"}],
        "optimizers": [{"name": "gd", "lr": 0.01}, {"name": "adam", "lr": 0.1}, "newton"],
        "batch_size": ["full", 8],
        "budget": {"max_iter": STEPS, "seeds": 2, "backend": "cuda"},
    }
    plan = make_plan(parse_config(matrix))
    assert {cell.reason for cell in plan.skipped if cell.optimizer == "newton"} == {
        "newton stays on the CPU: a GPU runs first-order methods"
    }
    outcome = run_plan(plan, tmp_path / "r.db", repeats=2)
    assert (outcome.done, outcome.kept) == (12, 0)
    results = optbench.load(tmp_path / "r.db")
    runs = results.runs
    assert set(runs["backend"]) == {"cuda"}
    assert set(runs["device"]) == {device_name()}
    assert (runs["n_times"] == 2).all()
    assert (runs["transfer_seconds"] > 0).sum() == 6  # once a cell
    assert not set(runs["status"]) & {"error", "crashed"}
    assert results.environments[1]["cuda"]["device"] == device_name()
    again = run_plan(plan, tmp_path / "r.db", repeats=2)
    assert (again.done, again.kept) == (0, 12)
    cpu = run_plan(make_plan(parse_config({**matrix, "budget": {"max_iter": STEPS, "seeds": 2}})), tmp_path / "r.db")
    assert cpu.done > 12  # other runs
    both_runs = optbench.load(tmp_path / "r.db").runs
    ends = both_runs[both_runs["optimizer"] != "newton"].groupby(["problem", "label", "batch_size", "seed"])["fun"]
    assert (ends.count() == 2).all()
    np.testing.assert_allclose(ends.min(), ends.max(), rtol=1e-12)


@pytest.mark.parametrize(
    ("problem", "optimizer", "said"),
    [
        ("rosenbrock", "newton", "newton stays on the CPU: a GPU runs first-order methods"),
        ("rosenbrock", "lbfgs", "lbfgs stays on the CPU"),
        ("mlp", "adam", "views its variables as matrices"),
        ("hs071", "gd", "has constraints"),
    ],
)
def test_what_stays_on_the_cpu_says_so(problem: str, optimizer: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        optbench.minimize(problem, optimizer, backend="cuda", record="log", max_iter=2)
