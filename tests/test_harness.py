"""Runs and what they claim: convergence, ends, traces, starts, the clock."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optbench
from optbench import harness
from optbench.loops import prepared as prepared_module
from optbench.methods import Optimizer
from optbench.outcome import STATUSES
from optbench.registry import OPTIMIZERS
from optbench.single import make_run
from optbench.types import Problem


def drop(x, g, data):  # type: ignore[no-untyped-def]
    """A cliff: finite, then NaN."""
    f = 0.0
    for i in range(x.size):
        g[i] = -1.0
        f -= x[i]
    return f if f > -10.0 else math.nan


def flat(x, g, data):  # type: ignore[no-untyped-def]
    """Constant: nothing moves."""
    for i in range(x.size):
        g[i] = 0.0
    return 1.0


def test_hits_are_the_first_iterations_of_the_trace() -> None:
    r = optbench.minimize("rosenbrock", "adam", lr=1e-2, schedule="cosine")
    f = r.trace["f"].to_numpy()
    for tau, hit in r.hits.items():
        assert hit == np.flatnonzero(f <= tau * f[0])[0]
    assert r.status == "converged"
    assert r.success
    assert r.nit == max(h for h in r.hits.values() if h is not None)
    assert r.nfev == r.njev == r.nit + 1


def test_trace_is_what_the_problem_says_of_its_points() -> None:
    p = optbench.get_problem("himmelblau")
    r = optbench.minimize(p, "momentum", lr=1e-3, max_iter=100, targets=())
    x = r.trace.attrs["x"]
    assert list(r.trace.index) == list(range(r.nit + 1)) == list(range(101))
    assert x.shape == (101, 2)
    np.testing.assert_array_equal(x[0], p.x0)
    np.testing.assert_array_equal(x[-1], r.x)
    np.testing.assert_array_equal(r.trace["f"], [p.fun(row) for row in x])
    np.testing.assert_allclose(r.trace["grad_norm"], [np.linalg.norm(p.grad(row)) for row in x], rtol=1e-14)
    assert r.fun == p.fun(r.x)
    np.testing.assert_array_equal(r.jac, p.grad(r.x))
    assert (r.trace["lr"] == 1e-3).all()


def test_thinned_trace_is_part_of_the_full_one() -> None:
    settings: dict[str, Any] = {"lr": 1e-3, "max_iter": 3000, "targets": (), "schedule": "step"}
    full = optbench.minimize("rosenbrock", "adam", **settings).trace
    thin = optbench.minimize("rosenbrock", "adam", record="log", **settings).trace
    assert 40 < len(thin) < 100
    assert thin.index[-1] == 3000
    assert full.loc[thin.index].equals(thin)
    assert "x" not in thin.attrs


@pytest.mark.parametrize("schedule", ["constant", "cosine", "reduce_on_plateau", {"name": "one_cycle", "warmup": 70}])
@pytest.mark.parametrize("clip", [None, {"norm": 1.0}, {"value": 0.5}])
def test_run_equals_the_same_steps_in_plain_python(schedule: Any, clip: Any) -> None:
    """The driver adds nothing of its own: gradient, clipping, schedule and update, one after the other."""
    p = optbench.get_problem("beale")
    steps = 600
    r = optbench.minimize(p, "momentum", lr=1e-3, schedule=schedule, clip=clip, max_iter=steps, targets=())
    observes = schedule == "reduce_on_plateau"
    metric = r.trace["f"].to_numpy()[:steps] if observes else None
    rates = optbench.schedule_values(schedule, 1e-3, steps, metric=metric)
    x, v = p.x0.copy(), np.zeros(2)
    for t in range(steps):
        g = p.grad(x)
        if clip:
            g = optbench.clip(g, **clip)
        v = g if t == 0 else 0.9 * v + g
        x = x - rates[t] * v
    np.testing.assert_allclose(r.trace["lr"].to_numpy()[:steps], rates, rtol=1e-14)
    np.testing.assert_allclose(r.x, x, rtol=1e-11)


def test_numbers_do_not_depend_on_where_the_slices_end(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"lr": 1e-2, "max_iter": 2000, "schedule": "cosine"}
    whole = optbench.minimize("rosenbrock", "adam", **settings)
    monkeypatch.setattr(prepared_module.Prepared, "_first_slice", lambda self: 1)
    monkeypatch.setattr(prepared_module, "SLICE", 0.0)
    monkeypatch.setattr(prepared_module, "ROWS", 7)
    sliced = optbench.minimize("rosenbrock", "adam", **settings)
    assert whole.trace.equals(sliced.trace)
    np.testing.assert_array_equal(whole.trace.attrs["x"], sliced.trace.attrs["x"])
    assert whole.hits == sliced.hits


def test_divergence_is_found_at_once() -> None:
    r = optbench.minimize("rosenbrock", "gd", lr=1.0, max_iter=100_000)
    assert r.status == "diverged"
    assert not r.success
    assert r.nit < 20
    assert not math.isfinite(r.trace["f"].iloc[-1])
    assert np.isfinite(r.trace["f"].iloc[:-1]).all()


def test_nan_of_the_objective_is_divergence() -> None:
    r = optbench.minimize(Problem(drop, [0.0], f_opt=-20.0), "gd", lr=1.0)
    assert (r.status, r.nit) == ("diverged", 10)


def test_point_that_does_not_move_is_stalled_and_costs_no_budget() -> None:
    r = optbench.minimize(Problem(flat, [1.0, 2.0], f_opt=0.0), "adam", max_iter=10**9, record="log")
    assert r.status == "stalled"
    assert r.nit < 3000


def test_without_targets_nothing_ends_early() -> None:
    r = optbench.minimize(Problem(flat, [1.0]), "gd", max_iter=5000, targets=())
    assert (r.status, r.nit, r.hits) == ("budget", 5000, {})


def test_start_at_the_minimum_meets_every_target_at_once() -> None:
    r = optbench.minimize("sphere", "gd", x0=np.zeros(optbench.get_problem("sphere").n))
    assert (r.status, r.nit, set(r.hits.values())) == ("converged", 0, {0})


def test_gtol() -> None:
    r = optbench.minimize("booth", "gd", lr=1e-1, gtol=1e-5, targets=())
    assert r.status == "converged"
    assert abs(r.jac).max() <= 1e-5
    assert abs(optbench.get_problem("booth").grad(r.trace.attrs["x"][-2])).max() > 1e-5


def test_time_limit_keeps_what_there_is() -> None:
    r = optbench.minimize("rosenbrock", "gd", lr=1e-5, max_iter=10**10, targets=(), time_limit=0.2, record="log")
    assert r.status == "timeout"
    assert r.trace.index[-1] == r.nit > 1000
    assert r.fun == r.trace["f"].iloc[-1] < r.trace["f"].iloc[0]


def test_unknown_minimum_runs_to_the_budget_without_hits() -> None:
    r = optbench.minimize(Problem(drop, [0.0, 1.0]), "gd", lr=1e-6, max_iter=50)
    assert r.status == "budget"
    assert set(r.hits.values()) == {None}


def test_claim_that_does_not_hold_is_an_error() -> None:
    run = make_run("booth", None, "gd", lr=0.1)
    prepared = harness.prepare(run)
    outcome = prepared.run()
    assert harness.judge(prepared, outcome, run.targets).status == "converged"
    outcome.x = outcome.x + 1.0
    result = harness.judge(prepared, outcome, run.targets)
    assert result.status == "error"
    assert "every target was said to be met" in result.message


def test_failure_is_a_result_with_its_reason() -> None:
    run = make_run("booth", None, "gd")
    broken = harness.execute(dataclasses.replace(run, problem="nothing"))
    assert broken.status == "error"
    assert "unknown problem 'nothing'" in broken.message
    assert broken.status in STATUSES


def test_starts_depend_on_problem_and_seed_only() -> None:
    p = optbench.get_problem("rosenbrock", n=5)
    np.testing.assert_array_equal(harness.start_of(p, 0), p.x0)
    first, again, other = harness.start_of(p, 1), harness.start_of(p, 1), harness.start_of(p, 2)
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    assert ((first >= p.bounds[:, 0]) & (first <= p.bounds[:, 1])).all()
    assert (harness.start_of(optbench.get_problem("rosenbrock", n=6), 1)[:5] != first).all()


def test_same_seed_same_trace_other_seed_other_trace() -> None:
    a, b, c = (optbench.minimize("beale", "gd", lr=1e-3, max_iter=50, seed=seed) for seed in (3, 3, 4))
    assert a.trace.equals(b.trace)
    assert not a.trace.equals(c.trace)


def test_code_is_stable_and_sees_settings_of_the_data() -> None:
    run = make_run("linear_regression", {"data": "sales"}, "gd")
    before = harness.code_of(run)
    harness.problem_of(run.problem, run.settings).fun([1.0, 2.0])
    harness.forget_problems()
    assert harness.code_of(run) == before
    assert harness.code_of(make_run("linear_regression", {"data": "diabetes"}, "gd")) != before
    assert harness.code_of(make_run("linear_regression", {"data": "sales"}, "adam")) != before


def test_measure_gives_every_run_its_samples() -> None:
    runs = [
        make_run(name, None, optimizer, lr=1e-3, max_iter=200)
        for name in ("beale", "booth")
        for optimizer in ("gd", "adam")
    ]
    measured = dict(harness.measure(runs, 4))
    assert set(measured) == set(runs)
    assert all(len(samples) == 4 and min(samples) > 0 for samples in measured.values())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"params": {"beta_1": 0.9}}, "Did you mean 'beta1'"),
        ({"lr": 0.0}, "lr takes a number above 0"),
        ({"clip": {"norm": -1.0}}, "norm takes a number above 0"),
        ({"x0": [1.0]}, r"x0 must have shape \(2,\), not \(1,\)"),
        ({"record": "al"}, "Did you mean 'all'"),
        ({"gtol": -1.0}, "gtol takes a number above 0"),
        ({"targets": (2.0,)}, "between 0 and 1"),
        ({"batch_size": 8}, "mini-batches do not apply"),
        ({"max_iter": 10**9}, "record='log'"),
    ],
)
def test_bad_input_of_minimize(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optbench.minimize("rosenbrock", **settings)


def test_bad_input_of_schedule_values() -> None:
    with pytest.raises(ValueError, match="does not observe"):
        optbench.schedule_values("cosine", metric=[1.0] * 100)
    with pytest.raises(ValueError, match=r"needs metric, shape \(5,\)"):
        optbench.schedule_values("reduce_on_plateau", n_steps=5)
    with pytest.raises(ValueError, match="n_steps takes"):
        optbench.schedule_values("cosine", n_steps=0)


def test_cycle_is_not_taken_for_a_standstill() -> None:
    """Steps of equal length back and forth return to the same point every second step."""
    r = optbench.minimize(Problem(distance, [0.25], f_opt=0.0), "gd", lr=0.5, max_iter=5000, record="log")
    assert r.status == "budget"


def distance(x, g, data):  # type: ignore[no-untyped-def]
    """|x|, of which a step of fixed length never reaches the minimum."""
    g[0] = 1.0 if x[0] > 0.0 else -1.0
    return abs(x[0])


def test_blocks_are_long_enough() -> None:
    for name in ("beale", "linear_regression"):
        prepared = harness.prepare(make_run(name, None, "gd", lr=1e-3, max_iter=50))
        count, seconds = harness._block(prepared)
        assert count >= 1
        assert seconds >= harness.BLOCK


def test_starts_do_not_depend_on_where_the_data_lie(tmp_path: Path) -> None:
    starts = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "d.csv"
        path.write_text("x,y\n1,2\n2,3\n4,5\n")
        starts.append(harness.start_of(optbench.get_problem("linear_regression", data=str(path), target="y"), 3))
    np.testing.assert_array_equal(starts[0], starts[1])


def test_code_depends_on_how_a_run_starts() -> None:
    run = make_run("beale", None, "adagrad")
    before = harness.code_of(run)
    kept = OPTIMIZERS._items["adagrad"]
    assert isinstance(kept, Optimizer)
    OPTIMIZERS._items["adagrad"] = dataclasses.replace(kept, init=lambda params: (7.0,))
    try:
        assert harness.code_of(run) != before
    finally:
        OPTIMIZERS._items["adagrad"] = kept


def test_a_point_without_a_residual_has_an_infinite_one() -> None:
    problem = optbench.get_problem("hs006")
    x = np.full(problem.n, 1e300)
    assert harness.kkt_of(problem, x, problem.grad(x), np.full(problem.m, np.nan)) == math.inf
