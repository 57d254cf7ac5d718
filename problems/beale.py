r"""Beale's function.

f(x) = sum_{k=1}^3 [ c_k - x_1 (1 - x_2^k) ]^2,  c = (1.5, 2.25, 2.625),  f(3, 0.5) = 0.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 5 (Beale 1958); the same function is Surjanovic &
Bingham, "Beale Function", whose domain is used. Start: (1, 1), the standard start of More, Garbow & Hillstrom.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem

C = (1.5, 2.25, 2.625)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f, g0, g1 = 0.0, 0.0, 0.0
    lower = 1.0
    for k in range(3):
        power = lower * x[1]
        a = C[k] - x[0] * (1.0 - power)
        f += a * a
        g0 -= 2.0 * a * (1.0 - power)
        g1 += 2.0 * a * x[0] * (k + 1.0) * lower
        lower = power
    g[0], g[1] = g0, g1
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    lowest, lower = 0.0, 1.0  # y^(k-2) and y^(k-1); the first is multiplied by zero for k = 1
    for k in range(3):
        power = lower * x[1]
        a = C[k] - x[0] * (1.0 - power)
        slope = (k + 1.0) * lower
        h[0, 0] += 2.0 * (1.0 - power) * (1.0 - power)
        h[0, 1] += 2.0 * slope * (a - x[0] * (1.0 - power))
        h[1, 1] += 2.0 * (x[0] * slope * x[0] * slope + a * x[0] * (k + 1.0) * k * lowest)
        lowest, lower = lower, power
    h[1, 0] = h[0, 1]


@problem(source="Beale 1958; More, Garbow & Hillstrom 1981, problem 5", tags=("nonconvex", "unimodal", "smooth"))
def beale() -> Problem:
    """Beale's function of two variables: a curved valley with flat corners."""
    return Problem(fun_grad, (1.0, 1.0), hess=hess, x_opt=(3.0, 0.5), f_opt=0.0, bounds=(-4.5, 4.5))
