r"""Wood's function (Colville's function).

f(x) = 100 (x_2 - x_1^2)^2 + (1 - x_1)^2 + 90 (x_4 - x_3^2)^2 + (1 - x_3)^2 + 10 (x_2 + x_4 - 2)^2 + (x_2 - x_4)^2 / 10,
f(1, 1, 1, 1) = 0.

Source: More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, problem 14 (Colville 1968). Start: (-3, -1, -3, -1), their
standard start. Plotting domain: Surjanovic & Bingham, "Colville Function".
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    a, b = x[1] - x[0] * x[0], 1.0 - x[0]
    c, d = x[3] - x[2] * x[2], 1.0 - x[2]
    s, t = x[1] + x[3] - 2.0, x[1] - x[3]
    g[0] = -400.0 * a * x[0] - 2.0 * b
    g[1] = 200.0 * a + 20.0 * s + 0.2 * t
    g[2] = -360.0 * c * x[2] - 2.0 * d
    g[3] = 180.0 * c + 20.0 * s - 0.2 * t
    return 100.0 * a * a + b * b + 90.0 * c * c + d * d + 10.0 * s * s + 0.1 * t * t


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0
    h[0, 1] = h[1, 0] = -400.0 * x[0]
    h[1, 1] = 220.2
    h[1, 3] = h[3, 1] = 19.8
    h[2, 2] = 1080.0 * x[2] * x[2] - 360.0 * x[3] + 2.0
    h[2, 3] = h[3, 2] = -360.0 * x[2]
    h[3, 3] = 200.2


@problem(
    source="Colville 1968; More, Garbow & Hillstrom 1981, problem 14",
    tags=("nonconvex", "unimodal", "smooth", "ill-conditioned"),
)
def wood() -> Problem:
    """Wood's function of four variables: two coupled Rosenbrock valleys with a saddle on the way."""
    return Problem(
        fun_grad, (-3.0, -1.0, -3.0, -1.0), hess=hess, x_opt=(1.0, 1.0, 1.0, 1.0), f_opt=0.0, bounds=(-10.0, 10.0)
    )
