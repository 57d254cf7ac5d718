r"""Bard's function.

r_i = x_1 + u_i / (v_i x_2 + w_i x_3) - y_i,  u_i = i, v_i = 16 - i, w_i = min(u_i, v_i),  i = 1, ..., 15;
f = 8.21488e-3 at (0.0824, 1.1330, 2.3437).

f tends to 17.4286 as x_2 and x_3 tend to minus infinity with x_1 = 0.8406: a minimum at infinity that the source lists.

Source: More, Garbow & Hillstrom (1981), problem 8 (Bard 1970). Start: (1, 1, 1).
"""

from __future__ import annotations

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

Y = (0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39)


def model(t, x, g):
    """Value and gradient of the model at t = u."""
    v = 16.0 - t
    w = min(t, v)
    q = v * x[1] + w * x[2]
    slope = -t / (q * q)
    g[0], g[1], g[2] = 1.0, slope * v, slope * w
    return x[0] + t / q


def bend(t, x, weight, h):
    """Second derivatives of the model at t = u."""
    v = 16.0 - t
    w = min(t, v)
    q = v * x[1] + w * x[2]
    s = 2.0 * weight * t / (q * q * q)
    h[1, 1] += s * v * v
    h[1, 2] += s * v * w
    h[2, 2] += s * w * w


residuals, curvature = fit(model, bend)


@problem(
    source="Bard 1970; More, Garbow & Hillstrom 1981, problem 8",
    tags=("least-squares", "nonconvex", "smooth"),
)
def bard() -> Problem:
    """Bard's rational model of three parameters."""
    return Problem(
        None,
        (1.0, 1.0, 1.0),
        residuals=residuals,
        curvature=curvature,
        m=15,
        data=observations(np.arange(1.0, 16.0), Y),
        x_opt=(0.08241055974978893, 1.1330360920297216, 2.343695178642537),
        f_opt=0.008214877306578975,
        bounds=((-1.0, 2.0), (0.1, 5.0), (0.1, 5.0)),
    )
