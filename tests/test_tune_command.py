"""``optbench tune``, tuned matrices and shipped ones, as their users meet them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Shown

from optbench import tuning, workers
from optbench.cli import main, tuning_text
from optbench.config import parse_config
from optbench.matrices import find_config, shipped_config
from optbench.outcome import Result, Run
from optbench.plan import make_plan
from optbench.registry import UnknownName
from optbench.store import load


def call(*arguments: str | Path) -> Shown:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


OPTIONS = [
    "-p",
    "booth",
    "-O",
    "gd",
    "-O",
    "adam",
    "--mode",
    "random",
    "--budget",
    "4",
    "--budget",
    "2",
    "--max-iter",
    "50",
]


def test_tune_command_prints_tuned_beside_default_and_goes_on(tmp_path: Path) -> None:
    done = call("tune", *OPTIONS, "--seeds", "2", "--tuning-seeds", "1", "-o", tmp_path / "r.db", "-j", "1")
    assert done.exit_code == 0, done.output
    for text in ("Tuned beside default", "tuned 2", "tuned 4", "Mean place", "tuning: 2 cells, 10 runs", "trials: "):
        assert text in done.output
    assert (tmp_path / "r-tuning_budget.png").read_bytes().startswith(b"\x89PNG")
    again = call("tune", *OPTIONS, "--seeds", "2", "--tuning-seeds", "1", "-o", tmp_path / "r.db", "--no-plots")
    assert "0 run now" in again.output
    spent = next(line for line in again.output.splitlines() if line.startswith("tuning: "))
    assert " s;" not in spent
    for kind in ("heatmap", "tuning_budget"):
        drawn = call("plot", tmp_path / "r.db", "--kind", kind, "-o", tmp_path / "part.svg")
        assert drawn.exit_code == 0, drawn.output
    part = call("plot", tmp_path / "r.db", "--where", "lr=0.001", "--where", "seed=0", "-o", tmp_path / "part.svg")
    assert part.exit_code == 0, part.output
    compared = call("compare", "gd tuned", "gd", "-r", tmp_path / "r.db", "--target", "0.1")
    assert compared.exit_code == 0, compared.output
    assert "gd tuned" in compared.output
    assert "no grid of learning rates" in call("plot", tmp_path / "r.db", "--kind", "lr_sensitivity").stderr


def test_run_tunes_a_matrix_first_and_the_dry_run_counts(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'problems = ["booth"]\noptimizers = ["gd", "adam", "lbfgs"]\n[budget]\nmax_iter = 50\nseeds = 2\nrepeats = 0\n'
        "[tuning]\nbudgets = 5\nseeds = 1\n"
    )
    dry = call("run", tmp_path / "m.toml", "--dry-run")
    assert dry.exit_code == 0, dry.output
    for text in ("trial runs      12", "at most 10", "at most 22", "grid, budgets of 5", "not searched    lbfgs"):
        assert text in dry.output
    limits = [float(value) for value in re.findall(r"seconds +(\d+)", dry.output)]
    assert limits == [60.0 * (12 + 2 * 6)]
    done = call("run", tmp_path / "m.toml", "-o", tmp_path / "r.db", "-j", "1")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "r-lr_sensitivity.png").exists()
    assert 12 < len(load(tmp_path / "r.db").runs) <= 22
    assert "nothing to search: lbfgs" in done.output
    assert re.search(r"lbfgs +line_search", done.output)


def test_defaults_of_the_command_and_what_its_table_says(tmp_path: Path) -> None:
    options = [
        "-p",
        "booth",
        "-O",
        "adam",
        "-O",
        "gd",
        "--budget",
        "5",
        "--range",
        "lr=0.002,0.01",
        "--max-iter",
        "200",
    ]
    done = call("tune", *options, "-o", tmp_path / "r.db", "-j", "1", "--no-plots")
    assert done.exit_code == 0, done.output
    results = load(tmp_path / "r.db")
    assert set(results.runs["seed"]) == {0, 1, 2, 3, 4, 1000, 1001, 1002}
    for text in (
        "median final loss [quartiles] on 5 test seeds",
        "to 1e-6",
        "- / ",
        "0% / ",
        "winner",
        "lr=0.01*",
        "* at an end of its range",
    ):
        assert text in done.output


def test_under_constraints_the_table_speaks_of_residuals(tmp_path: Path) -> None:
    options = ["-p", "hs021", "-O", "augmented_lagrangian:inner=adam", "--budget", "3", "--max-iter", "50"]
    done = call("tune", *options, "-o", tmp_path / "r.db", "-j", "1", "--no-plots")
    assert done.exit_code == 0, done.output
    assert "median KKT residual [quartiles] on 5" in done.output


def test_a_trial_that_fails_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = workers._work

    def faulty(batch: list[Run]) -> list[Result]:
        results = work(batch)
        for run, result in zip(batch, results, strict=True):
            if run.seed == 1000 and run.lr == 1.0:
                result.status, result.message = "error", "it broke"
        return results

    monkeypatch.setattr(workers, "_work", faulty)
    matrix: dict[str, Any] = {"problems": ["booth"], "optimizers": ["gd"], "budget": {"max_iter": 20}}
    table = {"budgets": 2, "ranges": {"lr": [0.1, 1.0]}}
    config = parse_config({**matrix, "tuning": table})
    plan = make_plan(config)
    done = tuning.run_matrix(config, plan, tmp_path / "r.db", jobs=0, repeats=0)
    assert tuning_text.summary(done, load(tmp_path / "r.db"), full=False) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune"], "at least one --problem and one --optimizer"),
        (["tune", "-p", "booth"], "at least one --optimizer"),
        (["tune", "-p", "booth", "-O", "gd", "--mode", "gird"], "Did you mean 'grid'"),
        (["tune", "-p", "booth", "-O", "adam", "--range", "beta1=0.5,0.9"], "the range of beta1 does nothing"),
        (["tune", "-p", "booth", "-O", "gd", "--range", "lrr=1e-3,1"], "did you mean 'lr'"),
        (["tune", "-p", "booth", "-O", "gd", "--range", "lr"], "--range takes NAME=LOW,HIGH"),
        (["tune", "-p", "booth", "-O", "gd", "--criterion", "val_loss"], "no held-out samples"),
        (["run", "crowded_valey"], "Did you mean 'crowded_valley'"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_shipped_protocol_has_the_size_of_the_paper() -> None:
    config = find_config("crowded_valley")
    plan = make_plan(config)
    assert [len(factor) for factor in config.blocks[0].factors] == [8, 15, 4, 1, 1]
    assert len(plan.cells) == 480
    facts = tuning.describe(config, plan)
    assert facts["runs"] == "at most 53760"
    with pytest.raises(UnknownName, match="Did you mean 'quick'"):
        shipped_config("quik")
