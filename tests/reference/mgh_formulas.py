"""The residuals of More, Garbow & Hillstrom (1981), ACM TOMS 7, 17-41, once more, as the paper writes them, in mpmath.

Every entry of `RESIDUALS` takes the point (numbers or jets, see mgh_jets) and the number of residuals and returns the
list of residuals: model minus observation throughout, while the paper writes some the other way round. The problem's
number in the paper is in the docstring.
"""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import mpmath as mp

JETS = runpy.run_path(str(Path(__file__).with_name("mgh_jets.py")))
exp, sin, cos, sqrt, atan, absolute = (JETS[name] for name in ("exp", "sin", "cos", "sqrt", "atan", "absolute"))
D = mp.mpf  # decimal constants are given as strings, so that they are exact
BARD = """
0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39
"""
GAUSS = """
0.0009 0.0044 0.0175 0.0540 0.1295 0.2420 0.3521 0.3989
"""
MEYER = """
34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872
"""
KOWALIK_Y = """
0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246
"""
KOWALIK_U = """
4 2 1 0.5 0.25 0.167 0.125 0.1 0.0833 0.0714 0.0625
"""
OSBORNE_1 = """
0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628 0.603 0.580 0.558
0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 0.414 0.411 0.406
"""
OSBORNE_2 = """
1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616 0.606 0.602 0.626
0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495 0.500 0.423 0.395 0.375 0.372 0.391
0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672 0.708 0.633 0.668 0.645 0.632 0.591 0.559 0.597 0.625
0.739 0.710 0.729 0.720 0.636 0.581 0.428 0.292 0.162 0.098 0.054
"""


def numbers(text: str) -> list[str]:
    """The numbers of a table, as written."""
    return text.split()


def freudenstein_roth(x: Any, m: int) -> Any:
    """Problem 2."""
    return [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]]


def powell_badly_scaled(x: Any, m: int) -> Any:
    """Problem 3."""
    return [10**4 * x[0] * x[1] - 1, exp(-x[0]) + exp(-x[1]) - D("1.0001")]


def brown_badly_scaled(x: Any, m: int) -> Any:
    """Problem 4."""
    return [x[0] - 10**6, x[1] - D("2e-6"), x[0] * x[1] - 2]


def beale(x: Any, m: int) -> Any:
    """Problem 5."""
    return [D(y) - x[0] * (1 - x[1] ** i) for i, y in enumerate(("1.5", "2.25", "2.625"), 1)]


def jennrich_sampson(x: Any, m: int) -> Any:
    """Problem 6."""
    return [exp(i * x[0]) + exp(i * x[1]) - (2 + 2 * i) for i in range(1, 11)]


def helical_valley(x: Any, m: int) -> Any:
    """Problem 7."""
    theta = atan(x[1] / x[0]) / (2 * mp.pi) + (D("0.5") if x[0].v < 0 else 0)
    return [10 * (x[2] - 10 * theta), 10 * (sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]]


def bard(x: Any, m: int) -> Any:
    """Problem 8."""
    return [x[0] + D(u) / ((16 - u) * x[1] + min(u, 16 - u) * x[2]) - D(y) for u, y in enumerate(numbers(BARD), 1)]


def gaussian(x: Any, m: int) -> Any:
    """Problem 9."""
    y = [D(t) for t in numbers(GAUSS) + numbers(GAUSS)[6::-1]]
    return [x[0] * exp(-x[1] * (D(8 - i) / 2 - x[2]) ** 2 / 2) - y[i - 1] for i in range(1, 16)]


def meyer(x: Any, m: int) -> Any:
    """Problem 10."""
    return [x[0] * exp(x[1] / (45 + 5 * i + x[2])) - D(y) for i, y in enumerate(numbers(MEYER), 1)]


def gulf(x: Any, m: int) -> Any:
    """Problem 11, with y_i - x_2 in the place of the paper's product y_i m i x_2."""
    t = [D(i) / 100 for i in range(1, 100)]
    y = [25 + (-50 * mp.log(s)) ** (D(2) / 3) for s in t]
    return [exp(-(absolute(b - x[1]) ** x[2]) / x[0]) - s for s, b in zip(t, y, strict=True)]


