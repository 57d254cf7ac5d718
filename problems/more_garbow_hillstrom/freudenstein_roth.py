r"""Freudenstein and Roth's function.

r_1 = -13 + x_1 + ((5 - x_2) x_2 - 2) x_2,  r_2 = -29 + x_1 + ((x_2 + 1) x_2 - 14) x_2,  f(5, 4) = 0.

There is a local minimum at ((53 - 4 sqrt(22)) / 3, (2 - sqrt(22)) / 3) = (11.4128, -0.8968) with
f = 48.98425367924002, to which most methods go from the standard start.

Source: More, Garbow & Hillstrom (1981), problem 2 (Freudenstein & Roth 1963). Start: (0.5, -2).
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    b = x[1]
    r[0] = -13.0 + x[0] + ((5.0 - b) * b - 2.0) * b
    r[1] = -29.0 + x[0] + ((b + 1.0) * b - 14.0) * b
    jac[0, 0], jac[0, 1] = 1.0, (10.0 - 3.0 * b) * b - 2.0
    jac[1, 0], jac[1, 1] = 1.0, (3.0 * b + 2.0) * b - 14.0


def curvature(x, w, h, data):
    """Second derivatives."""
    h[1, 1] += w[0] * (10.0 - 6.0 * x[1]) + w[1] * (6.0 * x[1] + 2.0)


@problem(
    source="Freudenstein & Roth 1963; More, Garbow & Hillstrom 1981, problem 2",
    tags=("least-squares", "nonconvex", "multimodal", "smooth"),
)
def freudenstein_roth() -> Problem:
    """Freudenstein and Roth's two equations: a local minimum beside the solution."""
    return Problem(
        None,
        (0.5, -2.0),
        residuals=residuals,
        curvature=curvature,
        m=2,
        x_opt=(5.0, 4.0),
        f_opt=0.0,
        bounds=((0.0, 15.0), (-4.0, 6.0)),
    )
