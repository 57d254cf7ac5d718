"""``optbench plot``: what figures take is what its options are; every mistake is a sentence and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from matplotlib.figure import Figure

import optbench
from optbench import plots
from optbench.cli import main
from optbench.cli.figure_options import chosen_options, written
from optbench.cli.filters import filtered
from optbench.plots._kinds import Kind

SUPPORTED = (bool, int, float, str)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["plot", *map(str, arguments)])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file of a small matrix."""
    matrix = {
        "problems": ["beale", "booth"],
        "optimizers": ["gd", {"name": "adam", "lr": 0.1}],
        "schedules": ["constant", "cosine"],
        "budget": {"max_iter": 200, "seeds": 2, "repeats": 1},
    }
    path = tmp_path_factory.mktemp("matrix") / "r.db"
    optbench.run(matrix, path, jobs=1)
    return path


# ------------------------------------------------------------------------------------------------------------ kinds


def one(
    runs: pd.DataFrame,
    hits: pd.DataFrame,
    *,
    x: Literal["left", "right"] = "left",
    size: float | None = None,
    count: int = 1,
    names: Sequence[str] = (),
    ends: tuple[float, float] = (0.0, 1.0),
    entry: str | Mapping[str, Any] | None = None,
    wide: bool = False,
) -> Figure:
    """A figure for the tests."""
    raise NotImplementedError


def other(*, x: Literal["up"] = "up", at: Mapping[str, float], label: str = "") -> Figure:
    """A figure without tables."""
    raise NotImplementedError


ONE, OTHER = Kind("one", one), Kind("other", other)


def test_a_kind_is_read_from_its_signature() -> None:
    assert ONE.tables == ("runs", "hits")
    assert not OTHER.tables
    assert ONE.options["x"].choices == ("left", "right")
    assert [name for name, option in OTHER.options.items() if option.required] == ["at"]
    assert [written(option) for option in ONE.options.values()][:6] == [
        *("left|right", "NUMBER", "NUMBER", "TEXT", "NUMBER,...", "NAME[:KEY=VALUE,...]"),
    ]
    assert written(OTHER.options["at"]) == "KEY=VALUE,..."
    with pytest.raises(ValueError, match="one needs the results of runs"):
        ONE()


