r"""Meyer's function.

r_i = x_1 exp(x_2 / (t_i + x_3)) - y_i,  t_i = 45 + 5 i,  i = 1, ..., 16;
f = 87.9459 at (0.00560964, 6181.35, 345.224). Resistances of a thermistor; the Jacobian is close to
rank deficient all along the valley.

Source: More, Garbow & Hillstrom (1981), problem 10 (Meyer 1970). Start: (0.02, 4000, 250). The same data are
``nist_mgh10``.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

Y = (34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872)


def model(t, x, g):
    """Value and gradient of the model at t."""
    s = t + x[2]
    e = math.exp(x[1] / s)
    g[0], g[1], g[2] = e, x[0] * e / s, -x[0] * e * x[1] / (s * s)
    return x[0] * e


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    s = t + x[2]
    e = w * math.exp(x[1] / s) / s
    a, b = x[0] * e / s, x[1] / s
    h[0, 1] += e
    h[0, 2] -= e * b
    h[1, 1] += a
    h[1, 2] -= a * (1.0 + b)
    h[2, 2] += a * b * (2.0 + b)


residuals, curvature = fit(model, bend)


@problem(
    source="Meyer 1970; More, Garbow & Hillstrom 1981, problem 10",
    tags=("least-squares", "nonconvex", "smooth", "ill-conditioned"),
)
def meyer() -> Problem:
    """Meyer's thermistor: three parameters along a very narrow curved valley."""
    return Problem(
        None,
        (0.02, 4000.0, 250.0),
        residuals=residuals,
        curvature=curvature,
        m=16,
        data=observations(45.0 + 5.0 * np.arange(1.0, 17.0), Y),
        x_opt=(0.005609636471028053, 6181.346346286372, 345.2236346241365),
        f_opt=87.94585517085112,
        bounds=((0.001, 0.1), (1000.0, 10000.0), (100.0, 500.0)),
    )
