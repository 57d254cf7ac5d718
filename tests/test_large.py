"""Large problems: pieces and teams of threads give the numbers of the ordinary loop, whoever does the work."""

from __future__ import annotations

import dataclasses
import gc
import signal
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from click.testing import CliRunner

import optbench
from optbench import cli, evaluation, footprint, jit, parallel
from optbench.config import parse_config
from optbench.entries import facts_of, settings_of
from optbench.loops import joint, team
from optbench.methods import Optimizer
from optbench.plan import make_plan
from optbench.problems import logistic_regression
from optbench.problems._sources import Synthetic
from optbench.problems._wide import wide
from optbench.registry import get_optimizer, get_problem, list_optimizers, list_problems
from optbench.runner import run_plan
from optbench.types import Problem

N = 2 * parallel.PIECE + 5
FIRST_ORDER = [name for name in list_optimizers() if isinstance(get_optimizer(name), Optimizer)]
IN_PHASES = [name for name in list_problems() if get_problem(name).phases]
SETTINGS: dict[str, dict[str, Any]] = {
    "quadratic": {"n": N},
    "rosenbrock": {"n": N},
    "logistic_regression": {"data": "wide", "n_features": N - 1, "n_samples": 8},
}


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set how many threads work on problems of the size of these tests; 0: none are large."""

    def use(count: int) -> None:
        monkeypatch.setattr(parallel, "THRESHOLD", parallel.PIECE if count else 10**9)
        monkeypatch.setenv(parallel.VARIABLE, str(max(1, count)))

    return use


def walked(problem: Problem, optimizer: str, **options: Any) -> Any:
    options = {"max_iter": 6, "targets": (), "record": "log", **options}
    return optbench.minimize(problem, optimizer=optimizer, **options)


# ---------------------------------------------------------------------------------------------- the same numbers


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_optimizers_do_not_see_the_threads(name: str, threads: Callable[[int], None]) -> None:
    problem, start = get_problem("quadratic", n=N), np.linspace(-3.0, 5.0, N)
    threads(0)
    ordinary = walked(problem, name, x0=start)
    runs = []
    for count in (1, 2, 3):
        threads(count)
        runs.append(walked(problem, name, x0=start))
    for run in runs:
        np.testing.assert_allclose(run.x, ordinary.x, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(run.trace, ordinary.trace, rtol=1e-11)
        assert run.x.tobytes() == runs[0].x.tobytes()
        assert run.trace.to_numpy().tobytes() == runs[0].trace.to_numpy().tobytes()
    assert not np.array_equal(ordinary.x, start)


@pytest.mark.parametrize("clip", [{"norm": 3.0}, {"value": 0.5}])
@pytest.mark.parametrize("name", ["adam", "lars"])
def test_clipping_does_not_see_the_threads(name: str, clip: Any, threads: Callable[[int], None]) -> None:
    problem, x = get_problem("rosenbrock", n=N), []
    for count in (0, 1, 2):
        threads(count)
        x.append(walked(problem, name, clip=clip).x)
    np.testing.assert_allclose(x[1], x[0], rtol=1e-11)
    assert x[1].tobytes() == x[2].tobytes()


def test_every_problem_in_phases_is_tested() -> None:
    assert sorted(IN_PHASES) == sorted(SETTINGS)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", IN_PHASES)
def test_phases_are_the_objective(name: str, count: int) -> None:
    """In one piece, and in three."""
    small = {key: min(value, 40) if isinstance(value, int) else value for key, value in SETTINGS[name].items()}
    for settings in (small, SETTINGS[name]):
        problem = get_problem(name, **settings)
        low, high = problem.bounds.T
        x, found = np.random.default_rng(3).uniform(low, high), np.full(problem.n, np.nan)
        crew = team.Team(count)  # whose helpers never come
        words = joint.Joint(problem, crew).words
        value = joint.objective()(x.ctypes.data, found.ctypes.data, problem.n, words.ctypes.data)
        f, g = evaluation.evaluate(problem, x)
        assert value == pytest.approx(f, rel=1e-12)
        np.testing.assert_allclose(found, g, rtol=1e-11, atol=1e-13 * np.abs(g).max())


def test_mini_batches_of_a_large_problem(threads: Callable[[int], None]) -> None:
    problem, runs = get_problem("logistic_regression", **SETTINGS["logistic_regression"]), []
    for count in (0, 2):
        threads(count)
        runs.append(walked(problem, "adam", batch_size=3, order="sequential"))
    np.testing.assert_allclose(runs[1].x, runs[0].x, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(runs[1].trace, runs[0].trace, rtol=1e-9)


# --------------------------------------------------------------------------------------------------- the team


def meeting() -> Any:
    """A piece that waits, for a while, until another one has begun; whether it has goes to its word."""
    from optbench.codec import add_release, load_acquire, store_release

    def piece(at, phase, k):  # type: ignore[no-untyped-def]
        add_release(at, 1)
        looks = 0
        while load_acquire(at) < 2 and looks < 2_000_000_000:
            looks += 1
        store_release(at + 8 * (1 + k), load_acquire(at))
        return k

    return piece


def posting() -> Any:
    """A driver that has the team do two pieces."""
    from optbench.codec import integers_at

    run = team.runner()

    def drive(setup, repeats, until):  # type: ignore[no-untyped-def]
        w = integers_at(setup, 3)
        run(w[0], w[1], w[2], 0, 2)
        return 7

    return drive


def test_two_threads_work_at_the_same_time() -> None:
    crew, words = team.Team(2), np.zeros(3, dtype=np.int64)
    piece = jit.compile_kernel("test-meeting", meeting, jit.fingerprint(meeting), "iiii")
    drive = jit.compile_kernel("test-posting", posting, jit.fingerprint(posting), "iiii")
    setup = np.array([crew.address, piece.address, words.ctypes.data], dtype=np.int64)
    assert crew.around(drive)(setup.ctypes.data, 0, 0) == 7
    np.testing.assert_array_equal(words, [2, 2, 2])


def test_helper_without_a_leader_goes_home() -> None:
    crew = team.Team(2)
    assert team.serve()(crew.address, 1) == 0


@pytest.mark.parametrize("at", ["hand over", "wait"])
def test_interrupted_team_keeps_its_memory_while_a_helper_is_out(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    crew, begun, go_on = team.Team(3), threading.Event(), threading.Event()
    memory, words = weakref.ref(crew._words.base), crew._words
    pool = ThreadPoolExecutor(2)

    def helping(address: int, rank: int) -> int:
        begun.set()
        go_on.wait(30.0)
        return 0

    class Interrupted:
        """A pool in whose work Ctrl-C falls: as the second helper is sent out, or as the first is waited for."""

        def submit(self, *call: Any) -> Any:
            if at == "hand over" and begun.is_set():
                go_on.set()
                raise KeyboardInterrupt
            self.future = pool.submit(*call)
            begun.wait(30.0)
            return SimpleNamespace(cancel=self.future.cancel, result=self.result)

        def result(self) -> int:
            if at == "wait":
                raise KeyboardInterrupt
            return int(self.future.result(30.0))

    helpers = Interrupted()
    monkeypatch.setattr(team, "_pool", lambda count: helpers)
    monkeypatch.setattr(team, "serve", lambda: helping)
    monkeypatch.setattr(team, "lead", lambda: lambda *numbers: 0)
    driven = crew.around(cast(jit.Kernel, SimpleNamespace(address=0)))
    with pytest.raises(KeyboardInterrupt):
        driven(0, 0, 0)
    assert words[team.QUIT] == 1  # whoever is out is told to leave
    assert helpers.future.done() == (at == "hand over")
    del crew, driven, words
    gc.collect()
    assert (memory() is not None) == (at == "wait")
    go_on.set()
    assert helpers.future.result(30.0) == 0
    pool.shutdown()


def idle() -> bool:
    """Whether the helper of a team of two is free."""
    return team._pool(1).submit(lambda: True).result(timeout=5.0)


def test_time_limit_ends_a_run_in_pieces(threads: Callable[[int], None]) -> None:
    threads(2)
    run = walked(get_problem("quadratic", n=N), "adam", max_iter=10**9, time_limit=0.2)
    assert run.status == "timeout"
    assert run.nit > 0
    assert idle()


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_a_run_in_pieces(threads: Callable[[int], None]) -> None:
    threads(2)
    walked(get_problem("quadratic", n=N), "adam")  # a signal in the middle of the compiler may be lost
    timer = threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        walked(get_problem("quadratic", n=N), "adam", max_iter=10**9, time_limit=60.0)
    timer.join()
    assert idle()


def test_threads_are_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(parallel.VARIABLE, raising=False)
    assert parallel.threads() == parallel.cores() >= 1
    optbench.set_threads(3)
    assert parallel.threads() == 3
    optbench.set_threads(None)
    assert parallel.threads() == parallel.cores()
    for wrong in (0, 2.0, True, 5000):
        with pytest.raises(ValueError, match="threads takes a whole number from 1 to 1024"):
            optbench.set_threads(wrong)  # type: ignore[arg-type]
    monkeypatch.setenv(parallel.VARIABLE, "two")
    done = CliRunner().invoke(cli.main, ["run", "--dry-run"])
    assert done.exit_code == 2
    assert "OPTBENCH_THREADS takes a whole number from 1 to 1024, not 'two'" in done.output


# ------------------------------------------------------------------------------------------------------- memory


def plan_of(optimizer: str, n: int, **settings: Any) -> Any:
    problem = {"name": "quadratic", "n": n, **settings}
    return make_plan(parse_config({"problems": [problem], "optimizers": [optimizer]}, "test"))


def test_memory_is_stated_without_being_taken() -> None:
    n = 10**7
    tracemalloc.start()
    plan = plan_of("adam", n)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 10**7
    assert plan.n == n
    numbers = (2 + 2) + (2 * 4 + 4)  # data, start, minimizer; x, g, m, v twice; snapshot, start, result
    assert plan.describe()["memory"] == pytest.approx(8 * numbers * n, rel=0.05)
    assert plan_of("newton", n).memory > 8 * n**2
    assert plan_of("bfgs", n).memory > 8 * n**2
    assert plan_of("adam", 10**5, rotated=True).memory > 8 * 10**10


def test_large_problems_as_the_readme_has_them_are_planned() -> None:
    """Wide data want as many features as samples, also where their memory is told from that of small ones."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    command = next(line for line in readme.splitlines() if "data=wide" in line and line.startswith("optbench run"))
    done = CliRunner().invoke(cli.main, [*command.split()[1:], "--dry-run"])
    assert done.exit_code == 0, done.output
    assert ["runs", "3"] in [line.split() for line in done.output.splitlines()]
    settings = {"data": "wide", "n_features": 65_600, "n_samples": 65}
    n, taken, _, samples = facts_of("logistic_regression", settings_of("problem", "logistic_regression", settings))
    problem = get_problem("logistic_regression", **settings)
    assert (n, samples) == (problem.n, problem.n_samples) == (65_601, 65)
    assert taken == pytest.approx(footprint.of_problem(problem).total, rel=1e-3)


