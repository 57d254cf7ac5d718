"""Cells: runs that differ by their seed alone, and the short names that tell cells apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from optbench.labels import labels_of
from optbench.outcome import Run
from optbench.tables import run_of
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd

FACTORS = ("problem", "optimizer", "schedule", "clip", "batch")
BATCH = ("batch_size", "batch_order", "drop_last")
_BUDGET = ("max_iter", "time_limit", "targets")
_CELL = (
    "problem",
    "settings",
    "schedule",
    "schedule_params",
    "warmup",
    "warmup_start",
    "clip",
    "clip_at",
    *BATCH,
    "label",
)


def need(frame: pd.DataFrame, purpose: str) -> None:
    """Raise ValueError, ``no runs to <purpose>``, for an empty table."""
    if frame.empty:
        raise ValueError(f"no runs to {purpose}")


def one_of(name: str, value: object, allowed: Any) -> None:
    """Raise ValueError, ``<name> is one of ...``, for a value that is not among those of a Literal, or other names."""
    names = get_args(allowed) or tuple(allowed)
    if value not in names:
        raise ValueError(f"{name} is one of {', '.join(names)}, not {value!r}")


def labels(runs: pd.DataFrame) -> pd.DataFrame:
    """Short names of the factors of every run: ``problem, optimizer, schedule, clip``, index as in `runs`.

    Equal labels mean runs that differ by their seed alone, but for a learning rate that is set per problem. The
    problem's label tells its size, and the budget where one cell was run with several. The optimizer's is the one
    that was recorded, unless several matrices in one file gave the same label to different settings.
    """
    import pandas as pd

    # The label of a run does not depend on its seed: most rows of a matrix need no Run of their own.
    columns = [name for name in Run.__dataclass_fields__ if name != "seed"]
    kinds = runs.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(kinds, return_index=True)[1]
    made = [replace(run_of(row), seed=0) for _, row in runs.iloc[first].iterrows()]
    known = labels_of(made)
    table = pd.DataFrame([known[made[kind]] for kind in kinds], columns=list(FACTORS), index=runs.index, dtype="str")
    settings = runs["optimizer"] + runs["params"] + runs["lr"].astype("str")
    if not (settings.groupby([runs[name] for name in _CELL]).nunique() > 1).any():
        table["optimizer"] = runs["label"]
    sized = table["problem"].str.contains(" n=", regex=False)
    table["problem"] = table["problem"].where(sized, table["problem"] + " n=" + runs["n"].astype("str"))
    return _with_budget(table, runs)


def _with_budget(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    plain = table.copy()
    for name in _BUDGET:
        cells = runs[name].groupby([plain[factor] for factor in FACTORS]).nunique()
        several = cells[cells > 1].index.get_level_values("problem")
        longer = table["problem"] + f" {name}=" + runs[name].astype("str")
        table["problem"] = table["problem"].where(~plain["problem"].isin(several), longer)
    return table


def factors_of(table: pd.DataFrame) -> list[str]:
    """Columns of `labels` that name a cell: problem, optimizer, schedule, and clip and batch where they vary."""
    return [*FACTORS[:3], *(name for name in FACTORS[3:] if table[name].nunique() > 1)]


class Cells:
    """The groups of rows with equal keys, in order of appearance.

    Attributes
    ----------
    size : Series of int
        Rows of every cell, the keys in the index.
    cell : ndarray of int, shape (rows,)
        The number of every row's cell.
    """

    def __init__(self, keys: Sequence[pd.Series[Any]]) -> None:
        groups = keys[0].groupby(list(keys), sort=False)
        self.size: pd.Series[int] = groups.size()
        self.cell = groups.ngroup().to_numpy()

    def series(self, values: Array) -> pd.Series[float]:
        """One value a cell, shape (cells,), with the keys."""
        import pandas as pd

        return pd.Series(values, index=self.size.index)

    def total(self, values: pd.Series[Any]) -> Array:
        """Sum over every cell, shape (cells,); NaN and infinities count."""
        return np.bincount(self.cell, values.to_numpy(dtype=np.float64), len(self.size)).astype(np.float64)

    def apply(self, function: Callable[[Array], Array], values: pd.Series[Any], count: int) -> Array:
        """Apply ``function: (size, cells) -> (count, cells)``, along the first axis, to all cells of one size at once.

        Returns shape (count, cells).
        """
        ordered = values.to_numpy(dtype=np.float64)[np.argsort(self.cell, kind="stable")]
        sizes = self.size.to_numpy()
        starts = np.cumsum(sizes) - sizes
        made = np.empty((count, len(sizes)))
        for size in np.unique(sizes):
            alike = sizes == size
            made[:, alike] = function(ordered[starts[alike] + np.arange(size)[:, None]])
        return made


def text(frame: pd.DataFrame) -> pd.DataFrame:
    """Text of a table of this module: three digits, ``-`` for what was never reached, ``?`` for what is not known."""
    return frame.map(_text)


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if not np.isfinite(value):
        return "?" if np.isnan(value) else "-"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"
