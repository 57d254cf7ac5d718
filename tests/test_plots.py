"""Figures: what they show equals the tables, the same optimizer always looks the same, files come in known formats."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import optbench
from optbench import plots, stats, tables
from optbench.plots import _style, constrained
from optbench.plots._lines import best, lines_of
from optbench.plots.schedule_shapes import metric
from optbench.registry import list_optimizers, list_schedules

INF, NAN = math.inf, math.nan
BASE: dict[str, Any] = {
    **dict.fromkeys(tables.RUN_COLUMNS, 0),
    "kkt": NAN,
    "multipliers": "[]",
    **{"problem": "sphere", "n": 2, "settings": '{"n": 2}', "optimizer": "gd", "params": "{}", "lr": 0.1},
    **{"schedule": "constant", "schedule_params": "{}", "clip": "none", "targets": "[1e-06]", "max_iter": 100},
    **{"warmup_start": 1 / 3, "code": "c", "status": "converged", "message": "", "f_opt": 0.0, "finished_at": ""},
    **{"wall_median": 1e-3, "n_times": 1, "time_limit": INF, "f": [1.0, 1e-3, 1e-7]},
}


def results(rows: list[dict[str, Any]]) -> SimpleNamespace:
    """Tables as a results file gives them, of runs with these differences from `BASE`.

    ``f`` holds the objective from iteration 0 on, ``hit`` the iteration at 1e-6 (default: the last, if converged).
    """
    full = []
    for given in rows:
        row = {**BASE, "label": given.get("optimizer", "gd"), **given}
        last = len(row["f"]) - 1
        hit = last if row["status"] == "converged" else None
        full.append(
            {**row, "nit": max(last, 0), "fun": row["f"][-1] if row["f"] else NAN, "hit": given.get("hit", hit)}
        )
    names = [f"r{k}" for k in range(len(full))]
    columns = {name: pd.Series([row[name] for row in full], names, kind) for name, kind in tables.RUN_COLUMNS.items()}
    hits = pd.DataFrame({"run": names, "target": 1e-6, "iteration": pd.array([row["hit"] for row in full], "Int64")})
    pace = np.array([row["wall_median"] / max(row["nit"], 1) for row in full])
    hits["seconds"] = hits["iteration"].astype("Float64").astype("float64") * pace
    hits["epochs"] = 0.0
    points = [(name, t, f, abs(f), 0.1) for name, row in zip(names, full, strict=True) for t, f in enumerate(row["f"])]
    traces = pd.DataFrame(points, columns=["run", "iteration", "f", "grad_norm", "lr"])
    trials = pd.DataFrame(columns=[*tables.Trial._fields, "settings"])
    return SimpleNamespace(runs=pd.DataFrame(columns).rename_axis("run"), hits=hits, traces=traces, trials=trials)


def grid(hits: Mapping[tuple[str, str, str], list[int | None]]) -> SimpleNamespace:
    """Tables from the iterations to 1e-6, seed by seed, of (problem, optimizer, schedule)."""
    rows = [
        {
            "problem": p,
            "optimizer": o,
            "schedule": s,
            "seed": k,
            "hit": hit,
            "status": "budget" if hit is None else "converged",
        }
        for (p, o, s), each in hits.items()
        for k, hit in enumerate(each)
    ]
    return results(rows)


def texts(figure: Figure, panel: int) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts]


def cells(figure: Figure, panel: int) -> dict[tuple[int, int], str]:
    """Texts of a heat map's panel by row and column."""
    found = [(text.get_position(), text.get_text()) for text in figure.axes[panel].texts]
    return {(int(y), int(x)): text for (x, y), text in found}


# ---------------------------------------------------------------------------------------------------------- colours


