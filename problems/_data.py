"""Data sets of the finite-sum problems: built-in ones, synthetic ones and a user's CSV, whole or with a part held out.

`load` turns the settings of a problem into a `DataSet`. Every fault in the data is a ValueError of one sentence.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench.problems._csv import Table
from optbench.problems._sources import BUILT_IN, CLASSES, SYNTHETIC, Synthetic, table
from optbench.registry import unknown

Array = NDArray[np.float64]
Kind = Literal["numbers", "signs", "classes", "auto", "none"]


class Split(NamedTuple):
    """Which samples are held out: the share of them, and the seed they are drawn with."""

    validation: float = 0.0
    split_seed: int = 0


WHOLE = Split()


@dataclass(frozen=True, eq=False)
class DataSet:
    """A data set as its problem, plots and reports see it. All arrays are read-only.

    Attributes
    ----------
    name : str
        Built-in name or path, as given.
    X : ndarray, shape (n_samples, d)
        Features in their own units.
    y : ndarray, shape (n_samples,)
        Target in its own units; -1 and +1 for a binary target; 0, 1, ... for classes; 0 where there is none.
    feature_names : tuple of str, length d
    target_name : str
    center, scale : ndarray, shape (d,)
        The problem sees ``(X - center) / scale``: mean and standard deviation (divisor n_samples), or 0 and 1 where
        nothing is standardized. The scale of a feature that is constant here is 1.
    labels : tuple of str
        What -1 and +1, or 0, 1, ..., stand for; empty for a numeric target.
    held_out : DataSet, optional
        The samples held out, with the center and scale of the others.
    """

    name: str
    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_name: str
    center: Array
    scale: Array
    labels: tuple[str, ...] = ()
    held_out: DataSet | None = None

    @functools.cached_property
    def columns(self) -> Array:
        """What the kernels read: ``((X - center) / scale).T``, shape (d, n_samples), one contiguous row a feature."""
        return _frozen(((self.X - self.center) / self.scale).T)


def load(
    data: str,
    target: str = "",
    features: Sequence[str] | None = None,
    *,
    standardize: bool = True,
    synthetic: Synthetic = SYNTHETIC,
    kind: Kind = "numbers",
    split: Split = WHOLE,
) -> DataSet:
    """Load a data set; the same settings give the same object as long as the file does not change.

    Parameters
    ----------
    data : str
        A name of `BUILT_IN`, else the path of a CSV file: UTF-8, the first line names the columns; separated by
        commas, semicolons or tabs; decimal points.
    target : str
        Column to predict. Built-in data sets have a default.
    features : sequence of str, optional
        Columns to predict from. Default: all others that hold numbers; a column in which nothing is a number (text,
        dates) and one without a name (a written index) are left out, one with numbers and text mixed is an error.
    standardize : bool
        Shift and scale every feature to mean 0 and standard deviation 1, those of the samples that are not held out.
        The target keeps its units. A feature that is the same in every sample is an error, except the 3 pixels of the
        digits that are always white: they become 0. So does one that is constant only where nothing is held out.
    synthetic : Synthetic
        For ``data = "synthetic"``.
    kind : str
        What the target is: "numbers"; "signs", two distinct values, numbers or text, which in sorted order become -1
        and +1; "classes", 2 to 100 distinct values, which become 0, 1, ...; "auto", classes for the default target of
        a data set of `CLASSES` and for text, else numbers; "none", nothing: all columns besides it are features.
    split : Split
        The share of the samples to hold out, of every class alike, drawn without replacement.

    Raises
    ------
    ValueError
        Missing or unreadable file, unknown column, missing or non-numeric values, no rows, a constant feature that is
        to be standardized, a target that does not hold what it must, a split that leaves one side empty, a synthetic
        setting out of range or given with other data.
    """
    if isinstance(features, str) or not all(isinstance(name, str) for name in features or ()):
        raise ValueError(f"features takes a list of column names, not {features!r}")
    if data != "synthetic":
        for key, value, default in zip(Synthetic._fields, synthetic, SYNTHETIC, strict=True):
            if value != default:
                raise ValueError(f'{key} = {value!r} goes with data = "synthetic" only, not with data = {data!r}')
    if not 0.0 <= split.validation < 1.0:
        raise ValueError(f"validation takes a share of the samples of at least 0 and below 1, not {split.validation}")
    if split.split_seed < 0:
        raise ValueError(f"split_seed must be at least 0, not {split.split_seed}")
    chosen = None if features is None else tuple(features)
    return _load(data, _stamp(data), target, chosen, standardize, synthetic, kind, split)


def _stamp(data: str) -> tuple[str, int, int]:
    """Where a user's file is and which state it is in."""
    if data in BUILT_IN:
        return data, 0, 0
    path = Path(data)
    if path.is_file():
        return str(path.resolve()), path.stat().st_mtime_ns, path.stat().st_size
    if path.suffix or len(path.parts) > 1:
        raise ValueError(f"data {data!r}: there is no such file")
    raise unknown("data set (or CSV file)", data, BUILT_IN)


