"""Cells and their labels."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from optbench import stats

INF, NAN = math.inf, math.nan
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def test_the_problem_s_label_tells_its_size_and_its_telling_settings(frames: Frames) -> None:
    rows = [{"problem": "quadratic", "settings": json.dumps({"n": n, "cond": 9.0}), "n": n} for n in (2, 30)]
    labels = stats.labels(frames([*rows, {"problem": "mine", "settings": '{"data": "a.csv"}', "n": 5}])[0])
    assert list(labels["problem"]) == ["quadratic n=2 cond=9", "quadratic n=30 cond=9", "mine n=5"]
    assert set(labels["clip"]) == {"none"}


def test_the_recorded_label_of_an_optimizer_is_used_where_it_tells_runs_apart(frames: Frames) -> None:
    apart: list[dict[str, Any]] = [{"lr": 0.1, "label": "slow"}, {"lr": 0.2, "label": "fast"}]
    assert list(stats.labels(frames(apart)[0])["optimizer"]) == ["slow", "fast"]
    alike: list[dict[str, Any]] = [
        {"lr": 0.1, "label": "gd"},
        {"lr": 0.2, "label": "gd"},
    ]  # of two matrices in one file
    assert list(stats.labels(frames(alike)[0])["optimizer"]) == ["gd lr=0.1", "gd lr=0.2"]
    per_problem: list[dict[str, Any]] = [{"lr": 0.1}, {"lr": 0.2, "problem": "beale"}]
    assert list(stats.labels(frames(per_problem)[0])["optimizer"]) == ["gd", "gd"]


def test_budgets_that_one_cell_was_run_with_are_kept_apart(frames: Frames) -> None:
    rows: list[dict[str, Any]] = [{"max_iter": 100}, {"max_iter": 200}, {"problem": "beale", "max_iter": 300}]
    labels = stats.labels(frames(rows)[0])
    assert list(labels["problem"]) == ["sphere n=2 max_iter=100", "sphere n=2 max_iter=200", "beale n=2"]


def test_statistics_are_cheap_to_import() -> None:
    heavy = "{'matplotlib', 'pandas', 'numba', 'scipy'}"
    code = f"import sys, optbench.stats, optbench.plots; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_function_of_the_sample_is_applied_to_every_cell_whatever_its_size() -> None:
    keys = pd.Series(list("baabbcb"))
    cells = stats.Cells([keys])
    assert cells.size.to_dict() == {"b": 4, "a": 2, "c": 1}
    values = pd.Series([1.0, 10, 20, 2, 3, 7, INF])
    np.testing.assert_equal(cells.apply(lambda v: np.stack([v.min(axis=0), v.max(axis=0)]), values, 2)[1], [INF, 20, 7])
    np.testing.assert_equal(cells.apply(lambda v: v[:1], values, 1), [[1, 10, 7]])  # the rows keep their order
    np.testing.assert_equal(cells.total(values), [INF, 30, 7])
