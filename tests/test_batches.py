"""Mini-batches: the stream, which samples a step sees, what is counted, judged and timed."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import optbench
from optbench import harness, kernels
from optbench.loops import batches
from optbench.loops.batches import Batching
from optbench.outcome import Run
from optbench.plan import make_plan
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import get_optimizer, get_schedule
from optbench.single import make_run
from optbench.types import Group, Problem

MASK = 2**64 - 1
M, D = 23, 3


class Data(NamedTuple):
    """Features (d, m), target (m,), and work that a kernel may write: one row a feature, and residuals."""

    X: Matrix
    y: Vector
    rows: Scratch
    r: Scratch


def fun_grad(x, g, data):  # type: ignore[no-untyped-def]
    """Mean square, with every array of the record in use and the number of samples taken from them."""
    m, d = data.y.size, x.size
    total = 0.0
    for j in range(d):
        g[j] = 0.0
    for i in range(m):
        data.r[i] = -data.y[i]
        for j in range(d):
            data.rows[j * m + i] = x[j] * data.X[j, i]
            data.r[i] += data.rows[j * m + i]
        total += data.r[i] * data.r[i]
        for j in range(d):
            g[j] += 2.0 * data.r[i] * data.X[j, i] / m
    return total / m


def measure(x, out, data):  # type: ignore[no-untyped-def]
    """Mean absolute error, and the share of samples with an error below 1."""
    out[0] = out[1] = 0.0
    for i in range(data.y.size):
        error = -data.y[i]
        for j in range(x.size):
            error += x[j] * data.X[j, i]
        out[0] += abs(error) / data.y.size
        out[1] += (1.0 if abs(error) < 1.0 else 0.0) / data.y.size


def data_of(m: int, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    return Data(rng.standard_normal((D, m)), rng.standard_normal(m), np.zeros(D * m), np.zeros(m))


def problem_of(**more: Any) -> Problem:
    data = data_of(M, 0)
    x_opt = np.linalg.lstsq(data.X.T, data.y, rcond=None)[0]
    f_opt = float(np.mean((x_opt @ data.X - data.y) ** 2))
    known: dict[str, Any] = {"x_opt": x_opt, "f_opt": f_opt, "samples": ("X", "y", "rows", "r")} | more
    return Problem(fun_grad, np.zeros(D), data=data, **known)


def splitmix(state: int) -> Any:
    """Numbers of the stream, in Python's integers."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def below(stream: Any, k: int) -> int:
    """Even draw among 0, ..., k - 1 from the upper halves, rejecting what would make it uneven."""
    while True:
        wide = (next(stream) >> 32) * k
        if wide % 2**32 >= 2**32 % k:
            return int(wide >> 32)


def expected(batching: Batching, m: int, steps: int) -> list[list[int]]:
    """Samples of every step, by the definitions."""
    stream, order, at, found = splitmix(batching.stream & MASK), list(range(m)), 0, []
    for _ in range(steps):
        if batching.order == "replacement":
            found.append([below(stream, m) for _ in range(batching.size)])
            continue
        count = min(batching.size, m - at)
        for i in range(at, at + count) if batching.order == "shuffle" else ():
            j = i + below(stream, m - i)
            order[i], order[j] = order[j], order[i]
        found.append(order[at : at + count])
        at += count
        if at >= m or (batching.drop_last and m - at < batching.size):
            at = 0
    return found


def run_of(problem: Problem, **settings: Any) -> Run:
    return make_run(problem, **{"optimizer": "gd", "lr": 0.05, "max_iter": 40, "targets": (), **settings})


def test_the_stream_is_the_published_one() -> None:
    # Seed 1234567, first outputs as published with the generator's reference implementation.
    first = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    stream = splitmix(1234567)
    assert [next(stream) for _ in first] == first


BATCHINGS: list[dict[str, Any]] = [
    {"batch_size": 5},
    {"batch_size": 5, "drop_last": True},
    {"batch_size": 1},
    {"batch_size": 22},
    {"batch_size": 7, "order": "replacement"},
    {"batch_size": 5, "order": "sequential"},
    {"batch_size": 5, "order": "sequential", "drop_last": True},
]