def test_memory_of_a_run_is_what_it_takes(threads: Callable[[int], None]) -> None:
    threads(2)
    n, method = 10**6, get_optimizer("adam")
    assert isinstance(method, Optimizer)
    problem = get_problem("quadratic", n=n)
    tracemalloc.start()
    walked(problem, "adam", max_iter=2)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    stated = footprint.of_run(method, method.params(), n) + footprint.of_problem(problem).total - 4 * 8 * n
    assert taken == pytest.approx(stated, rel=0.15)


def test_plan_beyond_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "available", lambda: 10**9)
    file = tmp_path / "results.db"
    with pytest.raises(ValueError, match=r"the plan, with .* needs 1\.7 GB of memory, and 1\.0 GB are available"):
        run_plan(plan_of("adam", 10**7), file)
    done = CliRunner().invoke(cli.main, ["run", "-p", "quadratic:n=10000000", "-O", "adam", "-o", str(file)])
    assert done.exit_code == 2
    assert "needs 1.7 GB of memory" in done.output
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"newton on quadratic with n = 20000 needs"):
        optbench.minimize(get_problem("quadratic", n=20_000), optimizer="newton", record="log")


def test_small_sizes_tell_of_large_ones() -> None:
    assert footprint.extrapolated(lambda n: 3 * n * n - 7 * n + 5, 10**6) == 3 * 10**12 - 7 * 10**6 + 5
    assert footprint.extrapolated(lambda n: n**3, 10**3) == 10**9  # no parabola: measured


