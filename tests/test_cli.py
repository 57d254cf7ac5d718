"""The command line as its users meet it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import optbench
from optbench.cli import main

PNG = b"\x89PNG"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small matrix, run by the command."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "m.toml").write_text(
        'problems = ["beale", "booth"]\noptimizers = [{ name = "gd", lr = 1e-2 }, { name = "adam", lr = 1e-1 }]\n'
        'schedules = ["constant", "cosine"]\n[budget]\nmax_iter = 500\nseeds = 2\nrepeats = 1\n'
    )
    done = call("run", folder / "m.toml", "-o", folder / "r.db", "-j", "1")
    assert done.exit_code == 0, done.output
    for text in ("each accuracy", "Ranking", "16 runs", "booth", "adam"):
        assert text in done.output
    return folder / "r.db"


def test_run_saves_results_and_both_plots(results: Path) -> None:
    assert len(optbench.load(results).runs) == 16
    for kind in ("convergence", "heatmap"):
        assert results.with_name(f"r-{kind}.png").read_bytes().startswith(PNG)


def test_plot_of_a_part(results: Path, tmp_path: Path) -> None:
    done = call("plot", results, "--kind", "convergence", "--where", "problem=beale", "-o", tmp_path / "part.svg")
    assert done.exit_code == 0, done.output
    assert "beale" in (tmp_path / "part.svg").read_text()
    assert "booth" not in (tmp_path / "part.svg").read_text()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_export(results: Path, tmp_path: Path, form: str) -> None:
    done = call("export", results, "--format", form, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {f"runs.{form}", f"hits.{form}", f"traces.{form}", f"times.{form}"} <= names
    refused = call("export", results, "--format", form, "-o", tmp_path / "out")
    assert refused.exit_code == 2
    assert call("export", results, "--format", form, "-o", tmp_path / "out", "--overwrite").exit_code == 0


def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("run", "--dry-run")
    assert done.exit_code == 0
    assert "rosenbrock" in done.output
    assert "runs" in done.output
    assert list(tmp_path.iterdir()) == []


def test_list_and_show() -> None:
    listed = call("list").output
    for name in (*optbench.list_problems(), *optbench.list_optimizers(), *optbench.list_schedules()):
        assert name in listed
    shown = call("show", "adam").output
    for text in ("Kingma", "beta1", "0.9", "Convention", "lr"):
        assert text in shown
    assert "of the steps" in call("show", "cosine").output
    assert "sum" in call("show", "rosenbrock").output
    assert call("list", "problems", "--tag", "convex").exit_code == 0


@pytest.mark.parametrize("arguments", [["list"], ["show", "adam"]])
def test_an_output_that_nobody_reads_ends_in_silence(arguments: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "optbench", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_doctor() -> None:
    done = call("doctor")
    assert done.exit_code == 0
    for text in ("numba", "kernel cache", "clock resolution", "noise", "cores"):
        assert text in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lst"], "Did you mean 'list'"),
        (["show", "adm"], "Did you mean 'adam'"),
        (["list", "--tag", "convx"], "Did you mean 'convex'"),
        (["run", "missing.toml"], "missing.toml"),
        (["run", "-p", "beal", "-O", "gd"], "Did you mean 'beale'"),
        (["run", "-p", "beale", "-O", "gd:lr"], "KEY=VALUE"),
        (["run", "-p", "beale", "-O", "gd:lrr=1"], "Did you mean 'lr'"),
        (["run", "-p", "beale"], "--optimizer"),
        (["run", "--repeat", "3"], "--repeats"),
        (["plot", "missing.db"], "missing.db"),
        (["export", "missing.db"], "missing.db"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_every_error_of_a_matrix_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(
        'problems = ["beal"]\noptimizers = [{name = "adam", beta = 1}]\nschedule = ["step"]\n'
    )
    done = call("run", tmp_path / "bad.toml", "-o", tmp_path / "r.db")
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all("bad.toml" in line for line in lines)
    assert not (tmp_path / "r.db").exists()


def test_unknown_kind_column_and_value(results: Path) -> None:
    for arguments, message in (
        (["--kind", "heat"], "Did you mean 'heatmap'"),
        (["--where", "problm=beale"], "Did you mean 'problem'"),
        (["--where", "problem=beal"], "Did you mean 'beale'"),
        (["-o", "x.gif"], "gif"),
    ):
        done = call("plot", results, *arguments)
        assert done.exit_code == 2
        assert message in done.stderr
