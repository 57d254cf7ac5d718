r"""Gulf research and development function.

r_i = exp(-|y_i - x_2|^{x_3} / x_1) - t_i,  t_i = i / 100,  y_i = 25 + (-50 ln t_i)^{2/3},  i = 1, ..., 99;
f(50, 25, 1.5) = 0.

The source prints |y_i m i x_2| in the place of |y_i - x_2|; its own minimum, and the function's origin, are of the form
used here. Points such as (99.89537833835886, 60.61453903025014, 9.16124389236433) with f = 32.8345, which some
collections list as local minima, lie on a curve of equal values: the model is 0 for all but two i. Where x_2 = y_i the
model is taken as 1 with zero derivatives.

Source: More, Garbow & Hillstrom (1981), problem 11 (Cox 1969), m = 99. Start: (5, 2.5, 0.15).
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem


def model(y, x, g):
    """Value and gradient of the model at y."""
    d = abs(y - x[1])
    if d == 0.0:
        g[0], g[1], g[2] = 0.0, 0.0, 0.0
        return 1.0
    p = d ** x[2] / x[0]
    e = math.exp(-p)
    g[0] = e * p / x[0]
    g[1] = e * p * x[2] / (y - x[1])
    g[2] = -e * p * math.log(d)
    return e


def bend(y, x, w, h):
    """Second derivatives of the model at y."""
    d = abs(y - x[1])
    if d > 0.0:
        log, s = math.log(d), x[2] / (y - x[1])
        p = d ** x[2] / x[0]
        e = w * math.exp(-p) * p
        h[0, 0] += e * (p - 2.0) / (x[0] * x[0])
        h[0, 1] += e * (p - 1.0) * s / x[0]
        h[0, 2] -= e * (p - 1.0) * log / x[0]
        h[1, 1] += e * s * ((p - 1.0) * s + 1.0 / (y - x[1]))
        h[1, 2] += e * (1.0 / (y - x[1]) - (p - 1.0) * log * s)
        h[2, 2] += e * (p - 1.0) * log * log


residuals, curvature = fit(model, bend)


@problem(
    source="Cox 1969; More, Garbow & Hillstrom 1981, problem 11",
    tags=("least-squares", "nonconvex", "nonsmooth", "ill-conditioned"),
)
def gulf() -> Problem:
    """The Gulf research function: a Weibull-like curve with wide flat regions."""
    t = np.arange(1.0, 100.0) / 100.0
    return Problem(
        None,
        (5.0, 2.5, 0.15),
        residuals=residuals,
        curvature=curvature,
        m=99,
        data=observations(25.0 + (-50.0 * np.log(t)) ** (2.0 / 3.0), t),
        x_opt=(50.0, 25.0, 1.5),
        f_opt=0.0,
        bounds=((0.1, 100.0), (0.0, 25.6), (0.0, 5.0)),
    )