def test_every_registered_name_has_a_look_of_its_own() -> None:
    for factor, names in (("optimizer", list_optimizers()), ("schedule", list_schedules())):
        looks = [(style.color, str(style.linestyle)) for style in (_style.style_of(factor, name) for name in names)]
        assert len(set(looks)) == len(looks)
        markers = [(style.color, style.marker) for style in (_style.style_of(factor, name) for name in names)]
        assert len(set(markers)) == len(markers)  # legible without dashes, too


def test_the_constant_schedule_and_the_first_optimizers_share_their_colours_with_none() -> None:
    colours = [_style.style_of("schedule", name).color for name in list_schedules()]
    assert len(set(colours)) == len(colours)
    first = [_style.style_of("optimizer", name).color for name in ("adam", "gd", "momentum", "rmsprop", "sgd", "lbfgs")]
    assert len(set(first)) == len(first)


def test_variants_share_the_colour_and_unknown_names_have_one() -> None:
    plain, variant = (_style.style_of("optimizer", label) for label in ("adam", "adam lr=0.1"))
    assert plain.color == variant.color
    assert plain != variant
    assert _style.style_of("optimizer", "of_my_own") == _style.style_of("optimizer", "of_my_own")
    assert _style.style_of("optimizer", "of_my_own").color in _style.COLOURS


def test_colours_do_not_depend_on_what_else_is_shown() -> None:
    found = results([{"optimizer": name, "seed": k} for name in ("adam", "gd", "lion") for k in range(2)])
    every = plots.convergence(found.runs, found.traces)
    one = plots.convergence(found.runs[found.runs["optimizer"] == "lion"], found.traces)
    colours = {line.get_label(): to_hex(line.get_color()) for line in every.axes[0].lines}
    assert colours["lion"] == to_hex(one.axes[0].lines[0].get_color())
    assert len(set(colours.values())) == 3


# ------------------------------------------------------------------------------------------------------ convergence


def test_convergence_has_a_panel_a_problem_and_a_line_an_optimizer() -> None:
    rows = [
        {"problem": p, "optimizer": o, "seed": s} for p in ("sphere", "beale") for o in ("adam", "gd") for s in (0, 1)
    ]
    found = results(rows)
    figure = plots.convergence(found.runs, found.traces)
    assert [ax.get_title() for ax in figure.axes] == ["sphere n=2", "beale n=2"]
    assert all([line.get_label() for line in ax.lines] == ["adam", "gd"] for ax in figure.axes)
    assert texts(figure, 0) == ["adam", "gd"]
    assert {ax.get_yscale() for ax in figure.axes} == {"log"}
    assert plots.convergence(found.runs, found.traces, problem="beale").axes[0].get_title() == "beale n=2"


def test_a_line_is_the_median_over_seeds_of_gaps_that_hold_their_last_value() -> None:
    rows = [
        {"seed": 0, "f_opt": 1.0, "f": [11.0, 1.01]},
        {"seed": 1, "f_opt": 1.0, "f": [11.0, 2.0, 1.1, 1.001]},
        {"seed": 2, "f_opt": 1.0, "f": [11.0, 3.0, 2.0, 2.0, 2.0], "status": "budget"},
    ]
    found = results(rows)
    line = plots.convergence(found.runs, found.traces).axes[0].lines[0]
    assert list(np.asarray(line.get_xdata())) == [0, 1, 2, 3]  # where two of three had converged
    np.testing.assert_allclose(np.asarray(line.get_ydata()), [10, 1, 0.1, 0.01])


def test_a_diverged_run_counts_as_infinite_from_its_end_on() -> None:
    ends = {"seed": 0, "f": [1.0, 5.0, NAN], "status": "diverged"}
    rows = [ends, {**ends, "seed": 1}, {"seed": 2, "f": [1.0, 0.5, 0.2, 0.1], "status": "budget"}]
    found = results(rows)
    labelled = found.runs.assign(**stats.labels(found.runs))
    (line,) = lines_of(labelled, found.traces, "optimizer", "iteration", "gap")["sphere n=2"]
    assert line.end == "diverged"
    assert list(line.x) == [0, 1]
    np.testing.assert_allclose(10 ** line.y[1], [1, 5])
    figure = plots.convergence(found.runs, found.traces)
    marks = [artist for artist in figure.artists if isinstance(artist, Line2D)]
    assert [mark.get_marker() for mark in marks if np.size(mark.get_xdata()) == 1] == ["x"]


