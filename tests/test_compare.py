"""Comparisons of optimizers and of files, on tables worked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import optbench
from optbench import stats

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


class Tables(NamedTuple):
    """What `compare` takes."""

    runs: pd.DataFrame
    hits: pd.DataFrame


def grid(frames: Frames, costs: dict[tuple[str, str, str], list[int | None]], **changes: Any) -> Tables:
    """Tables from the iterations to 1e-6, seed by seed, of (problem, optimizer, schedule)."""
    cells = [(*cell, seed, cost) for cell, each in costs.items() for seed, cost in enumerate(each)]
    rows = [
        {"problem": p, "optimizer": o, "schedule": s, "seed": k, "fun": float(k), **changes} for p, o, s, k, _ in cells
    ]
    return Tables(*frames(rows, [{1e-6: cost} for *_, cost in cells]))


@pytest.fixture(scope="module")
def found(frames: Frames) -> Tables:
    """On `a` gd takes twice as long; on `b` it fails; on `c` there is nothing to tell; six seeds each."""
    start = [10, 12, 14, 16, 18, 20]
    return grid(
        frames,
        {
            ("a", "adam", "constant"): [*start],
            ("a", "gd", "constant"): [2 * k for k in start],
            ("b", "adam", "constant"): [*start],
            ("b", "gd", "constant"): [None] * 6,
            ("c", "adam", "constant"): [5, 5, 7, None, 9, 9],
            ("c", "gd", "constant"): [5, 7, 5, None, 9, 9],
        },
    )


def test_two_optimizers_of_one_file(found: Tables) -> None:
    table = optbench.compare(found, "adam", "gd").set_index("problem")
    assert list(table.index) == ["a n=2", "b n=2", "c n=2"]
    a, b, c = (row for _, row in table.iterrows())
    assert (a["pairs"], a["a_met"], a["b_met"], a["a_median"], a["b_median"], a["b_q25"]) == (6, 6, 6, 15, 30, 25)
    np.testing.assert_allclose(a[["effect", "effect_low", "effect_high"]].astype(float), 2.0)
    assert (a["a_better"], a["ties"], a["b_better"], a["superiority"]) == (6, 0, 0, 0.0)
    assert (a["p"], a["p_sign"], a["p_corrected"], a["p_smallest"]) == (2 / 64, 2 / 64, 6 / 64, 6 / 64)
    assert (b["b_met"], b["effect"], b["p"], b["p_corrected"]) == (0, INF, 2 / 64, 6 / 64)
    assert (c["a_better"], c["ties"], c["b_better"], c["effect"], c["p"]) == (1, 4, 1, 1.0, 1.0)
    assert set(table["verdict"]) == {"not enough pairs: n=6 cannot reach p<0.05 over 3 rows, n=7 could"}


def test_words_for_what_is_seen_and_for_what_is_not(found: Tables) -> None:
    table = stats.compare(found, "adam", "gd", alpha=0.1)
    assert list(table["verdict"]) == [
        "gd needs 2x the iterations [2, 2]",
        "gd fails where adam succeeds",
        "no difference seen",
    ]
    turned = stats.compare(found, "gd", "adam", alpha=0.1)
    assert list(turned["verdict"])[:2] == ["adam needs 0.5x the iterations [0.5, 0.5]", "gd fails where adam succeeds"]
    only = Tables(found.runs[(found.runs["problem"] == "b") & (found.runs["seed"] < 4)], found.hits)
    assert stats.compare(only, "adam", "gd")["verdict"].item() == "not enough pairs: n=4 cannot reach p<0.05, n=6 could"


def test_over_all_problems_each_counts_once(found: Tables) -> None:
    told = stats.overall(stats.compare(found, "adam", "gd", alpha=0.1))
    assert (told["problems"], told["a_better"], told["ties"], told["b_better"]) == (3, 2, 1, 0)
    assert (told["effect"], told["effect_low"], told["effect_high"]) == (pytest.approx(2.0), 1.0, INF)
    assert (told["a_significant"], told["b_significant"]) == (2, 0)
    assert told["p"] == stats.signed_rank([0, math.log(2), INF]) == 0.5
    assert told["verdict"].startswith(
        "not enough problems: 3 cannot reach p<0.1 (p=0.5 over 3 problems: adam better on 2"
    )


def test_rows_that_differ_are_won_by_the_side_of_their_effect(frames: Frames) -> None:
    # On `a` half of the pairs go either way, but those that gd wins by more; on `b` most are ties.
    costs: dict[tuple[str, str, str], list[int | None]] = {
        ("a", "adam", "constant"): [100] * 16,
        ("a", "gd", "constant"): [*range(101, 109), *range(10, 18)],
        ("b", "adam", "constant"): [10] * 16,
        ("b", "gd", "constant"): [*[10] * 9, *[20] * 7],
        ("c", "adam", "constant"): [None] * 16,
        ("c", "gd", "constant"): [5] * 16,
    }
    tables = grid(frames, costs)
    table = stats.compare(tables, "adam", "gd", alpha=0.2)
    assert table["a_better"].tolist() == [8, 7, 0]
    assert (table["p_corrected"] < 0.2).all()
    assert table["effect"].tolist() == [pytest.approx(math.sqrt(1.01 * 0.17), rel=0.01), 1.0, 0.0]
    told = stats.overall(table)
    assert (told["a_significant"], told["b_significant"]) == (0, 2)


def test_the_default_target_is_one_that_compared_runs_met(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"optimizer": o, "seed": k} for o in ("adam", "gd", "lion") for k in range(2)]
    met: list[dict[float, int | None]] = [{0.1: 3, 1e-6: 9 if row["optimizer"] == "lion" else None} for row in rows]
    tables = Tables(*frames(rows, met))
    assert stats.compare(tables, "adam", "gd").attrs["target"] == 0.1
    assert stats.compare(tables, "adam", "lion").attrs["target"] == 1e-6
    part = Tables(tables.runs[tables.runs["optimizer"] != "lion"], tables.hits)
    assert stats.matched(part, part).attrs["target"] == 0.1
    assert stats.matched(tables, tables).attrs["target"] == 1e-6


def test_schedules_that_both_ran_with_are_rows_and_others_are_left_out(frames: Frames) -> None:
    cells = [("a", "adam", "constant"), ("a", "adam", "cosine"), ("a", "adam", "step"), ("a", "gd", "cosine")]
    costs: dict[tuple[str, str, str], list[int | None]] = {cell: [1, 2] for cell in cells}
    costs["a", "gd", "constant"] = [3, 4, 5]
    tables = grid(frames, costs)
    table = stats.compare(tables, "adam", "gd")
    assert table[["schedule", "pairs"]].to_numpy().tolist() == [["constant", 2], ["cosine", 2]]


def test_what_shares_no_schedule_is_compared_across_them(frames: Frames) -> None:
    cells: dict[tuple[str, str, str], list[int | None]] = {
        ("a", "adam", "constant"): [1, 4],
        ("a", "adam", "cosine"): [2, 3],
        ("a", "gd", "step"): [3, 3],
    }
    tables = grid(frames, cells)
    assert list(stats.compare(tables, "adam", "gd")["schedule"]) == ["constant | step", "cosine | step"]
    one = stats.compare(tables, "adam/cosine", "adam/constant")
    assert one["schedule"].tolist() == ["cosine | constant"]
    assert (one["a_better"].item(), one["b_better"].item()) == (1, 1)
    assert one["effect"].item() == pytest.approx(math.sqrt(0.5 * 4 / 3))


def test_clipping_and_batches_are_rows_where_they_vary(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"optimizer": o, "batch_size": k, "batch_order": "shuffle", "clip": "norm", "clip_at": 1.0, "n_samples": 50}
        for o in ("adam", "gd")
        for k in (0, 32)
    ]
    table = stats.compare(Tables(*frames(rows, [{1e-6: k} for k in (1, 2, 3, 4)])), "adam", "gd")
    assert list(table["batch"]) == ["full", "32"]
    assert "clip" not in table


def test_names_that_stand_for_nothing_or_for_several(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"lr": 0.1, "label": "slow"}, {"lr": 0.2, "label": "fast"}, {"optimizer": "adam"}]
    tables = Tables(*frames(rows, [{1e-6: 1}] * 3))
    assert stats.compare(tables, "slow", "fast")["ties"].item() == 1
    for a, b, message in (
        ("slwo", "fast", "unknown optimizer 'slwo'. Did you mean 'slow'"),
        ("gd", "adam", "'gd' stands for several optimizers: name one of 'fast', 'slow'"),
        ("adam", "adam", "'adam' and 'adam' have runs in common"),
        ("slow/cosin", "fast", "unknown schedule of slow: 'cosin'"),
    ):
        with pytest.raises(ValueError, match=message):
            stats.compare(tables, a, b)
    with pytest.raises(ValueError, match=r"unknown cost 'iteration'\. Did you mean 'iterations'"):
        stats.compare(tables, "slow", "fast", on="iteration")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alpha is between 0 and 1, not 2"):
        stats.compare(tables, "slow", "fast", alpha=2)


def test_what_cannot_be_compared(frames: Frames) -> None:
    tables = grid(frames, {("a", "adam", "constant"): [1], ("b", "gd", "constant"): [1]})
    with pytest.raises(ValueError, match="no problem and seed in common"):
        stats.compare(tables, "adam", "gd")
    tables = grid(frames, {("a", "adam", "constant"): [None], ("a", "gd", "constant"): [None]}, f_opt=NAN)
    with pytest.raises(ValueError, match="no runs to compare by iterations: nothing that adam and gd"):
        stats.compare(tables, "adam", "gd")
    assert stats.compare(tables, "adam", "gd", on="fun")["ties"].item() == 1
    never = grid(frames, {("a", "adam", "constant"): [None] * 9, ("a", "gd", "constant"): [None] * 9})
    assert stats.compare(never, "adam", "gd")["verdict"].item() == "neither met the target"


def test_final_losses_are_compared_by_their_difference(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {
            "optimizer": o,
            "seed": k,
            "status": "budget",
            "kkt": NAN,
            "fun": (2.0 if o == "gd" else 1.0) + 0.1 * k,
            "val_accuracy": 0.9 if o == "gd" else 0.8,
        }
        for o in ("adam", "gd")
        for k in range(8)
    ]
    tables = Tables(*frames(rows, [{}] * 16))
    loss = stats.compare(tables, "adam", "gd", on="fun")
    assert (loss["effect"].item(), loss["a_better"].item()) == (pytest.approx(1.0), 8)
    assert loss["verdict"].item() == "gd ends 1 higher in fun [1, 1]"
    accuracy = stats.compare(tables, "adam", "gd", on="val_accuracy")
    assert accuracy["b_better"].item() == 8
    assert stats.overall(accuracy)["b_better"] == 1
    assert stats.overall(accuracy)["effect"] == pytest.approx(0.1)
    assert accuracy.attrs["target"] is None


def test_what_the_stopping_rule_decides_is_no_difference(frames: Frames) -> None:
    # Both met every target; gd ended far below it at every start, and at an infeasible point under constraints.
    cells: list[tuple[dict[str, Any], list[float], str]] = [
        ({"problem": "a", "kkt": NAN}, [1e-12, 1e-8], "no difference seen"),
        ({"problem": "b", "kkt": NAN, "frozen": True}, [0.1, 0.2], "no difference seen"),
        ({"problem": "c", "status": "budget"}, [1.0, 0.5], "gd ends 1 higher in KKT residual [1, 1]"),
    ]
    rows: list[dict[str, Any]] = [
        {"optimizer": o, "seed": k, "fun": fun, "f0": 100.0 + k, "kkt": 1.0 + (o == "gd"), **about}
        for about, funs, _ in cells
        for o, fun in zip(("adam", "gd"), funs, strict=True)
        for k in range(9)
    ]
    tables = Tables(*frames(rows, [{}] * len(rows)))
    assert stats.compare(tables, "adam", "gd", on="fun")["verdict"].tolist() == [verdict for *_, verdict in cells]


def test_losses_of_different_problems_have_no_scale_in_common(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [
        {"optimizer": o, "problem": p, "status": "budget", "kkt": NAN, "fun": scale * (2 if o == "gd" else 1)}
        for p, scale in (("a", 1e9), ("b", -1.0), ("c", 1.0), ("d", 2.0), ("e", 3.0), ("f", 4.0), ("g", 5.0))
        for o in ("adam", "gd")
    ]
    told = stats.overall(stats.compare(Tables(*frames(rows, [{}] * 14)), "adam", "gd", on="fun", alpha=0.2))
    assert math.isnan(told["effect"])
    assert told["p"] == stats.sign_test(6, 1) == 0.125
    assert told["verdict"].startswith("adam ends better (p=0.12 over 7 problems: adam better on 6, gd on 1, equal on 0")


# ------------------------------------------------------------------------------------------------------- two files


def changed(tables: Tables, edits: dict[str, dict[str, Any]], hits: dict[str, int | None] | None = None) -> Tables:
    """Tables in which some values of some runs are others."""
    runs, found = tables.runs.copy(), tables.hits.copy()
    for run, edit in edits.items():
        for name, value in edit.items():
            runs.loc[run, name] = value
    for run, met in (hits or {}).items():
        found.loc[found["run"] == run, "iteration"] = pd.NA if met is None else met
    return Tables(runs, found)


def test_a_file_beside_itself_is_the_same(found: Tables) -> None:
    pairs = stats.matched(found, found)
    assert pairs["identical"].all()
    assert not pairs["recompiled"].any()
    table = optbench.changes(found, found)
    assert table["runs"].tolist() == table["identical"].tolist() == table["same"].tolist() == [12] * 3
    assert table["met_a"].tolist() == table["met_b"].tolist() == [12, 6, 10]
    assert set(table["verdict"]) == {"same results; time 1x [1, 1]"}


def test_every_difference_of_a_result_is_seen(found: Tables) -> None:
    edits: dict[str, dict[str, Any]] = {
        "r0": {"fun": float(np.nextafter(0.0, 1.0))},
        "r1": {"nit": 11},
        "r2": {"status": "stalled"},
        "r3": {"nfev": 99},
        "r4": {"fun": NAN},
        "r5": {"wall_median": 5.0, "code": "other"},
    }
    new = changed(found, edits, {"r6": 21, "r7": None})
    pairs = stats.matched(found, new)
    assert set(pairs.index[~pairs["identical"]]) == {"r0", "r1", "r2", "r3", "r4", "r6", "r7"}
    assert list(pairs.index[pairs["recompiled"]]) == ["r5"]
    both = stats.matched(new, new)
    assert both["identical"].all()  # NaN, and no hit, are equal to themselves


def test_changes_of_a_hand_worked_pair_of_files(found: Tables) -> None:
    faster = {f"r{k}": 5 for k in range(10)}  # of 10, ..., 20 and 20, ..., 28 iterations
    times: dict[str, dict[str, Any]] = {f"r{k}": {"wall_median": 2e-3} for k in range(12, 24)}
    new = changed(found, times, {**faster, "r11": None})
    a, b, c = (row for _, row in stats.changes(found, new).iterrows())
    assert (a["fewer"], a["same"], a["more"], a["met_a"], a["met_b"], a["identical"]) == (10, 1, 1, 12, 11, 1)
    assert a["p"] == stats.signed_rank([-2.0, -2.4, -2.8, -3.2, -3.6, -4.0, -4.0, -4.8, -5.6, -6.4, 0.0, INF])
    assert a["p_corrected"] == pytest.approx(3 * a["p"])
    assert a["verdict"] == "11 of 12 runs changed, -1 met the target, 10 need fewer iterations, 1 more; time 1x [1, 1]"
    assert "significant, p=0.036" in stats.by_problem(stats.matched(found, new).iloc[:12])["verdict"].item()
    assert b["verdict"] == "same results; time 2x [2, 2]"
    assert (c["seconds"], c["seconds_low"], c["seconds_high"]) == (1, 1, 1)


def test_files_share_what_has_the_same_id(found: Tables) -> None:
    old = Tables(found.runs.iloc[:20], found.hits)
    new = Tables(found.runs.iloc[5:], found.hits)
    pairs = stats.matched(old, new)
    assert (len(pairs), pairs.attrs["only_a"], pairs.attrs["only_b"]) == (15, 5, 16)
    with pytest.raises(ValueError, match="no run is in both files"):
        stats.matched(Tables(found.runs.iloc[:5], found.hits), new)
    with pytest.raises(ValueError, match="was not recorded"):
        stats.matched(old, new, target=0.5)


def test_files_without_targets_are_compared_all_the_same(frames: Frames) -> None:
    tables = Tables(*frames([{"targets": "[]"}, {"targets": "[]", "seed": 1}], [{}, {}]))
    table = stats.changes(tables, changed(tables, {"r1": {"nit": 11, "wall_median": NAN}}))
    assert table["verdict"].item() == "1 of 2 runs changed; time 1x"
    assert table["judged"].item() == 0
