r"""Strictly convex quadratic program with a known solution.

f(x) = 1/2 x' Q x + q' x subject to A x - b = 0 in the first `m_eq` rows, A x - b <= 0 in the other `m_ineq`.

The solution comes first: Q = V diag V' with eigenvalues from 1 to `cond` in equal ratios and a random rotation V; x*
even in [-4, 4]^n; rows of A Gaussian, of length 1; multipliers of equalities Gaussian; half of the inequalities
(rounded up, and no more than n leaves room for) active with multipliers even in [0.5, 2], the others inactive by 0.5 to
2. Then q = -(Q x* + A' lambda*) and b = A x* + slack make it the only KKT point, its active rows independent (with
probability 1) and its complementarity strict. f* is the value at x* in double precision. Start: 0, as a rule
infeasible.

x*, lambda*, A and V depend on `n`, `m_eq`, `m_ineq` and `instance` alone: a sweep over condition numbers changes only Q
and q.

Source: Lenard & Minkoff (1984), ACM TOMS 10, 61-95, for programs built around their solution; Mezzadri (2007), Notices
AMS 54, 592-604, for the random rotation.
"""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import numpy as np

from optbench.problems.quadratic import rotation
from optbench.records import Matrix, Vector
from optbench.registry import problem
from optbench.types import Problem


class Program(NamedTuple):
    """Q, shape (n, n); q, shape (n,); A, shape (m, n); b, shape (m,)."""

    hessian: Matrix
    linear: Vector
    rows: Matrix
    right: Vector


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = 0.0
    for i in range(x.size):
        row = data.hessian[i]
        total = 0.0
        for j in range(x.size):
            total += row[j] * x[j]
        g[i] = total + data.linear[i]
        f += (0.5 * total + data.linear[i]) * x[i]
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size):
        for j in range(x.size):
            h[i, j] = data.hessian[i, j]


def constraints(x, c, jac, data):
    """Constraint functions into `c`, Jacobian into `jac`."""
    for k in range(c.size):
        row = data.rows[k]
        total = -data.right[k]
        for j in range(x.size):
            jac[k, j] = row[j]
            total += row[j] * x[j]
        c[k] = total


def curvature(x, w, h, data):
    """Curvature of linear constraints: none."""


def check(n: int, m_eq: int, m_ineq: int, cond: float) -> None:
    """Raise ValueError for settings that no program has."""
    if not (math.isfinite(cond) and cond >= 1.0):
        raise ValueError(f"problem 'constrained_qp': cond must be a finite number of at least 1, not {cond}")
    if not (0 <= m_eq <= n and m_ineq >= 0 and m_eq + m_ineq >= 1):
        raise ValueError(
            "problem 'constrained_qp': it takes at least one constraint and 0 <= m_eq <= n, "
            f"not n={n}, m_eq={m_eq}, m_ineq={m_ineq}"
        )


@problem(source="Lenard & Minkoff 1984; Mezzadri 2007", tags=("convex", "smooth", "constrained", "scalable"))
def constrained_qp(n: int = 10, m_eq: int = 3, m_ineq: int = 5, cond: float = 100.0, instance: int = 0) -> Problem:
    """Strictly convex quadratic program in n dimensions; see the module for how it is drawn."""
    check(n, m_eq, m_ineq, cond)
    seed = hashlib.sha256(f"constrained_qp n={n} m_eq={m_eq} m_ineq={m_ineq} instance={instance}".encode()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    v = rotation(rng, n)
    x_opt = rng.uniform(-4.0, 4.0, n)
    rows = rng.standard_normal((m_eq + m_ineq, n))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    active = min((m_ineq + 1) // 2, n - m_eq)
    pull = np.where(np.arange(m_ineq) < active, rng.uniform(0.5, 2.0, m_ineq), 0.0)
    slack = np.where(np.arange(m_ineq) < active, 0.0, rng.uniform(0.5, 2.0, m_ineq))
    multipliers = np.concatenate([rng.standard_normal(m_eq), pull])
    q = (v * np.geomspace(1.0, cond, n)) @ v.T
    q = 0.5 * (q + q.T)
    linear = -(q @ x_opt + rows.T @ multipliers)
    return Problem(
        fun_grad,
        np.zeros(n),
        hess=hess,
        constraints=constraints,
        curvature=curvature,
        m=m_eq + m_ineq,
        m_eq=m_eq,
        multipliers=multipliers,
        data=Program(q, linear, rows, rows @ x_opt + np.concatenate([np.zeros(m_eq), slack])),
        x_opt=x_opt,
        f_opt=0.5 * x_opt @ (q @ x_opt) + linear @ x_opt,
        bounds=(-5.0, 5.0),
        tags=("ill-conditioned",) if cond >= 1e4 else (),
    )