def test_runs_without_a_trace_count_as_infinite() -> None:
    rows: list[dict[str, Any]] = [
        {"seed": 0},
        {"seed": 1, "f": [], "status": "error"},
        {"seed": 2, "f": [], "status": "crashed"},
    ]
    found = results(rows)
    labelled = found.runs.assign(**stats.labels(found.runs))
    (line,) = lines_of(labelled, found.traces, "optimizer", "iteration", "gap")["sphere n=2"]
    assert line.end == "diverged"
    assert list(line.x) == [0]
    assert math.isinf(line.y[1, 0])


def test_the_shown_schedule_is_the_one_that_converges_first() -> None:
    rows = [
        {"schedule": "constant", "f": [1.0, 1e-3, 1e-7, 1e-9]},
        {"schedule": "cosine", "f": [1.0, 1e-7]},
        {"schedule": "step", "f": [1.0, 1e-12], "status": "budget"},
        {"optimizer": "adam", "schedule": "constant", "f": [1.0, 0.5], "status": "budget"},
        {"optimizer": "adam", "schedule": "cosine", "f": [1.0, 0.6], "status": "budget"},
    ]
    found = results(rows)
    kept = best(found.runs.assign(**stats.labels(found.runs)), "optimizer")
    assert list(zip(kept["optimizer"], kept["schedule"], strict=True)) == [("gd", "cosine"), ("adam", "constant")]
    assert texts(plots.convergence(found.runs, found.traces), 0) == ["gd (cosine)", "adam (constant)"]
    assert texts(plots.convergence(found.runs, found.traces, schedule="step"), 0) == ["gd"]
    by = plots.convergence(found.runs, found.traces, by="schedule", optimizer="gd")
    assert texts(by, 0) == ["constant", "cosine", "step"]


def test_a_problem_without_a_known_minimum_shows_f() -> None:
    found = results([{"f_opt": NAN, "f": [3.0, -1.0, -2.0], "status": "budget"}])
    ax = plots.convergence(found.runs, found.traces).axes[0]
    assert ax.get_yscale() == "linear"
    assert list(np.asarray(ax.lines[0].get_ydata())) == [3, -1, -2]


def test_gaps_are_cut_at_the_rounding_floor() -> None:
    found = results([{"f_opt": 100.0, "f": [101.0, 100.0, 100.0 - 1e-13], "status": "budget"}])
    y = np.asarray(plots.convergence(found.runs, found.traces).axes[0].lines[0].get_ydata())
    np.testing.assert_allclose(y, [1, 100 * np.finfo(float).eps, 100 * np.finfo(float).eps])


def test_seconds_and_gradient_norms() -> None:
    found = results([{"seed": k, "wall_median": pace} for k, pace in enumerate((2e-3, 4e-3, 9e-3))])
    line = plots.convergence(found.runs, found.traces, x="seconds", quantity="grad_norm").axes[0].lines[0]
    np.testing.assert_allclose(np.asarray(line.get_xdata()), [0, 2e-3, 4e-3])
    np.testing.assert_allclose(np.asarray(line.get_ydata()), [1, 1e-3, 1e-7])
    with pytest.raises(ValueError, match="no runs to plot: none was timed"):
        plots.convergence(found.runs.assign(wall_median=NAN), found.traces, x="seconds")


