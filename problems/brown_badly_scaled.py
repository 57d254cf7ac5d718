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


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    a, b, c = x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0
    g[0] = 2.0 * (a + c * x[1])
    g[1] = 2.0 * (b + c * x[0])
    return a * a + b * b + c * c


def hess(x, h, data):
    """Hessian into `h`."""
    h[0, 0] = 2.0 + 2.0 * x[1] * x[1]
    h[0, 1] = h[1, 0] = 4.0 * x[0] * x[1] - 4.0
    h[1, 1] = 2.0 + 2.0 * x[0] * x[0]


@problem(source="More, Garbow & Hillstrom 1981, problem 4", tags=("nonconvex", "unimodal", "smooth", "ill-conditioned"))
def brown_badly_scaled() -> Problem:
    """Brown's function of two variables whose sizes differ by 5e11."""
    return Problem(fun_grad, (1.0, 1.0), hess=hess, x_opt=(1e6, 2e-6), f_opt=0.0, bounds=((0.0, 2e6), (0.0, 2.0)))