@pytest.mark.parametrize("settings", BATCHINGS, ids=str)
def test_a_run_steps_along_the_gradients_of_the_batches_that_the_stream_chooses(settings: dict[str, Any]) -> None:
    problem = problem_of()
    run = run_of(problem, seed=3, **settings)
    prepared = harness.prepare(run, problem, np.zeros(D), record="all")
    result = harness.judge(prepared, prepared.run(), ())
    x = np.zeros(D)
    seen = expected(prepared.method.batching, M, run.max_iter)
    for t, samples in enumerate(seen):
        np.testing.assert_allclose(result.trace["x"][t], x, rtol=1e-12, atol=1e-14)
        assert result.trace["f"][t] == pytest.approx(problem.fun(x), rel=1e-12)
        assert result.trace["grad_norm"][t] == pytest.approx(np.linalg.norm(problem.grad(x)), rel=1e-9)
        x = x - 0.05 * problem.batch(samples).grad(x)
    assert result.samples == sum(map(len, seen))
    whole = M // run.batch_size * run.batch_size if run.drop_last else M
    assert result.epochs == pytest.approx(result.samples / whole)
    if run.batch_order == "shuffle":
        each = -(-whole // run.batch_size)
        for k in range(0, len(seen) - each + 1, each):
            epoch = np.concatenate([np.array(part) for part in seen[k : k + each]])
            assert len(set(epoch.tolist())) == len(epoch) == whole


def test_every_order_of_samples_is_as_likely() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for seed in range(600):
        (order,) = expected(Batching(4, "shuffle", False, seed), 4, 1)
        counts[tuple(order)] = counts.get(tuple(order), 0) + 1
    assert len(counts) == 24
    assert sum((count - 25) ** 2 / 25 for count in counts.values()) < 49.7  # chi square, 23 degrees, 0.1 %


def test_the_gradient_of_all_samples_is_the_mean_over_equal_batches() -> None:
    problem, x = problem_of(), np.array([0.3, -1.0, 2.0])
    parts = [problem.batch(range(k, k + 1)).fun_and_grad(x) for k in range(M)]
    assert problem.fun(x) == pytest.approx(np.mean([f for f, _ in parts]), rel=1e-13)
    np.testing.assert_allclose(problem.grad(x), np.mean([g for _, g in parts], axis=0), rtol=1e-12)


def test_the_same_run_gives_the_same_numbers_in_another_process() -> None:
    code = (
        "import optbench\n"
        "r = optbench.minimize('linear_regression', 'adam', lr=0.1, batch_size=16, max_iter=300, seed=5, targets=())\n"
        "print(r.fun.hex(), r.samples, r.trace['f'].sum().hex())"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    settings: dict[str, Any] = {"lr": 0.1, "batch_size": 16, "max_iter": 300, "targets": ()}
    here = optbench.minimize("linear_regression", "adam", seed=5, **settings)
    assert outputs == {f"{here.fun.hex()} {here.samples} {here.trace['f'].sum().hex()}\n"}
    assert optbench.minimize("linear_regression", "adam", seed=6, **settings).fun != here.fun


def test_every_optimizer_sees_the_same_batches() -> None:
    problem = problem_of()
    streams = {
        harness.batching_of(run_of(problem, optimizer=name, batch_size=size, seed=2), problem).stream
        for name in ("gd", "adam")
        for size in (4, 8)
    }
    assert len(streams) == 1


def test_hits_are_checkpoints_at_which_the_whole_objective_meets_the_target() -> None:
    problem = problem_of()
    run = run_of(problem, batch_size=4, max_iter=400, lr=0.02, targets=(0.5, 0.1, 0.05))
    results = []
    for record in ("log", "all"):
        prepared = harness.prepare(run, problem, np.full(D, 4.0), record=record)
        results.append(harness.judge(prepared, prepared.run(), run.targets))
    log, full = results
    assert log.hits == full.hits
    assert log.nit == full.nit
    assert None not in log.hits.values()
    f0, f_opt = log.f0, problem.f_opt
    assert f_opt is not None
    for target, hit in log.hits.items():
        rows = dict(zip(log.trace["iteration"], log.trace["f"], strict=True))
        met = [t for t, f in rows.items() if f - f_opt <= target * (f0 - f_opt)]
        assert hit == min(met)
    assert (log.status, full.trace["iteration"].size) == ("converged", full.nit + 1)


def test_gtol_is_judged_on_the_whole_gradient() -> None:
    problem = problem_of()
    at_optimum = problem.x_opt
    prepared = harness.prepare(run_of(problem, batch_size=4, lr=1e-6), problem, at_optimum, gtol=1e-4)
    result = harness.judge(prepared, prepared.run(), ())
    assert (result.status, result.nit) == ("converged", 0)
    assert np.abs(problem.batch(range(4)).grad(np.asarray(at_optimum))).max() > 1e-2


def test_divergence_on_batches_is_a_status() -> None:
    problem = problem_of()
    prepared = harness.prepare(run_of(problem, batch_size=4, lr=1e3, max_iter=2000), problem)
    result = harness.judge(prepared, prepared.run(), ())
    assert result.status == "diverged"
    assert result.nit < 2000


def test_the_clock_sees_the_same_steps_and_no_judging() -> None:
    problem = problem_of()
    run = run_of(problem, batch_size=4, max_iter=300, lr=0.02, targets=(0.5, 0.1))
    prepared = harness.prepare(run, problem, np.full(D, 4.0))
    result = harness.judge(prepared, prepared.run(), run.targets)
    x = prepared.live.copy()
    prepared.for_the_clock()
    assert prepared.seconds(3) > 0.0
    np.testing.assert_array_equal(prepared._view("x"), x[: prepared._view("x").size])
    assert int(prepared._ints[0]) == result.nit
    assert list(prepared._view("hits")) == [-1.0, -1.0]


def test_an_observing_schedule_sees_the_mean_loss_of_an_epoch() -> None:
    problem = problem_of()
    schedule = {"name": "reduce_on_plateau", "patience": 0, "factor": 0.5, "threshold": 1e9, "threshold_mode": "abs"}
    run = run_of(problem, batch_size=5, schedule=schedule, max_iter=24)
    prepared = harness.prepare(run, problem, np.zeros(D), record="all")
    rates = harness.judge(prepared, prepared.run(), ()).trace["lr"]
    # Five batches an epoch: the first epoch's mean is the best so far, every later one fails to beat it by 1e9.
    np.testing.assert_array_equal(rates[:24], np.repeat([0.05, 0.05, 0.025, 0.0125, 0.00625], 5)[:24])


def test_held_out_samples_are_measured_at_every_row() -> None:
    held_out = data_of(9, 1)
    problem = problem_of(validation=held_out, measure=measure)
    for optimizer, more in (("gd", {"batch_size": 4}), ("gd", {}), ("lbfgs", {"lr": None})):
        run = run_of(problem, **{"optimizer": optimizer, "lr": 0.05, **more})
        prepared = harness.prepare(run, problem, np.ones(D), record="all")
        result = harness.judge(prepared, prepared.run(), ())
        for x, loss, right in zip(*(result.trace[k] for k in ("x", "val_loss", "val_accuracy")), strict=True):
            errors = np.abs(x @ held_out.X - held_out.y)
            assert loss == pytest.approx(errors.mean(), rel=1e-12)
            assert right == pytest.approx((errors < 1.0).mean())
        assert result.val_loss == result.trace["val_loss"][-1]


def test_frozen_losses_stand_in_the_place_of_the_minimum() -> None:
    known = problem_of()
    assert known.f_opt is not None
    frozen = optbench.types.Frozen(start=10.0, best=known.f_opt)
    problem = problem_of(x_opt=None, f_opt=None, frozen=frozen)
    levels = harness.thresholds(123.0, problem, (0.1, 0.01))
    np.testing.assert_allclose(levels, known.f_opt + np.array([0.1, 0.01]) * (10.0 - known.f_opt))
    assert harness.thresholds(123.0, problem_of(x_opt=None, f_opt=None), (0.1,)).size == 0


def test_epochs_stand_in_place_of_iterations() -> None:
    problem = problem_of()
    assert run_of(problem, batch_size=5, epochs=3).max_iter == 15
    assert run_of(problem, batch_size=5, drop_last=True, epochs=2.5).max_iter == 10
    assert run_of(problem, epochs=7).max_iter == 7


def test_epochs_with_replacement_are_as_many_samples() -> None:
    problem = problem_of()
    run = run_of(problem, batch_size=20, order="replacement", epochs=50)
    prepared = harness.prepare(run, problem)
    assert harness.judge(prepared, prepared.run(), ()).epochs == pytest.approx(50, abs=20 / M)


@pytest.mark.parametrize("epochs", [0, -1, math.nan])
def test_epochs_are_a_positive_number(epochs: float) -> None:
    with pytest.raises(ValueError, match="epochs takes a number above 0"):
        run_of(problem_of(), epochs=epochs)
    with pytest.raises(ValueError, match="batch_size takes a whole number of at least 1, not 0"):
        run_of(problem_of(), batch_size=0)
    with pytest.raises(ValueError, match="epochs does not apply: rosenbrock is not a sum over samples"):
        optbench.minimize("rosenbrock", epochs=3)


def test_epochs_of_a_method_with_a_search_count_its_evaluations() -> None:
    r = optbench.minimize("logistic_regression", "trust_newton", max_iter=5, targets=())
    assert r.nhev == r.nit == 5
    assert r.epochs == r.nfev - 1 + r.nhev
    assert r.samples == 569 * (r.nfev - 1 + r.nhev)
    assert r.trace["epoch"].iloc[-1] == r.epochs


def test_a_point_at_which_the_time_is_over_is_judged() -> None:
    problem = problem_of()
    run = run_of(problem, batch_size=4, lr=0.02, max_iter=10**8, targets=(0.5,))
    prepared = harness.prepare(run, problem, np.full(D, 4.0))

    def stopped() -> Iterator[int]:  # before the first checkpoint
        prepared._view("x")[:D] = problem.x_opt
        prepared._ints[0] = 7
        yield 0

    prepared._slices = stopped  # type: ignore[method-assign]
    assert harness.judge(prepared, prepared.run(0.0), run.targets).hits == {0.5: 7}


def test_gtol_is_judged_at_the_same_points_whatever_is_recorded() -> None:
    problem = problem_of()
    ends = set()
    for record in ("log", "all"):
        prepared = harness.prepare(
            run_of(problem, batch_size=22, max_iter=3000), problem, np.ones(D), record=record, gtol=0.2
        )
        ends.add(harness.judge(prepared, prepared.run(), ()).nit)
    assert len(ends) == 1
    assert ends != {3000}


def test_what_decides_a_run_decides_its_code() -> None:
    changed: list[dict[str, Any]] = [
        {},
        {"samples": ("X", "y", "r")},
        {"bounds": (-1.0, 1.0)},
        {"groups": (Group("a", 1), Group("b", D - 1))},
    ]
    schedule = get_schedule("constant")
    made = [problem_of(**more) for more in changed]
    codes = {kernels.code_of(p, get_optimizer("gd"), get_optimizer("gd").params(), schedule, None) for p in made}
    assert len(codes) == len(changed)


def test_starts_and_batches_do_not_depend_on_computed_digits() -> None:
    base, run = problem_of(), run_of(problem_of(), batch_size=4, seed=3)
    other = problem_of(f_opt=(base.f_opt or 0.0) * (1 + 1e-15))
    assert harness.batching_of(run, base) == harness.batching_of(run, other)
    np.testing.assert_array_equal(harness.start_of(base, 3), harness.start_of(other, 3))


RULES: dict[str, Any] = {"problems": ["ridge", "rosenbrock"], "optimizers": ["gd", "lbfgs"], "batch_size": [32, "full"]}


def test_rules_on_batches_leave_alone_what_runs_on_all_samples() -> None:
    from optbench.config import parse_config

    kept = make_plan(parse_config({**RULES, "exclude": [{"batch": 32}]})).runs
    assert [(r.problem, r.optimizer) for r in kept] == [
        ("ridge", "gd"), ("ridge", "lbfgs"), ("rosenbrock", "gd"), ("rosenbrock", "lbfgs"),
    ]  # fmt: skip
    runs = make_plan(parse_config({**RULES, "override": [{"batch": 32, "max_iter": 7}]})).runs
    assert [run.batch_size for run in runs if run.max_iter == 7] == [32]


def test_a_later_budget_goes_before_an_earlier_one() -> None:
    from optbench.config import parse_config

    matrix = {**RULES, "problems": [{"name": "ridge", "epochs": 5}], "optimizers": ["gd"], "batch_size": ["full"]}
    assert make_plan(parse_config(matrix)).runs[0].max_iter == 5
    later = parse_config({**matrix, "override": [{"max_iter": 100}]})
    assert make_plan(later).runs[0].max_iter == 100
    latest = parse_config({**matrix, "override": [{"max_iter": 100}, {"epochs": 9}]})
    assert make_plan(latest).runs[0].max_iter == 9


def test_a_time_limit_reports_the_whole_objective() -> None:
    problem = problem_of()
    prepared = harness.prepare(run_of(problem, batch_size=4, lr=1e-9, max_iter=10**8), problem, np.ones(D))
    result = harness.judge(prepared, prepared.run(0.01), ())
    assert result.status == "timeout"
    assert result.trace["f"][-1] == pytest.approx(result.fun, rel=1e-12)


MATRIX: dict[str, Any] = {
    "problems": ["linear_regression", "rosenbrock"],
    "optimizers": [{"name": "gd", "lr": 1e-3}, "lbfgs"],
    "batch_size": [32, "full", {"size": 64, "order": "replacement"}],
}


def test_batches_are_a_factor_of_the_matrix_where_they_apply() -> None:
    from optbench.config import parse_config

    plan = make_plan(parse_config(MATRIX))
    cells = [(run.problem, run.optimizer, plan.label_of(run).batch) for run in plan.runs]
    assert cells == [
        ("linear_regression", "gd", "32"),
        ("linear_regression", "gd", "full"),
        ("linear_regression", "gd", "64 replacement"),
        ("linear_regression", "lbfgs", "full"),
        ("rosenbrock", "gd", "full"),
        ("rosenbrock", "lbfgs", "full"),
    ]
    reasons = {cell.reason for cell in plan.skipped}
    assert reasons == {
        "mini-batches do not apply to lbfgs: it needs the whole objective",
        "mini-batches do not apply: the problem is not a sum over samples",
    }


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (0, "batch_size takes a whole number of at least 1, not 0"),
        ("ful", "takes 'full', a number of samples or a table with a size, not 'ful'"),
        ({"size": 8, "order": "shufle"}, "unknown order 'shufle'. Did you mean 'shuffle'?"),
        ({"size": 8, "drop": True}, "unknown key 'drop'"),
        ({"order": "shuffle"}, "needs a value of 'size'"),
        (True, "not True"),
        ({"size": 8, "order": "replacement", "drop_last": True}, "drop_last does nothing with order 'replacement'"),
    ],
    ids=str,
)
def test_a_wrong_batch_is_a_sentence(batch: Any, message: str) -> None:
    from optbench.config import ConfigError, parse_config

    with pytest.raises(ConfigError) as caught:
        parse_config({**MATRIX, "batch_size": [batch]}, "m.toml")
    assert message in str(caught.value)
    assert "batch_size[0]" in str(caught.value)


def test_results_do_not_depend_on_workers(tmp_path: Any) -> None:
    tables = [
        optbench.run({**MATRIX, "budget": {"max_iter": 50, "seeds": 2}}, tmp_path / f"{jobs}.db", jobs=jobs, repeats=1)
        for jobs in (0, 2)
    ]
    for column in ("fun", "nit", "samples", "epochs", "status"):
        first, second = (table.runs[column].sort_index().tolist() for table in tables)
        assert first == second
    runs = tables[0].runs
    assert runs.loc[runs["batch_size"] == 32, "samples"].gt(0).all()
    assert (runs["n_times"] == 1).all()


def test_batching_counts_by_brute_force() -> None:
    for settings in BATCHINGS:
        batching = Batching(settings["batch_size"], settings.get("order", "shuffle"), settings.get("drop_last", False))
        for steps in (0, 1, 4, 5, 6, 23, 50):
            assert batching.samples(steps, M) == sum(map(len, expected(batching, M, steps)))
    assert dataclasses.asdict(run_of(problem_of(), batch_size=5))["batch_order"] == "shuffle"
    assert batches.WHOLE.samples(3, M) == 3 * M