def test_evaluations_and_epochs_are_those_of_every_run() -> None:
    rows = [  # 2 steps each: 3, 5 and 11 evaluations; 1, 2 and 4 epochs
        {"seed": k, "nfev": nfev, "epochs": epochs, "n_samples": 10}
        for k, (nfev, epochs) in enumerate(((3, 1.0), (5, 2.0), (11, 4.0)))
    ]
    found = results(rows)
    labelled = found.runs.assign(**stats.labels(found.runs))
    (line,) = lines_of(labelled, found.traces, "optimizer", "evaluations", "gap")["sphere n=2"]
    np.testing.assert_allclose(line.x, [1, 2, 3, 5])  # the start is the first; two of three had converged at 5
    np.testing.assert_allclose(10 ** line.y[1], [1, 1, 1e-3, 1e-7])
    (line,) = lines_of(labelled, found.traces, "optimizer", "epochs", "gap")["sphere n=2"]
    np.testing.assert_allclose(line.x, [0, 0.5, 1, 2])
    with pytest.raises(ValueError, match="no runs to plot: none is of a sum over samples"):
        plots.convergence(found.runs.assign(n_samples=0), found.traces, x="epochs")


def test_a_line_of_longer_steps_starts_at_the_left_end_of_a_logarithmic_axis() -> None:
    slow = {"optimizer": "newton", "wall_median": 1.0}
    found = results([slow, {"f": [1.0, 0.5, 0.1, 0.01]}])
    first, second = plots.convergence(found.runs, found.traces, x="seconds").axes[0].lines
    np.testing.assert_allclose(np.asarray(first.get_xdata()), [1e-3 / 3, 0.5, 1.0])
    np.testing.assert_allclose(np.asarray(second.get_xdata()), [0, 1e-3 / 3, 2e-3 / 3, 1e-3])


def test_convergence_survives_overflow_and_single_points() -> None:
    rows = [{"f": [1.0, 1e308, INF], "status": "diverged"}, {"optimizer": "adam", "f": [1.0]}]
    found = results([*rows, {"optimizer": "lion", "f": [INF], "status": "diverged"}])
    for quantity in ("gap", "f", "grad_norm"):
        figure = plots.convergence(found.runs, found.traces, quantity=quantity)
        low, high = figure.axes[0].get_ylim()
        assert np.isfinite([low, high]).all()
        assert high < 1e3


def test_labels_at_line_ends_do_not_overlap_and_nothing_is_cut_off() -> None:
    names = list_optimizers()
    found = results([{"optimizer": name, "problem": p, "label": name} for name in names for p in ("sphere", "beale")])
    figure = plots.convergence(found.runs, found.traces)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    for ax in figure.axes:
        boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
        assert len(boxes) == len(names)
        assert all(low.y1 <= high.y0 + 1.0 for low, high in itertools.pairwise(boxes))
        assert all(box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)


def test_wrong_arguments_are_refused_with_the_known_ones() -> None:
    found = results([{}])
    with pytest.raises(ValueError, match="by is one of optimizer, schedule, not 'colour'"):
        plots.convergence(found.runs, found.traces, by="colour")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"unknown problem 'spere'\. Did you mean 'sphere"):
        plots.convergence(found.runs, found.traces, problem="spere")
    with pytest.raises(ValueError, match="value is one of iterations, seconds, success, not 'cost'"):
        plots.heatmap(found.runs, found.hits, value="cost")  # type: ignore[arg-type]


def test_empty_tables_are_refused() -> None:
    found = results([{}])
    for kind in plots.KINDS.values():
        if kind.tables:
            with pytest.raises(ValueError, match="no runs to plot"):
                kind(found.runs[:0], found)
    with pytest.raises(ValueError, match="no runs to plot: none has a trace"):
        plots.convergence(found.runs, found.traces[:0])
    with pytest.raises(ValueError, match="no runs to plot: none has a known minimum"):
        plots.heatmap(found.runs.assign(f_opt=NAN), found.hits)


# ---------------------------------------------------------------------------------------------------------- heat map


