"""Data sets of NIST's Statistical Reference Datasets, nonlinear regression: reading their files, making problems."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import Observations
from optbench.types import Array, Problem

FOLDER = Path(__file__).parent / "data"
SOURCE = "NIST Statistical Reference Datasets, nonlinear regression"
TAGS = ("least-squares", "nonconvex", "smooth", "data")
Kernels = tuple[Callable[..., None], Callable[..., None]]


class DataSet(NamedTuple):
    """One file: both starts, shape (2, n), certified parameters, (n,), residual sum of squares, columns, (1 + p, m)."""

    starts: Array
    certified: Array
    rss: float
    columns: Array  # the response, then the predictors


@functools.cache
def read(name: str) -> DataSet:
    """The data set in ``data/<name>.dat``."""
    text = (FOLDER / f"{name}.dat").read_text(encoding="ascii")
    lines = text.splitlines()
    rows = [line.partition("=")[2].split() for line in lines[:60] if re.match(r"\s*b\d+\s*=", line)]
    parameters = np.array(rows, dtype=np.float64)
    first, last = map(int, re.findall(r"^\s+Data\s+\(lines\s+(\d+) to\s+(\d+)\)", text, re.MULTILINE)[0])
    rss = float(re.findall(r"Residual Sum of Squares:\s+(\S+)", text)[0])
    columns = np.array([line.split() for line in lines[first - 1 : last]], dtype=np.float64).T
    return DataSet(parameters[:, :2].T, parameters[:, 2], rss, columns)


@functools.cache
def minima() -> dict[str, dict[str, Any]]:
    """Refined minimizer and minimum of every data set."""
    made: dict[str, dict[str, Any]] = json.loads((FOLDER / "minima.json").read_text(encoding="ascii"))["minima"]
    return made


def strd(name: str, start: int, kernels: Kernels, data: Any = None) -> Problem:
    """The problem of a data set.

    Parameters
    ----------
    name : str
        Stem of its file.
    start : int
        1 or 2. ValueError for another.
    kernels : tuple
        Residuals and curvature.
    data : NamedTuple, optional
        What the kernels read, where that is not `Observations` of the first two columns.
    """
    if start not in (1, 2):
        raise ValueError(f"problem 'nist_{name.lower()}': start must be 1 or 2, not {start}")
    found = read(name)
    best = minima()[name]
    points = np.vstack((found.starts, best["x_opt"]))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.1 * (high - low)
    low, high = beyond(low, low - margin), beyond(high, high + margin)
    return Problem(
        None,
        found.starts[start - 1],
        residuals=kernels[0],
        curvature=kernels[1],
        m=found.columns.shape[1],
        data=Observations(found.columns[1], found.columns[0]) if data is None else data,
        x_opt=best["x_opt"],
        f_opt=best["f_opt"],
        bounds=np.column_stack((low, high)),
    )


def beyond(end: Array, further: Array) -> Array:
    """The further end, but half way to 0 where it has another sign: models have poles there."""
    return np.where(end * further > 0.0, further, 0.5 * end)