# ----------------------------------------------------------------------------------------------------- wide data


def test_minimum_in_the_span_of_the_samples() -> None:
    """Against Newton's method among all parameters."""
    settings = Synthetic(n_samples=12, n_features=30, cond=20.0, instance=4)
    problem = get_problem(
        "logistic_regression",
        data="wide",
        alpha=0.03,
        **{key: value for key, value in settings._asdict().items() if key != "noise"},
    )
    data = wide(settings)
    x, f = logistic_regression.find_minimum(dataclasses.replace(data, columns=data.X), 0.03)
    assert problem.x_opt is not None
    np.testing.assert_allclose(problem.x_opt, x, rtol=1e-9, atol=1e-12)
    assert problem.f_opt == pytest.approx(f, rel=1e-13)


def test_wide_data_are_as_described() -> None:
    data = wide(Synthetic(n_samples=7, n_features=20_000, cond=10.0, instance=1))
    singular = np.linalg.svd(data.X, compute_uv=False)
    np.testing.assert_allclose(singular / singular[0], np.geomspace(1.0, 0.1, 7), rtol=0.05)
    assert np.mean(data.X**2) == pytest.approx(1.0, rel=0.05)
    assert sorted(data.y) == [-1.0] * 4 + [1.0] * 3
    again = wide(Synthetic(n_samples=7, n_features=20_000, cond=10.0, instance=1))
    assert again.X.tobytes() == data.X.tobytes()
    assert again.columns.tobytes() == data.columns.tobytes()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_features": 5, "n_samples": 6}, "n_features must be at least 6"),
        ({"cond": 0.5}, "cond must be at least 1"),
        ({"target": "y"}, "do not go with"),
        ({"noise": 0.1}, "do not go with"),
        ({"standardize": False}, "do not go with"),
        ({"split_seed": 1}, "do not go with"),
    ],
)
def test_wide_data_refuse(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_problem("logistic_regression", **{"data": "wide", "n_features": 300, "n_samples": 6, **wrong})


def test_minimum_of_wide_data_is_certified() -> None:
    problem = get_problem("logistic_regression", **SETTINGS["logistic_regression"])
    assert problem.x_opt is not None
    f, g = problem.fun_and_grad(problem.x_opt)
    assert f == pytest.approx(problem.f_opt, rel=1e-13)
    assert g @ g / (2 * 1e-2) < 1e-15 * f  # strong convexity: what f can lie above the minimum


def test_wide_data_are_held_by_their_problem_alone() -> None:
    problem = get_problem("logistic_regression", data="wide", n_features=300, n_samples=6)
    features = weakref.ref(problem.data.X)
    del problem
    gc.collect()
    assert features() is None