HITS: dict[tuple[str, str, str], list[int | None]] = {
    ("a", "adam", "constant"): [10, 20, 30],
    ("a", "adam", "cosine"): [40, 40, None],
    ("a", "gd", "constant"): [5, None, None],
    ("a", "gd", "cosine"): [None, None, None],
    ("b", "adam", "constant"): [8, 8, 8],
    ("b", "adam", "cosine"): [2, 2, 2],
    ("b", "gd", "constant"): [50, 50, 50],
}


def test_heatmap_shows_the_medians_of_the_summary() -> None:
    found = grid(HITS)
    figure = plots.heatmap(found.runs, found.hits)
    assert [ax.get_title() for ax in figure.axes[:-1]] == ["a n=2", "b n=2", "all problems"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["adam", "gd"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["constant", "cosine"]
    assert cells(figure, 0) == {(0, 0): "20", (0, 1): "40", (1, 0): "1/3", (1, 1): "-"}
    assert cells(figure, 1) == {(0, 0): "8", (0, 1): "2", (1, 0): "50"}  # one was not run
    table = stats.summary(found.runs, found.hits).set_index(["problem", "optimizer", "schedule"])["iterations 1e-6"]
    assert table["a n=2", "adam", "cosine"] == 40
    assert table["b n=2", "gd", "constant"] == 50


def test_heatmap_of_all_problems_is_the_geometric_mean_of_ratios_with_failures_at_their_budget() -> None:
    found = grid(HITS)
    assert cells(plots.heatmap(found.runs, found.hits), 2) == {
        (0, 0): "2",  # sqrt(20/20 8/2)
        (0, 1): "1.4",  # sqrt(40/20 2/2)
        (1, 0): "\N{GREATER-THAN OR EQUAL TO}11",  # sqrt(100/20 50/2), budget 100
    }


def test_heatmap_of_success_and_hatches_where_nothing_was_reached() -> None:
    found = grid(HITS)
    figure = plots.heatmap(found.runs, found.hits, value="success")
    assert cells(figure, 0) == {(0, 0): "100", (0, 1): "67", (1, 0): "33", (1, 1): "0"}
    assert cells(figure, 2) == {(0, 0): "100", (0, 1): "83", (1, 0): "67"}
    assert [patch.get_hatch() is not None for patch in figure.axes[0].patches] == [False, False, False, True]


def test_heatmap_panels_have_the_rows_and_columns_that_were_run() -> None:
    hits: dict[tuple[str, str, str], list[int | None]] = {
        **HITS,
        ("c", "newton", "line_search"): [3],
        ("c", "lbfgs", "line_search"): [4],
    }
    for value in ("iterations", "success"):
        figure = plots.heatmap(grid(hits).runs, grid(hits).hits, value=value)
        sizes = [(len(ax.get_yticks()), len(ax.get_xticks())) for ax in figure.axes[:-1]]
        assert [ax.get_title() for ax in figure.axes[:-1]] == ["a n=2", "b n=2", "c n=2"]
        assert sizes == [(2, 2), (2, 2), (2, 1)]
        assert [text.get_text() for text in figure.axes[2].get_yticklabels()] == ["lbfgs", "newton"]
        boxes = [ax.get_window_extent() for ax in figure.axes[:-1]]
        one = {
            (round(box.height / rows, 6), round(box.width / columns, 6))
            for box, (rows, columns) in zip(boxes, sizes, strict=True)
        }
        assert len(one) == 1  # cells of one size


def test_heatmap_puts_together_the_most_problems_with_the_same_cells() -> None:
    alike: dict[tuple[str, str, str], list[int | None]] = {
        (p, "adam", "constant"): [k] for p, k in (("a", 2), ("b", 4))
    }
    found = grid(
        {**alike, ("c", "newton", "line_search"): [3], ("a", "gd", "constant"): [8], ("b", "gd", "constant"): [8]}
    )
    figure = plots.heatmap(found.runs, found.hits)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a n=2", "b n=2"]
    assert figure.axes[2].get_title() == "2 problems with the same cells"
    assert cells(figure, 2) == {(0, 0): "1", (1, 0): "2.8"}  # sqrt(8/2 8/4)
    assert "2 problems with the same cells: geometric mean" in " ".join(text.get_text() for text in figure.texts)


def test_heatmap_of_seconds_and_of_one_problem() -> None:
    found = grid(HITS)  # 2 iterations take 1 ms
    figure = plots.heatmap(found.runs, found.hits, value="seconds", problem="a")
    assert len(figure.axes) == 2  # the panel and the colour bar
    assert cells(figure, 0) == {(0, 0): "10ms", (0, 1): "20ms", (1, 0): "1/3", (1, 1): "-"}


def test_heatmap_where_nobody_reaches_the_target() -> None:
    found = grid({("a", "adam", "constant"): [None], ("b", "adam", "constant"): [None]})
    figure = plots.heatmap(found.runs, found.hits)
    assert [cells(figure, k) for k in range(3)] == [{(0, 0): "-"}] * 3


def test_heatmap_numbers_are_legible_on_their_colours() -> None:
    found = grid({("a", "adam", schedule): [4**k] for k, schedule in enumerate(list_schedules()[:5])})
    ax = plots.heatmap(found.runs, found.hits).axes[0]
    for patch, text in zip(ax.patches, ax.texts, strict=True):
        channels = np.array(patch.get_facecolor()[:3])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        shade = linear @ [0.2126, 0.7152, 0.0722]
        contrast = (shade + 0.05) / 0.05 if text.get_color() == "black" else 1.05 / (shade + 0.05)
        assert contrast >= 4.5  # WCAG AA


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (842, "842"), (9999, "9999"), (10_000, "10k"), (123_456, "123k"), (999_700, "1M"), (12_345_678, "12M")],
)
def test_counts_in_cells(value: float, text: str) -> None:
    assert _style.number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0ns"), (3e-9, "3ns"), (2.5e-5, "25\N{MICRO SIGN}s"), (0.0123, "12.3ms"), (1, "1s"), (1234, "1234s")],
)
def test_times_in_cells(value: float, text: str) -> None:
    assert _style.seconds_text(value) == text


