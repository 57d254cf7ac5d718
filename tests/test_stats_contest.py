"""Who competes on what: the largest table without gaps, who represents whom, what a run costs without its hits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import stats
from optbench.stats.contest import _largest

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def test_largest_part_without_gaps_of_a_hand_worked_table(competitors: Frames) -> None:
    # a b c: adam ran on all, gd on a and b, yogi on none but a: adam and gd on a, b (4 runs) beat all three on a (3).
    field = stats.contest(*competitors({"adam": [3, 4, 5], "gd": [6, 7], "yogi": [8]}))
    assert field.cost.to_dict("list") == {"adam": [3.0, 4.0], "gd": [6.0, 7.0]}
    assert field.run.to_dict("list") == {"adam": ["r0", "r1"], "gd": ["r3", "r4"]}
    assert field.facts["left_out"] == ("yogi",)
    assert field.facts["dropped"] == ("c n=2",)
    assert (field.facts["problems"], field.facts["instances"]) == (2, 2)


def test_two_on_little_go_before_one_on_much(competitors: Frames) -> None:
    field = stats.contest(*competitors({"adam": [3, 4, 5], "gd": [6]}))
    assert field.cost.to_dict("list") == {"adam": [3.0], "gd": [6.0]}
    alone = stats.contest(*competitors({"adam": [3, 4, None]}))
    assert alone.cost.to_dict("list") == {"adam": [3.0, 4.0, INF]}


def test_largest_part_is_that_of_all_choices_of_columns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        shape = rng.integers(1, 7, 2)
        present = rng.random(shape) < rng.uniform(0.2, 1.0)
        present[rng.integers(shape[0]), :] |= ~present.any(axis=0)  # everyone ran somewhere
        rows, columns = _largest(present)
        assert present[np.ix_(rows, columns)].all()
        sizes = [
            (len(chosen) > 1, len(chosen) * int(present[:, chosen].all(axis=1).sum()))
            for count in range(1, shape[1] + 1)
            for chosen in itertools.combinations(range(shape[1]), count)
        ]
        best = max(size for size in sizes if size[1])
        assert (columns.sum() > 1, rows.sum() * columns.sum()) == best


def rows_of(table: dict[tuple[str, str], list[int | None]]) -> tuple[list[dict[str, Any]], list[dict[float, Any]]]:
    """Rows and hits of (optimizer, schedule) on problems a, b, ..."""
    rows = [
        {"optimizer": o, "schedule": s, "problem": "abcd"[k], "nit": cost or 100}
        for (o, s), costs in table.items()
        for k, cost in enumerate(costs)
    ]
    return rows, [{1e-6: cost} for costs in table.values() for cost in costs]


def test_an_optimizer_is_represented_by_the_schedule_with_the_lowest_mean_rank(frames: Frames) -> None:
    runs, hits = frames(
        *rows_of(
            {
                ("adam", "constant"): [10, 90, None],  # ranks 1, 4, 4: 3
                ("adam", "cosine"): [20, 20, 50],  #           2, 2, 3: 7/3
                ("gd", "constant"): [30, 10, 40],  #           3, 1, 2: 2
                ("gd", "step"): [40, 30, 30],  #               4, 3, 1: 8/3
            }
        )
    )
    field = stats.contest(runs, hits)
    assert field.factors["schedule"].to_dict() == {"adam": "cosine", "gd": "constant"}
    assert field.cost["adam"].tolist() == [20.0, 20.0, 50.0]
    assert stats.contest(runs, hits, by="schedule").factors["optimizer"].to_dict() == {
        "constant": "gd",
        "cosine": "adam",
        "step": "gd",
    }
    every = stats.contest(runs, hits, by="all")
    assert list(every.cost) == ["adam/constant", "adam/cosine", "gd/constant", "gd/step"]
    assert stats.mean_ranks(every.cost).tolist() == [3.0, 7 / 3, 2.0, 8 / 3]


def test_seeds_are_averaged_before_problems(frames: Frames) -> None:
    rows = [
        {"optimizer": o, "problem": p, "seed": s} for o in ("adam", "gd") for p, s in (("a", 0), ("a", 1), ("b", 0))
    ]
    field = stats.contest(*frames(rows, [{1e-6: k} for k in (1, 1, 9, 2, 2, 3)]))
    assert stats.mean_ranks(field.cost).to_dict() == {"adam": 1.5, "gd": 1.5}


def test_without_hits_the_cost_is_that_of_converging(frames: Frames) -> None:
    rows = [
        {"optimizer": "adam", "nit": 7, "nfev": 9, "status": "converged"},
        {"optimizer": "gd", "nit": 100, "nfev": 101, "status": "budget"},
    ]
    runs, _ = frames(rows)
    assert stats.contest(runs).cost.to_numpy().tolist() == [[7.0, INF]]
    assert stats.contest(runs, on="evaluations").cost.to_numpy().tolist() == [[9.0, INF]]
    assert stats.contest(runs).facts["target"] is None
    with pytest.raises(ValueError, match="a target needs the hits"):
        stats.contest(runs, target=1e-6)


def test_problems_without_a_known_minimum_are_not_judged(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [1, 5], "gd": [2, 4]})
    runs.loc[runs["problem"] == "b", "f_opt"] = NAN
    for field in (stats.contest(runs, hits), stats.contest(runs)):
        assert field.cost.to_dict("list") == {"adam": [1.0], "gd": [2.0]}
        assert field.facts["dropped"] == ()  # they are no part of the comparison
    with pytest.raises(ValueError, match="no runs to compare: no problem has a known minimum"):
        stats.contest(runs.assign(f_opt=NAN), hits)


def test_a_run_that_broke_before_its_problem_was_made_has_failed(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [1, 5], "gd": [2, 4]})
    runs.loc["r3", "status"], runs.loc["r3", "f_opt"] = "crashed", NAN
    hits = hits[hits["run"] != "r3"]
    assert stats.contest(runs, hits).cost["gd"].tolist() == [2.0, INF]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "colour"}, "by is one of optimizer, schedule, all, not 'colour'"),
        ({"on": "steps"}, "on is one of iterations, epochs, evaluations, seconds, not 'steps'"),
        ({"target": 0.5}, "target 0.5 was not recorded. Known: 1e-6"),
    ],
)
def test_bad_arguments_are_one_sentence(competitors: Frames, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stats.contest(*competitors({"adam": [1], "gd": [2]}), **options)


def test_no_runs(competitors: Frames) -> None:
    runs, hits = competitors({"adam": [1]})
    with pytest.raises(ValueError, match="no runs to compare"):
        stats.contest(runs[:0], hits)
    with pytest.raises(ValueError, match="costs in epochs"):
        stats.contest(runs, hits, on="epochs")
