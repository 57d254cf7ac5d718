"""Figures of many optimizers: what they show equals the tables, and any part of the results can be drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from optbench import plots, stats
from optbench.plots import _style
from optbench.plots._compared import stairs

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
Tables = tuple[pd.DataFrame, pd.DataFrame]
KINDS: dict[str, Callable[..., Figure]] = {
    "performance_profile": plots.performance_profile,
    "data_profile": plots.data_profile,
    "log_ratio": plots.log_ratio,
    "ecdf": plots.ecdf,
    "ert": plots.ert,
    "integrated_score": plots.integrated_score,
    "critical_difference": plots.critical_difference,
}


@pytest.fixture
def matrix(frames: Frames) -> Tables:
    """Three problems, two seeds, adam with two schedules, gd and lion with one; lion fails on c."""
    cells: dict[tuple[str, str], list[int | None]] = {
        ("adam", "constant"): [10, 12, 40, 40, 30, None],
        ("adam", "cosine"): [20, 20, 50, 50, 60, None],
        ("gd", "constant"): [20, 30, 10, 10, 15, 15],
        ("lion", "constant"): [10, 11, 80, 90, None, None],
    }
    rows = [
        {"optimizer": o, "schedule": s, "problem": "abc"[k // 2], "seed": k % 2, "nit": cost or 100}
        | {"nfev": (cost or 100) + 1, "status": "converged" if cost else "budget"}
        for (o, s), costs in cells.items()
        for k, cost in enumerate(costs)
    ]
    return frames(rows, [{0.1: 2, 1e-6: cost} for costs in cells.values() for cost in costs])


def texts(figure: Figure) -> str:
    """All texts of a figure, in one line."""
    found = [*figure.texts, *(text for ax in figure.axes for text in ax.texts)]
    titles = [ax.get_title(loc) for ax in figure.axes for loc in ("left", "center", "right")]
    return " ".join(" ".join(text.get_text().split()) for text in found) + " " + " ".join(titles)


def curve(ax: Axes, k: int, at: float) -> float:
    """Height of a step curve just right of a place."""
    x, y = np.asarray(ax.lines[k].get_xdata(orig=False)), np.asarray(ax.lines[k].get_ydata(orig=False))
    return float(y[np.searchsorted(x, at, side="right") - 1])


# ----------------------------------------------------------------------------------------------------- what they show


def test_stairs_are_the_steps_between_their_ends() -> None:
    x, y = stairs(np.array([0.0, 2.0, 5.0, INF]), np.array([0.0, 0.25, 1.0, 1.0]), 1.0, 6.0)
    assert x.tolist() == [1, 2, 2, 5, 5, 6]
    assert y.tolist() == [0, 0, 0.25, 0.25, 1, 1]
    x, y = stairs(np.array([1.0, 9.0, INF]), np.array([0.5, 0.75, 0.75]), 1.0, 4.0)
    assert (x.tolist(), y.tolist()) == ([1, 4], [0.5, 0.5])


def test_performance_profile_shows_the_table_and_its_ends(matrix: Tables) -> None:
    figure = plots.performance_profile(*matrix)
    (ax,) = figure.axes
    table = stats.performance_profile(*matrix)
    order = [text.get_text().split(" (")[0] for text in ax.texts]
    assert sorted(order) == ["adam", "gd", "lion"]
    for k, name in enumerate(order):
        steps = table[(table["competitor"] == name) & (table["tau"] < INF)]
        assert [curve(ax, k, tau) for tau in steps["tau"]] == pytest.approx(steps["share"].tolist())
        assert to_hex(ax.lines[k].get_color()) == _style.style_of("optimizer", name).color.lower()
    assert "adam (17 → 83 %)" in texts(figure)
    assert "gd (67 → 100 %)" in texts(figure)
    assert "All with schedule constant." in texts(figure)
    assert "iterations to f - f* ≤ 1e-6 (f0 - f*)" in texts(figure)


def test_the_schedule_that_represents_an_optimizer_is_named_where_they_differ(matrix: Tables) -> None:
    runs, hits = matrix
    runs = runs[(runs["schedule"] == "cosine") | (runs["optimizer"] != "adam")]
    found = texts(plots.performance_profile(runs, hits))
    assert "adam (cosine, 0 → 83 %)" in found
    assert "In parentheses: the schedule with the lowest mean rank." in found


def test_performance_profile_of_runs_alone(matrix: Tables) -> None:
    runs, _ = matrix
    figure = plots.performance_profile(runs)
    assert "iterations until a run converged, which is to meet the last of its targets" in texts(figure)
    assert "gd (67 → 100 %)" in texts(figure)


def test_data_profile_and_runtime_distribution_show_their_tables(matrix: Tables) -> None:
    for draw, table, column in (
        (plots.data_profile, stats.data_profile(*matrix), "alpha"),
        (plots.ecdf, stats.ecdf(*matrix), "evaluations"),
    ):
        (ax,) = draw(*matrix).axes
        for k, text in enumerate(ax.texts):
            steps = table[table["competitor"] == text.get_text().split(" (")[0]]
            steps = steps[(steps[column] > 0) & (steps[column] < INF)]
            assert [curve(ax, k, at) for at in steps[column]] == pytest.approx(steps["share"].tolist())


def test_crosses_of_the_runtime_distribution_stand_at_the_longest_runs(matrix: Tables) -> None:
    (ax,) = plots.ecdf(*matrix).axes
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    places = sorted(float(np.asarray(line.get_xdata(orig=False))[0]) for line in crosses)
    assert places == sorted(stats.ecdf(*matrix).attrs["longest"].values()) == [31, 101, 101]
    (plain,) = plots.ecdf(*matrix, restarts=False).axes
    assert not [line for line in plain.lines if line.get_marker() == "x"]


def test_expected_running_times_end_at_the_last_target_that_was_met(matrix: Tables) -> None:
    figure = plots.ert(*matrix)
    assert [ax.get_title() for ax in figure.axes] == ["a n=2", "b n=2", "c n=2"]
    ax = figure.axes[2]
    lengths = {
        text.get_text().split(" ")[0]: len(np.asarray(ax.lines[k].get_xdata())) for k, text in enumerate(ax.texts)
    }
    assert lengths == {"adam": 2, "gd": 2, "lion": 1}


def test_log_ratio_shows_the_bars_of_the_table(matrix: Tables) -> None:
    figure = plots.log_ratio(*matrix, a="adam", b="gd")
    (ax,) = figure.axes
    table = stats.log_ratio(*matrix, a="adam", b="gd")
    widths = [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]
    finite = np.isfinite(table["log_ratio"].to_numpy())
    assert np.array(widths)[finite].tolist() == table["log_ratio"][finite].tolist()
    assert widths[-1] == ax.get_xlim()[1]  # adam failed there
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [not each for each in finite]
    assert "adam better: 2" in texts(figure)
    assert "gd better: 4" in texts(figure)
    both = plots.log_ratio(*matrix, a="adam/constant", b="adam/cosine")
    assert "adam / cosine better" in texts(both)
    colours = {to_hex(text.get_color()) for text in both.axes[0].texts}
    assert len(colours) == 2


def test_shaded_area_is_the_score(matrix: Tables) -> None:
    figure = plots.integrated_score(*matrix)
    table = stats.integrated_score(*matrix)
    for ax, (_, row) in zip(figure.axes, table.iterrows(), strict=True):
        assert ax.get_title("left") == row["competitor"]
        assert ax.get_title("right") == f"{row['score']:.3f}"
        x, y = (np.asarray(ax.lines[-1].get_data()[k]) for k in (0, 1))
        assert np.trapezoid(y, x) / 3.0 == pytest.approx(row["score"])


def test_bars_join_groups_and_leaders_start_at_the_ranks(matrix: Tables) -> None:
    figure = plots.critical_difference(*matrix)
    table = stats.critical_difference(*matrix)
    (ax,) = figure.axes
    bars = [line for line in ax.lines if line.get_linewidth() == 2.2]
    assert len(bars) == len(table.attrs["groups"]) == 1
    ranks = sorted(float(np.asarray(line.get_xdata())[0]) for line in ax.lines if line.get_marker() not in ("None", ""))
    assert ranks == pytest.approx(table["rank"].tolist())
    assert f"critical difference {table.attrs['difference']:.2f}" in texts(figure)
    paired = texts(plots.critical_difference(*matrix, post_hoc="wilcoxon"))
    assert "critical difference" not in paired
    assert "With so few problems no pair can: the smallest p that is possible is 0.75." in paired


# ------------------------------------------------------------------------------------------------- any part of results


@pytest.mark.parametrize("kind", KINDS)
def test_labels_lie_within_the_figure(matrix: Tables, kind: str) -> None:
    figure = KINDS[kind](*matrix)
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    for text in [*figure.texts, *(text for ax in figure.axes for text in ax.texts)]:
        box = text.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
        assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()


@pytest.mark.parametrize("by", ["optimizer", "schedule", "all"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "log_ratio"])
def test_every_kind_of_competitor(matrix: Tables, kind: str, by: str) -> None:
    found = texts(KINDS[kind](*matrix, by=by))
    assert "adam / cosine" in found if by == "all" else "adam / cosine" not in found
    assert "cosine" in found or by == "optimizer"


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_meets_the_target(frames: Frames, kind: str) -> None:
    rows = [{"optimizer": o, "problem": p, "nit": 9, "nfev": 10} for o in ("adam", "gd") for p in "ab"]
    tables = frames(rows, [{1e-6: None}] * 4)
    if kind == "log_ratio":
        with pytest.raises(ValueError, match="neither adam/constant nor gd/constant met the target"):
            KINDS[kind](*tables)
    else:
        KINDS[kind](*tables).draw_without_rendering()


@pytest.mark.parametrize("kind", KINDS)
def test_one_competitor(matrix: Tables, kind: str) -> None:
    if kind in ("log_ratio", "critical_difference"):
        with pytest.raises(ValueError, match=r"there are no two optimizers|at least two competitors"):
            KINDS[kind](matrix[0][matrix[0]["optimizer"] == "gd"], matrix[1])
    else:
        KINDS[kind](*matrix, optimizer="gd").draw_without_rendering()


@pytest.mark.parametrize("kind", KINDS)
def test_constrained_problems_and_what_is_left_out(matrix: Tables, kind: str) -> None:
    runs, hits = matrix
    runs = runs.assign(kkt=NAN)
    runs.loc[runs["problem"] == "b", "kkt"] = 1e-7
    runs = runs[(runs["optimizer"] != "lion") | (runs["problem"] == "a")]
    found = texts(KINDS[kind](runs, hits))
    if kind != "log_ratio":
        assert "Left out, since not everyone shown ran on everything: lion" in found
    if kind != "ert" and kind != "ecdf":
        assert "KKT residual at most 1e-6" in found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "message"),
    [({"problem": "d"}, "unknown problem 'd'"), ({"schedule": "cosin"}, "Did you mean 'cosine'")],
)
def test_unknown_names_are_one_sentence(matrix: Tables, kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KINDS[kind](*matrix, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_no_runs(matrix: Tables, kind: str) -> None:
    with pytest.raises(ValueError, match="no runs to plot"):
        KINDS[kind](matrix[0][:0], matrix[1])
    assert kind in plots.KINDS


def test_many_bars_have_no_names(frames: Frames) -> None:
    rows = [{"optimizer": o, "seed": s} for o in ("adam", "gd") for s in range(70)]
    tables = frames(rows, [{1e-6: 1 + k % 9} for k in range(140)])
    (ax,) = plots.log_ratio(*tables).axes
    assert len(ax.patches) == 70
    assert list(ax.get_yticks()) == []
    assert ax.get_ylabel() == "problems and starts, sorted"
