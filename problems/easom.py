r"""Easom's function.

f(x) = -cos(x_1) cos(x_2) exp(-(x_1 - pi)^2 - (x_2 - pi)^2),  f(pi, pi) = -1.

Source: Surjanovic & Bingham, Virtual Library of Simulation Experiments, "Easom Function", whose domain is used:
nearly all of it is flat to the last bit. Start: (2, 4), a choice of this package, where the slope can be felt.
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem


def bump(t):
    """cos(t) exp(-(t - pi)^2) and its first two derivatives."""
    d = t - math.pi
    e = math.exp(-d * d)
    s, c = math.sin(t), math.cos(t)
    return e * c, -e * (s + 2.0 * d * c), e * (4.0 * d * s + (4.0 * d * d - 3.0) * c)


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    u, du, _ = bump(x[0])
    v, dv, _ = bump(x[1])
    g[0] = -du * v
    g[1] = -u * dv
    return -u * v


def hess(x, h, data):
    """Hessian into `h`."""
    u, du, ddu = bump(x[0])
    v, dv, ddv = bump(x[1])
    h[0, 0] = -ddu * v
    h[0, 1] = h[1, 0] = -du * dv
    h[1, 1] = -u * ddv


@problem(source="Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth"))
def easom() -> Problem:
    """Easom's function of two variables: a needle's hole in a plain."""
    return Problem(fun_grad, (2.0, 4.0), hess=hess, x_opt=(math.pi, math.pi), f_opt=-1.0, bounds=(-100.0, 100.0))
