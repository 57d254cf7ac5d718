"""Tables as a results file gives them, made by hand; a process that heeds Ctrl-C."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import pytest

from optbench import tables

INF, NAN = math.inf, math.nan
Tables = tuple[pd.DataFrame, pd.DataFrame]
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
    **{
        "wall_q25": 1e-3,
        "wall_median": 1e-3,
        "wall_q75": 1e-3,
        "n_times": 1,
        "time_limit": INF,
        "val_loss": NAN,
        "val_accuracy": NAN,
    },
}


def _frames(rows: list[dict[str, Any]], hits: list[Mapping[float, int | None]] | None = None) -> Tables:
    """Tables as a results file gives them, from what is not as in `BASE`, and the hits of every run."""
    full = [{**BASE, "label": row.get("optimizer", "gd"), **row} for row in rows]
    names = [f"r{k}" for k in range(len(full))]
    columns = {name: pd.Series([row[name] for row in full], names, kind) for name, kind in tables.RUN_COLUMNS.items()}
    runs = pd.DataFrame(columns).rename_axis("run")
    each = [(run, t, met) for run, met_at in zip(names, hits or [], strict=False) for t, met in met_at.items()]
    found = pd.DataFrame(each, columns=["run", "target", "iteration"])
    found["iteration"] = found["iteration"].astype("Int64")
    for name, whole in (("seconds", "wall_median"), ("epochs", "epochs")):
        pace = (runs[whole] / runs["nit"].clip(lower=1)).reindex(found["run"]).to_numpy(dtype="float64")
        found[name] = found["iteration"].astype("Float64").astype("float64") * pace
    return runs, found.astype({"run": "str", "target": "float64"})


def _competitors(costs: Mapping[str, list[int | None]], **changes: Any) -> Tables:
    """For every optimizer the iterations to 1e-6 on problems a, b, ... of one seed each."""
    cells = [(name, "abc"[k], cost) for name, each in costs.items() for k, cost in enumerate(each)]
    rows = [{"optimizer": name, "problem": problem, "nit": cost or 100, **changes} for name, problem, cost in cells]
    return _frames(rows, [{1e-6: cost} for _, _, cost in cells])


@pytest.fixture(scope="session")
def frames() -> Callable[..., Tables]:
    """Runs and hits from rows and from the iterations at which each met its targets."""
    return _frames


@pytest.fixture(scope="session")
def competitors() -> Callable[..., Tables]:
    """Runs and hits from each optimizer's iterations to 1e-6 on problems a, b, c."""
    return _competitors


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt: a process that a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
