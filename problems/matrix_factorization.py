r"""Matrix factorization: two narrow factors from some or all entries of a matrix.

f(U, V) = 1/(2m) sum_{(i,j) observed} (u_i . v_j - M_ij)^2 + (alpha/2) (||U||^2 + ||V||^2),  x = (U, V) row by row,

U of shape (p, r), V (q, r), rows u_i and v_j, n = (p + q) r, m observed entries, which are the samples. M is random: a
matrix of rank `rank` whose singular values run from one to 1 / `cond` of it in equal ratios, scaled to a mean square of
its entries of 1, plus `noise` times standard normal numbers. A random subset of all entries, the share `observed`, is
given; the others are the held-out samples.

Where all entries are given the minimum is known: with M = P diag(s) Q', the best product is the truncated and
soft-thresholded one, U = P_r diag(t)^(1/2), V = Q_r diag(t)^(1/2), t = max(s - alpha p q, 0) for the r largest s, since
the least of (||U||^2 + ||V||^2) / 2 over all factors of a matrix is the sum of its singular values. Turning both
factors by the same orthogonal matrix gives the other minimizers, and 0 is a saddle point. With missing entries the
minimum is not known; see `mlp` for the frozen losses. Start: normal numbers with the standard deviation r^(-1/4) / 2,
which gives the product's entries one of 1/4.

Source: Eckart & Young (1936), Psychometrika 1, 211-218; Srebro, Rennie & Jaakkola (2005), NIPS 17, 1329-1336; Koren,
Bell & Volinsky (2009), Computer 42, 30-37; Mazumder, Hastie & Tibshirani (2010), J. Mach. Learn. Res. 11, 2287-2322.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench.problems._frozen import frozen_losses
from optbench.records import Vector
from optbench.registry import problem
from optbench.types import Array, Group, Problem


class Data(NamedTuple):
    """Rows, columns and values of the entries, each of shape (m,); number of rows of the matrix; r; penalty."""

    row: Vector
    column: Vector
    value: Vector
    p: int
    r: int
    alpha: float


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    r, m = data.r, data.value.size
    f = squares = 0.0
    for k in range(x.size):
        squares += x[k] * x[k]
        g[k] = data.alpha * x[k]
    for s in range(m):
        i, j = int(data.row[s]) * r, (data.p + int(data.column[s])) * r
        error = -data.value[s]
        for k in range(r):
            error += x[i + k] * x[j + k]
        f += error * error
        error /= m
        for k in range(r):
            g[i + k] += error * x[j + k]
            g[j + k] += error * x[i + k]
    return 0.5 * (f / m + data.alpha * squares)


def measure(x, out, data):
    """Half the mean square of the errors into ``out[0]``, NaN into ``out[1]``."""
    r, total = data.r, 0.0
    for s in range(data.value.size):
        i, j = int(data.row[s]) * r, (data.p + int(data.column[s])) * r
        error = -data.value[s]
        for k in range(r):
            error += x[i + k] * x[j + k]
        total += error * error
    out[0], out[1] = 0.5 * total / data.value.size, math.nan


def hess(x, h, data):
    """Hessian into `h`."""
    r, m = data.r, data.value.size
    for k in range(x.size):
        h[k, k] = data.alpha
    for s in range(m):
        i, j = int(data.row[s]) * r, (data.p + int(data.column[s])) * r
        error = -data.value[s]
        for k in range(r):
            error += x[i + k] * x[j + k]
        for k in range(r):
            for e in range(r):
                h[i + k, i + e] += x[j + k] * x[j + e] / m
                h[j + k, j + e] += x[i + k] * x[i + e] / m
                mixed = (x[j + k] * x[i + e] + (error if k == e else 0.0)) / m
                h[i + k, j + e] += mixed
                h[j + e, i + k] += mixed


def matrix(rng: np.random.Generator, p: int, q: int, rank: int, cond: float, noise: float) -> Array:
    """The matrix M, shape (p, q); see the module."""
    left, _ = np.linalg.qr(rng.standard_normal((p, rank)))
    right, _ = np.linalg.qr(rng.standard_normal((q, rank)))
    singular = np.geomspace(1.0, 1.0 / cond, rank)
    low = (left * (singular * math.sqrt(p * q / np.sum(singular**2)))) @ right.T
    return np.asarray(low + noise * rng.standard_normal((p, q)))


def minimum(full: Array, r: int, alpha: float) -> tuple[Array, float]:
    """Minimizer, shape ((p + q) r,), and minimum where the whole matrix is given."""
    left, s, right = np.linalg.svd(full, full_matrices=False)
    t = np.maximum(s[:r] - alpha * full.size, 0.0)
    missed = math.fsum(s[r:] ** 2) + math.fsum((s[:r] - t) ** 2)
    root = np.sqrt(t)
    x = np.concatenate([(left[:, :r] * root).ravel(), (right[:r].T * root).ravel()])
    return x, 0.5 * missed / full.size + alpha * math.fsum(t)


def check(given: dict[str, Any]) -> None:
    """Raise ValueError for a setting out of range."""
    least, entries = min(given["rows"], given["columns"]), given["rows"] * given["columns"]
    ranges = {"rows": (1, math.inf), "columns": (1, math.inf), "r": (1, least), "rank": (1, least)}
    ranges |= {"cond": (1, math.inf), "noise": (0, math.inf), "alpha": (0, math.inf), "instance": (0, math.inf)}
    for key, (low, high) in ranges.items():
        if not low <= given[key] <= high or given[key] == math.inf:
            ends = f"at least {low}" + (f" and at most {high}" if high < math.inf else "")
            raise ValueError(f"problem 'matrix_factorization': {key} must be {ends}, not {given[key]}")
    share = given["observed"]
    if not (0.0 < share <= 1.0 and round(share * entries)):
        raise ValueError(f"problem 'matrix_factorization': observed must be above 0 and at most 1, not {share}")


@problem(source="Eckart & Young 1936; Srebro, Rennie & Jaakkola 2005", tags=("nonconvex", "finite-sum", "smooth"))
def matrix_factorization(
    rows: int = 20,
    columns: int = 15,
    r: int = 3,
    rank: int = 3,
    cond: float = 3.0,
    noise: float = 0.1,
    observed: float = 1.0,
    alpha: float = 1e-3,
    instance: int = 0,
) -> Problem:
    """Factors of `r` columns of a random `rows` x `columns` matrix of rank `rank` plus noise.

    Of its entries the share `observed` is given. `cond` is the ratio of the largest to the smallest singular value
    without noise, `alpha` the penalty, `instance` the seed.
    """
    settings = dict(locals())
    check(settings)
    kept = round(observed * rows * columns)
    rng = np.random.default_rng(instance)
    full = matrix(rng, rows, columns, rank, cond, noise)
    x0 = 0.5 * r**-0.25 * rng.standard_normal((rows + columns) * r)
    order = rng.permutation(full.size)

    def record(chosen: NDArray[np.intp]) -> Data:
        i, j = np.divmod(np.sort(chosen), columns)
        return Data(i.astype(float), j.astype(float), full[i, j], rows, r, float(alpha))

    whole = kept == full.size
    x_opt, f_opt = minimum(full, r, alpha) if whole else (None, None)
    reach = 2.0 * max(np.abs(x0).max(), 1.0 if x_opt is None else np.abs(x_opt).max())
    return Problem(
        fun_grad,
        x0,
        hess=hess,
        data=record(order[:kept]),
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=(-reach, reach),
        samples=("row", "column", "value"),
        groups=(Group("rows", rows * r), Group("columns", columns * r)),
        validation=None if whole else record(order[kept:]),
        measure=measure,
        frozen=None if whole else frozen_losses("matrix_factorization", settings),
    )
