"""Statistics: hand-worked tables, in which every number can be checked by eye."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import stats, tables

INF, NAN = math.inf, math.nan
BASE: dict[str, Any] = {
    **dict.fromkeys(tables.RUN_COLUMNS, 0),
    **{"problem": "sphere", "n": 2, "settings": '{"n": 2}', "optimizer": "gd", "params": "{}", "lr": 0.1},
    **{"schedule": "constant", "schedule_params": "{}", "clip": "none", "targets": "[0.1, 1e-06]", "max_iter": 100},
    **{
        "code": "c",
        "status": "converged",
        "message": "",
        "f_opt": 0.0,
        "finished_at": "",
        "batch_order": "shuffle",
        "decay_bias": True,
        "nit": 10,
        "warmup_start": 1 / 3,
    },
    **{"wall_q25": 1e-3, "wall_median": 1e-3, "wall_q75": 1e-3, "n_times": 1, "time_limit": INF},
}


def frames(
    rows: list[dict[str, Any]], hits: list[Mapping[float, int | None]] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables as a results file gives them, from what is not as in `BASE`, and the hits of every run."""
    full = [{**BASE, "label": row.get("optimizer", "gd"), **row} for row in rows]
    names = [f"r{k}" for k in range(len(full))]
    columns = {name: pd.Series([row[name] for row in full], names, kind) for name, kind in tables.RUN_COLUMNS.items()}
    runs = pd.DataFrame(columns).rename_axis("run")
    each = [(run, t, met) for run, met_at in zip(names, hits or [], strict=False) for t, met in met_at.items()]
    found = pd.DataFrame(each, columns=["run", "target", "iteration"])
    found["iteration"] = found["iteration"].astype("Int64")
    pace = (runs["wall_median"] / runs["nit"].clip(lower=1)).reindex(found["run"]).to_numpy(dtype="float64")
    found["seconds"] = found["iteration"].astype("Float64").astype("float64") * pace
    return runs, found.astype({"run": "str", "target": "float64"})


def competitors(costs: Mapping[str, list[int | None]], **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """For every optimizer the iterations to 1e-6 on problems a, b, ... of one seed each."""
    cells = [(name, "abc"[k], cost) for name, each in costs.items() for k, cost in enumerate(each)]
    rows = [{"optimizer": name, "problem": problem, "nit": cost or 100, **changes} for name, problem, cost in cells]
    return frames(rows, [{1e-6: cost} for _, _, cost in cells])


# ---------------------------------------------------------------------------------------------------------- labels


def test_the_problem_s_label_tells_its_size_and_its_telling_settings() -> None:
    rows = [{"problem": "quadratic", "settings": json.dumps({"n": n, "cond": 9.0}), "n": n} for n in (2, 30)]
    labels = stats.labels(frames([*rows, {"problem": "mine", "settings": '{"data": "a.csv"}', "n": 5}])[0])
    assert list(labels["problem"]) == ["quadratic n=2 cond=9", "quadratic n=30 cond=9", "mine n=5"]
    assert set(labels["clip"]) == {"none"}


def test_the_recorded_label_of_an_optimizer_is_used_where_it_tells_runs_apart() -> None:
    apart: list[dict[str, Any]] = [{"lr": 0.1, "label": "slow"}, {"lr": 0.2, "label": "fast"}]
    assert list(stats.labels(frames(apart)[0])["optimizer"]) == ["slow", "fast"]
    alike: list[dict[str, Any]] = [
        {"lr": 0.1, "label": "gd"},
        {"lr": 0.2, "label": "gd"},
    ]  # of two matrices in one file
    assert list(stats.labels(frames(alike)[0])["optimizer"]) == ["gd lr=0.1", "gd lr=0.2"]
    per_problem: list[dict[str, Any]] = [{"lr": 0.1}, {"lr": 0.2, "problem": "beale"}]
    assert list(stats.labels(frames(per_problem)[0])["optimizer"]) == ["gd", "gd"]


def test_budgets_that_one_cell_was_run_with_are_kept_apart() -> None:
    rows: list[dict[str, Any]] = [{"max_iter": 100}, {"max_iter": 200}, {"problem": "beale", "max_iter": 300}]
    labels = stats.labels(frames(rows)[0])
    assert list(labels["problem"]) == ["sphere n=2 max_iter=100", "sphere n=2 max_iter=200", "beale n=2"]


# ----------------------------------------------------------------------------------------------------------- costs


def test_costs_are_infinite_for_failures_and_unknown_without_a_minimum_or_a_target() -> None:
    rows: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"seed": 2, "f_opt": NAN},
        {"seed": 3},
        {"seed": 4, "wall_median": NAN},
    ]
    runs, hits = frames(rows, [{1e-6: 5}, {1e-6: None}, {1e-6: None}, {0.1: 1}, {1e-6: 7}])
    np.testing.assert_equal(stats.costs(runs, hits, 1e-6).to_numpy(), [5, INF, NAN, NAN, 7])
    np.testing.assert_allclose(stats.costs(runs, hits, 1e-6, "seconds"), [5e-4, INF, NAN, NAN, NAN])
    assert stats.costs(runs, hits, 1e-6).index.equals(runs.index)
    np.testing.assert_allclose(stats.budget_costs(runs), 100)
    np.testing.assert_allclose(stats.budget_costs(runs, "seconds"), [0.01] * 4 + [NAN])


