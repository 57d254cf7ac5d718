"""Figures of tuning: what they show equals the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import optbench
from optbench import curves, plots, tuned
from optbench.plots import _style
from optbench.store import Results

PROBLEMS, OPTIMIZERS = ["booth", "beale"], ["gd", "adam", "momentum"]
BUDGET = {"max_iter": 40, "seeds": 2}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("plots") / "search.db"
    table: dict[str, Any] = {"mode": "random", "budgets": [3, 8], "seeds": 1}
    return optbench.tune(PROBLEMS, OPTIMIZERS, path, schedules=["constant", "cosine"], budget=BUDGET, **table)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("plots") / "grid.db"
    return optbench.tune(PROBLEMS, OPTIMIZERS, path, budget=BUDGET, mode="grid", budgets=[15], seeds=1)


def tables(results: Results) -> Any:
    return results.runs, results.hits, results.trials


def drawn(axes: Axes, color: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_color() == color]


def ydata(line: Line2D) -> list[float]:
    return [float(value) for value in np.asarray(line.get_ydata())]


def test_tuning_budget_shows_the_curve_and_the_winners(searched: Results) -> None:
    figure = plots.tuning_budget(*tables(searched), schedule="constant")
    assert [axes.get_title() for axes in figure.axes] == ["booth n=2", "beale n=2"]
    compared = tuned.comparison(*tables(searched))
    medians = tuned.scores(tuned.judged(*tables(searched)))
    for axes in figure.axes:
        bottom, top = axes.get_ylim()
        for optimizer in OPTIMIZERS:
            mine = compared["problem"] == axes.get_title()
            rows = compared[mine & (compared["optimizer"] == optimizer) & (compared["schedule"] == "constant")]
            line, dots = drawn(axes, _style.style_of("optimizer", optimizer).color)
            assert np.asarray(dots.get_xdata()).tolist() == [0, 3, 8]
            assert ydata(dots) == pytest.approx(np.clip(rows["score"], bottom, top).tolist())
            each = medians.loc[[rows["study"].iloc[0]]].droplevel(0)
            best = [each["score"][0], *curves.curve(each, range(1, 9))["median"]]
            assert ydata(line) == pytest.approx(np.clip(best, bottom, top).tolist())


def test_tuning_budget_shows_the_schedule_that_tuned_best(searched: Results) -> None:
    figure = plots.tuning_budget(*tables(searched), problem="booth", optimizer="adam")
    compared = tuned.comparison(*tables(searched))
    rows = compared[
        (compared["problem"] == "booth n=2") & (compared["optimizer"] == "adam") & (compared["budget"] == 8)
    ]
    best = rows.sort_values("tuning", kind="stable")["score"].iloc[0]
    assert ydata(figure.axes[0].lines[1])[-1] == pytest.approx(best)


def test_lr_sensitivity_shows_curves_ranges_and_defaults(grid: Results) -> None:
    figure = plots.lr_sensitivity(*tables(grid))
    table = curves.sensitivity(*tables(grid))
    for above, below in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        part = table[table["problem"] == above.get_title()]
        assert [text.get_text() for text in below.get_yticklabels()] == OPTIMIZERS
        ends = part["good"] & part["lr"].isin([part["lr"].min(), part["lr"].max()])
        cut = ends.groupby(part["optimizer"], sort=False).any()
        decades = [f"{value:.1f}" for value in part.drop_duplicates("optimizer")["decades"]]
        decades = [f"≥{text}" if each else text for text, each in zip(decades, cut, strict=True)]
        assert [text.get_text() for text in below.texts] == decades
        bottom = above.get_ylim()[0]
        for row, optimizer in enumerate(OPTIMIZERS):
            mine = part[part["optimizer"] == optimizer]
            line = drawn(above, _style.style_of("optimizer", optimizer).color)[0]
            wanted = mine["gap"].where(np.isfinite(mine["gap"])).clip(lower=bottom)
            np.testing.assert_allclose(np.asarray(line.get_ydata()), wanted)
            bar = next(each for each in below.lines if each.get_linewidth() > 3 and ydata(each)[0] == row)
            low, high = np.log10(np.asarray(bar.get_xdata()))
            assert high - low == pytest.approx(mine["decades"].iloc[0])


def test_figures_say_what_they_cannot_show(searched: Results, grid: Results, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no grid of learning rates"):
        plots.lr_sensitivity(*tables(searched))
    with pytest.raises(ValueError, match=r"unknown optimizer 'adm'. Did you mean 'adam'"):
        plots.lr_sensitivity(*tables(grid), optimizer="adm")
    with pytest.raises(ValueError, match=r"unknown schedule 'cosin'. Did you mean 'cosine'"):
        plots.tuning_budget(*tables(searched), schedule="cosin")
    untuned = optbench.run(
        {"problems": ["booth"], "optimizers": ["gd"], "budget": BUDGET}, tmp_path / "r.db", repeats=0
    )
    with pytest.raises(ValueError, match="nothing was tuned"):
        plots.tuning_budget(*tables(untuned))


def test_other_figures_show_tuned_beside_default(searched: Results) -> None:
    figure = plots.KINDS["heatmap"](searched.runs, searched)
    labels = {text.get_text() for axes in figure.axes for text in axes.get_yticklabels()}
    assert {"gd", "gd tuned", "adam", "adam tuned"} <= labels
    assert not any("trial" in label for label in labels)
