r"""Noisy quadratic: a finite sum whose minimum is exact and whose gradients' noise is chosen.

f(x) = (1/m) sum_{i=1}^m f_i(x),  f_i(x) = 1/2 (x - b_i)' A (x - b_i) - 1/2 e_i' A e_i,  b_i = x* + e_i,  sum_i e_i = 0,

so f(x) = 1/2 (x - x*)' A (x - x*), f(x*) = 0, while every sample has a minimizer b_i of its own. A is diagonal with the
eigenvalues j^-q, j = 1, ..., n, from 1 to 1 / `cond`. The gradients of the samples at x*, -A e_i, have exactly the
covariance noise^2 A^power: 1, the default, is that of networks near a minimum, in the source. x* is drawn evenly from
[-4, 4]^n; start: 0. x* and the e_i depend on `n`, `n_samples` and `instance`, not on the other settings but for scale.

Source: Zhang, Li, Nado, Martens, Sachdeva, Dahl, Shallue & Grosse (2019), Which Algorithmic Choices Matter at Which
Batch Sizes? Insights From a Noisy Quadratic Model, NeurIPS 32, Section 3; their spectrum is 1/j, cond = n.
"""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import numpy as np

from optbench.records import Matrix, Vector
from optbench.registry import problem
from optbench.types import Problem


class Data(NamedTuple):
    """Eigenvalues, shape (n,); minimizer, (n,); the samples' deviations e_i from it, (n, m)."""

    eigenvalues: Vector
    center: Vector
    e: Matrix


def fun_grad(x, g, data):
    """Value; gradient into `g`. Of the samples only the mean of the deviations counts."""
    f = 0.0
    for j in range(x.size):
        row = data.e[j]
        total = 0.0
        for i in range(row.size):
            total += row[i]
        mean, d = total / row.size, x[j] - data.center[j]
        g[j] = data.eigenvalues[j] * (d - mean)
        f += data.eigenvalues[j] * d * (0.5 * d - mean)
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for j in range(x.size):
        h[j, j] = data.eigenvalues[j]


@problem(source="Zhang et al. 2019", tags=("convex", "unimodal", "smooth", "scalable", "separable", "finite-sum"))
def noisy_quadratic(
    n: int = 20,
    cond: float = 100.0,
    noise: float = 1.0,
    power: float = 1.0,
    n_samples: int = 512,
    instance: int = 0,
) -> Problem:
    """Quadratic with condition number `cond` whose samples' gradients have the covariance noise^2 A^power."""
    for key, value, least in (("cond", cond, 1), ("noise", noise, 0), ("n_samples", n_samples, n + 2)):
        if not least <= value < math.inf:
            raise ValueError(f"problem 'noisy_quadratic': {key} must be at least {least} and finite, not {value}")
    if not math.isfinite(power):
        raise ValueError(f"problem 'noisy_quadratic': power must be finite, not {power}")
    name = f"noisy_quadratic n={n} n_samples={n_samples} instance={instance}"
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big"))
    center = rng.uniform(-4.0, 4.0, n)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n_samples), rng.standard_normal((n_samples, n))]))
    eigenvalues = np.arange(1.0, n + 1.0) ** (-math.log(cond) / math.log(n) if n > 1 else 0.0)
    scale = noise * math.sqrt(n_samples) * eigenvalues ** (0.5 * power - 1.0)
    return Problem(
        fun_grad,
        np.zeros(n),
        hess=hess,
        data=Data(eigenvalues, center, scale[:, None] * basis[:, 1:].T),
        x_opt=center,
        f_opt=0.0,
        bounds=(-5.0, 5.0),
        samples=("e",),
        tags=("ill-conditioned",) if cond >= 1e4 else (),
    )