def test_texts_become_what_a_figure_takes() -> None:
    texts = {"x": ("right",), "size": ("1e-3",), "count": ("7",), "names": ("a,b", "c"), "ends": ("1,2.5",)}
    given = {**texts, "entry": ("step:gamma=0.5",), "wide": True, "label": ()}
    assert chosen_options([ONE], given) == {
        "one": {
            "x": "right",
            "size": 1e-3,
            "count": 7,
            "names": ("a,b", "c"),
            "ends": (1.0, 2.5),
            "entry": {"name": "step", "gamma": 0.5},
            "wide": True,
        }
    }
    assert chosen_options([ONE], {"entry": ("step",)}) == {"one": {"entry": "step"}}
    both = chosen_options([ONE, OTHER], {"size": ("2",), "at": ("w=1,b=-2.5",)})
    assert both == {"one": {"size": 2.0}, "other": {"at": {"w": 1, "b": -2.5}}}


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (ONE, {"x": ("rigth",)}, "unknown value of --x: 'rigth'. Did you mean 'right'? Known: left, right"),
        (ONE, {"size": ("big",)}, "--size takes a number, not 'big'"),
        (ONE, {"count": ("1.5",)}, "--count takes a whole number, not '1.5'"),
        (ONE, {"count": ("1", "2")}, "--count takes one value, not 2"),
        (ONE, {"ends": ("1,b",)}, "--ends takes a number, not 'b'"),
        (OTHER, {}, "other needs --at KEY=VALUE,..."),
        (OTHER, {"at": ("1,2",)}, "KEY=VALUE"),
    ],
)
def test_wrong_texts_are_refused(kind: Kind, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        chosen_options([kind], given)


def test_what_figures_take_can_be_written() -> None:
    for kind in plots.KINDS.values():
        for option in kind.options.values():
            assert option.choices or written(option), f"{kind.name} {option.name}"
            assert option.types, f"{kind.name} {option.name}"


# ---------------------------------------------------------------------------------------------------------- command


def test_help_lists_kinds_with_what_they_take() -> None:
    listed = call("--kind", "help")
    assert listed.exit_code == 0
    for name, kind in plots.KINDS.items():
        assert name in listed.output
        for option in kind.options:
            assert f"--{option.replace('_', '-')}" in listed.output
    assert "--on iterations|epochs|evaluations|seconds" in listed.output
    assert "Needs no results file" in listed.output
    options = call("--help").output
    assert "--quantity" in options
    assert "gap, f, grad_norm, kkt; for convergence." in " ".join(options.split())


def test_options_reach_the_figure(results: Path, tmp_path: Path) -> None:
    for x, text in (("seconds", "seconds"), ("evaluations", "evaluations of the objective")):
        done = call(results, "--x", x, "--problem", "beale", "-o", tmp_path / "part.svg")
        assert done.exit_code == 0, done.output
        drawn = (tmp_path / "part.svg").read_text()
        assert f"<!-- {text} -->" in drawn
        assert "booth" not in drawn


def test_several_kinds_go_to_a_folder(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    done = call(
        results, "--kind", "heatmap", "--kind", "target_bars", "--target", "1e-1", "-o", folder, "--format", "svg"
    )
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in folder.iterdir()) == ["r-heatmap.svg", "r-target_bars.svg"]
    assert "1e-1" in (folder / "r-heatmap.svg").read_text()


def test_all_kinds_name_those_that_do_not_apply(results: Path, tmp_path: Path) -> None:
    done = call(results, "--kind", "all", "-o", tmp_path / "all", "--where", "problem=beale")
    assert done.exit_code == 0, done.output
    drawn = {file.stem.removeprefix("r-") for file in (tmp_path / "all").iterdir()}
    told = [line.split(": ")[1] for line in done.output.splitlines() if line.startswith("not drawn: ")]
    missed = {name for names in told for name in names.split(", ")}
    assert drawn | missed == {name for name, kind in plots.KINDS.items() if kind.tables}
    assert not drawn & missed
    assert {"convergence", "heatmap", "target_bars", "traces"} <= drawn
    assert {"tuning_budget", "feasibility"} <= missed


def test_kinds_with_one_reason_share_a_line_and_alone_a_kind_is_named(results: Path, tmp_path: Path) -> None:
    done = call(results, "--kind", "all", "-o", tmp_path / "all")
    reason = "one problem is shown: choose it by problem, of beale n=2, booth n=2"
    spaces = "data_space, decision_boundary, parameter_space, surface, constraint_space"
    assert f"not drawn: {spaces}: {reason}" in done.output.splitlines()
    alone = call(results, "--kind", "surface")
    assert (alone.exit_code, alone.stderr) == (2, f"optbench: surface: {reason}\n")


def test_all_kinds_go_to_a_folder_even_where_there_is_one(tmp_path: Path) -> None:
    done = call("--kind", "all", "-o", tmp_path / "some")
    assert done.exit_code == 0, done.output
    assert [file.name for file in (tmp_path / "some").iterdir()] == ["schedules.png"]


def test_a_matrix_without_known_minima_leaves_the_heat_map_out(tmp_path: Path) -> None:
    options = ["-p", "mlp:data=iris,hidden=[4],validation=0.2", "-O", "adam", "--max-iter", "20", "--repeats", "0"]
    done = CliRunner().invoke(main, ["run", *options, "-j", "1", "-o", str(tmp_path / "r.db")])
    assert done.exit_code == 0, done.output
    assert "no plot: heatmap: no runs to plot: none has a known minimum" in done.output.splitlines()
    assert [file.name for file in tmp_path.glob("*.png")] == ["r-convergence.png"]


def test_kinds_without_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("--kind", "schedules", "--schedule", "step:step_size=5", "--schedule", "cosine", "--n-steps", "20")
    assert done.exit_code == 0, done.output
    assert [file.name for file in tmp_path.iterdir()] == ["schedules.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "heat"], "Did you mean 'heatmap'"),
        (["--kind", "heatmap", "--by", "optimizer"], "--by goes with sweep"),
        (["--kind", "heatmap", "--quantity", "f"], "not with heatmap: unknown option '--quantity'. Known: --problem, "),
        (["--quantitty", "f"], "Did you mean '--quantity'"),
        (["--kind", "heatmap", "--value", "second"], "Did you mean 'seconds'"),
        (["--kind", "heatmap", "--target", "small"], "--target takes a number, not 'small'"),
        (["--kind", "heatmap", "--target", "0.5"], "target 0.5 was not recorded"),
        (["--kind", "schedules"], "schedules is not drawn from results"),
        (["--kind", "heatmap", "--kind", "traces", "-o", "one.png"], "several figures go to a folder"),
        (["--kind", "heatmap", "--kind", "sweep", "-o", "folder"], "sweep: this figure takes one setting"),
        (["-o", "one.png", "--format", "svg"], "--format goes with a folder"),
        (["-o", "missing/folder/one.png"], "does not exist"),
        (["--where", "problem"], "--where takes COLUMN=VALUE"),
        (["--where", "problem<beale"], "problem is text"),
        (["--where", "lr>=much"], "lr is a number, not 'much'"),
        (["--where", "seed=7"], "unknown value of seed: '7'. Known: 0, 1"),
        (["--where", "n>100"], "no run has n>100"),
    ],
)
def test_mistakes(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(results.parent.iterdir())
    done = call(results, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert set(results.parent.iterdir()) == before


def test_mistakes_without_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments, message in (
        (["--kind", "heatmap"], "heatmap is drawn from a results file: optbench plot RESULTS --kind heatmap"),
        (["--kind", "schedules", "--where", "n=2"], "there is none"),
        (["--kind", "schedules", "--schedule", "cosin"], "Did you mean 'cosine'"),
        (["--kind", "schedules", "--schedule", "step:size=3"], "unknown setting of schedule 'step': 'size'"),
    ):
        done = call(*arguments)
        assert done.exit_code == 2
        assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------------- filters

RUNS = pd.DataFrame(
    {"problem": ["beale", "booth", "booth", "a,b"], "n": [2, 2, 10, 4], "lr": [1e-3, 1e-2, 0.1, 1.0]}, list("pqrs")
)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        (["problem=booth"], "qr"),
        (["problem=beale,booth"], "pqr"),
        (["problem=a,b"], "s"),
        (["problem!=booth"], "ps"),
        (["n=2"], "pq"),
        (["n=2,4"], "pqs"),
        (["n!=2"], "rs"),
        (["lr=1e-3"], "p"),
        (["lr=0.001"], "p"),
        (["lr>=0.01", "lr<1"], "qr"),
        (["n>2", "n<=4"], "s"),
        (["problem=booth", "n = 10"], "r"),
        ([], "pqrs"),
    ],
)
def test_filters(where: list[str], kept: str) -> None:
    assert "".join(filtered(RUNS, tuple(where)).index) == kept
