"""Columns of a table and the CSV files they come from, with every fault named by column and line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optbench.registry import unknown

Array = NDArray[np.float64]
MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})


@dataclass(frozen=True)
class Table:
    """Columns by name: arrays of numbers, or the text of a file's cells together with their line numbers.

    `name` opens every error message; `target` is the default target, "" for none.
    """

    name: str
    columns: dict[str, Array | list[str]]
    target: str = ""
    lines: tuple[int, ...] = ()

    def numbers(self, name: str) -> Array:
        """Return a column as numbers, shape (n_samples,). Raises ValueError naming the first cell that is none."""
        cells = self._present(name)
        if not isinstance(cells, list):
            return cells
        values = [_number(cell) for cell in cells]
        for cell, value, line in zip(cells, values, self.lines, strict=True):
            if not math.isfinite(value):
                raise ValueError(f"{self.name}: column {name!r} is not numeric: {cell!r} in line {line}")
        return np.array(values)

    def classes(self, name: str, most: int) -> tuple[Array, tuple[str, ...]]:
        """Return a column's values as 0, 1, ... in sorted order, and what they stand for as text.

        Raises ValueError when a cell is missing, or there are fewer than two distinct values or more than `most`.
        """
        cells = self._present(name)
        is_text = isinstance(cells, list) and any(math.isnan(_number(cell)) for cell in cells)
        found, codes = np.unique(np.array(cells) if is_text else self.numbers(name), return_inverse=True)
        labels = tuple(map(str, found)) if is_text else tuple(f"{value:g}" for value in found)
        if not 2 <= len(labels) <= most:
            shown = ", ".join(labels[:4]) + (", ..." if len(labels) > 4 else "")
            wanted = "two" if most == 2 else f"2 to {most}"
            raise ValueError(
                f"{self.name}: target {name!r} must hold {wanted} distinct values, but holds {len(labels)}: {shown}"
            )
        return codes.astype(np.float64), labels

    def feature_names(self, target: str, wanted: Iterable[str] | None) -> tuple[str, ...]:
        """Return the columns to predict `target` from: `wanted`, or all others that hold numbers.

        Raises ValueError when a wanted column is unknown, named twice or the target, or none is left.
        """
        if wanted is None:
            names = [name for name in self.columns if name not in ("", target) and not self.is_text(name)]
        else:
            names = list(wanted)
        for k, name in enumerate(names):
            if name not in self.columns:
                raise unknown(f"feature column of {self.name}:", name, self.columns)
            if name == target:
                raise ValueError(f"{self.name}: feature {name!r} is the target")
            if name in names[:k]:
                raise ValueError(f"{self.name}: feature {name!r} is named twice")
        if not names:
            raise ValueError(f"{self.name}: there is no numeric feature column besides the target {target!r}")
        return tuple(names)

    def is_text(self, name: str) -> bool:
        """Whether no cell of the column that is not missing is a number."""
        cells = self.columns[name]
        if not isinstance(cells, list):
            return False
        present = [cell for cell in cells if cell.lower() not in MISSING]
        return bool(present) and all(math.isnan(_number(cell)) for cell in present)

    def _present(self, name: str) -> Array | list[str]:
        cells = self.columns[name]
        if isinstance(cells, list):
            missing = [str(line) for cell, line in zip(cells, self.lines, strict=True) if cell.lower() in MISSING]
            if missing:
                more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
                where = ("line " if len(missing) == 1 else "lines ") + ", ".join(missing[:5]) + more
                raise ValueError(f"{self.name}: column {name!r} has missing values in {where}")
        return cells


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def read_csv(name: str, path: Path, target: str = "") -> Table:
    """Read a CSV file; `name` opens the error messages.

    Raises
    ------
    ValueError
        Not readable, not text, rows of different lengths, columns of the same name, or no rows.
    """
    header, rows, lines = _rows(name, path)
    for k, column in enumerate(header):
        if column in header[:k]:
            raise ValueError(f"{name}: two columns are named {column!r}")
    if not rows:
        raise ValueError(f"{name}: there are no rows below the header")
    columns: dict[str, Array | list[str]] = {column: [row[k] for row in rows] for k, column in enumerate(header)}
    return Table(name, columns, target, tuple(lines))


def _rows(name: str, path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    text = _text(name, path)
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for cells in reader:
            if cells:
                rows.append([cell.strip() for cell in cells])
                lines.append(reader.line_num)
                if len(cells) != len(rows[0]):
                    raise ValueError(
                        f"{name}: line {reader.line_num} has {len(cells)} cells, but the header has {len(rows[0])}"
                    )
    except csv.Error as error:
        raise ValueError(f"{name} is not a CSV file: {error} in line {reader.line_num}") from None
    if not rows:
        raise ValueError(f"{name}: the file is empty")
    return rows[0], rows[1:], lines[1:]


def _text(name: str, path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a CSV file: byte {error.start} is not UTF-8 text") from None
    if "\0" in text:
        raise ValueError(f"{name} is not a CSV file: it holds binary data")
    return text
