r"""Linear regression: the mean square of the residuals.

J(w, b) = (1/m) sum_{i=1}^m (w . u_i + b - y_i)^2,  no factor 1/2;  x = (w_1, ..., w_d, b),  n = d + 1,

u_i the i-th sample of d features (standardized unless asked otherwise), y_i its target in its own units. Convex; the
Hessian (2/m) U^T U, U = [features, 1], is constant. The minimum is a least-squares solution by singular values with
one step of iterative refinement. Where features are linearly dependent the minimizer is not unique; `x_opt` then is
the one whose w, in units of the features' standard deviations, is shortest, and `f_opt` is exact all the same.

Source: Legendre (1805); Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, Section 3.2.
Diabetes data: Efron, Hastie, Johnstone & Tibshirani (2004), Ann. Statist. 32, 407-499. Start: 0.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from optbench.problems._data import WHOLE, Array, DataSet, Split, load
from optbench.problems._linear import box, correlate, gram, predict, weights_and_bias
from optbench.problems._sources import SYNTHETIC, Synthetic
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import problem
from optbench.types import Problem


class Data(NamedTuple):
    """Features, shape (d, m), one row a feature; target, shape (m,); room for m residuals, which the kernels write."""

    X: Matrix
    y: Vector
    r: Scratch


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    predict(x, data)
    y, r = data.y, data.r
    total = 0.0
    for i in range(y.size):
        r[i] -= y[i]
        total += r[i] * r[i]
    correlate(g, data, 2.0 / y.size)
    return total / y.size


def measure(x, out, data):
    """Mean square into ``out[0]``; there are no classes, so NaN into ``out[1]``."""
    predict(x, data)
    total = 0.0
    for i in range(data.y.size):
        d = data.r[i] - data.y[i]
        total += d * d
    out[0], out[1] = total / data.y.size, math.nan


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(data.y.size):
        data.r[i] = 1.0
    gram(h, data, 2.0 / data.y.size)


@functools.lru_cache(maxsize=16)
def least_squares(data: DataSet, alpha: float) -> tuple[Array, float]:
    """Minimizer (w, b), shape (d + 1,), and minimum of ``mean (X w + b - y)^2 + alpha ||w||^2``.

    The bias is eliminated by centring; the penalty is d more rows; every column is scaled to length 1.
    """
    rows, m = data.columns.T, data.y.size
    center, level = rows.mean(axis=0), data.y.mean()
    a, rhs = rows - center, data.y - level
    if alpha > 0.0:
        a = np.vstack([a, math.sqrt(m * alpha) * np.eye(a.shape[1])])
        rhs = np.append(rhs, np.zeros(a.shape[1]))
    length = np.sqrt(np.sum(a * a, axis=0))
    length[length == 0.0] = 1.0
    a = a / length
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    kept = s > np.finfo(np.float64).eps * max(a.shape) * s[0]

    def solve(values: Array) -> Array:
        return np.asarray(vt[kept].T @ ((u[:, kept].T @ values) / s[kept]))

    v = solve(rhs)
    v += solve(rhs - a @ v)
    w = v / length
    return np.append(w, level - center @ w), math.fsum((a @ v - rhs) ** 2) / m


@problem(
    source="Legendre 1805; Hastie, Tibshirani & Friedman 2009, Section 3.2",
    tags=("convex", "finite-sum", "least-squares", "data"),
)
def linear_regression(
    data: str = "diabetes",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    n_samples: int = SYNTHETIC.n_samples,
    n_features: int = SYNTHETIC.n_features,
    noise: float = SYNTHETIC.noise,
    cond: float = SYNTHETIC.cond,
    instance: int = SYNTHETIC.instance,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Mean square error J(w, b) = mean (X w + b - y)^2, no factor 1/2; x = (w, b).

    `data` is "diabetes", "sales", "breast_cancer", "synthetic" or the path of a CSV file with the column `target`;
    `features` are the columns to predict from (default: all other numeric ones). With `standardize` the features have
    mean 0 and standard deviation 1; the target keeps its units. Synthetic data have `n_samples`, `n_features`, `noise`
    (root mean square of the residual at the minimum), `cond` (condition number of X) and `instance` (seed). Where
    features are linearly dependent, x_opt is the solution with the shortest w in standardized units. The share
    `validation` of the samples, drawn with the seed `split_seed`, is held out.
    """
    settings = Synthetic(n_samples, n_features, noise, cond, instance)
    split = Split(validation, split_seed)
    loaded = load(data, target, features, standardize=standardize, synthetic=settings, split=split)
    held = loaded.held_out
    x_opt, f_opt = least_squares(loaded, 0.0)
    return Problem(
        fun_grad,
        np.zeros(x_opt.size),
        hess=hess,
        data=Data(loaded.columns, loaded.y, np.zeros(loaded.y.size)),
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=box(loaded, x_opt, float(loaded.y.std())),
        samples=("X", "y", "r"),
        groups=weights_and_bias(x_opt.size - 1),
        validation=held and Data(held.columns, held.y, np.zeros(held.y.size)),
        measure=measure,
    )