# ------------------------------------------------------------------------------------------------------ target bars


def numbers(figure: Figure, panel: int) -> dict[str, str]:
    """Numbers at the right of the bars of a panel by the names at their left."""
    ax = figure.axes[panel]
    return dict(zip((text.get_text() for text in ax.get_yticklabels()), texts(figure, panel), strict=True))


def test_bars_are_medians_of_the_best_schedule_fastest_first() -> None:
    figure = plots.target_bars(grid(HITS).runs, grid(HITS).hits)
    assert [ax.get_title() for ax in figure.axes] == ["a n=2", "b n=2"]
    assert numbers(figure, 0) == {"adam (constant)": "20", "gd (constant)": "1/3"}
    assert numbers(figure, 1) == {"adam (cosine)": "2", "gd (constant)": "50"}
    assert {ax.get_xscale() for ax in figure.axes} == {"log"}
    ends = [patch.get_x() + patch.get_width() for patch in figure.axes[0].patches]  # type: ignore[attr-defined]
    assert ends[0] == pytest.approx(20)
    assert [patch.get_hatch() is not None for patch in figure.axes[0].patches] == [False, True]


def test_quartiles_of_bars_end_at_the_edge_where_a_quarter_failed() -> None:
    found = grid({("a", "adam", "constant"): [10, 20, 30], ("a", "gd", "constant"): [40, 50, None]})
    ax = plots.target_bars(found.runs, found.hits).axes[0]
    spans = [np.asarray(line.get_xdata()) for line in ax.lines if np.size(line.get_xdata()) == 2]
    np.testing.assert_allclose(spans[0], [15, 25])
    np.testing.assert_allclose(spans[1], [45, ax.get_xlim()[1]])
    assert [line.get_marker() for line in ax.lines if line.get_marker() == ">"] == [">"]
    assert [text.get_text() for text in ax.texts] == ["20", "50  2/3"]


