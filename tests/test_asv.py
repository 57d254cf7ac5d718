"""asv for real: the suite is whole, and planted regressions of this package are found in the right commits."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import json5
import pytest
from click.testing import CliRunner

from optbench import cli, history, jit
from optbench.methods import Descent, Lagrangian, Optimizer
from optbench.registry import get_optimizer, list_optimizers, list_problems, list_schedules

ROOT = Path(__file__).resolve().parent.parent
FILES = ("steps", "convergence", "startup", "matrices")
COLLECTIONS = "optbench.problems.hock_schittkowski", "optbench.problems.nist", "optbench.problems.more_garbow_hillstrom"


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The modules of the suite, as asv imports them."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return {name: importlib.import_module(f"suite.{name}") for name in ("common", *FILES)}


def optimizers_of(kind: type) -> set[str]:
    return {name for name in list_optimizers() if isinstance(get_optimizer(name), kind)}


def test_every_registered_name_is_measured(suite: dict[str, ModuleType]) -> None:
    common = suite["common"]
    assert set(common.FIRST_ORDER) == optimizers_of(Optimizer)
    assert set(common.DESCENT) == optimizers_of(Descent)
    assert set(common.LAGRANGIAN) == optimizers_of(Lagrangian)
    assert set(common.SCHEDULES) == set(list_schedules())
    files = {path.stem for path in (ROOT / "problems").glob("[a-z]*.py")}
    assert files <= set(common.PROBLEMS) <= set(list_problems())


def benchmarks(module: ModuleType) -> list[type]:
    return [
        item for item in vars(module).values() if isinstance(item, type) and not item.__name__.startswith("_")
        and any(name.startswith(("time_", "timeraw_", "track_", "peakmem_")) for name in dir(item))
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["steps", "startup", "matrices"])
def test_benchmarks_apply_and_run(suite: dict[str, ModuleType], name: str) -> None:
    found = benchmarks(suite[name])
    assert found
    for item in found:
        made: Any = item()
        chosen = [each[0] for each in getattr(made, "params", ())]
        getattr(made, "setup", lambda *_: None)(*chosen)
        for method in (each for each in dir(made) if each.startswith(("time_", "peakmem_"))):
            getattr(made, method)(*chosen)
        for method in (each for each in dir(made) if each.startswith("timeraw_")):
            code = getattr(made, method)(*chosen)
            statement, before = (code, "") if isinstance(code, str) else code
            subprocess.run([sys.executable, "-c", f"{before}\n{statement}"], check=True)
        getattr(made, "teardown", lambda *_: None)(*chosen)


def test_cells_are_those_of_the_parameters(suite: dict[str, ModuleType]) -> None:
    convergence = suite["convergence"]
    wanted = {(item.__name__, *each) for item in benchmarks(convergence) for each in itertools.product(*item().params)}
    assert wanted == set(convergence.cells())
    need = convergence.need(convergence.cells()["Optimizers", "gd", "quadratic n=20"])
    assert need == convergence.need(convergence.cells()["Optimizers", "gd", "quadratic n=20"])
    assert need.failures == 0
    assert 0 < need.iterations < convergence.BUDGET


def test_a_missed_target_counts_with_the_budget(suite: dict[str, ModuleType]) -> None:
    convergence = suite["convergence"]
    cell = convergence.Cell("rosenbrock", {}, "gd", 1e-6, (1e-5, 1e-4), {"max_iter": 50})
    assert convergence.need(cell) == (50.0, 102.0, 100.0)


def test_what_a_commit_does_not_know_does_not_apply(suite: dict[str, ModuleType]) -> None:
    common = suite["common"]
    with pytest.raises(NotImplementedError, match="unknown problem"):
        common.problem("rosenbrok")
    with pytest.raises(NotImplementedError):
        common.run_once(common.problem("sphere"), "adam", no_such_option=1)


def test_kernels_of_every_commit_have_a_folder() -> None:
    variables = {**os.environ, "ASV_ENV_DIR": "/env", "ASV_COMMIT": "abc", "OPTBENCH_CACHE_DIR": "/elsewhere"}
    script = "import suite; from optbench import jit; print(jit.cache_root())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=variables,
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "/env/numba-cache/abc/optbench"


# ------------------------------------------------------------------------------------- a throw-away repository

PLANTED = """
import time

from .common import problem
from .convergence import Cell, need
from .steps import timed


class Slow:
    rounds, repeat, warmup_time = 1, 5, 0
    timer = time.process_time  # what other processes do does not count

    def setup(self):
        import optbench

        self.problem, self.minimize = problem("quadratic", n=10), optbench.minimize
        self.options = timed(self.problem, "nesterov", 20_000)

    def time_steps(self):
        self.minimize(self.problem, "nesterov", **self.options)


