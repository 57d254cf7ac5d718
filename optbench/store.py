"""Results on disk: one SQLite file, one writer, any number of readers.

A row is durable when `Store.add` returns: a killed process loses nothing that was committed, and the next command goes
on from there. (After a power cut the last commits may be missing; the file stays consistent.)
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from optbench import frames, storefile, tables
from optbench.outcome import Result, Run
from optbench.storefile import StoreError, now, sentences
from optbench.tables import Entry, Trial, json_text, plain_text, quartiles, run_of
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Entry", "Results", "Store", "StoreError", "load", "run_of"]

_INSERT_TIME = "INSERT INTO times VALUES (?, ?, ?)"


class Store:
    """An open results file.

    Parameters
    ----------
    path : path-like
        The file; mode ``"w"`` creates it where there is none and goes on with the one that is there.
    mode : {"w", "r"}
        To record, alone, or to read, beside a writer too.

    Raises
    ------
    StoreError
        Another process is writing the file; it is not a store, or one of a newer schema; its folder does not exist or
        cannot be written. Later, from any method: the disk is full or failed, the store is open for reading only.
    """

    def __init__(self, path: str | os.PathLike[str], mode: Literal["w", "r"] = "w") -> None:
        self.path = Path(path)
        self._lock = None
        if mode == "r":
            self._con = storefile.open_reader(self.path)
            return
        if mode != "w":
            raise ValueError(f"mode is 'w' or 'r', not {mode!r}")
        if not self.path.resolve().parent.is_dir():
            raise StoreError(f"{self.path}: the folder {self.path.parent} does not exist")
        storefile.inspect(self.path)
        self._lock = storefile.lock(self.path)
        try:
            self._con = storefile.open_writer(self.path)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, then let other writers in. Closing twice does nothing."""
        try:
            self._con.close()
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with sentences(self.path):
            self._con.execute("BEGIN IMMEDIATE")
            try:
                yield self._con
                self._con.execute("COMMIT")
            finally:
                if self._con.in_transaction:
                    self._con.execute("ROLLBACK")

    def begin(self, command: str, environment: Mapping[str, Any]) -> int:
        """Record that a command started; the id of this invocation."""
        sql = "INSERT INTO invocations (started, command, environment) VALUES (?, ?, ?)"
        with self._transaction() as con:
            return int(con.execute(sql, (now(), plain_text(command), json_text(environment))).lastrowid or 0)

    def finish(self, invocation: int, summary: Mapping[str, Any]) -> None:
        """Record that an invocation ended, and what came of it."""
        with self._transaction() as con:
            row = (now(), json_text(summary), invocation)
            con.execute("UPDATE invocations SET finished = ?, summary = ? WHERE id = ?", row)

    def add(
        self,
        run: Run,
        result: Result,
        code: str,
        invocation: int,
        *,
        n: int,
        f_opt: float | None = None,
        label: str | None = None,
    ) -> None:
        """Record one run: `add_many` with one `Entry`."""
        self.add_many([Entry(run, result, code, n, f_opt, label)], invocation)

    def add_many(self, entries: Iterable[Entry], invocation: int) -> None:
        """Record runs in one transaction: all are durable when this returns, or none is recorded.

        A run that is recorded already is replaced, with its hits, trace and times.

        Raises
        ------
        ValueError
            The columns of a trace differ in length.
        """
        batch = {entry.run.key: entry for entry in entries}
        finished_at = now()
        with self._transaction() as con:
            con.execute("DELETE FROM runs WHERE key IN (SELECT value FROM json_each(?))", (json.dumps([*batch]),))
            first = con.execute("SELECT ifnull(max(id), 0) + 1 FROM runs").fetchone()[0]
            for row, (key, entry) in enumerate(batch.items(), first):
                con.execute(tables.INSERT_RUN, (row, key, *tables.run_row(entry, invocation, finished_at)))
                result = entry.result
                con.executemany("INSERT INTO hits VALUES (?, ?, ?)", tables.hit_rows(row, result.hits))
                con.executemany(_INSERT_TIME, [(row, k, float(s)) for k, s in enumerate(result.seconds)])
                if result.trace:
                    con.execute(
                        f"INSERT INTO traces VALUES (?{', ?' * (len(tables.TRACE_WORDS) + len(tables.WIDE))})",
                        (row, *tables.blobs(result.trace)),
                    )

    def add_times(self, key: str, seconds: Sequence[float]) -> None:
        """Record the wall times of a run's repeats, in seconds, in place of those it had.

        Raises
        ------
        KeyError
            No such run is recorded.
        """
        with self._transaction() as con:
            found = con.execute("SELECT id FROM runs WHERE key = ?", (key,)).fetchone()
            if found is None:
                raise KeyError(key)
            con.execute("DELETE FROM times WHERE run = ?", found)
            con.executemany(_INSERT_TIME, [(*found, k, float(s)) for k, s in enumerate(seconds)])
            sql = "UPDATE runs SET wall_q25 = ?, wall_median = ?, wall_q75 = ?, n_times = ? WHERE id = ?"
            con.execute(sql, (*quartiles(seconds), len(seconds), *found))

    def add_trials(self, settings: Mapping[str, Mapping[str, Any]], trials: Iterable[Trial]) -> None:
        """Record tuning studies (settings by id) and what their runs are.

        Studies and trials that are known stay. Winners take the place of those of the same study and budget.
        """
        known, rows = list(trials), [(study, json_text(each)) for study, each in settings.items()]
        chosen = {(trial.study, trial.budget) for trial in known if trial.role == "tuned"}
        with self._transaction() as con:
            con.executemany("INSERT OR IGNORE INTO studies VALUES (?, ?)", rows)
            con.executemany("DELETE FROM trials WHERE study = ? AND role = 'tuned' AND budget = ?", chosen)
            con.executemany("INSERT OR IGNORE INTO trials VALUES (?, ?, ?, ?, ?)", known)

    def finished(self, keys: Iterable[str]) -> dict[str, str]:
        """Which of these runs are recorded: key -> fingerprint of the kernels that produced the row."""
        sql = "SELECT key, code FROM runs WHERE key IN (SELECT value FROM json_each(?))"
        with sentences(self.path):
            return dict(self._con.execute(sql, (json.dumps([*keys]),)))

    def runs(self) -> pd.DataFrame:
        """One row a run, key in the index ``run``; see `optbench.frames.runs`."""
        with sentences(self.path):
            return frames.runs(self._con)

    def hits(self) -> pd.DataFrame:
        """One row a run and target; see `optbench.frames.hits`."""
        with sentences(self.path):
            return frames.hits(self._con)

    def traces(self) -> pd.DataFrame:
        """One row a recorded point; see `optbench.frames.traces`."""
        with sentences(self.path):
            return frames.traces(self._con)

    def times(self) -> pd.DataFrame:
        """One row a timed repeat; see `optbench.frames.times`."""
        with sentences(self.path):
            return frames.times(self._con)

    def trials(self) -> pd.DataFrame:
        """One row a run of a tuning study; see `optbench.frames.trials`."""
        with sentences(self.path):
            return frames.trials(self._con)

    def invocations(self) -> pd.DataFrame:
        """One row a command, its number in the index; see `optbench.frames.invocations`."""
        with sentences(self.path):
            return frames.invocations(self._con)

    def points(self, key: str, column: str = "x") -> Array | None:
        """Points, or ``multipliers``, of the trace of one run, shape (k, n), or None where none were recorded."""
        with sentences(self.path):
            return frames.points(self._con, key, column)


