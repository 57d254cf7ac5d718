r"""Powell's badly scaled function.

r_1 = 1e4 x_1 x_2 - 1,  r_2 = exp(-x_1) + exp(-x_2) - 1.0001,  f = 0 at (1.098e-5, 9.106) and, because f does not change
when x_1 and x_2 are exchanged, at (9.106, 1.098e-5).

The source names the first minimizer alone, (1.098...e-5, 9.106...).

Source: More, Garbow & Hillstrom (1981), problem 3 (Powell 1970). Start: (0, 1).
"""

from __future__ import annotations

import math

from optbench.registry import problem
from optbench.types import Problem

SMALL, LARGE = 1.0981593296998175e-05, 9.106146739866524


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    a, b = math.exp(-x[0]), math.exp(-x[1])
    r[0], r[1] = 1e4 * x[0] * x[1] - 1.0, a + b - 1.0001
    jac[0, 0], jac[0, 1] = 1e4 * x[1], 1e4 * x[0]
    jac[1, 0], jac[1, 1] = -a, -b


def curvature(x, w, h, data):
    """Second derivatives."""
    h[0, 0] += w[1] * math.exp(-x[0])
    h[1, 1] += w[1] * math.exp(-x[1])
    h[0, 1] += 1e4 * w[0]
    h[1, 0] += 1e4 * w[0]


@problem(
    source="Powell 1970; More, Garbow & Hillstrom 1981, problem 3",
    tags=("least-squares", "nonconvex", "smooth", "ill-conditioned"),
)
def powell_badly_scaled() -> Problem:
    """Powell's two equations with a solution of coordinates that differ by a factor of 1e6."""
    return Problem(
        None,
        (0.0, 1.0),
        residuals=residuals,
        curvature=curvature,
        m=2,
        x_opt=((SMALL, LARGE), (LARGE, SMALL)),
        f_opt=0.0,
        bounds=(0.0, 10.0),
    )
