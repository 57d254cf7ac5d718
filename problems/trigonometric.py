r"""Trigonometric function.

f(x) = sum_{i=1}^n r_i^2,  r_i = n - sum_{j=1}^n cos x_j + i (1 - cos x_i) - sin x_i. Evaluated with
1 - cos t = 2 sin(t / 2)^2.

Every r_i vanishes at x = 0, so f(0) = 0 is the minimum, exactly. That is not the only zero: f has period 2 pi in every
coordinate, and within one period there are further zeros, such as tan(x / 2) = 1/2 for n = 1, which are not listed.
There are local minima with f > 0 as well; for n = 10 descent from the standard start tends to one with f = 2.795e-5.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 26 (Spedicato 1975). Start: (1/n, ..., 1/n), their
standard start. Plotting domain: one period.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.registry import problem
from optbench.types import Problem


def shared(x):
    """Part of every residual: n - sum cos x_j."""
    total = 0.0
    for j in range(x.size):
        s = math.sin(0.5 * x[j])
        total += 2.0 * s * s
    return total


def residual(i, t, total):
    """r_i with x_i = t; i counts from 1."""
    s, c = math.sin(0.5 * t), math.cos(0.5 * t)
    return total + 2.0 * s * (i * s - c)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    total = shared(x)
    f, residuals = 0.0, 0.0
    for i in range(x.size):
        r = residual(i + 1.0, x[i], total)
        f += r * r
        residuals += r
        g[i] = r
    for i in range(x.size):
        s, c = math.sin(x[i]), math.cos(x[i])
        g[i] = 2.0 * (s * residuals + g[i] * ((i + 1.0) * s - c))
    return f


def hess(x, h, data):
    """Hessian into `h`."""
    n = x.size
    total = shared(x)
    residuals = 0.0
    for i in range(n):
        residuals += residual(i + 1.0, x[i], total)
    for i in range(n):
        s, c = math.sin(x[i]), math.cos(x[i])
        own = (i + 1.0) * s - c
        for j in range(i, n):
            sj = math.sin(x[j])
            h[i, j] = 2.0 * (n * s * sj + s * ((j + 1.0) * sj - math.cos(x[j])) + sj * own)
            h[j, i] = h[i, j]
        r = residual(i + 1.0, x[i], total)
        h[i, i] += 2.0 * (own * own + c * residuals + r * ((i + 1.0) * c + s))


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    total = 0.0  # n - sum cos x_j
    for j in range(n):
        half = math.sin(0.5 * x[j])
        total += 2.0 * half * half
        slope = math.sin(x[j])
        for i in range(n):
            jac[i, j] = slope
        jac[j, j] += (j + 1.0) * slope - math.cos(x[j])
    for i in range(n):
        s, c = math.sin(0.5 * x[i]), math.cos(0.5 * x[i])
        r[i] = total + 2.0 * s * ((i + 1.0) * s - c)


def curvature(x, w, h, data):
    """Second derivatives."""
    total = 0.0
    for i in range(w.size):
        total += w[i]
    for j in range(x.size):
        c = math.cos(x[j])
        h[j, j] += total * c + w[j] * ((j + 1.0) * c + math.sin(x[j]))


@problem(
    source="Spedicato 1975; More, Garbow & Hillstrom 1981, problem 26",
    tags=("least-squares", "nonconvex", "multimodal", "smooth", "scalable"),
)
def trigonometric(n: int = 10) -> Problem:
    """Spedicato's trigonometric sum of squares in n dimensions."""
    return Problem(
        fun_grad,
        np.full(n, 1.0 / n),
        hess=hess,
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=np.zeros(n),
        f_opt=0.0,
        bounds=(-math.pi, math.pi),
    )