def test_targets_that_were_not_recorded_are_refused_with_those_that_were() -> None:
    runs, hits = frames([{}], [{0.1: 1, 10.0**-4: 5}])
    assert stats.pick_target(hits) == 1e-4
    assert stats.pick_target(hits, 0.1) == 0.1
    with pytest.raises(ValueError, match=r"target 0\.01 was not recorded\. Known: 1e-1, 1e-4"):
        stats.costs(runs, hits, 0.01)
    with pytest.raises(ValueError, match="not asked for any target"):
        stats.pick_target(hits[:0])
    with pytest.raises(ValueError, match="iterations, seconds, not 'steps'"):
        stats.costs(runs, hits, 0.1, "steps")  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (4, 2), (7,), (8, 3)])
def test_quartiles_of_finite_values_equal_numpy_s(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_allclose(stats.quartiles(values), np.quantile(values, [0.25, 0.5, 0.75], axis=0), rtol=1e-13)


def test_quartiles_with_infinities_and_nan() -> None:
    np.testing.assert_equal(stats.quartiles([1, 2, INF]), [1.5, 2, INF])
    np.testing.assert_equal(stats.quartiles([INF, 1, INF, 2, 3]), [2, 3, INF])
    np.testing.assert_equal(stats.quartiles([INF, INF]), [INF] * 3)
    np.testing.assert_equal(stats.quartiles([-INF, 0, 1]), [-INF, 0, 0.5])
    np.testing.assert_equal(stats.quartiles([1, NAN, 2]), [NAN] * 3)
    with pytest.raises(ValueError, match="no values"):
        stats.quartiles([])


# --------------------------------------------------------------------------------------------------------- summary


def test_summary_of_a_hand_worked_table() -> None:
    rows: list[dict[str, Any]] = [
        {"seed": 0, "fun": 1e-9, "nit": 40, "wall_median": 4e-3, "compile_seconds": 0.5},
        {"seed": 1, "fun": 2e-9, "nit": 60, "wall_median": 6e-3},
        {"seed": 2, "fun": NAN, "nit": 3, "wall_median": 1e-3, "status": "diverged"},
        {"optimizer": "adam", "status": "budget", "fun": 0.5, "nit": 100, "wall_median": NAN, "n_times": 0},
    ]
    reached: list[Mapping[float, int | None]] = [
        {0.1: 4, 1e-6: 30},
        {0.1: 5, 1e-6: 60},
        {0.1: None, 1e-6: None},
        {0.1: 50, 1e-6: None},
    ]
    table = stats.summary(*frames(rows, reached))
    assert list(table["problem"]) == ["sphere n=2"] * 2
    gd, adam = (row for _, row in table.iterrows())
    assert (gd["optimizer"], gd["schedule"], gd["runs"], gd["converged"], gd["diverged"]) == ("gd", "constant", 3, 2, 1)
    assert gd["success 1e-1"] == gd["success 1e-6"] == pytest.approx(2 / 3)
    assert (gd["iterations 1e-1"], gd["iterations 1e-6"]) == (5, 60)  # of 4, 5, inf and of 30, 60, inf
    assert gd["seconds 1e-6"] == pytest.approx(6e-3)
    assert (gd["wall_seconds"], gd["compile_seconds"], gd["gap"]) == (4e-3, 0.5, 2e-9)
    assert (adam["budget"], adam["success 1e-1"], adam["success 1e-6"], adam["iterations 1e-1"]) == (1, 1.0, 0.0, 50)
    assert math.isnan(adam["seconds 1e-1"])  # met, but not timed
    assert adam["iterations 1e-6"] == adam["seconds 1e-6"] == INF
    assert math.isnan(adam["wall_seconds"])
    assert "clip" not in table

    text = stats.text(table)
    assert list(text["iterations 1e-6"]) == ["60", "-"]
    assert list(text["seconds 1e-1"]) == ["0.0005", "?"]
    assert list(text["gap"]) == ["2e-09", "0.5"]


def test_summary_medians_are_infinite_from_one_half_of_failures_on() -> None:
    rows = [{"seed": k} for k in range(4)]
    table = stats.summary(*frames(rows, [{1e-6: 1}, {1e-6: 2}, {1e-6: None}, {1e-6: None}]))
    assert table["iterations 1e-6"].item() == INF
    assert table["success 1e-6"].item() == 0.5


def test_summary_without_a_known_minimum_says_so() -> None:
    table = stats.summary(*frames([{"f_opt": NAN}], [{0.1: None}]))
    assert table[["success 1e-1", "iterations 1e-1", "seconds 1e-1", "gap"]].isna().all(axis=None)


def test_summary_shows_the_clipping_where_it_varies_and_the_targets_asked_for() -> None:
    rows: list[dict[str, Any]] = [{}, {"clip": "norm", "clip_at": 1.0}]
    table = stats.summary(*frames(rows, [{0.1: 1, 0.01: 2}, {0.1: 3, 0.01: 4}]), targets=[0.01])
    assert list(table["clip"]) == ["none", "norm 1"]
    assert [name for name in table.columns if str(name).startswith("iterations")] == ["iterations 1e-2"]


def test_summary_without_targets_and_without_runs() -> None:
    runs, hits = frames([{"targets": "[]"}], [{}])
    assert not [name for name in stats.summary(runs, hits).columns if str(name).startswith("iterations")]
    with pytest.raises(ValueError, match="no runs to summarize"):
        stats.summary(runs[:0], hits)


# --------------------------------------------------------------------------------------------------------- ranking


def test_ranking_of_a_hand_worked_table() -> None:
    #        a     b     c                  ranks on a, b, c
    table: dict[str, list[int | None]] = {
        "adam": [10, 20, None],  #          1.5  2    3    -> 13/6
        "gd": [10, None, None],  #          1.5  3.5  3    -> 16/6
        "lion": [30, 5, 7],  #              3    1    1    -> 10/6
        "yogi": [40, None, None],  #        4    3.5  3    -> 21/6
    }
    ranks = stats.ranking(*competitors(table)).set_index("optimizer")
    assert list(ranks.index) == ["lion", "adam", "gd", "yogi"]
    np.testing.assert_allclose(ranks["rank_iterations"], np.array([10, 13, 16, 21]) / 6)
    assert list(ranks["best_iterations"]) == [2, 1, 1, 0]  # a tie for the first place counts for both
    assert list(ranks["solved"]) == [3, 2, 1, 1]
    assert list(ranks["problems"]) == [3] * 4
    np.testing.assert_allclose(ranks["success"], [1, 2 / 3, 1 / 3, 1 / 3])


def test_nobody_is_best_where_all_fail() -> None:
    ranks = stats.ranking(*competitors({"adam": [None], "gd": [None]}))
    assert list(ranks["rank_iterations"]) == [1.5, 1.5]
    assert list(ranks["best_iterations"]) == [0, 0]


def test_ranks_are_averaged_over_seeds_first_so_that_problems_count_alike() -> None:
    rows = [
        {"optimizer": o, "problem": p, "seed": s} for o in ("adam", "gd") for p, s in (("a", 0), ("a", 1), ("b", 0))
    ]
    ranks = stats.ranking(*frames(rows, [{1e-6: k} for k in (1, 1, 9, 2, 2, 3)]))
    assert dict(zip(ranks["optimizer"], ranks["rank_iterations"], strict=True)) == {"adam": 1.5, "gd": 1.5}


def test_ranks_in_seconds_follow_the_clock_and_skip_pairings_that_were_not_timed() -> None:
    runs, hits = competitors({"adam": [10, 10], "gd": [20, 20]})
    assert stats.ranking(runs, hits)["rank_seconds"].tolist() == [1.5, 1.5]  # 1 ms for every run, whatever it took
    hits.loc[hits["run"] == "r3", "seconds"] = NAN  # gd on b
    hits.loc[hits["run"] == "r2", "seconds"] = 1e-5  # gd on a
    table = stats.ranking(runs, hits).set_index("optimizer")
    assert table["rank_seconds"].to_dict() == {"adam": 2.0, "gd": 1.0}
    assert table["best_seconds"].to_dict() == {"adam": 0, "gd": 1}


def test_ranking_leaves_problems_without_a_known_minimum_out() -> None:
    runs, hits = competitors({"adam": [1, 5], "gd": [2, 4]})
    runs.loc[runs["problem"] == "b", "f_opt"] = NAN
    assert stats.ranking(runs, hits)["rank_iterations"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="no runs to rank: no problem has a known minimum"):
        stats.ranking(runs.assign(f_opt=NAN), hits)
    with pytest.raises(ValueError, match="no runs to rank"):
        stats.ranking(runs[:0], hits)


def test_statistics_are_cheap_to_import() -> None:
    heavy = "{'matplotlib', 'pandas', 'numba', 'scipy'}"
    code = f"import sys, optbench.stats, optbench.plots; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
