"""The layout of an explanation: lines of at most `WIDTH` characters, formulas aligned at their signs, tables."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from optbench.explanations._board import Line
from optbench.explanations._terms import DIGITS, number_text
from optbench.types import Array

WIDTH = 98
INDENT = "  "
FEW = 6  # coordinates that are all shown
HEAD, TAIL = 3, 2  # of more


def shown_of(n: int, few: int = FEW) -> list[int]:
    """Which of n coordinates are shown: all of a few, else the first and the last."""
    return list(range(n)) if n <= few else [*range(HEAD), *range(n - TAIL, n)]


def title(text: str) -> list[str]:
    """A heading."""
    return ["", text, "-" * len(text)]


def paragraph(text: str, indent: str = "") -> list[str]:
    """A text in lines."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def formula(name: str, *steps: str, sign: str = "=", note: str = "", indent: str = INDENT) -> list[str]:
    """``name = step = step``: in one line where it fits, else one a step with the signs of equality in a column."""
    steps = tuple(step for step in dict.fromkeys(steps) if step)
    head, tail = f"{indent}{name} {sign} ", f"   [{note}]" if note else ""
    whole = head + " = ".join(steps) + tail
    if len(whole) <= WIDTH:
        return [whole]
    pad = " " * (len(head) - 2)
    lines = _wrapped(head, steps[0])
    for step in steps[1:]:
        lines += _wrapped(f"{pad}= ", step)
    if len(lines[-1] + tail) <= WIDTH:
        return [*lines[:-1], lines[-1] + tail]
    return [*lines, pad + tail]


def _wrapped(head: str, text: str) -> list[str]:
    rest = " " * (len(head) + 2)
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=rest, break_on_hyphens=False)


def board_text(lines: Sequence[Line], indent: str = INDENT) -> list[str]:
    """Lines of the board, the signs below each other."""
    width = min(max((len(line.name) for line in lines), default=0), 14)
    arrows = any(line.arrow for line in lines)
    made = []
    for line in lines:
        sign = "<-" if line.arrow else " =" if arrows else "="
        note = f"since {_reasons(line.because)}" if line.because else ""
        made += formula(line.name.ljust(width), *line.steps, sign=sign, note=note, indent=indent)
    return made


def _reasons(because: Sequence[str]) -> str:
    """Conditions as a reader writes them: neither above nor below is equal, and what another implies is left out."""
    parts = list(dict.fromkeys(because))
    for text in because:
        if ">=" in text and text.replace(">=", "<=") in parts:
            parts[parts.index(text)] = text.replace(">=", "=")
            parts.remove(text.replace(">=", "<="))
        for weak, strict in ((">=", ">"), ("<=", "<")):
            if weak in text and text in parts and text.replace(weak, strict) in parts:
                parts.remove(text)
    return ", ".join(parts).replace("==", "=").replace("!=", "is not")


def vector_text(values: ArrayLike) -> str:
    """``(1, 2)``; the middle of a long one is left out."""
    array = np.asarray(values, dtype=np.float64)
    kept = shown_of(array.size)
    texts = [number_text(array[i]) for i in kept]
    if len(kept) < array.size:
        texts.insert(HEAD, "...")
    return f"({', '.join(texts)})"


def sum_text(terms: Sequence[str]) -> str:
    """Terms with plus signs between; a negative one has its own sign."""
    return " + ".join(terms).replace("+ -", "- ")


def column_text(values: ArrayLike) -> list[str]:
    """Numbers of a column with one number of decimals: `DIGITS` digits of the largest."""
    array = np.asarray(values, dtype=np.float64)
    top = float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
    if not 1e-3 <= top < 1e9:
        return [number_text(value) for value in array]
    decimals = min(max(DIGITS - 1 - math.floor(math.log10(top)), 0), DIGITS - 1)
    while decimals and np.allclose(np.round(array, decimals - 1), array, rtol=0.0, atol=1e-12 * top):
        decimals -= 1
    return [f"{value:.{decimals}f}" for value in array]


def point_text(names: Sequence[str], x: Array) -> str:
    """``w = 1, b = 2``; of many parameters the first and the last."""
    kept = shown_of(x.size)
    parts = [f"{names[i]} = {number_text(x[i])}" for i in kept]
    if len(kept) < x.size:
        parts.insert(HEAD, "...")
    return ", ".join(parts)


def table(names: Sequence[str], columns: Sequence[Array], totals: Sequence[bool], numbers: Sequence[int]) -> list[str]:
    """Rows of a table by their numbers from 1, ``...`` where some are left out, and a row of sums where asked for."""
    made = [
        column_text(np.append(column, column.sum()) if total else column)
        for column, total in zip(columns, totals, strict=True)
    ]
    cells = [["i", *names]]
    for k, i in enumerate(numbers):
        if k and i != numbers[k - 1] + 1:
            cells.append(["..."] + [""] * len(names))
        cells.append([str(i + 1), *(texts[i] for texts in made)])
    cells.append(["sum", *(texts[-1] if total else "" for texts, total in zip(made, totals, strict=True))])
    widths = [max(len(row[j]) for row in cells) for j in range(len(names) + 1)]
    rows = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in cells]
    rule = "  ".join("-" * width for width in widths)
    return [INDENT + row.rstrip() for row in (rows[0], rule, *rows[1:-1], rule, rows[-1])]
