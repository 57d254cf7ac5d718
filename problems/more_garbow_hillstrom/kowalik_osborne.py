r"""Kowalik and Osborne's function.

r_i = x_1 (t_i^2 + t_i x_2) / (t_i^2 + t_i x_3 + x_4) - y_i,  i = 1, ..., 11;
f = 3.07506e-4 at (0.1928, 0.1913, 0.1231, 0.1361).

f tends to 1.02734e-3 as x_1 tends to plus and x_3, x_4 to minus infinity with x_2 = -14.07: a minimum at infinity that
the source lists.

Source: More, Garbow & Hillstrom (1981), problem 15 (Kowalik & Osborne 1968). Start: (0.25, 0.39, 0.415, 0.39). The same
data are ``nist_mgh09``.
"""

from __future__ import annotations

from optbench.problems.more_garbow_hillstrom._fit import fit, observations
from optbench.registry import problem
from optbench.types import Problem

T = (4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625)
Y = (0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246)


def model(t, x, g):
    """Value and gradient of the model at t."""
    top, q = t * (t + x[1]), t * (t + x[2]) + x[3]
    a = x[0] / q
    g[0], g[1], g[3] = top / q, a * t, -a * top / q
    g[2] = t * g[3]
    return a * top


def bend(t, x, w, h):
    """Second derivatives of the model at t."""
    top, q = t * (t + x[1]), t * (t + x[2]) + x[3]
    inner, outer = w * x[0] * t / (q * q), 2.0 * w * x[0] * top / (q * q * q)
    h[0, 1] += w * t / q
    h[0, 2] -= w * top * t / (q * q)
    h[0, 3] -= w * top / (q * q)
    h[1, 2] -= inner * t
    h[1, 3] -= inner
    h[2, 2] += outer * t * t
    h[2, 3] += outer * t
    h[3, 3] += outer


residuals, curvature = fit(model, bend)


@problem(
    source="Kowalik & Osborne 1968; More, Garbow & Hillstrom 1981, problem 15",
    tags=("least-squares", "nonconvex", "smooth"),
)
def kowalik_osborne() -> Problem:
    """Kowalik and Osborne's enzyme reaction: a rational model of four parameters."""
    return Problem(
        None,
        (0.25, 0.39, 0.415, 0.39),
        residuals=residuals,
        curvature=curvature,
        m=11,
        data=observations(T, Y),
        x_opt=(0.19280693457903786, 0.19128232873436696, 0.12305650692632066, 0.13606233068379484),
        f_opt=0.00030750560384923745,
        bounds=(0.0, 1.0),
    )