def track_iterations(optimizer):
    return need(Cell("quadratic", {"n": 10}, optimizer)).iterations


track_iterations.params = (("momentum",),)
track_iterations.param_names = ("optimizer",)
track_iterations.unit = "iterations"
"""
SLOW = {  # the same numbers, with sines that nobody needs
    "import NamedTuple\n": "import NamedTuple\nimport math\n",
    "keep, p = c\n": "keep, p = c\n    w = x\n    for _ in range(20):\n        w = math.sin(w + 1.0)\n",
    "- rate * velocity,": "- rate * velocity + 1e-300 * w,",
}
OTHER = {"momentum: NonNegative = 0.9": "momentum: NonNegative = 0.5"}


def edit(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


class Repository:
    """A copy of the package under git, whose commits asv measures with this interpreter."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.day = folder, 0
        self.variables = {
            **os.environ,
            "HOME": str(folder.parent),  # asv keeps the machine's description there
            "ASV_PYTHONPATH": str(folder),  # asv drops PYTHONPATH
            "OPTBENCH_CACHE_DIR": str(jit.cache_root()),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t",
        }  # fmt: skip

    def do(self, *command: str) -> str:
        """Output of a command. Fails with it."""
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def asv(self, *arguments: str) -> str:
        """Output of asv."""
        return self.do(sys.executable, "-m", "asv", *arguments)

    def commit(self, message: str) -> str:
        """Hash of a new commit with everything, a day after the one before."""
        self.day += 1
        self.variables |= dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"2026-01-{self.day:02}T12:00:00Z")
        self.do("git", "add", "-A")
        self.do("git", "commit", "-q", "-m", message)
        return self.do("git", "rev-parse", "HEAD").strip()

    def measure(self) -> None:
        """Run the planted benchmarks on what is checked out."""
        commit = self.do("git", "rev-parse", "HEAD").strip()
        out = self.asv("run", "--python=same", "--set-commit-hash", commit, "--bench", "planted", "--show-stderr")
        assert "failed" not in out, out


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("asv") / "copy"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "optbench", folder / "optbench", ignore=ignore, symlinks=True)
    shutil.copytree(ROOT / "problems", folder / "problems", ignore=ignore)
    shutil.copytree(ROOT / "benchmarks" / "suite", folder / "benchmarks" / "suite", ignore=ignore)
    (folder / "benchmarks" / "suite" / "planted.py").write_text(PLANTED, encoding="utf-8")
    settings = json5.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))
    settings |= {"environment_type": "existing", "matrix": {}}
    (folder / "asv.conf.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / ".gitignore").write_text(".asv/\n__pycache__/\n", encoding="utf-8")
    made = Repository(folder)
    made.do("git", "init", "-q", "-b", "main")
    made.asv("machine", "--yes")
    return made


def test_planted_regressions_are_found_and_innocent_commits_are_not_blamed(
    repository: Repository, tmp_path: Path
) -> None:
    optimizers = repository.folder / "optbench" / "optimizers"
    commits = {}
    for name in ("first", "slow", "innocent", "other"):
        if name == "slow":
            edit(optimizers / "nesterov.py", SLOW)
        elif name == "innocent":
            edit(optimizers / "gd.py", {'"""One coordinate."""': '"""One coordinate, as ever."""'})
        elif name == "other":
            edit(optimizers / "momentum.py", OTHER)
        commits[name] = repository.commit(name)
        repository.measure()
    results = repository.folder / ".asv" / "results"
    table = history.load_history(results)
    assert history.commits_of(table) == list(commits.values())
    found = history.changes_over(table, factor=2.5)
    slow, other = (found[found["type"] == kind].iloc[0] for kind in ("time", "track"))
    assert len(found) == 2
    assert (slow["benchmark"], slow["commit"], slow["last"]) == (
        "planted.Slow.time_steps",
        commits["slow"],
        commits["first"],
    )
    assert (other["params"], other["commit"], other["last"]) == (("momentum",), commits["other"], commits["innocent"])
    assert other["after"] > other["before"]
    command = ["history", str(results), "--factor", "2.5", "-o", str(tmp_path / "figures"), "--fail"]
    done = CliRunner().invoke(cli.main, command)
    assert done.exit_code == 1
    for commit, innocent in zip(commits.values(), (True, False, True, False), strict=True):
        assert (f" {commit[:8]} " in done.stdout.split("2 regressions")[1].split("plot:")[0]) or innocent
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"planted.png", "planted.Slow.png"}
    assert "+" in repository.asv("compare", commits["first"], commits["other"], "--factor", "2.5")
    repository.asv("publish")
    assert (repository.folder / ".asv" / "html" / "regressions.json").is_file()
    assert "No problems found" in repository.asv("check", "--python=same")