@dataclasses.dataclass(frozen=True)
class Results:
    """The tables of a results file, each read once, when it is first asked for; see `Store` for what they hold."""

    path: Path

    @functools.cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run, key in the index ``run``."""
        with Store(self.path, "r") as store:
            return store.runs()

    @functools.cached_property
    def hits(self) -> pd.DataFrame:
        """One row a run and target: ``run, target, iteration, seconds``."""
        with Store(self.path, "r") as store:
            return store.hits()

    @functools.cached_property
    def traces(self) -> pd.DataFrame:
        """One row a recorded point: ``run, iteration, f, grad_norm, lr, kkt``."""
        with Store(self.path, "r") as store:
            return store.traces()

    @functools.cached_property
    def times(self) -> pd.DataFrame:
        """One row a timed repeat: ``run, sample, seconds``."""
        with Store(self.path, "r") as store:
            return store.times()

    @functools.cached_property
    def trials(self) -> pd.DataFrame:
        """One row a run of a tuning study: ``study, role, budget, number, run, settings``."""
        with Store(self.path, "r") as store:
            return store.trials()

    @functools.cached_property
    def invocations(self) -> pd.DataFrame:
        """One row a command: ``started, finished, command, environment, summary``."""
        with Store(self.path, "r") as store:
            return store.invocations()

    @functools.cached_property
    def environments(self) -> dict[int, dict[str, Any]]:
        """The environment record of every invocation, by its number (column ``invocation`` of `runs`)."""
        column = self.invocations["environment"]
        return {number: json.loads(text) for number, text in zip(column.index.tolist(), column, strict=True)}

    def points(self, run: str, column: str = "x") -> Array | None:
        """Points, or ``multipliers``, of the trace of one run, shape (k, n), or None where none were recorded."""
        with Store(self.path, "r") as store:
            return store.points(run, column)


def load(path: str | os.PathLike[str]) -> Results:
    """Open a results file for reading, without a lock: while a writer works, too.

    Raises
    ------
    StoreError
        There is no such file, it is not a store, or one of a newer schema.
    """
    storefile.open_reader(Path(path)).close()
    return Results(Path(path))
