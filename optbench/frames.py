"""Tables of a results file as DataFrames; NULL comes back as NaN, ``run`` is the run's key."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench.tables import RUN_COLUMNS, TRACE_WORDS, Trial
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 5_000  # rows in flight as Python objects


def runs(con: sqlite3.Connection) -> pd.DataFrame:
    """One row a run in the order of recording, key in the index ``run``; columns `RUN_COLUMNS`."""
    columns = ", ".join(RUN_COLUMNS)
    frame = _read(con, f"SELECT key, {columns} FROM runs ORDER BY id", {"run": "str", **RUN_COLUMNS})
    return frame.set_index("run")


def hits(con: sqlite3.Connection) -> pd.DataFrame:
    """One row a run and target: ``run, target, iteration, epochs, seconds``.

    ``iteration`` is missing where the target was not met. ``seconds`` is the run's median wall time in proportion to
    the iteration, NaN where the target was not met or the run was not timed.
    """
    sql = (
        "SELECT key, target, iteration, epochs * iteration / max(nit, 1), wall_median * iteration / max(nit, 1) "
        "FROM hits JOIN runs ON id = run ORDER BY run, target DESC"
    )
    kinds = {"run": "str", "target": "float64", "iteration": "Int64", "epochs": "float64", "seconds": "float64"}
    return _read(con, sql, kinds)


def times(con: sqlite3.Connection) -> pd.DataFrame:
    """One row a timed repeat: ``run, sample, seconds``."""
    sql = "SELECT key, sample, seconds FROM times JOIN runs ON id = run ORDER BY run, sample"
    return _read(con, sql, {"run": "str", "sample": "int64", "seconds": "float64"})


def invocations(con: sqlite3.Connection) -> pd.DataFrame:
    """One row a command, number in the index ``id``: ``started, finished, command, environment, summary``.

    Times are UTC in ISO form; ``environment`` and ``summary`` are JSON text; what was never finished is missing.
    """
    names = ("started", "finished", "command", "environment", "summary")
    sql = f"SELECT id, {', '.join(names)} FROM invocations ORDER BY id"
    return _read(con, sql, {"id": "int64", **dict.fromkeys(names, "str")}).set_index("id")


def trials(con: sqlite3.Connection) -> pd.DataFrame:
    """One row a run and what it is in a tuning study: ``study, role, budget, number, run, settings``.

    ``role`` is ``trial``, a run on a tuning seed, or on a test seed ``default`` or ``tuned``, the winner of a
    ``budget``. ``number`` is the trial whose hyperparameters the run has, 0 for the defaults. ``settings``, JSON text,
    says how the study was made.
    """
    sql = f"SELECT {', '.join(Trial._fields)}, settings FROM trials JOIN studies ON id = study"
    kinds = {**dict.fromkeys(Trial._fields, "str"), "budget": "int64", "number": "int64", "settings": "str"}
    return _read(con, f"{sql} ORDER BY study, role, budget, number, run", kinds)


def traces(con: sqlite3.Connection) -> pd.DataFrame:
    """One row a recorded point: ``run, iteration, f, grad_norm, lr, kkt, val_loss, val_accuracy``.

    NaN is what a problem does not have: constraints, held-out samples, classes.
    """
    import pandas as pd

    names = list(TRACE_WORDS)
    columns = ", ".join(f"traces.{name}" for name in names)
    rows = con.execute(f"SELECT key, {columns} FROM traces JOIN runs ON id = run ORDER BY run").fetchall()
    keys, *blobs = zip(*rows, strict=True) if rows else [()] * (1 + len(names))
    counts = np.array([len(blob) // 8 for blob in blobs[0]], dtype=np.int64)
    absent = [np.full(count, np.nan).tobytes() for count in counts]
    frame = pd.DataFrame({"run": pd.array(list(keys), dtype="str").take(np.repeat(np.arange(len(keys)), counts))})
    for name, column in zip(names, blobs, strict=True):
        words = TRACE_WORDS[name]
        filled = b"".join(blob or nothing for blob, nothing in zip(column, absent, strict=True))
        frame[name] = np.frombuffer(filled, dtype=words).astype(words[1:])
    return frame


def points(con: sqlite3.Connection, key: str, column: str = "x") -> Array | None:
    """Points (or multipliers) of the trace of one run, shape (k, n), or None where none were recorded."""
    sql = f"SELECT traces.{column}, length(iteration) / 8 FROM traces JOIN runs ON id = run WHERE key = ?"
    blob, count = con.execute(sql, (key,)).fetchone() or (None, 0)
    return None if blob is None or not count else np.frombuffer(blob, dtype="<f8").reshape(count, -1)


def _read(con: sqlite3.Connection, sql: str, kinds: dict[str, str]) -> pd.DataFrame:
    """Rows of a query as a DataFrame of the named columns and dtypes."""
    import pandas as pd

    cursor = con.execute(sql)
    parts: dict[str, list[pd.Series[Any]]] = {name: [pd.Series([], dtype=kind)] for name, kind in kinds.items()}
    while rows := cursor.fetchmany(CHUNK):
        for (name, kind), values in zip(kinds.items(), zip(*rows, strict=True), strict=True):
            # Through an array: pandas takes 2 to 10 times longer over a tuple.
            column = np.array(values, dtype=kind if kind in ("int64", "float64") else object)
            parts[name].append(pd.Series(column, dtype=kind))
    return pd.DataFrame({name: pd.concat(columns, ignore_index=True) for name, columns in parts.items()})