@functools.lru_cache(maxsize=16)
def _load(
    data: str,
    stamp: tuple[str, int, int],
    target: str,
    features: tuple[str, ...] | None,
    standardize: bool,
    synthetic: Synthetic,
    kind: Kind,
    split: Split,
) -> DataSet:
    source = table(data, stamp[0], synthetic, kind in ("signs", "classes"))
    goal = target or source.target
    if not goal and kind != "none":
        raise ValueError(f"{source.name}: say which column is the target, one of {', '.join(source.columns)}")
    if goal and goal not in source.columns:
        raise unknown(f"target column of {source.name}:", goal, source.columns)
    names = source.feature_names(goal, features)
    x = np.column_stack([source.numbers(name) for name in names])
    if standardize and data != "digits":
        _refuse_constant(source.name, names, x)
    if kind == "auto":
        kind = "classes" if source.is_text(goal) or (data in CLASSES and goal == source.target) else "numbers"
    y, labels = _target(source, goal, kind, x.shape[0])
    kept, held = _parts(y if labels else np.zeros(y.size), split, source.name)
    center, scale = np.zeros(len(names)), np.ones(len(names))
    if standardize:
        center, scale = x[kept].mean(axis=0), x[kept].std(axis=0)
        scale = np.where(np.ptp(x[kept], axis=0) > 0.0, scale, 1.0)
    shared = names, goal, _frozen(center), _frozen(scale), labels
    rest = DataSet(data, _frozen(x[held]), _frozen(y[held]), *shared) if held.size else None
    return DataSet(data, _frozen(x[kept]), _frozen(y[kept]), *shared, rest)


def _refuse_constant(where: str, names: Sequence[str], x: Array) -> None:
    for name, column in zip(names, x.T, strict=True):
        if column.min() == column.max():
            raise ValueError(
                f"{where}: feature {name!r} is {column[0]:g} in every row and cannot be standardized; "
                "leave it out or set standardize = false"
            )


def _target(source: Table, goal: str, kind: Kind, m: int) -> tuple[Array, tuple[str, ...]]:
    if kind == "none":
        return np.zeros(m), ()
    if kind == "numbers":
        return source.numbers(goal), ()
    codes, labels = source.classes(goal, 2 if kind == "signs" else 100)
    return (2.0 * codes - 1.0 if kind == "signs" else codes), labels


def _parts(classes: Array, split: Split, where: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the samples to keep and to hold out: of every class the same share, as nearly as whole numbers can."""
    held = np.zeros(classes.size, dtype=bool)
    rng = np.random.default_rng(split.split_seed)
    for value in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == value))
        held[members[: round(split.validation * members.size)]] = True
    if held.all() or (split.validation > 0.0 and not held.any()):
        raise ValueError(f"{where}: validation = {split.validation} leaves no sample on one side")
    return np.flatnonzero(~held), np.flatnonzero(held)


def _frozen(values: Array) -> Array:
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array
