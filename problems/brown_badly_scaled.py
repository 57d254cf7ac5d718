r"""Brown's badly scaled function.

f(x) = (x_1 - 1e6)^2 + (x_2 - 2e-6)^2 + (x_1 x_2 - 2)^2,  f(1e6, 2e-6) = 0.

2e-6 is not a floating-point number: at the nearest one the gradient is zero only to rounding, which the scale of the
problem makes about 1e-10.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 4. Start: (1, 1), their standard start. The plotting
domain is a choice of this package.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    r[0], r[1], r[2] = x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0
    jac[0, 0], jac[0, 1] = 1.0, 0.0
    jac[1, 0], jac[1, 1] = 0.0, 1.0
    jac[2, 0], jac[2, 1] = x[1], x[0]


def curvature(x, w, h, data):
    """Second derivatives."""
    h[0, 1] += w[2]
    h[1, 0] += w[2]


@problem(
    source="More, Garbow & Hillstrom 1981, problem 4",
    tags=("least-squares", "nonconvex", "unimodal", "smooth", "ill-conditioned"),
)
def brown_badly_scaled() -> Problem:
    """Brown's function of two variables whose sizes differ by 5e11."""
    return Problem(
        None,
        (1.0, 1.0),
        residuals=residuals,
        curvature=curvature,
        m=3,
        x_opt=(1e6, 2e-6),
        f_opt=0.0,
        bounds=((0.0, 2e6), (0.0, 2.0)),
    )
