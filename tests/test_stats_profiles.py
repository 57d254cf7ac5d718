"""Performance and data profiles, log ratios, integrated scores: worked by hand, and by other means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import stats

INF = math.inf
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]

#                                                       a    b     c          ratios on a, b, c
TABLE: dict[str, list[int | None]] = {"adam": [10, 40, None],  # 1    4    inf
                                      "gd": [20, 10, None],  #   2    1    inf
                                      "lion": [10, None, None]}  # 1  inf  inf; nobody solved c   # fmt: skip


def steps(table: pd.DataFrame, column: str, name: str) -> list[tuple[float, Any]]:
    part = table[table["competitor"] == name]
    return list(zip(part[column], part["share"], strict=True))


def random_costs(seed: int, problems: int, count: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    costs = pd.DataFrame(rng.integers(1, 60, (problems, count)).astype(float), columns=[*"stuvwxyz"[:count]])
    return costs.mask(rng.random(costs.shape) < 0.2, INF)


def made(frames: Frames, costs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs and hits with these costs, one problem a row, one optimizer a column."""
    rows = [
        {"optimizer": name, "problem": f"p{k}", "nit": 100, "nfev": 101} for name in costs for k in range(len(costs))
    ]
    values = [value for name in costs for value in costs[name]]
    return frames(rows, [{1e-6: None if value == INF else int(value)} for value in values])


# --------------------------------------------------------------------------------------------- performance profile


def test_performance_profile_of_a_hand_worked_table(competitors: Frames) -> None:
    table = stats.performance_profile(*competitors(TABLE))
    third = pytest.approx(1 / 3), pytest.approx(2 / 3)
    assert steps(table, "tau", "adam") == [(1.0, third[0]), (4.0, third[1]), (INF, third[1])]
    assert steps(table, "tau", "gd") == [(1.0, third[0]), (2.0, third[1]), (INF, third[1])]
    assert steps(table, "tau", "lion") == [(1.0, third[0]), (INF, third[0])]
    assert table.attrs["instances"] == 3
    assert list(table.columns) == ["competitor", "optimizer", "schedule", "tau", "share"]


def test_performance_profile_is_the_definition(frames: Frames) -> None:
    for seed in range(5):
        costs = random_costs(seed, 15, 4)
        table = stats.performance_profile(*made(frames, costs))
        for name in map(str, costs):
            at = dict(steps(table, "tau", name))
            for tau, share in at.items():
                within = [row[name] < INF and row[name] / row.min() <= tau for _, row in costs.iterrows()]
                assert share == pytest.approx(sum(within) / len(costs))
            assert list(at.values()) == sorted(at.values())


def test_performance_profile_does_not_depend_on_units(frames: Frames) -> None:
    costs = random_costs(7, 10, 3)
    scaled = costs.mul(np.arange(1, 11), axis=0)
    first, second = (stats.performance_profile(*made(frames, each)) for each in (costs, scaled))
    pd.testing.assert_frame_equal(first, second)


def test_profile_per_problem_takes_the_median_over_seeds(frames: Frames) -> None:
    rows = [{"optimizer": o, "seed": s} for o in ("adam", "gd") for s in range(3)]
    runs, hits = frames(rows, [{1e-6: k} for k in (10, 30, None, 20, 20, 20)])  # medians 30 and 20
    table = stats.performance_profile(runs, hits, per="problem")
    assert steps(table, "tau", "adam") == [(1.0, 0.0), (1.5, 1.0), (INF, 1.0)]
    assert steps(table, "tau", "gd") == [(1.0, 1.0), (INF, 1.0)]
    starts = stats.performance_profile(runs, hits)
    assert [share for _, share in steps(starts, "tau", "gd")] == pytest.approx([2 / 3, 1.0, 1.0])
    with pytest.raises(ValueError, match="per is one of start, problem, not 'seed'"):
        stats.performance_profile(runs, hits, per="seed")  # type: ignore[arg-type]


def test_targets_met_at_the_start_tie(competitors: Frames) -> None:
    table = stats.performance_profile(*competitors({"adam": [0], "gd": [0]}))
    assert table.loc[table["tau"] == 1.0, "share"].tolist() == [1.0, 1.0]


def test_one_alone_and_nobody_who_solves_anything(competitors: Frames) -> None:
    alone = stats.performance_profile(*competitors({"adam": [5, None]}))
    assert steps(alone, "tau", "adam") == [(1.0, 0.5), (INF, 0.5)]
    nobody = stats.performance_profile(*competitors({"adam": [None], "gd": [None]}))
    assert nobody["share"].tolist() == [0.0] * 4


def test_runs_alone_suffice(competitors: Frames) -> None:
    runs, hits = competitors(TABLE)
    runs["status"] = runs["status"].where(hits["iteration"].notna().to_numpy(), "budget")
    pd.testing.assert_frame_equal(stats.performance_profile(runs), stats.performance_profile(runs, hits))