def box_3d(x: Any, m: int) -> Any:
    """Problem 12."""
    t = [D(i) / 10 for i in range(1, 11)]
    return [exp(-s * x[0]) - exp(-s * x[1]) - x[2] * (exp(-s) - exp(-10 * s)) for s in t]


def powell_singular(x: Any, m: int) -> Any:
    """Problems 13 and 22."""
    blocks = [x[k : k + 4] for k in range(0, len(x), 4)]
    rows = [(a + 10 * b, sqrt(D(5)) * (c - d), (b - 2 * c) ** 2, sqrt(D(10)) * (a - d) ** 2) for a, b, c, d in blocks]
    return [r for row in rows for r in row]


def wood(x: Any, m: int) -> Any:
    """Problem 14."""
    a, b, c, d = x
    heads = [10 * (b - a**2), 1 - a, sqrt(D(90)) * (d - c**2), 1 - c]
    return [*heads, sqrt(D(10)) * (b + d - 2), (b - d) / sqrt(D(10))]


def kowalik_osborne(x: Any, m: int) -> Any:
    """Problem 15."""
    pairs = [(D(u), D(y)) for u, y in zip(numbers(KOWALIK_U), numbers(KOWALIK_Y), strict=True)]
    return [x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3]) - y for u, y in pairs]


def brown_dennis(x: Any, m: int) -> Any:
    """Problem 16."""
    t = [D(i) / 5 for i in range(1, 21)]
    return [(x[0] + s * x[1] - mp.exp(s)) ** 2 + (x[2] + x[3] * mp.sin(s) - mp.cos(s)) ** 2 for s in t]


def osborne_1(x: Any, m: int) -> Any:
    """Problem 17."""
    return [
        x[0] + x[1] * exp(-10 * i * x[3]) + x[2] * exp(-10 * i * x[4]) - D(y) for i, y in enumerate(numbers(OSBORNE_1))
    ]


def biggs_exp6(x: Any, m: int) -> Any:
    """Problem 18."""
    t = [D(i) / 10 for i in range(1, 14)]
    y = [mp.exp(-s) - 5 * mp.exp(-10 * s) + 3 * mp.exp(-4 * s) for s in t]
    model = [x[2] * exp(-s * x[0]) - x[3] * exp(-s * x[1]) + x[5] * exp(-s * x[4]) for s in t]
    return [a - b for a, b in zip(model, y, strict=True)]


def osborne_2(x: Any, m: int) -> Any:
    """Problem 19."""
    out = []
    for i, y in enumerate(numbers(OSBORNE_2)):
        t = D(i) / 10
        peaks = sum(x[k] * exp(-((t - x[k + 7]) ** 2) * x[k + 4]) for k in (1, 2, 3))
        out.append(x[0] * exp(-t * x[4]) + peaks - D(y))
    return out


def watson(x: Any, m: int) -> Any:
    """Problem 20."""
    out = []
    for i in range(1, 30):
        t = D(i) / 29
        slope = sum(j * x[j] * t ** (j - 1) for j in range(1, len(x)))
        out.append(slope - sum(a * t**j for j, a in enumerate(x)) ** 2 - 1)
    return [*out, x[0], x[1] - x[0] ** 2 - 1]


def extended_rosenbrock(x: Any, m: int) -> Any:
    """Problems 1 and 21."""
    pairs = [(10 * (x[k + 1] - x[k] ** 2), 1 - x[k]) for k in range(0, len(x), 2)]
    return [r for pair in pairs for r in pair]


def penalty_1(x: Any, m: int) -> Any:
    """Problem 23."""
    return [*(sqrt(D("1e-5")) * (t - 1) for t in x), sum(t**2 for t in x) - D("0.25")]


def penalty_2(x: Any, m: int) -> Any:
    """Problem 24."""
    n, root = len(x), sqrt(D("1e-5"))
    y = [mp.exp(D(i) / 10) + mp.exp(D(i - 1) / 10) for i in range(1, n + 1)]
    pairs = [root * (exp(x[i] / 10) + exp(x[i - 1] / 10) - y[i]) for i in range(1, n)]
    singles = [root * (exp(x[i] / 10) - mp.exp(D("-0.1"))) for i in range(1, n)]
    return [x[0] - D("0.2"), *pairs, *singles, sum((n - j) * t**2 for j, t in enumerate(x)) - 1]


