"""Newton's method with the exact Hessian: d solves (H + E) d = -g.

E is the diagonal, zero where H is safely positive definite, of a modified Cholesky factorisation, so that d always
leads downhill. The step is tried at 1; with line_search "none" it is the schedule's.

Source: Gill, Murray & Wright (1981), Practical Optimization, Section 4.4; Nocedal & Wright (2006), Numerical
Optimization, Algorithm 3.2.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from optbench.optimizers._modified_cholesky import factorise, solve
from optbench.records import Matrix, Vector
from optbench.registry import descent


class Params(NamedTuple):
    """The line search."""

    line_search: Literal["wolfe", "armijo", "none"] = "wolfe"


class Memory(NamedTuple):
    """Factors, shape (n, n); order of the pivots, the diagonal that was added and work space, (n,) each."""

    factor: Matrix
    order: Vector
    added: Vector
    work: Vector


def memory(n, m, params):
    """Memory for n variables."""
    return Memory(np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n))


@descent(
    params=Params,
    memory=memory,
    needs="hessian",
    source="Gill, Murray & Wright 1981, 4.4.2.2; Nocedal & Wright 2006, 3.2",
)
def newton(t, at, d, memory, params):
    """Direction into d; the first step to try."""
    factorise(at.h, memory.factor, memory.order, memory.added)
    at.factorisations[0] += 1.0
    solve(memory.factor, memory.order, memory.work, at.g, d)
    for i in range(d.size):
        d[i] = -d[i]
    return 1.0
