"""Opening a results file: what is a store and what is not, who may write it, and what an error reads like.

One process writes, any number read. The writer holds an advisory lock, ``<file>.lock``, that the system drops when the
process ends, however it ends (the lock file itself stays); readers take no lock. The file is in WAL mode.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from optbench import tables

if TYPE_CHECKING:
    from filelock import BaseFileLock


class StoreError(Exception):
    """A results file that cannot be opened, read or written, said in one sentence."""


OLDEST = 2  # schema that can still be read, and is brought up to date by the first to write


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn what the system and SQLite raise about `path` into a StoreError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(f"{path} cannot be read or written: {reason}") from error


def now() -> str:
    """Say the time: UTC, ISO form, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def inspect(path: Path) -> bool:
    """Whether `path` holds a store; False where there is nothing yet, or an empty file. Touches nothing.

    Raises
    ------
    StoreError
        Something else is there, or a store of another schema.
    """
    with sentences(path):
        if not path.exists():
            return False
        if not path.is_file():
            raise StoreError(f"{path} is not a file")
        if not path.stat().st_size:
            return False
    try:
        # Not by reading the bytes: closing a file drops all locks that this process, perhaps the writer, has on it.
        with closing(_connect(path, "mode=ro&immutable=1")) as con:
            ours = con.execute("PRAGMA application_id").fetchone()[0] == tables.APPLICATION_ID
            version = _version(con)
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    except sqlite3.DatabaseError:
        ours = False
    if not ours:
        raise StoreError(f"{path} is not an optbench results file; it was left as it is")
    if version > tables.SCHEMA:
        raise StoreError(
            f"{path} has results schema {version}, this optbench knows schema {tables.SCHEMA}: "
            "upgrade optbench or choose another file with -o"
        )
    if version < OLDEST:
        raise StoreError(
            f"{path} has results schema {version} of an older optbench, this one knows schema {tables.SCHEMA}: "
            "choose another file with -o"
        )
    return True


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?{options}", uri=True, timeout=30.0, isolation_level=None)


def open_reader(path: Path) -> sqlite3.Connection:
    """Connect to read only. Raises StoreError: no file, not a store, a newer schema, unreadable."""
    if not inspect(path):
        raise StoreError(f"{path} {'is empty' if path.exists() else 'does not exist'}: there are no results to read")
    with sentences(path):
        try:
            # Not read-only: such a connection leaves the log's files behind, and cannot take in a killed writer's.
            return _as_if_new(_prepared(path, "mode=rw"))
        except sqlite3.OperationalError:
            # A log needs a folder that can be written; where there is no log, the file can be read without.
            if path.with_name(path.name + "-wal").exists():
                raise
            return _as_if_new(_prepared(path, "mode=ro&immutable=1"))


def _version(con: sqlite3.Connection) -> int:
    return int(con.execute("PRAGMA user_version").fetchone()[0])


def _as_if_new(con: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, to read only; of an older file as if it had the columns of today."""
    if _version(con) == OLDEST:
        con.execute(tables.AS_IF)
    con.execute("PRAGMA query_only = ON")
    return con


def open_writer(path: Path) -> sqlite3.Connection:
    """Connect to write, to a new or an existing store; the caller holds `lock`. Raises StoreError."""
    if not inspect(path):
        with sentences(path):
            _create(path.resolve())
    with sentences(path):
        settings = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON")
        con = _prepared(path, "mode=rw", *settings)
        try:
            if _version(con) == OLDEST:
                con.executescript(f"BEGIN IMMEDIATE; {'; '.join(tables.UPGRADE)}; COMMIT")
            con.execute("UPDATE writer SET pid = ?, since = ?", (os.getpid(), now()))
        except BaseException:
            con.close()
            raise
        return con


def _prepared(path: Path, options: str, *statements: str) -> sqlite3.Connection:
    """Connect, run some statements and make sure that the file can be read."""
    con = _connect(path, options)
    try:
        for statement in (*statements, "SELECT count(*) FROM writer"):
            con.execute(statement).fetchone()
    except BaseException:
        con.close()
        raise
    return con


def _create(target: Path) -> None:
    """Put an empty store in its place in one step: whenever the process is killed, there is all of it or nothing."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as con:
        con.execute(f"PRAGMA application_id = {tables.APPLICATION_ID}")
        con.execute(f"PRAGMA user_version = {tables.SCHEMA}")
        for statement in tables.CREATE:
            con.execute(statement)
        con.execute("INSERT INTO writer VALUES (?, ?)", (os.getpid(), now()))
        content = bytearray(con.serialize())
    content[18:20] = b"\2\2"  # the file format's mark of WAL mode: no step that switches to it can be cut short
    half = target.with_name(f".{target.name}.new")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(target)


def lock(path: Path) -> BaseFileLock:
    """Acquire the writer's lock on `path`. Raises StoreError, at once, when another writer holds it."""
    from filelock import FileLock, Timeout

    target = path.resolve()  # one lock, by whatever link the file is reached
    held = FileLock(target.with_name(target.name + ".lock"), thread_local=False)
    with sentences(path):
        try:
            held.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"{path} is being written by another optbench{_holder(path)}; "
                "wait for it or choose another file with -o"
            ) from None
    return held


def _holder(path: Path) -> str:
    with suppress(StoreError, sqlite3.Error, TypeError), closing(open_reader(path)) as con:
        return " (pid {}, since {})".format(*con.execute("SELECT pid, since FROM writer").fetchone())
    return ""  # it is just creating the file
