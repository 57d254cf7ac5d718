r"""Goldstein-Price function.

f(x) = [1 + (x_1 + x_2 + 1)^2 (19 - 14 x_1 + 3 x_1^2 - 14 x_2 + 6 x_1 x_2 + 3 x_2^2)]
     * [30 + (2 x_1 - 3 x_2)^2 (18 - 32 x_1 + 12 x_1^2 + 48 x_2 - 36 x_1 x_2 + 27 x_2^2)],  f(0, -1) = 3.

With s = x_1 + x_2 + 1 and w = 2 x_1 - 3 (x_2 + 1) the two factors are
1 + s^2 (36 - 20 s + 3 s^2) and 3 + w^2 (36 + 20 w + 3 w^2).
That form is evaluated: both brackets are positive, so nothing cancels and f >= 3 in floating point too.

Source: Goldstein & Price (1971), Math. Comp. 25, 569-574; Surjanovic & Bingham, "Goldstein-Price Function" (the
unscaled form). Start: (1, 1), a choice of this package.
"""

from __future__ import annotations

from optbench.registry import problem
from optbench.types import Problem


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    s, w = x[0] + x[1] + 1.0, 2.0 * x[0] - 3.0 * (x[1] + 1.0)
    p, q = 1.0 + s * s * (36.0 - 20.0 * s + 3.0 * s * s), 3.0 + w * w * (36.0 + 20.0 * w + 3.0 * w * w)
    dp, dq = 12.0 * s * (6.0 - 5.0 * s + s * s), 12.0 * w * (6.0 + 5.0 * w + w * w)
    g[0] = dp * q + 2.0 * p * dq
    g[1] = dp * q - 3.0 * p * dq
    return p * q


def hess(x, h, data):
    """Hessian into `h`."""
    s, w = x[0] + x[1] + 1.0, 2.0 * x[0] - 3.0 * (x[1] + 1.0)
    p, q = 1.0 + s * s * (36.0 - 20.0 * s + 3.0 * s * s), 3.0 + w * w * (36.0 + 20.0 * w + 3.0 * w * w)
    dp, dq = 12.0 * s * (6.0 - 5.0 * s + s * s), 12.0 * w * (6.0 + 5.0 * w + w * w)
    ddp, ddq = 12.0 * (6.0 - 10.0 * s + 3.0 * s * s), 12.0 * (6.0 + 10.0 * w + 3.0 * w * w)
    h[0, 0] = ddp * q + 4.0 * dp * dq + 4.0 * p * ddq
    h[0, 1] = ddp * q - dp * dq - 6.0 * p * ddq
    h[1, 0] = h[0, 1]
    h[1, 1] = ddp * q - 6.0 * dp * dq + 9.0 * p * ddq


@problem(source="Goldstein & Price 1971; Surjanovic & Bingham", tags=("nonconvex", "multimodal", "smooth"))
def goldstein_price() -> Problem:
    """Goldstein and Price's polynomial of two variables: four local minima, values from 3 to 1e6."""
    return Problem(fun_grad, (1.0, 1.0), hess=hess, x_opt=(0.0, -1.0), f_opt=3.0, bounds=(-2.0, 2.0))
