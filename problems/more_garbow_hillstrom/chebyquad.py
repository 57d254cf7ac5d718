r"""Chebyquad.

r_i = (1/n) sum_{j=1}^n T_i(x_j) - I_i, i = 1, ..., n, with the Chebyshev polynomials T_i shifted to [0, 1] and their
integrals I_i = 0 for odd i, -1 / (i^2 - 1) for even i: nodes of a quadrature formula with equal weights. f = 0 for
n <= 7 and n = 9, f = 3.51687e-3 for n = 8, f = 4.77271e-3 for n = 10.

The coordinates may change places, so there are n! minimizers; `x_opt` is the ascending one. For n = 10 the mirror image
1 - x_opt is another, and the value of the source, 6.50395e-3, which is where the symmetric standard start leads, is not
the minimum.

Source: More, Garbow & Hillstrom (1981), problem 35 (Fletcher 1965), m = n. Start: x_j = j / (n + 1).
"""

from __future__ import annotations

import numpy as np

from optbench.problems.more_garbow_hillstrom._systems import check_size
from optbench.registry import problem
from optbench.types import Problem

MINIMUM = {8: 0.003516873725677932, 10: 0.004772713696375349}
LOWER = {  # coordinates below 1/2; the others mirror them, but for n = 10
    1: (),
    2: (0.2113248654051871,),
    3: (0.14644660940672624,),
    4: (0.10267276385411694, 0.40620376295746),
    5: (0.08375125649950906, 0.31272929522320947),
    6: (0.0668765909460897, 0.28874067311944424, 0.36668229924164764),
    7: (0.05806914962097548, 0.2351716123574216, 0.3380440947400462),
    8: (0.04315276015101663, 0.1930908403841861, 0.26632870689027294, 0.5),
    9: (0.044205346135782767, 0.19949067230988096, 0.23561910847106, 0.416046907892598),
}
TEN = (
    *(0.032993373018074465, 0.15514535775907337, 0.20018919846138622, 0.38326166496125497, 0.38326166496125497),
    *(0.5292494771334065, 0.6403535493710659, 0.7135658474159999, 0.8284818230519073, 0.9252518337853975),
)


def integral(i):
    """Integral of T_i over [0, 1]."""
    return 0.0 if i % 2 == 1 else -1.0 / (i * i - 1.0)


def residuals(x, r, jac, data):
    """Residuals and Jacobian."""
    n = x.size
    for i in range(n):
        r[i] = -integral(i + 1)
    for j in range(n):
        z = 2.0 * x[j] - 1.0
        last, this, d_last, d_this = 1.0, z, 0.0, 2.0
        for i in range(n):
            r[i] += this / n
            jac[i, j] = d_this / n
            d_last, d_this = d_this, 4.0 * this + 2.0 * z * d_this - d_last
            last, this = this, 2.0 * z * this - last


def curvature(x, w, h, data):
    """Second derivatives."""
    n = x.size
    for j in range(n):
        z = 2.0 * x[j] - 1.0
        last, this, d_last, d_this, dd_last, dd_this = 1.0, z, 0.0, 2.0, 0.0, 0.0
        for i in range(n):
            h[j, j] += w[i] * dd_this / n
            dd_last, dd_this = dd_this, 8.0 * d_this + 2.0 * z * dd_this - dd_last
            d_last, d_this = d_this, 4.0 * this + 2.0 * z * d_this - d_last
            last, this = this, 2.0 * z * this - last


@problem(
    source="Fletcher 1965; More, Garbow & Hillstrom 1981, problem 35",
    tags=("least-squares", "nonconvex", "multimodal", "smooth"),
)
def chebyquad(n: int = 8) -> Problem:
    """Chebyquad in n dimensions, n at most 10."""
    check_size("chebyquad", n, 1, 10)
    lower = LOWER.get(n, ())
    middle = (0.5,) if n % 2 else ()
    x_opt = TEN if n == 10 else (*lower, *middle, *(1.0 - t for t in reversed(lower)))
    return Problem(
        None,
        np.arange(1.0, n + 1.0) / (n + 1.0),
        residuals=residuals,
        curvature=curvature,
        m=n,
        x_opt=x_opt,
        f_opt=MINIMUM.get(n, 0.0),
        bounds=(0.0, 1.0),
    )
