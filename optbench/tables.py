"""The tables of a results file: their SQL, and how a run becomes rows; `frames` has the way back.

SQLite has no NaN: it keeps NaN as NULL, and NULL comes back as NaN in a float column; infinities are kept. Traces are
blobs of little-endian 64-bit words, so NaN and Inf are kept there bit by bit. The numeric ``run`` of the tables below
``runs`` is ``runs.id``; in the DataFrames ``run`` is the run's key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench.outcome import Result, Run
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 3  # PRAGMA user_version; raise it with every change of the tables
APPLICATION_ID = 0x6F707462  # "optb", PRAGMA application_id

# One row a run. Text columns that hold JSON: settings, params, schedule_params (objects), targets, multipliers (lists).
RUN_COLUMNS: dict[str, str] = {
    "problem": "str",
    "n": "int64",
    "settings": "str",
    "optimizer": "str",
    "label": "str",
    "params": "str",
    "lr": "float64",
    "schedule": "str",
    "schedule_params": "str",
    "warmup": "int64",
    "warmup_start": "float64",
    "clip": "str",
    "clip_at": "float64",
    "batch_size": "int64",
    "batch_order": "str",
    "drop_last": "bool",
    "decay_bias": "bool",
    "seed": "int64",
    "max_iter": "int64",
    "time_limit": "float64",
    "targets": "str",
    "code": "str",
    "invocation": "int64",
    "status": "str",
    "message": "str",
    "fun": "float64",
    "f0": "float64",
    "f_opt": "float64",
    "frozen": "bool",
    "grad_norm": "float64",
    "nit": "int64",
    "nfev": "int64",
    "njev": "int64",
    "nhev": "int64",
    "nfact": "int64",
    "kkt": "float64",
    "n_samples": "int64",
    "samples": "int64",
    "epochs": "float64",
    "val_loss": "float64",
    "val_accuracy": "float64",
    "multipliers": "str",
    "compile_seconds": "float64",
    "wall_q25": "float64",
    "wall_median": "float64",
    "wall_q75": "float64",
    "n_times": "int64",
    "finished_at": "str",
    "backend": "str",
    "device": "str",
    "dtype": "str",
    "transfer_seconds": "float64",
}
# Of a file with schema 2: what its runs are in the columns that it lacks.
SINCE_2 = {"backend": "'cpu'", "device": "'cpu'", "dtype": "'float64'", "transfer_seconds": "NULL"}
_SQL_TYPES = {"bool": "INTEGER NOT NULL", "str": "TEXT NOT NULL", "int64": "INTEGER NOT NULL", "float64": "REAL"}
_DECLARED = ", ".join(f"{name} {_SQL_TYPES[kind]}" for name, kind in RUN_COLUMNS.items())

UPGRADE = (
    *(
        f"ALTER TABLE runs ADD COLUMN {name} {_SQL_TYPES[RUN_COLUMNS[name]]} DEFAULT {value}"
        for name, value in SINCE_2.items()
    ),
    f"PRAGMA user_version = {SCHEMA}",
)
AS_IF = f"CREATE TEMP VIEW runs AS SELECT *, {', '.join(f'{v} AS {k}' for k, v in SINCE_2.items())} FROM main.runs"

# Child rows go with their run. Integer ids keep them small and appended in order: keys are random, and inserting at
# random places of a large tree is slow.
_CHILD = "run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE"
CREATE = (
    "CREATE TABLE invocations (id INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT, command TEXT NOT NULL, "
    "environment TEXT NOT NULL, summary TEXT)",
    f"CREATE TABLE runs (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, {_DECLARED}, "
    "FOREIGN KEY (invocation) REFERENCES invocations(id))",
    f"CREATE TABLE hits ({_CHILD}, target REAL NOT NULL, iteration INTEGER, PRIMARY KEY (run, target DESC)) "
    "WITHOUT ROWID",
    "CREATE TABLE traces (run INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE, iteration BLOB NOT NULL, "
    "f BLOB NOT NULL, grad_norm BLOB NOT NULL, lr BLOB NOT NULL, kkt BLOB, val_loss BLOB, val_accuracy BLOB, x BLOB, "
    "multipliers BLOB)",
    f"CREATE TABLE times ({_CHILD}, sample INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (run, sample)) "
    "WITHOUT ROWID",
    "CREATE TABLE studies (id TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID",
    # By the run's key, not its id: a run that is done again gets another id.
    "CREATE TABLE trials (study TEXT NOT NULL REFERENCES studies(id) ON DELETE CASCADE, role TEXT NOT NULL, "
    "budget INTEGER NOT NULL, number INTEGER NOT NULL, run TEXT NOT NULL, "
    "PRIMARY KEY (study, role, budget, number, run)) WITHOUT ROWID",
    "CREATE TABLE writer (pid INTEGER NOT NULL, since TEXT NOT NULL)",
)
TRACE_WORDS = {"iteration": "<i8", **dict.fromkeys(("f", "grad_norm", "lr", "kkt", "val_loss", "val_accuracy"), "<f8")}
WIDE = ("x", "multipliers")  # columns of a trace that hold a row of numbers for every row

INSERT_RUN = f"INSERT INTO runs (id, key, {', '.join(RUN_COLUMNS)}) VALUES (?, ?{', ?' * len(RUN_COLUMNS)})"

_MEASURED = (
    "fun",
    "f0",
    "nit",
    "nfev",
    "njev",
    "nhev",
    "nfact",
    "kkt",
    "samples",
    "epochs",
    "val_loss",
    "val_accuracy",
    "status",
    "compile_seconds",
    "transfer_seconds",
)


class Trial(NamedTuple):
    """What a run is in a tuning study; see `trials`."""

    study: str
    role: str
    budget: int
    number: int
    run: str


class Entry(NamedTuple):
    """One run to record: what it is, what it gave, the fingerprint of the kernels that gave it, and its size.

    `f_opt` is the problem's minimum where it is known, or the loss that is `frozen` in its place; `label` names the
    optimizer in tables and figures, by default with its registered name.
    """

    run: Run
    result: Result
    code: str
    n: int
    f_opt: float | None = None
    label: str | None = None
    n_samples: int = 0
    frozen: bool = False


def run_row(entry: Entry, invocation: int, finished_at: str) -> list[Any]:
    """Values of the row of a run, in the order of `RUN_COLUMNS`."""
    run, result = entry.run, entry.result
    low, middle, high = quartiles(result.seconds)
    values: dict[str, Any] = {
        **{name: getattr(run, name) for name in RUN_COLUMNS.keys() & run.__dataclass_fields__.keys()},
        **{name: getattr(result, name) for name in _MEASURED},
        **{name: json_text(dict(getattr(run, name))) for name in _PAIRS},
        "targets": json_text(run.targets),
        "multipliers": json_text([] if result.multipliers is None else result.multipliers.tolist()),
        "n": entry.n,
        "n_samples": entry.n_samples,
        "frozen": entry.frozen,
        "label": run.optimizer if entry.label is None else entry.label,
        "code": entry.code,
        "invocation": invocation,
        "message": result.message,
        "f_opt": entry.f_opt,
        "grad_norm": _norm(result.jac),
        "wall_q25": low,
        "wall_median": middle,
        "wall_q75": high,
        "n_times": len(result.seconds),
        "finished_at": finished_at,
    }
    return [_TO_SQL[kind](values[name]) for name, kind in RUN_COLUMNS.items()]


def run_of(row: Mapping[str, Any] | pd.Series[Any]) -> Run:
    """Rebuild the Run that a row of `runs` records: the same key."""
    values: dict[str, Any] = {name: row[name] for name in Run.__dataclass_fields__}
    for name in values:
        values[name] = _FROM_SQL[RUN_COLUMNS[name]](values[name])
    for name in _PAIRS:
        values[name] = tuple((key, _tuples(value)) for key, value in json.loads(values[name]).items())
    return Run(**{**values, "targets": tuple(json.loads(values["targets"]))})


def hit_rows(row: int, hits: Mapping[float, int | None]) -> list[tuple[int, float, int | None]]:
    """Rows of the targets of the run with id `row`."""
    return [(row, float(target), None if met is None else int(met)) for target, met in hits.items()]


def blobs(trace: Mapping[str, Array]) -> list[bytes | None]:
    """Values of the row of a trace. Raises ValueError when its columns differ in length."""
    if len({len(column) for column in trace.values()}) > 1:
        raise ValueError(f"columns of a trace differ in length: { {name: len(v) for name, v in trace.items()} }")
    words = TRACE_WORDS | dict.fromkeys(WIDE, "<f8")
    return [np.asarray(trace[name], dtype=kind).tobytes() if name in trace else None for name, kind in words.items()]


def quartiles(seconds: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Lower quartile, median and upper quartile, interpolated linearly; None where there is no sample."""
    if len(seconds) < 2:
        only = float(seconds[0]) if seconds else None
        return only, only, only
    import statistics

    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return low, middle, high


def plain_text(value: object) -> str:
    """Text that SQLite takes: what no encoding can hold (parts of undecodable file names) is replaced."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def json_text(value: Any) -> str:
    """JSON, readable where that is possible and escaped where the text has no encoding; other objects as text."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if text.isascii() or plain_text(text) == text else json.dumps(value, default=str)


_FROM_SQL: dict[str, Callable[[Any], Any]] = {"str": str, "bool": bool, "int64": int, "float64": float}
_PAIRS = ("settings", "params", "schedule_params")
_TO_SQL: dict[str, Callable[[Any], Any]] = {
    "str": plain_text,
    "int64": int,
    "bool": int,
    "float64": lambda value: None if value is None else float(value),
}


def _norm(jac: Array) -> float:
    """Euclidean norm that neither overflows nor underflows; NaN where there is no gradient."""
    largest = float(np.max(np.abs(jac))) if np.size(jac) else np.nan
    return largest * float(np.linalg.norm(jac / largest)) if 0 < largest < np.inf else largest


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
