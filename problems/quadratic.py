r"""Convex quadratic of chosen size, condition number and spectrum.

f(x) = 1/2 (x - x*)' A (x - x*),  f(x*) = 0. The eigenvalues of A run from 1 to `cond`: equally spaced ("uniform") or
in equal ratios ("geometric"); a single eigenvalue (n = 1) is 1. A is diagonal, eigenvalues ascending, or `rotated`:
Q diag Q' with a Q drawn evenly from all orthogonal matrices. x* is drawn evenly from [-4, 4]^n.

x* and Q depend on `n` and `instance` alone, so that a sweep over condition numbers or spectra changes nothing else.
Start: 0. A value and gradient cost O(n) when diagonal and O(n^2) when rotated.

Source: Nesterov (2018), Lectures on Convex Optimization, chapter 2, for the role of the condition number; Mezzadri
(2007), Notices AMS 54, 592-604, for the random rotation.
"""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import numpy as np

from optbench.parallel import span
from optbench.records import Matrix, Vector
from optbench.registry import problem
from optbench.types import Array, Phase, Problem


class Diagonal(NamedTuple):
    """Eigenvalues, shape (n,), and the minimizer, shape (n,)."""

    eigenvalues: Vector
    center: Vector


class Dense(NamedTuple):
    """The matrix A, shape (n, n), and the minimizer, shape (n,)."""

    matrix: Matrix
    center: Vector


def diagonal_fun_grad(x, g, data):
    """Value; gradient into `g`."""
    return diagonal_piece(x, g, 0, x.size, data)


def diagonal_piece(x, g, first, last, data):
    """Value and gradient of some coordinates."""
    f = 0.0
    for i in span(first, last):
        d = x[i] - data.center[i]
        g[i] = data.eigenvalues[i] * d
        f += 0.5 * d * g[i]
    return f


def diagonal_hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        h[i, i] = data.eigenvalues[i]


def dense_fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        row = data.matrix[i]
        total = 0.0
        for j in range(x.size):
            total += row[j] * (x[j] - data.center[j])
        g[i] = total
        f += 0.5 * (x[i] - data.center[i]) * total
    return f


def dense_hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        for j in range(x.size):
            h[i, j] = data.matrix[i, j]


def rotation(rng: np.random.Generator, n: int) -> Array:
    """Random orthogonal matrix, shape (n, n): the Q of a Gaussian matrix, its signs fixed by R's diagonal."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return np.asarray(q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0), dtype=np.float64)


@problem(source="Nesterov 2018; Mezzadri 2007", tags=("convex", "unimodal", "smooth", "scalable"))
def quadratic(
    n: int = 10, cond: float = 100.0, spectrum: str = "uniform", rotated: bool = False, instance: int = 0
) -> Problem:
    """Convex quadratic in n dimensions with condition number `cond`; see the module for the settings."""
    if not (math.isfinite(cond) and cond >= 1.0):
        raise ValueError(f"problem 'quadratic': cond must be a finite number of at least 1, not {cond}")
    if spectrum not in ("uniform", "geometric"):
        raise ValueError(f"problem 'quadratic': spectrum must be 'uniform' or 'geometric', not {spectrum!r}")
    seed = hashlib.sha256(f"quadratic n={n} instance={instance}".encode()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    center = rng.uniform(-4.0, 4.0, n)
    eigenvalues = (np.linspace if spectrum == "uniform" else np.geomspace)(1.0, cond, n)
    data: Diagonal | Dense = Diagonal(eigenvalues, center)
    if rotated:
        q = rotation(rng, n)
        matrix = (q * eigenvalues) @ q.T
        data = Dense(0.5 * (matrix + matrix.T), center)
    return Problem(
        dense_fun_grad if rotated else diagonal_fun_grad,
        np.zeros(n),
        hess=dense_hess if rotated else diagonal_hess,
        data=data,
        x_opt=center,
        f_opt=0.0,
        bounds=(-5.0, 5.0),
        phases=() if rotated else (Phase(diagonal_piece),),
        tags=(() if rotated else ("separable",)) + (("ill-conditioned",) if cond >= 1e4 else ()),
    )
