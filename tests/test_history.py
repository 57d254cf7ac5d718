"""Performance over commits: asv's files, written by asv, as a table; steps against series worked by hand; figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asv import util
from asv.benchmarks import Benchmarks
from asv.results import Results
from click.testing import CliRunner, Result
from matplotlib.figure import Figure

from optbench import cli
from optbench.history import changes_over, commits_of, load_history
from optbench.plots.history import history, value_text

NAN = math.nan
DAY = 86_400_000
KINDS = {"time": "seconds", "track": "iterations", "peakmemory": "bytes"}
Series = Mapping[str, Sequence[float | None]]
Write = Callable[..., Path]


def commit(k: int) -> str:
    return f"{k:02x}" * 20


def write_results(folder: Path, values: Mapping[str, Series], spread: float = 0.01, machine: str = "m") -> Path:
    """Results as asv writes them, of values over commits by benchmark and parameter; ``kind:name`` tells the type.

    The quartiles of times are `spread` apart from the value, relative to it.
    """
    (folder / machine).mkdir(parents=True, exist_ok=True)
    util.write_json(str(folder / machine / "machine.json"), {"machine": machine}, 1)
    known = {}
    for key, series in values.items():
        kind, name = key.split(":")
        params = [[repr(each) for each in series]] if "" not in series else []
        facts = {"name": name, "type": kind, "unit": KINDS[kind], "version": "1"}
        known[name] = {**facts, "params": params, "param_names": ["p"] * len(params)}
    util.write_json(str(folder / "benchmarks.json"), known, Benchmarks.api_version)
    count = max(len(each) for series in values.values() for each in series.values())
    for k in range(count):
        made = Results({"machine": machine}, {}, commit(k), k * DAY, "3.11", "existing", {})
        for (key, series), name in zip(values.items(), known, strict=True):
            at = [each[k] if k < len(each) else None for each in series.values()]
            made._results[name], made._benchmark_params[name] = at, known[name]["params"]
            made._benchmark_version[name] = "1"
            timed = key.startswith("time")
            low, high = (1 - spread, 1 + spread)
            made._stats[name] = [{"q_25": v * low, "q_75": v * high} if timed and v is not None else None for v in at]
            for other in (made._samples, made._profiles, made._started_at, made._duration):
                other[name] = None
        made.save(str(folder))
    return folder


def changes(folder: Path, values: Sequence[float | None], kind: str = "track", **options: Any) -> list[tuple[Any, ...]]:
    """Kind, first commit, previous commit of every change of one series."""
    spread = options.pop("spread", 0.01)
    write_results(folder, {f"{kind}:suite.{kind}_it": {"": values}}, spread)
    found = changes_over(load_history(folder), **options)
    places = {commit(k): k for k in range(len(values))}
    return [(row["kind"], places[row["commit"]], places[row["last"]]) for row in found.to_dict("records")]


def test_the_table_has_what_asv_wrote_in_the_order_of_dates(tmp_path: Path) -> None:
    write_results(
        tmp_path,
        {"time:steps.time_step": {"adam": [2.0, 3.0], "gd": [1.0, None]}, "track:needs.track_it": {"": [5.0, NAN]}},
    )
    table = load_history(tmp_path)
    assert commits_of(table) == [commit(0), commit(1)]
    steps = table[table["benchmark"] == "steps.time_step"]
    assert list(zip(steps["params"], steps["value"], strict=True)) == [
        (("adam",), 2.0), (("gd",), 1.0), (("adam",), 3.0), (("gd",), math.inf),
    ]  # fmt: skip
    assert list(steps["q25"]) == pytest.approx([1.98, 0.99, 2.97, math.inf])
    assert list(steps["unit"]) == ["seconds"] * 4
    needs = table[table["benchmark"] == "needs.track_it"]
    assert list(needs["value"]) == [5.0]  # the second was skipped
    assert list(needs["q75"]) == [5.0]
    assert set(load_history(tmp_path, "track").benchmark) == {"needs.track_it"}


def test_commits_are_ordered_by_date_not_by_name(tmp_path: Path) -> None:
    write_results(tmp_path, {"track:a.track_it": {"": [1.0, 2.0, 3.0]}})
    for path in (tmp_path / "m").glob("0*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**data, "date": -data["date"]}), encoding="utf-8")
    assert commits_of(load_history(tmp_path)) == [commit(2), commit(1), commit(0)]


def test_values_of_an_older_version_of_a_benchmark_are_left_out(tmp_path: Path) -> None:
    write_results(tmp_path, {"track:a.track_it": {"": [1.0, 2.0]}, "track:a.track_other": {"": [1.0, 2.0]}})
    index = tmp_path / "benchmarks.json"
    known = json.loads(index.read_text(encoding="utf-8"))
    known["a.track_it"]["version"] = "2"
    index.write_text(json.dumps(known), encoding="utf-8")
    assert set(load_history(tmp_path)["benchmark"]) == {"a.track_other"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([100, 100, 100], []),
        ([100, 100, 101], [("regression", 2, 1)]),
        ([100, 101, 101, 101], [("regression", 1, 0)]),
        ([100, 99], [("improvement", 1, 0)]),
        ([100, 120, 100], []),  # undone
        ([100, 120, 110], [("regression", 1, 0)]),  # partly undone
        ([100, 90, 100], [("improvement", 1, 0), ("regression", 2, 1)]),  # won and lost
        ([100, 110, 120], [("regression", 1, 0), ("regression", 2, 1)]),
        ([100, NAN, 120], [("regression", 2, 0)]),
        ([0, 20], [("regression", 1, 0)]),
        ([100, 100, None], [("regression", 2, 1)]),  # fails
        ([None, 100, 100], []),
        ([None, None], []),
    ],
)
def test_every_lasting_change_without_noise_counts(
    tmp_path: Path, values: list[float | None], expected: list[tuple[Any, ...]]
) -> None:
    assert sorted(changes(tmp_path, values)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 1.01, 0.99, 1.02, 1.0], []),
        ([1.0, 1.01, 5.0, 5.1, 4.9], [("regression", 2, 1)]),
        ([1.0, 1.01, 5.0], [("regression", 2, 1)]),
        ([1.0, 5.0], [("regression", 1, 0)]),
        ([1.0, 1.05], []),  # less than the factor
        ([1.0, 1.01, 0.2, 0.21, 0.2], [("improvement", 2, 1)]),
        ([1.0, 1.01, 5.0, 1.0, 1.02], []),  # one slow commit
        ([1.0, 1.01, None, 1.0], []),
    ],
)
@pytest.mark.parametrize("kind", ["time", "peakmemory"])
def test_steps_of_times_and_memory(
    tmp_path: Path, values: list[float | None], expected: list[tuple[Any, ...]], kind: str
) -> None:
    assert changes(tmp_path, values, kind) == expected


def test_a_step_within_the_scatter_of_the_samples_does_not_count(tmp_path: Path) -> None:
    values = [1.0, 1.0, 1.5, 1.5]
    assert changes(tmp_path / "a", values, "time") == [("regression", 2, 1)]
    assert changes(tmp_path / "b", values, "time", spread=0.3) == []
    assert changes(tmp_path / "c", values, "time", factor=2.0) == []


def test_machines_are_judged_alone_and_the_largest_change_stands_first(tmp_path: Path) -> None:
    write_results(tmp_path, {"track:a.track_it": {"x": [1, 2], "y": [1, 3], "z": [4, 2]}})
    write_results(tmp_path, {"track:a.track_it": {"x": [5, 5], "y": [5, 5], "z": [5, 5]}}, machine="other")
    found = changes_over(load_history(tmp_path))
    assert list(found["params"]) == [("y",), ("x",), ("z",)]
    assert list(found["ratio"]) == [3.0, 2.0, 0.5]
    assert set(found["machine"]) == {"m"}


def test_a_factor_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"factor is at least 1, not 0\.5"):
        changes(tmp_path, [1.0, 2.0], factor=0.5)


@pytest.fixture
def drawn(tmp_path: Path) -> dict[str, Figure]:
    many = {f"o{k:02}": [1.0, 1.0, 1.0 + k] for k in range(12)}
    write_results(
        tmp_path,
        {
            "time:steps.Step.time_step": {"adam": [1e-3, 1e-3, 5e-3], "gd": [2e-3, 2e-3, 2e-3]},
            "track:needs.track_failures": {"adam": [0, 20, 20], "gd": [20, 20, 0]},
            "track:needs.track_many": many,
        },
    )
    table = load_history(tmp_path)
    return history(table, changes_over(table))


def texts(figure: Figure, panel: int) -> set[str]:
    return {text.get_text() for text in figure.axes[panel].texts}


def marks(figure: Figure, panel: int) -> set[tuple[Any, ...]]:
    found = [line for line in figure.axes[panel].lines if line.get_marker() in ("^", "v")]
    return {(line.get_marker(), *np.asarray(line.get_xydata())[0].tolist()) for line in found}


def test_a_figure_a_family_with_the_changes_named(drawn: dict[str, Figure]) -> None:
    assert list(drawn) == ["needs", "steps.Step"]
    steps = drawn["steps.Step"]
    assert texts(steps, 0) == {"adam 1ms \N{RIGHTWARDS ARROW} 5ms", "gd 2ms"}
    assert [tick.get_text() for tick in steps.axes[0].get_xticklabels()] == [commit(k)[:7] for k in range(3)]
    assert marks(steps, 0) == {("^", 2.0, 5.0)}  # relative to the first


def test_values_from_zero_are_absolute_and_improvements_point_down(drawn: dict[str, Figure]) -> None:
    assert drawn["needs"].axes[0].get_ylabel() == "iterations"
    assert marks(drawn["needs"], 0) == {("^", 1.0, 20.0), ("v", 2.0, 0.0)}


def test_many_lines_name_the_largest_changes(drawn: dict[str, Figure]) -> None:
    found = texts(drawn["needs"], 1)
    assert "o11 1 \N{RIGHTWARDS ARROW} 12" in found
    assert "5 more" in found
    assert not any(text.startswith("o01") for text in found)


def test_nothing_to_plot_is_said(drawn: dict[str, Figure]) -> None:
    with pytest.raises(ValueError, match="no results to plot"):
        history(pd.DataFrame(columns=["benchmark"]), pd.DataFrame())


def test_values_as_text() -> None:
    assert [value_text(0.0123, "seconds"), value_text(5.2e7, "bytes"), value_text(20.0, "% of starts")] == [
        "12.3ms", "52 MB", "20%",
    ]  # fmt: skip
    assert value_text(math.inf, "seconds") == "failed"


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["history", *map(str, arguments)])


def test_command_prints_the_changes_and_saves_the_figures(tmp_path: Path) -> None:
    results = write_results(
        tmp_path / "results", {"track:a.B.track_it": {"x": [100, 150, 140]}, "time:c.time_d": {"": [1.0, 0.5, 0.5]}}
    )
    done = command(results)
    assert done.exit_code == 0, done.output
    assert "2 series over 3 commits" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "a.B.track_it(x)" in line)
    assert row.split() == ["a.B.track_it(x)", commit(1)[:8], commit(0)[:8], "100", "150", "140", "iterations", "1.5"]
    assert {path.name for path in (tmp_path / "history").iterdir()} == {"a.B.png", "c.png"}
    assert command(results, "--no-plots", "--fail").exit_code == 1
    assert command(results, "--no-plots", "--fail", "-b", "c.time").exit_code == 0
    for name in ("all.pdf", "one.svg"):
        given = command(results, "-o", tmp_path / name, *(["-b", "a.B"] if name == "one.svg" else []))
        assert given.exit_code == 0, given.output
        assert (tmp_path / name).stat().st_size > 1000


def test_bad_input_ends_with_one_sentence(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", {"track:a.track_it": {"": [1, 2]}, "track:b.track_it": {"": [1, 2]}})
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    bad: list[tuple[list[str | Path], str]] = [
        ([tmp_path / "nowhere"], "no such folder"),
        ([tmp_path / "file"], "no such folder"),
        ([tmp_path / "empty"], "no results of asv"),
        ([tmp_path], "no results of asv"),
        ([results, "-b", "c.trak_it"], "unknown benchmark"),
        ([results, "-b", "("], "not a regular expression"),
        ([results, "--factor", "0.9"], "factor is at least 1"),
        ([results, "-o", tmp_path / "x.gif"], "a figure is saved as"),
        ([results, "-o", tmp_path / "x.png"], "one family of benchmarks"),
        ([results, "-o", tmp_path / "file"], "is a file"),
    ]
    for arguments, said in bad:
        done = command(*arguments)
        assert (done.exit_code, done.stdout) == (2, ""), arguments
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("benchmarks.json", '{"version": 99}', "newer"),
        ("benchmarks.json", "{", "Error parsing JSON"),
        ("m/00000000-existing.json", '{"version": 1}', "old file format"),
        ("m/00000000-existing.json", '{"version": 2}', "missing key"),
        ("m/00000000-existing.json", "[]", "No version specified"),
        ("benchmarks.json", '{"version": 2, "a.track_it": {"version": "1"}}', "not results of asv, or damaged"),
    ],
)
def test_damaged_files_end_with_one_sentence(tmp_path: Path, name: str, content: str, said: str) -> None:
    results = write_results(tmp_path, {"track:a.track_it": {"": [1, 2]}})
    assert (results / name).is_file()
    (results / name).write_text(content, encoding="utf-8")
    done = command(results)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