def test_bars_of_other_costs_and_refusals() -> None:
    found = grid(HITS)
    figure = plots.target_bars(found.runs, found.hits, on="seconds", problem="b")
    assert numbers(figure, 0)["adam (cosine)"] == "1ms"
    with pytest.raises(ValueError, match="no runs to plot: none has a known minimum and epochs"):
        plots.target_bars(found.runs, found.hits, on="epochs")
    with pytest.raises(ValueError, match="on is one of iterations, epochs, evaluations, seconds, not 'cost'"):
        plots.target_bars(found.runs, found.hits, on="cost")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"target 0\.5 was not recorded"):
        plots.target_bars(found.runs, found.hits, target=0.5)


# ----------------------------------------------------------------------------------------------------------- traces


def test_traces_show_the_norm_above_the_rate() -> None:
    found = results([{"seed": k} for k in range(3)])
    found.traces["lr"] = np.tile([0.1, 0.05, 0.0], 3)
    above, below = plots.traces(found.runs, found.traces).axes
    np.testing.assert_allclose(np.asarray(above.lines[0].get_ydata()), [1, 1e-3, 1e-7])
    np.testing.assert_allclose(np.asarray(below.lines[0].get_ydata()), [0.1, 0.05, 0.05])  # 0 is not shown
    assert above.get_xlim() == below.get_xlim()
    assert below.get_position().y1 < above.get_position().y0
    assert [text.get_text() for text in above.texts] == ["gd"]


def test_a_method_with_a_search_takes_no_step_from_its_last_point() -> None:
    found = results([{}])
    found.traces["lr"] = [0.5, 1.0, NAN]
    rates = plots.traces(found.runs, found.traces).axes[1].lines[0]
    np.testing.assert_allclose(np.asarray(rates.get_ydata()), [0.5, 1.0, 1.0])


# -------------------------------------------------------------------------------------------------------- schedules


def test_shapes_are_the_values_of_the_schedules() -> None:
    entries: list[str | dict[str, Any]] = ["step", {"name": "step", "step_size": 7, "gamma": 0.5}, "reduce_on_plateau"]
    figure = plots.schedule_shapes(schedule=entries, lr=0.3, n_steps=60)
    assert [ax.get_title() for ax in figure.axes] == ["step", "reduce_on_plateau"]
    wanted = [optbench.schedule_values(entry, 0.3, 60) for entry in entries[:2]]
    for line, rates in zip(figure.axes[0].lines, wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(line.get_ydata())[:-1], rates)
    seen = metric(60)
    np.testing.assert_allclose(seen, [*0.98 ** np.arange(1, 46), *[0.98**45] * 15])
    rates = optbench.schedule_values("reduce_on_plateau", 0.3, 60, metric=seen)
    np.testing.assert_array_equal(np.asarray(figure.axes[1].lines[0].get_ydata())[:-1], rates)


def test_every_registered_schedule_has_its_shape() -> None:
    figure = plots.schedule_shapes(n_steps=100)
    assert [ax.get_title().split("  ")[0] for ax in figure.axes] == list_schedules()
    flat = [ax.get_title() for ax in figure.axes if np.ptp(np.asarray(ax.lines[0].get_ydata())) == 0]
    assert flat == ["constant"]
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        plots.schedule_shapes(schedule=["cosin"])


# ------------------------------------------------------------------------------------------------------ constraints


def test_parts_of_the_kkt_residual_at_a_worked_point() -> None:
    problem = optbench.get_problem("circle_on_line")
    x, lam = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.0], [0.5]])
    made = constrained.parts(problem, x, lam)
    for k in range(2):
        c, jac = problem.constraint(x[k])
        slope = problem.grad(x[k]) + jac.T @ lam[k]
        np.testing.assert_allclose(made[:, k], [abs(c[0]), np.abs(slope).max()], rtol=1e-12)
    assert problem.x_opt is not None
    at = constrained.parts(problem, problem.x_opt[None], np.asarray(problem.multipliers)[None])
    assert at.max() < 1e-9


