"""Where data come from: built-in tables, random ones with exact properties, CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench.problems._csv import Table, read_csv

Array = NDArray[np.float64]
SALES = Path(__file__).parent / "data" / "sales.csv"
CLASSES = ("breast_cancer", "digits", "iris", "wine")  # whose default target is a class
BUILT_IN = (*CLASSES, "diabetes", "sales", "synthetic")


class Synthetic(NamedTuple):
    """Settings of ``data = "synthetic"``, with their defaults; `synthetic_table` says what they mean."""

    n_samples: int = 200
    n_features: int = 10
    noise: float = 0.5
    cond: float = 10.0
    instance: int = 0


SYNTHETIC = Synthetic()


def table(data: str, path: str, synthetic: Synthetic, binary: bool) -> Table:
    """Columns of a built-in data set or of the CSV file at `path`, read anew; `binary` concerns synthetic data only."""
    if data == "synthetic":
        return synthetic_table(synthetic, binary)
    if data == "sales":
        return read_csv("data 'sales'", SALES, "sales")
    if data not in BUILT_IN:
        return read_csv(f"data {data!r}", Path(path))
    from sklearn import datasets

    goal = {"diabetes": "progression", "breast_cancer": "benign", "digits": "digit"}.get(data, "class")
    bunch = getattr(datasets, f"load_{data}")(**({"scaled": False} if data == "diabetes" else {}))
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
