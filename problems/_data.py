"""Data sets of the finite-sum problems: built-in ones, synthetic ones and a user's CSV; and the kernels they share.

`load` turns the settings of a problem into a `DataSet`. Every fault in the data is a ValueError of one sentence.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench.problems._csv import Table, read_csv
from optbench.registry import unknown

Array = NDArray[np.float64]
SALES = Path(__file__).parent / "data" / "sales.csv"
BUILT_IN = ("breast_cancer", "diabetes", "sales", "synthetic")


class Synthetic(NamedTuple):
    """Settings of ``data = "synthetic"``, with their defaults; `synthetic_table` says what they mean."""

    n_samples: int = 200
    n_features: int = 10
    noise: float = 0.5
    cond: float = 10.0
    instance: int = 0


SYNTHETIC = Synthetic()


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
        Target in its own units; -1 and +1 for a binary target.
    feature_names : tuple of str, length d
    target_name : str
    center, scale : ndarray, shape (d,)
        The problem sees ``(X - center) / scale``: mean and standard deviation (divisor n_samples), or 0 and 1 where
        nothing is standardized.
    labels : tuple of str
        What -1 and +1 stand for; empty for a numeric target.
    """

    name: str
    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_name: str
    center: Array
    scale: Array
    labels: tuple[str, ...] = ()

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
    binary: bool = False,
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
        Shift and scale every feature to mean 0 and standard deviation 1. The target keeps its units.
    synthetic : Synthetic
        For ``data = "synthetic"``.
    binary : bool
        The target must hold two distinct values, numbers or text; in sorted order they become -1 and +1.

    Raises
    ------
    ValueError
        Missing or unreadable file, unknown column, missing or non-numeric values, no rows, a constant feature that is
        to be standardized, a target that does not hold two values where it must, a synthetic setting out of range or
        given with other data.
    """
    if isinstance(features, str) or not all(isinstance(name, str) for name in features or ()):
        raise ValueError(f"features takes a list of column names, not {features!r}")
    if data != "synthetic":
        for key, value, default in zip(Synthetic._fields, synthetic, SYNTHETIC, strict=True):
            if value != default:
                raise ValueError(f'{key} = {value!r} goes with data = "synthetic" only, not with data = {data!r}')
    chosen = None if features is None else tuple(features)
    return _load(data, _stamp(data), target, chosen, standardize, synthetic, binary)


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
    binary: bool,
) -> DataSet:
    table = _table(data, stamp[0], synthetic, binary)
    goal = target or table.target
    if not goal:
        raise ValueError(f"{table.name}: say which column is the target, one of {', '.join(table.columns)}")
    if goal not in table.columns:
        raise unknown(f"target column of {table.name}:", goal, table.columns)
    names = table.feature_names(goal, features)
    x = np.column_stack([table.numbers(name) for name in names])
    y, labels = table.classes(goal) if binary else (table.numbers(goal), ())
    center, scale = np.zeros(len(names)), np.ones(len(names))
    if standardize:
        for name, column in zip(names, x.T, strict=True):
            if column.min() == column.max():
                raise ValueError(
                    f"{table.name}: feature {name!r} is {column[0]:g} in every row and cannot be standardized; "
                    "leave it out or set standardize = false"
                )
        center, scale = x.mean(axis=0), x.std(axis=0)
    return DataSet(data, _frozen(x), _frozen(y), names, goal, _frozen(center), _frozen(scale), labels)


def _frozen(values: Array) -> Array:
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


# ------------------------------------------------------------------------------------------------------ sources


def _table(data: str, path: str, synthetic: Synthetic, binary: bool) -> Table:
    if data == "synthetic":
        return synthetic_table(synthetic, binary)
    if data == "sales":
        return read_csv("data 'sales'", SALES, "sales")
    if data not in BUILT_IN:
        return read_csv(f"data {data!r}", Path(path))
    from sklearn import datasets

    if data == "diabetes":
        bunch, goal = datasets.load_diabetes(scaled=False), "progression"
    else:
        bunch, goal = datasets.load_breast_cancer(), "benign"
    columns = {str(name): column for name, column in zip(bunch.feature_names, bunch.data.T, strict=True)}
    return Table(f"data {data!r}", {**columns, goal: bunch.target.astype(np.float64)}, goal)


def synthetic_table(settings: Synthetic, binary: bool = False) -> Table:
    """Random regression data whose condition number, noise and minimum are exact.

    The features x1 ... xd have mean 0, standard deviation 1 and, as a matrix X, the condition number `cond` with
    singular values in geometric progression (the Hessian of the mean square has its square; one feature alone has
    condition number 1). The target is y = X w + b + e with standard normal w and b; e is orthogonal to the features
    and to the constant and has the root mean square `noise`, so (w, b) is the least-squares solution and noise^2 its
    mean square. A binary target says whether y lies above its median. `instance` is the seed.

    Raises
    ------
    ValueError
        n_features < 1, n_samples < n_features + 2, noise < 0, cond < 1 or instance < 0.
    """
    m, d, noise, cond, instance = settings
    for key, value, least in (
        ("n_features", d, 1),
        ("n_samples", m, d + 2),
        ("noise", noise, 0),
        ("cond", cond, 1),
        ("instance", instance, 0),
    ):
        if not least <= value < np.inf:
            raise ValueError(f"data 'synthetic': {key} must be at least {least}, not {value}")
    rng = np.random.default_rng(instance)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(m), rng.standard_normal((m, d + 1))]))
    basis *= np.sqrt(m)
    x = basis[:, 1 : d + 1] @ _unit_columns(rng, np.geomspace(1.0, 1.0 / cond, d))
    y = x @ rng.standard_normal(d) + rng.standard_normal() + noise * basis[:, d + 1]
    goal = (y > np.median(y)).astype(np.float64) if binary else y
    return Table("data 'synthetic'", {**{f"x{j + 1}": x[:, j] for j in range(d)}, "y": goal}, "y")


def _unit_columns(rng: np.random.Generator, singular: Array) -> Array:
    """Random square matrix with columns of length 1 and singular values in the proportions of `singular`.

    Davies & Higham (2000), BIT 40, 640-651: plane rotations from the right give one column after another length 1.
    """
    d = singular.size
    rotation, _ = np.linalg.qr(rng.standard_normal((d, d)))
    b = (singular * np.sqrt(d / np.sum(singular**2)))[:, None] * rotation
    for _ in range(d - 1):
        excess = np.sum(b * b, axis=0) - 1.0
        i, j = int(np.argmin(excess)), int(np.argmax(excess))
        if excess[j] <= 0.0 or excess[i] >= 0.0:
            break
        inner = b[:, i] @ b[:, j]
        t = (inner + np.copysign(np.sqrt(inner**2 - excess[i] * excess[j]), inner)) / excess[j]
        c = 1.0 / np.hypot(1.0, t)
        b[:, i], b[:, j] = c * (b[:, i] - t * b[:, j]), c * (t * b[:, i] + b[:, j])
    return np.asarray(b / np.sqrt(np.sum(b * b, axis=0)))
