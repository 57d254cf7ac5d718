r"""Rosenbrock's valley.

f(x) = sum_{i=1}^{n-1} [ 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 ],  n >= 2,  f(1, ..., 1) = 0.

Source: Rosenbrock (1960), Comput. J. 3, 175-184, n = 2; the n-dimensional chain is Surjanovic & Bingham, Virtual
Library of Simulation Experiments, "Rosenbrock Function". For n >= 4 there is a second local minimum near
(-1, 1, ..., 1). Start: (-1.2, 1), repeated.
"""

from __future__ import annotations

import numpy as np

from optbench.parallel import span
from optbench.registry import problem
from optbench.types import Phase, Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`, entry by entry, which vectorises: both terms of a link would chain the iterations."""
    return piece(x, g, 0, x.size, data)


def piece(x, g, first, last, data):
    """Gradient of some coordinates, and the links that start at them."""
    n, f = x.size, 0.0
    if first == 0:
        a, b = x[1] - x[0] * x[0], 1.0 - x[0]
        f = 100.0 * a * a + b * b
        g[0] = -400.0 * a * x[0] - 2.0 * b
    for k in span(0 if first == 0 else first - 1, (n - 1 if last == n else last) - 1):
        i = k + 1  # from the neighbour on, so that no index could be negative
        before, after, rest = x[i] - x[k] * x[k], x[i + 1] - x[i] * x[i], 1.0 - x[i]
        f += 100.0 * after * after + rest * rest
        g[i] = 200.0 * before - 400.0 * after * x[i] - 2.0 * rest
    if last == n:
        g[n - 1] = 200.0 * (x[n - 1] - x[n - 2] * x[n - 2])
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    for i in range(x.size - 1):
        h[i, i] += 1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0
        h[i, i + 1] = -400.0 * x[i]
        h[i + 1, i] = -400.0 * x[i]
        h[i + 1, i + 1] += 200.0


@problem(source="Rosenbrock 1960; Surjanovic & Bingham", tags=("nonconvex", "smooth", "scalable"))
def rosenbrock(n: int = 2) -> Problem:
    """Rosenbrock's valley in n >= 2 dimensions."""
    if n < 2:
        raise ValueError(f"problem 'rosenbrock': n must be at least 2, not {n}")
    return Problem(
        fun_grad,
        np.where(np.arange(n) % 2 == 0, -1.2, 1.0),
        hess=hess,
        x_opt=np.ones(n),
        f_opt=0.0,
        bounds=(-2.048, 2.048),
        phases=(Phase(piece),),
        tags=("unimodal",) if n < 4 else ("multimodal",),
    )
