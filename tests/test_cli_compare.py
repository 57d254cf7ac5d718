"""``optbench compare`` as its users meet it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import optbench
from optbench.cli import main
from optbench.stats import paired


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "r.db"
    matrix = {
        "problems": ["booth", {"name": "quadratic", "n": 3}],
        "optimizers": [{"name": "gd", "lr": 1e-2}, {"name": "adam", "lr": 1e-1}],
        "schedules": ["constant", "cosine"],
        "budget": {"max_iter": 1000, "seeds": 6, "repeats": 1, "targets": [1e-1, 1e-3]},
    }
    optbench.run(matrix, path)
    return path


@pytest.fixture
def other(results: Path, tmp_path: Path) -> Path:
    """The same results from another environment, with one run that got slower and one that now fails."""
    path = tmp_path / "other.db"
    shutil.copy(results, path)
    with closing(sqlite3.connect(path)) as con:
        record = json.loads(con.execute("SELECT environment FROM invocations").fetchone()[0])
        record["versions"]["numba"], record["noise"] = "0.1", 0.5
        con.execute("UPDATE invocations SET environment = ?", (json.dumps(record),))
        con.execute("UPDATE hits SET iteration = iteration + 7 WHERE run = 1 AND target = 0.001")
        con.execute("UPDATE runs SET status = 'diverged', code = 'x' WHERE id = 2")
        con.execute("UPDATE hits SET iteration = NULL WHERE run = 2")
        con.commit()
    return path


def test_two_optimizers(results: Path) -> None:
    done = call("gd", "adam", "-r", results)
    assert done.exit_code == 0, done.output
    for text in (
        "gd (A) and adam (B)",
        "iterations to 1e-3",
        "booth n=2",
        "quadratic n=3",
        "cosine",
        "B / A",
        "after Holm",
    ):
        assert text in done.output
    assert "[95 % bootstrap interval]" in done.output
    assert "p of the exact signed-rank test" in " ".join(done.output.split())
    assert "cannot reach p<0.05 over 4 rows" in " ".join(done.output.split())
    assert done.output.splitlines()[-1].startswith("overall: not enough problems: 2 cannot reach p<0.05")


def test_more_pairs_than_the_exact_test_takes_are_said_to_be(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired, "EXACT", 1)
    assert "; p of the signed-rank test" in " ".join(call("gd", "adam", "-r", results).output.split())


def test_a_part_by_other_costs_and_levels(results: Path) -> None:
    part = ("-r", results, "--where", "problem=booth", "--where", "schedule=constant")
    told = " ".join(call("gd", "adam", *part, "--target", "0.1", "--alpha", "0.1").output.split())
    assert "iterations to 1e-1" in told
    assert "quadratic" not in told
    assert "adam needs" in told
    seconds = call("gd/constant", "gd/cosine", "-r", results, "--on", "seconds", "--alpha", "0.2").output
    assert "constant | cosine" in seconds
    assert "80 % bootstrap interval" in seconds
    few = call("gd", "adam", *part, "--where", "seed=0").output
    assert "[95 % bootstrap interval, which covers 0 % at most where n=1]" in " ".join(few.split())
    assert "loss at end" in call("gd", "adam", *part, "--on", "fun").output


def test_failures_and_brackets_are_shown(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "failed.db"
    shutil.copy(results, path)
    with closing(sqlite3.connect(path)) as con:
        con.execute("UPDATE hits SET iteration = NULL WHERE run IN (SELECT id FROM runs WHERE optimizer = 'adam')")
        con.execute("UPDATE runs SET label = 'adam [bold]' WHERE optimizer = 'adam'")
        con.commit()
    told = call("gd/constant", "adam [bold]/constant", "-r", path).output
    assert "inf [inf, inf]" in told
    assert "6/0/0" in told
    assert "adam [bold]" in told


def test_runs_of_several_environments_are_said_to_be(other: Path) -> None:
    with closing(sqlite3.connect(other)) as con:
        row = con.execute("SELECT started, finished, command, environment, summary FROM invocations").fetchone()
        record = json.loads(row[3])
        record["versions"]["numba"] = "0.2"
        values = (*row[:3], json.dumps(record), row[4])
        con.execute("INSERT INTO invocations VALUES (2, ?, ?, ?, ?, ?)", values)
        con.execute("UPDATE runs SET invocation = 2 WHERE optimizer = 'adam' AND schedule = 'cosine'")
        con.commit()
    assert "versions.numba: 0.1, 0.2" in call("gd", "adam", "-r", other).output
    assert "invocations" not in call("gd/constant", "adam/constant", "-r", other).output


def test_two_files(results: Path, other: Path) -> None:
    done = call(results, other)
    assert done.exit_code == 0, done.output
    told = " ".join(done.output.split())
    for text in ("versions.numba: 0.", "-> 0.1", "machine of B was noisy (50 %)", "run by run: iterations to 1e-3"):
        assert text in told
    assert "Runs that changed" in told
    assert "converged" in told
    assert "diverged" in told
    last = done.output.splitlines()[-1]
    assert "48 runs in both (0 more in A, 0 in B; kernels differ in 1): 2 of 48 runs changed" in last
    assert "-1 met the target" in last


def test_a_file_beside_itself(results: Path) -> None:
    told = call(results, results).output
    assert "environment: the same" in told
    assert "same results; time 1x [1, 1]" in told
    assert "Runs that changed" not in told


def test_the_newest_file_is_the_default(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = call("gd", "adam")
    assert refused.exit_code == 2
    assert "name a results file with -r" in refused.stderr
    (tmp_path / "optbench-results").mkdir()
    shutil.copy(results, tmp_path / "optbench-results" / "quick.db")
    assert f"in {Path('optbench-results') / 'quick.db'}" in call("gd", "adam").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gd", "adm", "-r", "R"], "Did you mean 'adam'"),
        (["gd", "adam/cosin", "-r", "R"], "Did you mean 'cosine'"),
        (["gd", "adam", "-r", "R", "--where", "problm=booth"], "Did you mean 'problem'"),
        (["gd", "adam", "-r", "R", "--target", "1e-5"], "was not recorded. Known: 1e-1, 1e-3"),
        (["gd", "adam", "-r", "R", "--on", "steps"], "steps"),
        (["gd", "adam", "-r", "R", "--on", "epochs"], "no runs to compare by epochs"),
        (["gd", "adam", "-r", "missing.db"], "missing.db"),
        (["R", "adam"], "there is no file 'adam'"),
        (["R", "missing.db"], "there is no file 'missing.db'"),
        (["R", "R", "-r", "R"], "-r goes with two optimizers"),
        (["R", "R", "--on", "fun"], "not by fun"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(arguments: list[str], message: str, results: Path) -> None:
    done = call(*(str(results) if text == "R" else text for text in arguments))
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