# ---------------------------------------------------------------------------------------------------- data profile


def test_data_profile_of_a_hand_worked_table(frames: Frames) -> None:
    # Evaluations: 1 at the start and 2 an iteration. n = 2: 7 / 3; n = 9: 21 / 10; the third run failed.
    rows = [
        {"problem": "a", "n": 2, "nit": 3, "nfev": 7},
        {"problem": "b", "n": 9, "settings": '{"n": 9}', "nit": 10, "nfev": 21},
        {"problem": "c", "n": 2, "nit": 100, "nfev": 201},
    ]
    table = stats.data_profile(*frames(rows, [{1e-6: 3}, {1e-6: 10}, {1e-6: None}]))
    two = pytest.approx(2 / 3)
    assert steps(table, "alpha", "gd") == [(0.0, 0.0), (2.1, pytest.approx(1 / 3)), (7 / 3, two), (INF, two)]


# --------------------------------------------------------------------------------------------------- integrated score


def test_integrated_score_of_a_hand_worked_table(competitors: Frames) -> None:
    # Credit (4 - ratio) / 3 of a problem. adam: 1, 0, 0; gd: 2/3, 1, 0; lion: 1, 0, 0.
    table = stats.integrated_score(*competitors(TABLE)).set_index("competitor")
    assert list(table.index) == ["gd", "adam", "lion"]
    np.testing.assert_allclose(table["score"], [5 / 9, 1 / 3, 1 / 3])
    np.testing.assert_allclose(table["best"], 1 / 3)
    np.testing.assert_allclose(table["within"], [2 / 3, 2 / 3, 1 / 3])


def test_integrated_score_is_the_integral_of_the_profile(frames: Frames) -> None:
    """As AlgoPerf's code has it: profiles at many tau, the trapezoidal rule, over the length of the interval."""
    costs = random_costs(3, 12, 5)
    table = stats.integrated_score(*made(frames, costs), r_max=6.0).set_index("competitor")
    tau = np.linspace(1.0, 6.0, 200_001)
    ratio = costs.div(costs.min(axis=1), axis=0).to_numpy()
    for k, name in enumerate(map(str, costs)):
        rho = (ratio[:, k] <= tau[:, None]).sum(axis=1) / len(costs)
        assert table.loc[name, "score"] == pytest.approx(np.trapezoid(rho, tau) / 5.0, abs=1e-5)


def test_integrated_score_uses_medians_and_failures_cost_infinity(frames: Frames) -> None:
    rows = [{"optimizer": o, "seed": s} for o in ("adam", "gd") for s in range(4)]
    hits = [{1e-6: k} for k in (10, 10, None, None, 40, 40, 40, 50)]  # half failed: infinite
    assert stats.integrated_score(*frames(rows, hits))["score"].tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="r_max is a number above 1, not 1"):
        stats.integrated_score(*frames(rows, hits), r_max=1.0)


# ----------------------------------------------------------------------------------------------------------- log ratio


def test_log_ratio_of_a_hand_worked_table(competitors: Frames) -> None:
    runs, hits = competitors({**TABLE, "yogi": [20, None, 3]})
    table = stats.log_ratio(runs, hits, a="adam", b="gd")
    assert table["log_ratio"].tolist() == [-1.0, 2.0]  # 10 / 20 and 40 / 10
    assert table["problem"].tolist() == ["a n=2", "b n=2"]
    assert (table.attrs["a"], table.attrs["b"], table.attrs["neither"]) == ("adam/constant", "gd/constant", 1)
    against = stats.log_ratio(runs, hits, a="gd", b="yogi")
    assert against["log_ratio"].tolist() == [-INF, 0.0, INF]
    turned = stats.log_ratio(runs, hits, a="yogi", b="gd")
    assert turned["log_ratio"].tolist() == [-INF, 0.0, INF]


def test_log_ratio_of_the_best_two(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [30, 30], "gd": [20, 20], "lion": [10, 25]})
    both = stats.log_ratio(runs, hits).attrs
    assert (both["a"], both["b"]) == ("gd/constant", "lion/constant")
    beside = stats.log_ratio(runs, hits, b="gd").attrs
    assert (beside["a"], beside["b"]) == ("lion/constant", "gd/constant")


def test_log_ratio_says_what_is_wrong(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [None, 4], "gd": [None]})
    with pytest.raises(ValueError, match="neither adam/constant nor gd/constant met the target"):
        stats.log_ratio(runs[runs["problem"] == "a"], hits, a="adam", b="gd")
    with pytest.raises(ValueError, match="unknown optimizer 'adan'"):
        stats.log_ratio(runs, hits, a="adan", b="gd")
    with pytest.raises(ValueError, match="'adam' and 'adam' have runs in common"):
        stats.log_ratio(runs, hits, a="adam", b="adam")
    with pytest.raises(ValueError, match="there are no two optimizers to compare"):
        stats.log_ratio(runs[runs["optimizer"] == "adam"], hits)