@pytest.fixture(scope="module")
def under_constraints(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Recorded runs of two Lagrangian methods."""
    budget = {"max_iter": 30, "seeds": 2, "repeats": 0}
    methods = ["augmented_lagrangian", "lagrange_newton"]
    matrix = {"problems": ["circle_on_line", "beale"], "optimizers": [*methods, "gd"], "budget": budget}
    return optbench.run(matrix, tmp_path_factory.mktemp("constrained") / "r.db", jobs=1)


def test_multipliers_end_at_the_certified_ones(under_constraints: Any) -> None:
    figure = plots.multipliers(under_constraints.runs)
    titles = ["circle_on_line n=2\naugmented_lagrangian", "circle_on_line n=2\nlagrange_newton"]
    assert sorted(ax.get_title() for ax in figure.axes) == titles
    certified = np.asarray(optbench.get_problem("circle_on_line").multipliers)
    for ax in figure.axes:
        values, line = ax.lines
        assert np.asarray(values.get_ydata())[-1] == pytest.approx(certified[0], abs=1e-6)
        np.testing.assert_allclose(np.asarray(line.get_ydata()), certified[0])


def test_feasibility_is_the_path_of_the_recorded_run(under_constraints: Any) -> None:
    runs = under_constraints.runs
    figure = plots.feasibility(runs, optimizer="lagrange_newton", seed=1)
    assert [ax.get_title() for ax in figure.axes] == ["circle_on_line n=2"]
    assert "lagrange_newton" in texts(figure, 0)
    (key,) = runs.index[(runs["optimizer"] == "lagrange_newton") & (runs["seed"] == 1)]
    traces = under_constraints.traces
    kkt = traces.loc[traces["run"] == key, "kkt"].to_numpy()
    path = figure.axes[0].lines[2].get_xydata()
    assert isinstance(path, np.ndarray)
    np.testing.assert_allclose(path.max(axis=1), np.maximum(kkt, 1e-16), rtol=1e-6)  # equalities alone: no other part
    with pytest.raises(ValueError, match="no runs to plot: none is under constraints"):
        plots.feasibility(runs[runs["problem"] == "beale"])


# ------------------------------------------------------------------------------------------------------------ files


def test_figures_are_saved_by_the_ending_of_the_file_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    found = results([{}])
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert set(starts) == set(plots.SUFFIXES)
    for suffix, start in starts.items():
        files = [plots.save(plots.KINDS["convergence"](found.runs, found), tmp_path / f"{k}{suffix}") for k in range(2)]
        assert files[0].read_bytes().startswith(start)
        assert files[0].read_bytes() == files[1].read_bytes()
    with pytest.raises(ValueError, match=r"saved as \.pdf, \.png, \.svg, not '\.gif'"):
        plots.save(plots.convergence(found.runs, found.traces), tmp_path / "figure.gif")
    assert not (tmp_path / "figure.gif").exists()


def test_kinds_have_one_line_descriptions() -> None:
    assert {"convergence", "heatmap", "lr_sensitivity", "sweep", "sweep_map", "tuning_budget"} < set(plots.KINDS)
    assert all(20 < len(kind.summary) < 120 for kind in plots.KINDS.values())


def test_drawing_leaves_pyplot_and_the_user_s_settings_alone() -> None:
    code = (
        "import sys, matplotlib as mpl; sys.path.insert(0, sys.argv[1]); from test_plots import grid, HITS; "
        "mpl.rcParams['font.size'] = 33.0; from optbench import plots; found = grid(HITS); "
        "[plots.KINDS[kind](found.runs, found) for kind in ('convergence', 'heatmap')]; "
        "print(mpl.rcParams['font.size'], 'matplotlib.pyplot' in sys.modules)"
    )
    arguments = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["33.0", "False"]