def variably_dimensioned(x: Any, m: int) -> Any:
    """Problem 25."""
    total = sum(j * (t - 1) for j, t in enumerate(x, 1))
    return [*(t - 1 for t in x), total, total**2]


def trigonometric(x: Any, m: int) -> Any:
    """Problem 26."""
    total = len(x) - sum(cos(t) for t in x)
    return [total + i * (1 - cos(t)) - sin(t) for i, t in enumerate(x, 1)]


def brown_almost_linear(x: Any, m: int) -> Any:
    """Problem 27."""
    n, total = len(x), sum(x)
    return [*(x[i] + total - (n + 1) for i in range(n - 1)), math.prod(x) - 1]


def discrete_boundary_value(x: Any, m: int) -> Any:
    """Problem 28."""
    n, h = len(x), D(1) / (len(x) + 1)
    u = [0, *x, 0]
    return [2 * u[i] - u[i - 1] - u[i + 1] + h**2 * (u[i] + i * h + 1) ** 3 / 2 for i in range(1, n + 1)]


def discrete_integral_equation(x: Any, m: int) -> Any:
    """Problem 29."""
    n, h = len(x), D(1) / (len(x) + 1)
    t = [i * h for i in range(1, n + 1)]
    cubes = [(a + s + 1) ** 3 for a, s in zip(x, t, strict=True)]
    out = []
    for i in range(n):
        left = (1 - t[i]) * sum(t[j] * cubes[j] for j in range(i + 1))
        out.append(x[i] + h * (left + t[i] * sum((1 - t[j]) * cubes[j] for j in range(i + 1, n))) / 2)
    return out


def broyden_tridiagonal(x: Any, m: int) -> Any:
    """Problem 30."""
    u = [0, *x, 0]
    return [(3 - 2 * u[i]) * u[i] - u[i - 1] - 2 * u[i + 1] + 1 for i in range(1, len(x) + 1)]


def broyden_banded(x: Any, m: int) -> Any:
    """Problem 31."""
    n, out = len(x), []
    for i in range(n):
        band = [j for j in range(max(0, i - 5), min(n, i + 2)) if j != i]
        out.append(x[i] * (2 + 5 * x[i] ** 2) + 1 - sum(x[j] * (1 + x[j]) for j in band))
    return out


def linear_full_rank(x: Any, m: int) -> Any:
    """Problem 32."""
    mean = 2 * sum(x) / D(m)
    return [*(t - mean - 1 for t in x), *(-mean - 1 for _ in range(m - len(x)))]


def linear_rank_1(x: Any, m: int) -> Any:
    """Problem 33."""
    total = sum(j * t for j, t in enumerate(x, 1))
    return [i * total - 1 for i in range(1, m + 1)]


def linear_rank_1_zero(x: Any, m: int) -> Any:
    """Problem 34."""
    total = sum(j * x[j - 1] for j in range(2, len(x)))
    return [-1, *((i - 1) * total - 1 for i in range(2, m)), -1]


def chebyquad(x: Any, m: int) -> Any:
    """Problem 35."""
    n, z = len(x), [2 * t - 1 for t in x]
    last, this = [1] * n, z
    out = []
    for i in range(1, n + 1):
        integral = D(0) if i % 2 else D(-1) / (i**2 - 1)
        out.append(sum(this) / D(n) - integral)
        last, this = this, [2 * s * a - b for s, a, b in zip(z, this, last, strict=True)]
    return out


RESIDUALS = {
    item.__name__: item
    for item in (
        freudenstein_roth,
        powell_badly_scaled,
        brown_badly_scaled,
        beale,
        jennrich_sampson,
        helical_valley,
        bard,
        gaussian,
        meyer,
        gulf,
        box_3d,
        powell_singular,
        wood,
        kowalik_osborne,
        brown_dennis,
        osborne_1,
        biggs_exp6,
        osborne_2,
        watson,
        extended_rosenbrock,
        penalty_1,
        penalty_2,
        variably_dimensioned,
        trigonometric,
        brown_almost_linear,
        discrete_boundary_value,
        discrete_integral_equation,
        broyden_tridiagonal,
        broyden_banded,
        linear_full_rank,
        linear_rank_1,
        linear_rank_1_zero,
        chebyquad,
    )
}
