"""Matrices end to end: workers, crashes, interruption, resumption."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import optbench
from optbench import footprint, harness, jit, runner, workers
from optbench.config import load_config, parse_config
from optbench.entries import facts_of
from optbench.outcome import Run
from optbench.plan import Plan, make_plan

MATRIX: dict[str, Any] = {
    "problems": ["beale", {"name": "rosenbrock", "n": [2, 5]}],
    "optimizers": [{"name": "gd", "lr": 1e-4}, {"name": "adam", "lr": [1e-2, 1e-1]}],
    "schedules": ["constant", "cosine"],
    "clipping": ["none", {"norm": 1.0}],
    "budget": {"max_iter": 300, "seeds": 2, "repeats": 0},
}

HOSTILE = """
import optbench

def crash(x, g, data):
    g[x.size + 2**40] = 1.0
    return 0.0

def hang(x, g, data):
    while g[0] == g[0]:
        g[0] = x[0]
    return 0.0

@optbench.problem()
def crashing(n: int = 2) -> optbench.Problem:
    return optbench.Problem(crash, [1.0] * n, f_opt=0.0)

@optbench.problem()
def hanging(n: int = 2) -> optbench.Problem:
    return optbench.Problem(hang, [1.0] * n, f_opt=0.0)
"""


def plan_of(**changes: Any) -> Plan:
    return make_plan(parse_config({**MATRIX, **changes}))


def comparable(path: Path) -> pd.DataFrame:
    """All of the runs table that must not depend on when or where the runs were made."""
    frame = optbench.load(path).runs.sort_index()
    return frame.drop(columns=["invocation", "compile_seconds", "finished_at"])


def test_results_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    plan = plan_of()
    for jobs in (1, 2):
        outcome = runner.run_plan(plan, tmp_path / f"{jobs}.db", jobs=jobs, repeats=0)
        assert (outcome.planned, outcome.done, outcome.kept) == (72, 72, 0)
    pd.testing.assert_frame_equal(comparable(tmp_path / "1.db"), comparable(tmp_path / "2.db"))
    one, two = (optbench.load(tmp_path / f"{jobs}.db").traces for jobs in (1, 2))
    order = ["run", "iteration"]
    pd.testing.assert_frame_equal(one.sort_values(order, ignore_index=True), two.sort_values(order, ignore_index=True))


def test_same_command_does_only_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    assert runner.run_plan(plan_of(schedules=["constant"]), path, repeats=0).done == 36
    more = runner.run_plan(plan_of(), path, repeats=2)
    assert (more.done, more.kept, more.timed) == (36, 36, 72)
    again = runner.run_plan(plan_of(), path, repeats=2)
    assert (again.done, again.kept, again.timed) == (0, 72, 0)
    runs = optbench.load(path).runs
    assert (runs["n_times"] == 2).all()
    assert (runs["wall_median"] > 0).all()


FORMS: dict[str, Any] = {
    "problems": [{"name": "ridge", "validation": 0.25}, {"name": "mlp", "data": "iris"}],
    "optimizers": [{"name": "adamw", "weight_decay": [0.01, 0.1], "decay_bias": [True, False]}, "lbfgs"],
    "batch_size": ["full", 32],
    "budget": {"max_iter": 5, "seeds": 2, "repeats": 0},
}
MISSED = ("batch", "measure-linear_regression", "pieces-norm", "stride")


def test_all_kernels_are_made_before_the_runs_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the kernels of a finished run some are taken away: the next one counts them, the one after it has them all."""
    plan = make_plan(parse_config(FORMS))
    runner.run_plan(plan, tmp_path / "0.db", jobs=0, repeats=0)
    folder = jit.cache_folder()
    assert folder is not None
    copy = tmp_path / "cache" / folder.name
    shutil.copytree(folder, copy, ignore=lambda _, names: [name for name in names if name.rpartition("-")[0] in MISSED])
    monkeypatch.setenv("OPTBENCH_CACHE_DIR", str(copy.parent))
    before = set(copy.glob("*.o"))
    outcome = runner.run_plan(plan, tmp_path / "1.db", jobs=1, repeats=0)
    new = {path.name.rpartition("-")[0] for path in set(copy.glob("*.o")) - before}
    assert new == set(MISSED)
    assert outcome.compiled == len(MISSED)
    assert runner.run_plan(plan, tmp_path / "2.db", jobs=1, repeats=0).compiled == 0


