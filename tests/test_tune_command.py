"""``optbench tune``, tuned matrices and shipped ones, as their users meet them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optbench import tuning
from optbench.cli import main
from optbench.matrices import find_config, shipped_config
from optbench.plan import make_plan
from optbench.registry import UnknownName
from optbench.store import load


def call(*arguments: str | Path) -> Result:
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
        'problems = ["booth"]\noptimizers = ["gd", "adam"]\n[budget]\nmax_iter = 50\nseeds = 2\nrepeats = 0\n'
        "[tuning]\nbudgets = 5\nseeds = 1\n"
    )
    dry = call("run", tmp_path / "m.toml", "--dry-run")
    assert dry.exit_code == 0, dry.output
    for text in ("trial runs      12", "at most 8", "at most 20", "grid, budgets of 5"):
        assert text in dry.output
    done = call("run", tmp_path / "m.toml", "-o", tmp_path / "r.db", "-j", "1")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "r-lr_sensitivity.png").exists()
    assert 12 < len(load(tmp_path / "r.db").runs) <= 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune"], "at least one --problem and one --optimizer"),
        (["tune", "-p", "booth"], "at least one --optimizer"),
        (["tune", "-p", "booth", "-O", "gd", "--mode", "gird"], "Did you mean 'grid'"),
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
