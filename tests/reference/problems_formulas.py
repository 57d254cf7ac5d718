"""The analytic problems once more, as the textbook writes them, in mpmath: an independent check of the kernels.

Every entry of `FORMULAS` takes the point as a list of mpmath numbers and the problem's data record, and returns f. The
formulas are written from the sources that the problems cite, not from the kernels, whose expressions are rearranged.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp

D = mp.mpf  # decimal constants are given as strings, so that they are exact


def rosenbrock(x: Any, data: Any) -> Any:
    """Chain of n - 1 valleys."""
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def sphere(x: Any, data: Any) -> Any:
    """Sum of squares."""
    return sum(t**2 for t in x)


def sum_squares(x: Any, data: Any) -> Any:
    """Weighted sum of squares."""
    return sum(i * t**2 for i, t in enumerate(x, 1))


def beale(x: Any, data: Any) -> Any:
    """Three squares."""
    a, b = x
    return (D("1.5") - a + a * b) ** 2 + (D("2.25") - a + a * b**2) ** 2 + (D("2.625") - a + a * b**3) ** 2


def himmelblau(x: Any, data: Any) -> Any:
    """Two squares."""
    a, b = x
    return (a**2 + b - 11) ** 2 + (a + b**2 - 7) ** 2


def booth(x: Any, data: Any) -> Any:
    """Two squares."""
    a, b = x
    return (a + 2 * b - 7) ** 2 + (2 * a + b - 5) ** 2


def matyas(x: Any, data: Any) -> Any:
    """Quadratic form."""
    a, b = x
    return D("0.26") * (a**2 + b**2) - D("0.48") * a * b


def goldstein_price(x: Any, data: Any) -> Any:
    """Product of two polynomials, in the published powers of the coordinates."""
    a, b = x
    first = 1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2)
    second = 30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2)
    return first * second


def three_hump_camel(x: Any, data: Any) -> Any:
    """Polynomial of degree 6."""
    a, b = x
    return 2 * a**2 - D("1.05") * a**4 + a**6 / 6 + a * b + b**2


def six_hump_camel(x: Any, data: Any) -> Any:
    """Polynomial of degree 6."""
    a, b = x
    return (4 - D("2.1") * a**2 + a**4 / 3) * a**2 + a * b + (-4 + 4 * b**2) * b**2


def rastrigin(x: Any, data: Any) -> Any:
    """Squares and cosines."""
    return 10 * len(x) + sum(t**2 - 10 * mp.cos(2 * mp.pi * t) for t in x)


def ackley(x: Any, data: Any) -> Any:
    """Two exponentials of means; a = 20, b = 0.2, c = 2 pi."""
    n = len(x)
    root = mp.sqrt(sum(t**2 for t in x) / n)
    return -20 * mp.exp(-D("0.2") * root) - mp.exp(sum(mp.cos(2 * mp.pi * t) for t in x) / n) + 20 + mp.e


def griewank(x: Any, data: Any) -> Any:
    """Squares and a product of cosines."""
    return 1 + sum(t**2 for t in x) / 4000 - mp.fprod(mp.cos(t / mp.sqrt(i)) for i, t in enumerate(x, 1))


def levy(x: Any, data: Any) -> Any:
    """Three parts in w = 1 + (x - 1) / 4."""
    w = [1 + (t - 1) / 4 for t in x]
    middle = sum((t - 1) ** 2 * (1 + 10 * mp.sin(mp.pi * t + 1) ** 2) for t in w[:-1])
    return mp.sin(mp.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + mp.sin(2 * mp.pi * w[-1]) ** 2)


def styblinski_tang(x: Any, data: Any) -> Any:
    """Quartic of every coordinate."""
    return sum(t**4 - 16 * t**2 + 5 * t for t in x) / 2


def dixon_price(x: Any, data: Any) -> Any:
    """Weighted chain."""
    return (x[0] - 1) ** 2 + sum(i * (2 * x[i - 1] ** 2 - x[i - 2]) ** 2 for i in range(2, len(x) + 1))


def zakharov(x: Any, data: Any) -> Any:
    """Powers 2 and 4 of a linear form."""
    s = sum(i * t for i, t in enumerate(x, 1)) / 2
    return sum(t**2 for t in x) + s**2 + s**4


def powell_singular(x: Any, data: Any) -> Any:
    """Sum of the squared residuals of every block of four."""
    residuals = []
    for k in range(0, len(x), 4):
        a, b, c, d = x[k : k + 4]
        residuals += [a + 10 * b, mp.sqrt(5) * (c - d), (b - 2 * c) ** 2, mp.sqrt(10) * (a - d) ** 2]
    return sum(r**2 for r in residuals)


def wood(x: Any, data: Any) -> Any:
    """Sum of six squared residuals."""
    a, b, c, d = x
    root = mp.sqrt(10)
    residuals = [10 * (b - a**2), 1 - a, mp.sqrt(90) * (d - c**2), 1 - c, root * (b + d - 2), (b - d) / root]
    return sum(r**2 for r in residuals)


def helical_valley(x: Any, data: Any) -> Any:
    """Three squared residuals; not for x_1 = 0."""
    a, b, c = x
    theta = mp.atan(b / a) / (2 * mp.pi) + (D("0.5") if a < 0 else 0)
    return (10 * (c - 10 * theta)) ** 2 + (10 * (mp.sqrt(a**2 + b**2) - 1)) ** 2 + c**2


def brown_badly_scaled(x: Any, data: Any) -> Any:
    """Three squared residuals."""
    a, b = x
    return (a - 10**6) ** 2 + (b - D("2e-6")) ** 2 + (a * b - 2) ** 2


def trigonometric(x: Any, data: Any) -> Any:
    """Sum of n squared residuals."""
    n = len(x)
    cosines = sum(mp.cos(t) for t in x)
    return sum((n - cosines + i * (1 - mp.cos(t)) - mp.sin(t)) ** 2 for i, t in enumerate(x, 1))


def easom(x: Any, data: Any) -> Any:
    """Two cosines in a Gaussian."""
    a, b = x
    return -mp.cos(a) * mp.cos(b) * mp.exp(-((a - mp.pi) ** 2) - (b - mp.pi) ** 2)


def mccormick(x: Any, data: Any) -> Any:
    """Sine of the sum, square of the difference, a plane."""
    a, b = x
    return mp.sin(a + b) + (a - b) ** 2 - D("1.5") * a + D("2.5") * b + 1


def michalewicz(x: Any, data: Any) -> Any:
    """Two sines, m = 10."""
    return -sum(mp.sin(t) * mp.sin(i * t**2 / mp.pi) ** 20 for i, t in enumerate(x, 1))


def schwefel(x: Any, data: Any) -> Any:
    """Sine of a root, with the published seven digits."""
    return D("418.9829") * len(x) - sum(t * mp.sin(mp.sqrt(abs(t))) for t in x)


def branin(x: Any, data: Any) -> Any:
    """Parabola and cosine; the recommended constants."""
    a, b = x
    bracket = b - D("5.1") / (4 * mp.pi**2) * a**2 + 5 / mp.pi * a - 6
    return bracket**2 + 10 * (1 - 1 / (8 * mp.pi)) * mp.cos(a) + 10


def bohachevsky(x: Any, data: Any) -> Any:
    """Sum of the first of the three forms."""
    a, b = x
    return a**2 + 2 * b**2 - D("0.3") * mp.cos(3 * mp.pi * a) - D("0.4") * mp.cos(4 * mp.pi * b) + D("0.7")


def quadratic(x: Any, data: Any) -> Any:
    """Half the quadratic form of the record's matrix or eigenvalues."""
    d = [t - D(float(c)) for t, c in zip(x, data.center, strict=True)]
    n = range(len(x))
    if hasattr(data, "eigenvalues"):
        return sum(D(float(data.eigenvalues[i])) * d[i] ** 2 for i in n) / 2
    return sum(D(float(data.matrix[i, j])) * d[i] * d[j] for i in n for j in n) / 2


FORMULAS = {name: item for name, item in list(globals().items()) if getattr(item, "__module__", "") == __name__}