def test_kernels_are_asked_for_once_a_kind_of_run(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**MATRIX, "optimizers": [{"name": "adam", "lr": [1e-3, 1e-2, 1e-1], "beta1": [0.5, 0.8, 0.9]}]}
    runs, asked = make_plan(parse_config(config)).runs, list[Run]()

    def makers_of(run: Run) -> tuple[Any, ...]:
        asked.append(run)
        return ()

    monkeypatch.setattr(runner, "makers_of", makers_of)
    runner._compile(list(runs), workers.InProcess(), runner._silent, runner.Outcome())
    assert len(asked) == 4 < len(runs)  # three problems, and the second schedule


def test_workers_leave_room_for_the_problem_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 10**7
    plan = plan_of(problems=[{"name": "quadratic", "n": n}], optimizers=["adam"], schedules=["constant"])
    memory, held = plan.describe()["memory"], facts_of("quadratic", {"n": n})[1]
    assert held >= 8 * 3 * n  # data, start, minimizer
    for there, jobs, expected in [(held + 2 * memory, 4, 2), (held + 2 * memory - 1, 4, 1), (memory, 0, 0)]:
        monkeypatch.setattr(footprint, "available", lambda there=there: there)
        assert runner._affordable(plan, jobs) == expected
    with pytest.raises(ValueError, match="a second copy"):
        runner._affordable(plan, 1)


def test_runs_of_other_code_are_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.db"
    plan = plan_of(problems=["beale"], schedules=["constant"], clipping=["none"])
    runner.run_plan(plan, path, repeats=0)
    monkeypatch.setattr(harness, "code_of", lambda run: "changed")
    outcome = runner.run_plan(plan, path, repeats=0)
    assert (outcome.done, outcome.outdated, outcome.kept) == (6, 6, 0)


def test_crash_and_hang_are_rows_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE", 3.0)
    (tmp_path / "hostile.py").write_text(HOSTILE)
    (tmp_path / "matrix.toml").write_text(
        'load = ["hostile.py"]\nproblems = ["beale", "crashing", "hanging", "booth"]\n'
        'optimizers = [{name = "gd", lr = 1e-4}]\n[budget]\nmax_iter = 50\ntime_limit = 0.5\nrepeats = 1\nseeds = 2\n'
    )
    config = load_config(tmp_path / "matrix.toml")
    outcome = runner.run_plan(make_plan(config), tmp_path / "r.db", jobs=2, repeats=1, load=config.load)
    runs = optbench.load(tmp_path / "r.db").runs
    assert outcome.done == len(runs) == 8
    status = runs.groupby("problem")["status"].unique().map(list).to_dict()
    assert status == {"beale": ["budget"], "booth": ["budget"], "crashing": ["crashed"], "hanging": ["timeout"]}
    assert runs[runs["status"] == "crashed"]["message"].str.contains("worker process died").all()
    assert (runs["n_times"] == runs["status"].eq("budget")).all()


def test_killed_command_loses_no_recorded_run_and_goes_on(tmp_path: Path) -> None:
    matrix = tmp_path / "m.toml"
    matrix.write_text(
        'problems = [{name = "rosenbrock", n = [2, 5, 10, 20, 50, 100]}]\n'
        'optimizers = [{name = "adam", lr = [1e-3, 1e-2, 1e-1]}]\n'
        'schedules = ["constant", "cosine", "step"]\n[budget]\nmax_iter = 20000\nseeds = 20\nrepeats = 0\n'
    )
    path = tmp_path / "r.db"
    command = [sys.executable, "-m", "optbench", "run", str(matrix), "-o", str(path), "-j", "1", "--no-plots"]
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("running"):
            break
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stderr.close()
    kept = len(optbench.load(path).runs)
    assert 0 < kept < 1080
    plan = make_plan(load_config(matrix))
    outcome = runner.run_plan(plan, path, jobs=1, repeats=0)
    assert (outcome.kept, outcome.done) == (kept, 1080 - kept)


def test_interrupt_stops_soon_and_keeps_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    command = [sys.executable, "-m", "optbench", "run", "-p", "rosenbrock", "-O", "gd:lr=1e-9", "--max-iter"]
    command += ["1000000000", "--seeds", "3", "-o", str(path), "-j", "1", "--no-plots"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if line.startswith("compiling"):
                break
        time.sleep(2.0)
        os.killpg(child.pid, signal.SIGINT)
        text = child.communicate(timeout=60.0)[1]
    assert child.returncode == 130
    assert "the same command goes on" in text
    assert len(optbench.load(path).runs) < 3


def test_run_from_python(tmp_path: Path) -> None:
    res = optbench.run({**MATRIX, "problems": ["booth"], "clipping": ["none"]}, tmp_path / "r.db", repeats=1)
    assert len(res.runs) == 12
    assert set(res.hits["run"]) == set(res.traces["run"]) == set(res.runs.index)
    assert {"run", "target", "iteration", "seconds"} <= set(res.hits.columns)
