"""Choice of runs by conditions written as text."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_COMPARED = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FEW = 20  # numbers that an error lists


def filtered(runs: pd.DataFrame, where: tuple[str, ...]) -> pd.DataFrame:
    """Runs whose columns are as texts ask for: ``COLUMN=VALUE``, with alternatives at commas; ``!=, <, <=, >, >=``.

    Numbers are compared as numbers. Raises ValueError.
    """
    from optbench.registry import unknown

    whole = runs
    for text in where:
        found = re.fullmatch(r"\s*(\w+)\s*(!=|<=|>=|=|<|>)\s*(.*)", text)
        if not found:
            raise ValueError(f"--where takes COLUMN=VALUE (or !=, <, <=, >, >=), not {text!r}")
        column, sign, value = found.groups()
        if column not in runs.columns:
            raise unknown("column", column, runs.columns)
        runs = runs[_kept(runs[column], whole[column], sign, value)]
    if runs.empty and where and len(whole):
        raise ValueError(f"no run has {' and '.join(where)}")
    return runs


def _kept(values: pd.Series[Any], known: pd.Series[Any], sign: str, text: str) -> pd.Series[bool]:
    """Which values are as asked. Raises ValueError for a value that is not among the `known`, or has no order."""
    from optbench.registry import unknown

    numbers = values.dtype.kind in "if"
    if sign not in ("=", "!="):
        if not numbers:
            raise ValueError(f"{values.name} is text: it has no order for {sign}{text}")
        among: pd.Series[bool] = _COMPARED[sign](values, _number(values, text))
        return among
    texts = known.astype(str)
    parts: list[Any] = [text] if (texts == text).any() else text.split(",")
    if numbers:
        parts, texts = [_number(values, part) for part in parts], known
    for part in parts:
        if not (texts == part).any():
            raise unknown(f"value of {values.name}:", f"{part:g}" if numbers else part, _few(known))
    among = (values if numbers else values.astype(str)).isin(parts)
    return among if sign == "=" else ~among


def _few(values: pd.Series[Any]) -> list[str]:
    """Different values as text; of many numbers the lowest and the highest."""
    found = values.drop_duplicates().sort_values()
    few = found if found.dtype.kind not in "if" or len(found) <= _FEW else found.iloc[[0, -1]]
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in few.tolist()]


def _number(values: pd.Series[Any], text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{values.name} is a number, not {text!r}") from None
