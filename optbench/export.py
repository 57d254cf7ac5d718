"""The tables of a results file as Parquet or CSV files, for other programs."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from optbench.store import Results, StoreError, load
from optbench.storefile import sentences

if TYPE_CHECKING:
    import pandas as pd

TABLES: dict[str, Callable[[Results], pd.DataFrame]] = {
    "runs": lambda results: results.runs.reset_index(),
    "hits": lambda results: results.hits,
    "traces": lambda results: results.traces,
    "times": lambda results: results.times,
    "trials": lambda results: results.trials,
}
FORMATS = ("parquet", "csv")


def export(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    format: str | None = None,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write the tables of a results file to files: all of them, or none.

    Parameters
    ----------
    path : path-like
        The results file.
    out : path-like
        A folder, made where there is none, for ``runs``, ``hits``, ``traces``, ``times`` and ``trials``; or one file,
        ending in ``.parquet`` or ``.csv``, for ``runs`` alone.
    format : {"parquet", "csv"}, optional
        By default what the end of `out` says, else Parquet.
    overwrite : bool
        Whether files that are there already are replaced.

    Returns
    -------
    list of Path
        The files written. Missing numbers are nulls in Parquet and empty fields in CSV; infinities are kept.

    Raises
    ------
    StoreError
        The results cannot be read, the format is unknown, a file is there already, or a file cannot be written.
    """
    targets = _targets(Path(out), format)
    taken = [str(target) for target in targets.values() if target.exists()]
    if taken and not overwrite:
        raise StoreError(f"{', '.join(taken)} exists already; choose another place or ask to overwrite")
    results = load(path)
    temporary: dict[Path, Path] = {}
    try:
        for name, target in targets.items():
            with sentences(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary[target] = target.with_name(f".{target.name}.{os.getpid()}.tmp")
                _write(TABLES[name](results), temporary[target], target.suffix)
        for target, written in temporary.items():
            with sentences(target):
                written.replace(target)
    finally:
        for written in temporary.values():
            with suppress(OSError):
                written.unlink(missing_ok=True)
    return list(targets.values())


def _targets(out: Path, format: str | None) -> dict[str, Path]:
    """Name the file of every table to be written."""
    suffix = out.suffix.lower().removeprefix(".")
    single = suffix in FORMATS and not out.is_dir()
    chosen = format or (suffix if single else FORMATS[0])
    if chosen not in FORMATS:
        raise StoreError(f"unknown export format {chosen!r}; known: {', '.join(FORMATS)}")
    if single and chosen != suffix:
        raise StoreError(f"{out} ends in .{suffix} but the format asked for is {chosen}")
    if not single and out.exists() and not out.is_dir():
        raise StoreError(f"{out} is not a folder, and does not end in .parquet or .csv")
    return {"runs": out} if single else {name: out / f"{name}.{chosen}" for name in TABLES}


def _write(frame: pd.DataFrame, path: Path, suffix: str) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.Table.from_pandas(frame, preserve_index=False)
    with path.open("wb") as file:
        if suffix.lower() == ".csv":
            pyarrow.csv.write_csv(table, file)
        else:
            pyarrow.parquet.write_table(table, file, compression="zstd")
