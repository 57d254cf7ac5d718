r"""Osborne's function 1.

r_i = x_1 + x_2 exp(-t_i x_4) + x_3 exp(-t_i x_5) - y_i,  t_i = 10 (i - 1),  i = 1, ..., 33;
f = 5.46489e-5 at (0.3754, 1.9358, -1.4647, 0.01287, 0.02212) and where the two exponentials change places.

Source: More, Garbow & Hillstrom (1981), problem 17 (Osborne 1972). Start: (0.5, 1.5, -1, 0.01, 0.02). The same data are
``nist_mgh17``.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

Y = (
    *(0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751),
    *(0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490),
    *(0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406),
)
X_OPT = (0.37541005210695205, 1.9358469127123674, -1.464687136613423, 0.012867534640057288, 0.02212269966167261)


def model(t, x, g):
    """Value and gradient of the model at t."""
    a, b = math.exp(-t * x[3]), math.exp(-t * x[4])
    g[0], g[1], g[2], g[3], g[4] = 1.0, a, b, -t * x[1] * a, -t * x[2] * b
    return x[0] + x[1] * a + x[2] * b


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    for k in range(1, 3):
        e = w * t * math.exp(-t * x[k + 2])
        h[k, k + 2] -= e
        h[k + 2, k + 2] += x[k] * t * e


residuals, curvature = fit(model, bend)


@problem(
    source="Osborne 1972; More, Garbow & Hillstrom 1981, problem 17",
    tags=("least-squares", "nonconvex", "smooth", "ill-conditioned"),
)
def osborne_1() -> Problem:
    """Osborne's sum of two exponentials and a constant."""
    return Problem(
        None,
        (0.5, 1.5, -1.0, 0.01, 0.02),
        residuals=residuals,
        curvature=curvature,
        m=33,
        data=observations(10.0 * np.arange(33.0), Y),
        x_opt=(X_OPT, tuple(X_OPT[k] for k in (0, 2, 1, 4, 3))),
        f_opt=5.464894697482907e-05,
        bounds=((0.0, 1.0), (-3.0, 3.0), (-3.0, 3.0), (0.0, 0.1), (0.0, 0.1)),
    )
