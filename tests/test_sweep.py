"""Sweeps: the table against hand-worked runs, good values, figures, the command and the function."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import optbench
from optbench import plots, sweep_table, swept
from optbench.cli import main
from optbench.sweep_table import Good, best, good, growth, scale_of, width_text, words

INF, NAN = math.inf, math.nan
Tables = tuple[pd.DataFrame, pd.DataFrame]
Frames = Callable[..., Tables]


def runs_of(frames: Frames, cells: list[tuple[dict[str, Any], list[int | None]]]) -> Tables:
    """Runs with these differences, one for every number of iterations to 1e-6; 'div' for a run that diverged."""
    rows, hits = [], []
    for given, costs in cells:
        for seed, cost in enumerate(costs):
            end = {"fun": 1e-8, "nit": cost} if cost else {"fun": 0.5, "nit": 100, "status": "budget"}
            rows.append({"kkt": NAN, "f0": 10.0, "seed": seed, **end, **given})
            hits.append({0.1: 1, 1e-6: cost, 1e-8: None})
    return frames(rows, hits)


def diverging(**given: Any) -> dict[str, Any]:
    return {**given, "fun": NAN, "nit": 3, "status": "diverged"}


def sweep_of_lr(frames: Frames) -> Tables:
    return runs_of(
        frames,
        [
            ({"lr": 1.0}, [60, 30, 50, 40]),
            (diverging(lr=10.0), [None, None, None, None]),
            ({"lr": 0.01}, [None, None, None, 90]),
            ({"lr": 0.1}, [80, 80, 90, None]),
        ],
    )


# ---------------------------------------------------------------------------------------------------------- table


def test_table_of_hand_worked_runs(frames: Frames) -> None:
    table = sweep_table.table(*sweep_of_lr(frames), ["lr"])
    assert list(table["lr"]) == [0.01, 0.1, 1.0, 10.0]
    assert list(table["runs"]) == [4] * 4
    assert list(table["success"]) == [0.25, 0.75, 1.0, 0.0]
    assert list(table["iterations"]) == [INF, 85.0, 45.0, INF]
    assert list(table["iterations_q25"]) == [INF, 80.0, 37.5, INF]  # of 90 and three infinities: 3/4 of the way to inf
    assert list(table["iterations_q75"]) == [INF, INF, 52.5, INF]
    assert list(table["diverged"]) == [0.0, 0.0, 0.0, 1.0]
    assert list(table["loss"]) == [0.5, 1e-8, 1e-8, INF]
    assert table["loss_q75"].tolist() == pytest.approx([0.5, 0.25 * 0.5 + 0.75e-8, 1e-8, INF])
    assert table["remaining"].tolist() == pytest.approx([0.05, 1e-9, 1e-9, INF])
    assert list(table["seconds"]) == [1e-3] * 4
    assert table["epochs"].isna().all()
    goal = "f - f* \N{LESS-THAN OR EQUAL TO} {target} (f0 - f*)"
    assert table.attrs == {
        "by": ["optimizer.lr"], "target": 1e-6, "on": "iterations", "least": 1e-8, "loss": "f - f*", "goal": goal,
    }  # fmt: skip
    assert set(table["optimizer"]) == {"gd"}
    assert set(sweep_table.table(*sweep_of_lr(frames), ["lr"], target=0.1)["iterations"]) == {1.0}


def test_loss_is_the_gap_the_residual_or_the_loss_itself(frames: Frames) -> None:
    def losses(meaning: str, **given: Any) -> list[float]:
        cells: list[Any] = [({"lr": lr, "f_opt": 2.0, "fun": 3.0, "f0": 6.0, **given}, [5]) for lr in (1.0, 2.0)]
        table = sweep_table.table(*runs_of(frames, cells), ["lr"])
        assert table.attrs["loss"] == meaning
        return [table["loss"].iloc[0], table["remaining"].iloc[0]]

    assert losses("f - f*") == [1.0, 0.25]
    assert losses("loss", f_opt=NAN) == pytest.approx([3.0, NAN], nan_ok=True)
    assert losses("loss", frozen=True) == pytest.approx([3.0, NAN], nan_ok=True)
    assert losses("KKT residual", kkt=0.125) == pytest.approx([0.125, NAN], nan_ok=True)


def test_a_residual_of_a_run_that_diverged_is_not_shown(frames: Frames) -> None:
    cells: list[tuple[dict[str, Any], list[int | None]]]
    cells = [({"lr": 1.0, "kkt": 0.5}, [5]), ({**diverging(lr=2.0), "kkt": 0.125}, [None])]
    assert sweep_table.table(*runs_of(frames, cells), ["lr"])["loss"].tolist() == [0.5, INF]


def test_settings_of_every_kind_are_found(frames: Frames) -> None:
    shared: dict[str, Any] = {
        "params": '{"beta1": 0.9, "eps": 1e-08}', "schedule": "step", "schedule_params": '{"gamma": 0.1}',
        "settings": '{"n": 5, "hidden": [3, 4]}', "n_samples": 100,
    }  # fmt: skip
    runs, _ = frames(
        [
            {**shared, "clip": "norm", "clip_at": 0.5, "batch_size": 20, "warmup": 7},
            {**shared, "clip": "none"},
            {**shared, "clip": "value", "clip_at": 2.0, "schedule_params": "{}"},
        ]
    )
    wanted = {
        "lr": 0.1, "beta1": 0.9, "optimizer.eps": 1e-8, "n": 5, "hidden": (3, 4), "max_iter": 100,
    }  # fmt: skip
    for key, value in wanted.items():
        assert swept.values_of(runs, key).tolist() == [value] * 3
    assert swept.values_of(runs, "warmup").tolist() == [7, 0, 0]
    assert swept.values_of(runs, "batch_size").tolist() == [20, 100, 100]
    assert swept.values_of(runs, "clip_norm").tolist() == pytest.approx([0.5, INF, NAN], nan_ok=True)
    assert swept.values_of(runs, "clip_value").tolist() == pytest.approx([NAN, INF, 2.0], nan_ok=True)
    assert swept.values_of(runs, "gamma").tolist() == pytest.approx([0.1, 0.1, NAN], nan_ok=True)
    with pytest.raises(ValueError, match="Did you mean 'gamma'"):
        swept.values_of(runs, "gama")


def test_what_varies_is_found_without_what_follows_from_it(tmp_path: Path) -> None:
    def found(name: str, *arguments: Any, **options: Any) -> list[str]:
        done = optbench.sweep(*arguments, **options, seeds=1, repeats=0, output=tmp_path / f"{name}.db")
        assert list(done.by) == swept.varied(done.runs)
        return list(done.by)

    warm = {"warmup": [0, 10]}
    assert found("warm", "booth", "gd", warm, schedule="cosine", max_iter=50) == ["warmup"]  # T_max follows
    assert found("budget", "booth", "gd", {"max_iter": [10, 50]}, schedule="cosine") == ["max_iter"]
    sales = {"name": "linear_regression", "data": "sales"}
    assert found("batch", sales, "gd", {"batch_size": [20, "full"]}, epochs=3) == ["batch_size"]  # max_iter follows
    several = ["gd", {"name": "adam", "lr": 0.1}]
    assert found("two", "quadratic", several, {"n": [2, 3], "cond": [1.0, 2.0]}, max_iter=9) == ["n", "cond"]


def test_what_is_not_swept_makes_a_curve_of_its_own(frames: Frames) -> None:
    both = [{"optimizer": name, "params": json.dumps({"eps": eps})} for name in ("gd", "adam") for eps in (1e-8, 1e-4)]
    runs, hits = runs_of(frames, [({**cell, "lr": lr}, [9]) for cell in both for lr in (0.1, 1.0)])
    table = sweep_table.table(runs, hits, ["lr"])
    assert len(table) == 8
    assert list(dict.fromkeys(table["optimizer"])) == [
        "gd eps=1e-08",
        "gd eps=0.0001",
        "adam eps=1e-08",
        "adam eps=0.0001",
    ]
    assert set(sweep_table.table(runs, hits, ["eps"])["optimizer"]) == {
        "gd lr=0.1", "gd lr=1", "adam lr=0.1", "adam lr=1",
    }  # fmt: skip
    assert len(sweep_table.table(runs, hits, ["lr", "eps"])) == 8


# ----------------------------------------------------------------------------------------------------- good values


def table_of(frames: Frames, key: str, costs: dict[float, int | None], **given: Any) -> pd.DataFrame:
    cells: list[Any] = [({"params": json.dumps({key: value}), **given}, [cost]) for value, cost in costs.items()]
    return sweep_table.table(*runs_of(frames, cells), [key])


def test_good_values_lie_around_the_best(frames: Frames) -> None:
    table = table_of(frames, "a", {1e-4: 19, 1e-3: 40, 1e-2: 20, 1e-1: 10, 1.0: 11, 10.0: None})
    assert good(table, ["a"]) == [Good("a", 0.1, 0.01, 1.0, False, False, 2.0, False)]
    assert good(table, ["a"], factor=4.0) == [Good("a", 0.1, 1e-4, 1.0, True, False, 4.0, False)]
    assert words(table, ["a"]) == [
        "best: a=0.1, 10 iterations to 1e-6 (median)",
        "within 2x of it: a from 0.01 to 1 (2.0 decades)",
    ]
    cut = table_of(frames, "a", {0.1: 10, 1.0: 11, 10.0: 30})
    assert width_text(good(cut, ["a"])[0]) == "\N{GREATER-THAN OR EQUAL TO}1.0 decades"
    near = table_of(frames, "b", {0.0: 50, 0.9: 10, 0.99: 11, 0.999: 40})
    assert width_text(good(near, ["b"])[0]) == "1.0 decades of 1 - b"


def test_without_a_hit_the_lowest_loss_is_best(frames: Frames) -> None:
    cells: list[Any] = [({"lr": lr, "fun": fun}, [None, None]) for lr, fun in ((0.1, 3.0), (1.0, 2.0))]
    table = sweep_table.table(*runs_of(frames, cells), ["lr"])
    assert table.attrs["target"] == 0.1  # the smallest that any run met
    table = sweep_table.table(*runs_of(frames, cells), ["lr"], target=1e-6)
    assert good(table, ["lr"]) == []
    assert words(table, ["lr"]) == ["no value reaches 1e-6 in half of its runs; lowest median loss: lr=1, 2"]
    unknown = sweep_table.table(*runs_of(frames, [({**c, "f_opt": NAN}, k) for c, k in cells]), ["lr"])
    assert unknown.attrs["on"] == "loss"
    assert words(unknown, ["lr"]) == ["lowest median loss: lr=1, 2"]
    lost = sweep_table.table(*runs_of(frames, [(diverging(lr=lr), [None]) for lr in (1.0, 2.0)]), ["lr"], target=1e-6)
    assert best(lost) is None
    assert words(lost, ["lr"]) == ["every value diverged"]


def test_growth_with_a_problem_s_setting(frames: Frames) -> None:
    cells: list[Any] = [({"settings": json.dumps({"cond": c})}, [int(3 * c**0.5)]) for c in (4.0, 16.0, 64.0, 256.0)]
    table = sweep_table.table(*runs_of(frames, cells), ["cond"])
    assert growth(table, "cond") == pytest.approx(0.5)
    assert words(table, ["cond"]) == ["iterations to 1e-6 grow like cond^0.50 (least squares of the logarithms)"]
    assert math.isnan(growth(table.head(2), "cond"))


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1e-3, 1e-2, 1e-1], "log"),
        ([1, 2, 3], "linear"),
        ([0, 100, 200], "linear"),
        ([0.5, 0.9, 0.99], "reverse_log"),
        ([0, 0.9, 0.99, 0.999], "reverse_log"),
        ([0, 1e-5, 1e-4, 1e-1], "ordinal"),
        ([1.0, 10.0, INF], "ordinal"),
        (["cos", "linear"], "ordinal"),
        ([False, True], "ordinal"),
        ([(1,), (1, 2)], "ordinal"),
        ([4, 8, 16, 32], "log"),
    ],
)
def test_scale_is_the_one_on_which_values_stand_evenly(values: list[Any], scale: str) -> None:
    assert scale_of(values) == scale


# --------------------------------------------------------------------------------------------------------- figures


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def signs(ax: Axes, marker: str) -> list[float]:
    """Positions of the signs in the strip at the top of a panel."""
    strips = [line for line in ax.lines if line.get_marker() == marker and line.get_linestyle() == "None"]
    return [x for line in strips if line.get_markersize() < 5 for x in np.asarray(line.get_xdata()).tolist()]


def test_curve_shows_the_table(frames: Frames) -> None:
    figure = plots.sweep_curve(*sweep_of_lr(frames))
    figure.draw_without_rendering()
    loss, cost = figure.axes
    line: Line2D = cost.lines[0]
    assert np.asarray(line.get_xdata()).tolist() == [-2.0, -1.0, 0.0, 1.0]  # decades
    assert np.asarray(line.get_ydata()).tolist()[1:3] == [85.0, 45.0]
    assert signs(cost, "x") == signs(loss, "x") == [1.0]
    assert signs(cost, "o") == [-2.0]  # not reached
    assert "not reached" in texts(cost)
    assert "best 1: 45" in texts(cost)
    assert {"diverged", "target 1e-6"} <= set(texts(loss))
    assert cost.get_yscale() == "linear"
    assert loss.get_yscale() == "log"
    assert [tick.get_text() for tick in cost.get_xticklabels()] == ["0.01", "0.1", "1", "10"]


def test_curves_of_several_optimizers_have_a_legend_and_no_numbers(frames: Frames) -> None:
    cells: list[Any] = [({"optimizer": name, "lr": lr}, [9, 8]) for name in ("gd", "adam") for lr in (0.1, 1.0, 10.0)]
    figure = plots.sweep_curve(*runs_of(frames, cells), by="lr")
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["gd", "adam"]
    assert not any("best" in text for text in texts(figure.axes[1]) if ":" in text)


def test_figure_without_a_minimum_shows_loss_and_held_out_samples(frames: Frames) -> None:
    cells: list[Any] = [
        ({"lr": lr, "f_opt": NAN, "fun": lr, "val_loss": 1.0, "val_accuracy": 0.5}, [None]) for lr in (0.1, 1.0)
    ]
    figure = plots.sweep_curve(*runs_of(frames, cells))
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss at the end", "held-out accuracy"]
    assert "best 0.1: 0.1" in texts(figure.axes[0])


def test_map_shows_the_table_and_marks_what_failed(frames: Frames) -> None:
    def cell(lr: float, eps: float) -> dict[str, Any]:
        return {"lr": lr, "params": json.dumps({"eps": eps})}

    runs, hits = runs_of(
        frames,
        [
            (cell(0.1, 1e-8), [20, 20]),
            (cell(1.0, 1e-8), [10, 12]),
            (cell(0.1, 1e-4), [None, 7]),
            (diverging(**cell(1.0, 1e-4)), [None, None]),
        ],
    )
    figure = plots.sweep_map(runs, hits, by=("lr", "eps"))
    ax = figure.axes[0]
    found = {text.get_position(): text.get_text() for text in ax.texts}
    assert found == {(0, 0): "20", (1, 0): "11", (0, 1): "1/2", (1, 1): "div"}
    assert [text.get_fontweight() for text in ax.texts if text.get_text() == "11"] == ["bold"]
    hatches = {patch.get_hatch() for patch in ax.patches}
    assert hatches == {None, "/////", "xxxx"}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("lr", "eps")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["1e-8", "1e-4"]
    lost = plots.sweep_map(runs, hits, by=("lr", "eps"), target=1e-8)  # which nothing reached
    assert {text.get_text() for text in lost.axes[0].texts} == {"0/2", "div"}
    losses = plots.sweep_map(runs, hits, by=("lr", "eps"), on="loss")
    assert losses.axes[1].get_ylabel() == "median f - f* at the end"


def test_wrong_settings_to_plot_by(frames: Frames) -> None:
    runs, hits = sweep_of_lr(frames)
    with pytest.raises(ValueError, match="takes 2 settings; the runs vary lr"):
        plots.sweep_map(runs, hits)
    with pytest.raises(ValueError, match="takes one setting, not lr, max_iter"):
        plots.sweep_curve(runs, hits, by=("lr", "max_iter"))
    with pytest.raises(ValueError, match="unknown setting 'beta1'"):
        plots.sweep_curve(runs, hits, by="beta1")
    many: list[Any] = [({"optimizer": f"o{k}", "lr": lr}, [9]) for k in range(10) for lr in (0.1, 1.0)]
    with pytest.raises(ValueError, match="at most 9 curves, not 10"):
        plots.sweep_curve(*runs_of(frames, many))


# ------------------------------------------------------------------------------------------- command and function


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


SMALL = ("sweep", "-p", "booth", "-O", "gd", "--seeds", "2", "--max-iter", "300", "--repeats", "1", "-j", "1")


def test_command_runs_resumes_and_plots(tmp_path: Path) -> None:
    first = call(*SMALL, "--vary", "lr=0.01,0.1,1", "-o", tmp_path / "s.db")
    assert first.exit_code == 0, first.output
    for text in ("lr: booth n=2, gd", "best: lr=0.1", "within 2x of it: lr from 0.1 to 0.1", "6 run now"):
        assert text in first.output
    assert (tmp_path / "s-sweep.png").read_bytes().startswith(b"\x89PNG")
    again = call(*SMALL, "--vary", "lr=0.01..0.1:log:3", "-o", tmp_path / "s.db")
    assert "2 run now; 4 kept from before" in again.output
    assert len(optbench.load(tmp_path / "s.db").runs) == 8
    drawn = call("plot", tmp_path / "s.db", "--kind", "sweep", "--by", "lr", "-o", tmp_path / "p.png")
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "p.png").exists()


def test_two_keys_make_a_map(tmp_path: Path) -> None:
    varied = ("--vary", "lr=0.01,0.1", "--vary", "clip_norm=0.1,1")
    done = call(*SMALL, *varied, "-o", tmp_path / "m.db")
    assert done.exit_code == 0, done.output
    assert "within 2x of it at" in done.output
    assert (tmp_path / "m-sweep_map.png").exists()
    assert call("plot", tmp_path / "m.db", "--kind", "sweep_map", "-o", tmp_path / "p.png").exit_code == 0
    refused = call("plot", tmp_path / "m.db", "--kind", "heatmap", "--by", "lr")
    assert refused.exit_code == 2
    assert "--by goes with sweep" in refused.stderr


def test_function_returns_runs_table_and_figure(tmp_path: Path) -> None:
    gd = {"name": "gd", "lr": 0.1}
    swept_ = optbench.sweep(
        "booth", gd, {"max_iter": [10, 1000]}, seeds=[0, 3], target=0.05, repeats=0, output=tmp_path / "s.db"
    )
    assert swept_.by == ("max_iter",)
    assert len(swept_.runs) == 4
    direct = [
        optbench.minimize("booth", optimizer="gd", lr=0.1, max_iter=m, seed=s) for m in (10, 1000) for s in (0, 3)
    ]
    assert swept_.runs["fun"].tolist() == [r.fun for r in direct]
    table = swept_.table
    assert table.attrs["target"] == 0.05
    assert table["loss"].tolist() == pytest.approx(
        [(direct[0].fun + direct[1].fun) / 2, (direct[2].fun + direct[3].fun) / 2]
    )
    assert len(swept_.plot().axes) == 2


def test_budgets_in_epochs_are_an_axis(tmp_path: Path) -> None:
    sales = ["-p", "linear_regression:data=sales", "-O", "gd:lr=0.1", "--seeds", "1", "--repeats", "0"]
    done = call("sweep", *sales, "--vary", "epochs=1,2,4", "-o", tmp_path / "one.db")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "one-sweep.png").exists()
    both = ["--vary", "batch_size=16,full", "--vary", "epochs=1,2"]
    done = call("sweep", *sales, *both, "-o", tmp_path / "two.db")
    assert done.exit_code == 0, done.output
    runs, hits = (getattr(optbench.load(tmp_path / "two.db"), name) for name in ("runs", "hits"))
    assert sorted(runs["max_iter"]) == [1, 2, 3, 6]  # three batches of 16 are an epoch, or one whole one
    assert swept.varied(runs) == ["batch_size", "max_epochs"]
    table = sweep_table.table(runs, hits, ["max_epochs", "batch_size"])
    assert table["max_epochs"].tolist() == [1, 1, 2, 2]
    assert len(table.drop_duplicates(["problem", "optimizer"])) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vary", "lr"], "KEY=RANGE"),
        (["--vary", "lr="], "KEY=RANGE"),
        (["--vary", "lr=1..2:log"], "LOW..HIGH:SPACING:COUNT"),
        (["--vary", "lrr=1,2"], "Did you mean 'lr'"),
        (["--vary", "lr=0.1,-1"], "lr takes a number above 0"),
        (["--vary", "lr=1,2", "--vary", "lr=2,3"], "given twice"),
        (["--vary", "gamma=0.5,0.9"], "is a setting of the schedules"),
        (["--vary", "lr=1,2", "--clip", "nrm=1"], "Did you mean 'norm'"),
        (["--vary", "lr=1,2", "--batch-size", "ful"], "not 'ful'"),
        (["--vary", "lr=1,2", "--target", "2"], "between 0 and 1"),
    ],
)
def test_bad_input_is_a_sentence_and_nothing_is_written(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*SMALL, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_dry_run_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*SMALL, "--vary", "lr=0.1,1", "--dry-run")
    assert done.exit_code == 0
    assert "gd lr=0.1, gd lr=1" in done.output
    assert list(tmp_path.iterdir()) == []


def test_momentum_diverges_where_theory_says(tmp_path: Path) -> None:
    # The heavy ball on a quadratic is stable for lr < 2 (1 + momentum) / L (Polyak 1964); L = cond here.
    for momentum in (0.0, 0.5, 0.9):
        limit = 2 * (1 + momentum) / 50
        heavy_ball = {"name": "momentum", "momentum": momentum}
        found = optbench.sweep(
            {"name": "quadratic", "n": 5, "cond": 50.0}, heavy_ball, {"lr": [0.9 * limit, 0.98 * limit, 1.5 * limit]},
            seeds=2, max_iter=5000, repeats=0, output=tmp_path / "s.db",
        )  # fmt: skip
        assert found.table["diverged"].tolist() == [0.0, 0.0, 1.0]
        assert found.table["success"].tolist() == [1.0, 1.0, 0.0]


def test_cells_of_which_some_cannot_be_judged_are_compared_by_their_loss(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"lr": 0.1}, {"lr": 0.2, "f_opt": NAN}]  # as networks of which one has frozen losses
    runs, hits = frames(rows, [{0.1: 5}, {0.1: None}])
    assert sweep_table.table(runs, hits, ["lr"]).attrs["on"] == "loss"
    assert sweep_table.table(runs[:1], hits, ["lr"]).attrs["on"] == "iterations"
