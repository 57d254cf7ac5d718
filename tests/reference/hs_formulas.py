"""The Hock-Schittkowski problems as the book states them, in mpmath: an independent check of the kernels.

Every entry of `BOOK` is named after its problem and maps a point, a list of mpmath numbers, to the objective f, the
equalities h (h = 0) and the inequalities g (g >= 0, the book's direction), and carries the simple bounds. `rows` turns
that into the form of `optbench.Problem`: h first, then -g, then lower bounds and upper bounds, by index.

Source: Hock & Schittkowski (1981), Test Examples for Nonlinear Programming Codes, Springer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp

D = mp.mpf  # decimal constants are given as strings, so that they are exact
FREE = math.inf


class Statement(NamedTuple):
    """What the book says: ``body(x) -> (f, h, g)``, and the bounds, a number for all coordinates or one each."""

    body: Callable[[Any], tuple[Any, list[Any], list[Any]]]
    low: Any
    high: Any


BOOK: dict[str, Statement] = {}


def stated(low: Any = -FREE, high: Any = FREE) -> Callable[..., Any]:
    def keep(body: Callable[..., Any]) -> Callable[..., Any]:
        BOOK[body.__name__] = Statement(body, low, high)
        return body

    return keep


def limits(values: Any, n: int) -> list[Any]:
    """Bounds of n coordinates as given: strings where the decimal is not exact."""
    return list(values) if isinstance(values, (list, tuple)) else [values] * n


def rows(name: str, x: Any) -> tuple[Any, list[Any], int]:
    """Objective, constraints in the package's order and sign, and the number of equalities."""
    statement = BOOK[name]
    f, h, g = statement.body(x)
    low, high = (limits(side, len(x)) for side in (statement.low, statement.high))
    below = [D(a) - t for t, a in zip(x, low, strict=True) if a != -FREE]
    above = [t - D(b) for t, b in zip(x, high, strict=True) if b != FREE]
    return f, [*h, *(-t for t in g), *below, *above], len(h)


def banana(a: Any, b: Any) -> Any:
    return 100 * (b - a**2) ** 2 + (1 - a) ** 2


@stated(low=[-FREE, "-1.5"])
def hs001(x: Any) -> Any:
    a, b = x
    return banana(a, b), [], []


@stated(low=[-FREE, "1.5"])
def hs002(x: Any) -> Any:
    a, b = x
    return banana(a, b), [], []


@stated(low=[-FREE, 0])
def hs003(x: Any) -> Any:
    a, b = x
    return b + D("1e-5") * (b - a) ** 2, [], []


@stated(low=[1, 0])
def hs004(x: Any) -> Any:
    a, b = x
    return (a + 1) ** 3 / 3 + b, [], []


@stated(low=["-1.5", -3], high=[4, 3])
def hs005(x: Any) -> Any:
    a, b = x
    return mp.sin(a + b) + (a - b) ** 2 - D("1.5") * a + D("2.5") * b + 1, [], []


@stated()
def hs006(x: Any) -> Any:
    a, b = x
    return (1 - a) ** 2, [10 * (b - a**2)], []


@stated()
def hs007(x: Any) -> Any:
    a, b = x
    return mp.log(1 + a**2) - b, [(1 + a**2) ** 2 + b**2 - 4], []


@stated()
def hs008(x: Any) -> Any:
    a, b = x
    return -1 + 0 * a, [a**2 + b**2 - 25, a * b - 9], []


@stated()
def hs009(x: Any) -> Any:
    a, b = x
    return mp.sin(mp.pi * a / 12) * mp.cos(mp.pi * b / 16), [4 * a - 3 * b], []


@stated()
def hs010(x: Any) -> Any:
    a, b = x
    return a - b, [], [-3 * a**2 + 2 * a * b - b**2 + 1]


@stated()
def hs011(x: Any) -> Any:
    a, b = x
    return (a - 5) ** 2 + b**2 - 25, [], [-(a**2) + b]


@stated()
def hs012(x: Any) -> Any:
    a, b = x
    return a**2 / 2 + b**2 - a * b - 7 * a - 7 * b, [], [25 - 4 * a**2 - b**2]


@stated()
def hs014(x: Any) -> Any:
    a, b = x
    return (a - 2) ** 2 + (b - 1) ** 2, [a - 2 * b + 1], [-(a**2) / 4 - b**2 + 1]


@stated(high=["0.5", FREE])
def hs015(x: Any) -> Any:
    a, b = x
    return banana(a, b), [], [a * b - 1, a + b**2]


@stated(low=[2, 0], high=[50, 50])
def hs018(x: Any) -> Any:
    a, b = x
    return D("0.01") * a**2 + b**2, [], [a * b - 25, a**2 + b**2 - 25]


@stated(low=[2, -50], high=[50, 50])
def hs021(x: Any) -> Any:
    a, b = x
    return D("0.01") * a**2 + b**2 - 100, [], [10 * a - b - 10]


@stated()
def hs022(x: Any) -> Any:
    a, b = x
    return (a - 2) ** 2 + (b - 1) ** 2, [], [-a - b + 2, -(a**2) + b]


@stated(low=0)
def hs024(x: Any) -> Any:
    a, b = x
    r = mp.sqrt(3)
    return ((a - 3) ** 2 - 9) * b**3 / (27 * r), [], [a / r - b, a + r * b, 6 - a - r * b]


@stated()
def hs026(x: Any) -> Any:
    a, b, c = x
    return (a - b) ** 2 + (b - c) ** 4, [(1 + b**2) * a + c**4 - 3], []


@stated()
def hs027(x: Any) -> Any:
    a, b, c = x
    return D("0.01") * (a - 1) ** 2 + (b - a**2) ** 2, [a + c**2 + 1], []


@stated()
def hs028(x: Any) -> Any:
    a, b, c = x
    return (a + b) ** 2 + (b + c) ** 2, [a + 2 * b + 3 * c - 1], []


@stated()
def hs029(x: Any) -> Any:
    a, b, c = x
    return -a * b * c, [], [-(a**2) - 2 * b**2 - 4 * c**2 + 48]


@stated(low=0)
def hs032(x: Any) -> Any:
    a, b, c = x
    return (a + 3 * b + c) ** 2 + 4 * (a - b) ** 2, [1 - a - b - c], [6 * b + 4 * c - a**3 - 3]


@stated(low=0)
def hs035(x: Any) -> Any:
    a, b, c = x
    f = 9 - 8 * a - 6 * b - 4 * c + 2 * a**2 + 2 * b**2 + c**2 + 2 * a * b + 2 * a * c
    return f, [], [3 - a - b - 2 * c]


@stated()
def hs039(x: Any) -> Any:
    a, b, c, d = x
    return -a, [b - a**3 - c**2, a**2 - b - d**2], []


@stated()
def hs040(x: Any) -> Any:
    a, b, c, d = x
    return -a * b * c * d, [a**3 + b**2 - 1, a**2 * d - c, d**2 - b], []


@stated()
def hs042(x: Any) -> Any:
    a, b, c, d = x
    f = (a - 1) ** 2 + (b - 2) ** 2 + (c - 3) ** 2 + (d - 4) ** 2
    return f, [a - 2, c**2 + d**2 - 2], []


@stated()
def hs043(x: Any) -> Any:
    a, b, c, d = x
    f = a**2 + b**2 + 2 * c**2 + d**2 - 5 * a - 5 * b - 21 * c + 7 * d
    g = [
        8 - a**2 - b**2 - c**2 - d**2 - a + b - c + d,
        10 - a**2 - 2 * b**2 - c**2 - 2 * d**2 + a + d,
        5 - 2 * a**2 - b**2 - c**2 - 2 * a + b + d,
    ]
    return f, [], g


@stated(low=0)
def hs044(x: Any) -> Any:
    a, b, c, d = x
    g = [8 - a - 2 * b, 12 - 4 * a - b, 12 - 3 * a - 4 * b, 8 - 2 * c - d, 8 - c - 2 * d, 5 - c - d]
    return a - b - c - a * c + a * d + b * c - b * d, [], g


@stated()
def hs046(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - b) ** 2 + (c - 1) ** 2 + (d - 1) ** 4 + (e - 1) ** 6
    return f, [a**2 * d + mp.sin(d - e) - 1, b + c**4 * d**2 - 2], []


@stated()
def hs047(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - b) ** 2 + (b - c) ** 3 + (c - d) ** 4 + (d - e) ** 4
    return f, [a + b**2 + c**3 - 3, b - c**2 + d - 1, a * e - 1], []


@stated()
def hs048(x: Any) -> Any:
    a, b, c, d, e = x
    return (a - 1) ** 2 + (b - c) ** 2 + (d - e) ** 2, [a + b + c + d + e - 5, c - 2 * (d + e) + 3], []


@stated()
def hs049(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - b) ** 2 + (c - 1) ** 2 + (d - 1) ** 4 + (e - 1) ** 6
    return f, [a + b + c + 4 * d - 7, c + 5 * e - 6], []


@stated()
def hs050(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - b) ** 2 + (b - c) ** 2 + (c - d) ** 4 + (d - e) ** 2
    return f, [a + 2 * b + 3 * c - 6, b + 2 * c + 3 * d - 6, c + 2 * d + 3 * e - 6], []


@stated()
def hs051(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - b) ** 2 + (b + c - 2) ** 2 + (d - 1) ** 2 + (e - 1) ** 2
    return f, [a + 3 * b - 4, c + d - 2 * e, b - e], []


@stated()
def hs052(x: Any) -> Any:
    a, b, c, d, e = x
    f = (4 * a - b) ** 2 + (b + c - 2) ** 2 + (d - 1) ** 2 + (e - 1) ** 2
    return f, [a + 3 * b, c + d - 2 * e, b - e], []


@stated()
def hs056(x: Any) -> Any:
    a, b, c, d, e, p, q = x
    h = [
        a - D("4.2") * mp.sin(d) ** 2,
        b - D("4.2") * mp.sin(e) ** 2,
        c - D("4.2") * mp.sin(p) ** 2,
        a + 2 * b + 2 * c - D("7.2") * mp.sin(q) ** 2,
    ]
    return -a * b * c, h, []


@stated(low=-10, high=10)
def hs060(x: Any) -> Any:
    a, b, c = x
    f = (a - 1) ** 2 + (a - b) ** 2 + (b - c) ** 4
    return f, [a * (1 + b**2) + c**4 - 4 - 3 * mp.sqrt(2)], []


@stated()
def hs061(x: Any) -> Any:
    a, b, c = x
    f = 4 * a**2 + 2 * b**2 + 2 * c**2 - 33 * a + 16 * b - 24 * c
    return f, [3 * a - 2 * b**2 - 7, 4 * a - c**2 - 11], []


@stated(low=0)
def hs063(x: Any) -> Any:
    a, b, c = x
    f = 1000 - a**2 - 2 * b**2 - c**2 - a * b - a * c
    return f, [8 * a + 14 * b + 7 * c - 56, a**2 + b**2 + c**2 - 25], []


@stated(low="1e-5")
def hs064(x: Any) -> Any:
    a, b, c = x
    f = 5 * a + 50000 / a + 20 * b + 72000 / b + 10 * c + 144000 / c
    return f, [], [1 - 4 / a - 32 / b - 120 / c]


@stated(low=["-4.5", "-4.5", -5], high=["4.5", "4.5", 5])
def hs065(x: Any) -> Any:
    a, b, c = x
    f = (a - b) ** 2 + (a + b - 10) ** 2 / 9 + (c - 5) ** 2
    return f, [], [48 - a**2 - b**2 - c**2]


@stated(low=0, high=[100, 100, 10])
def hs066(x: Any) -> Any:
    a, b, c = x
    return D("0.2") * c - D("0.8") * a, [], [b - mp.exp(a), c - mp.exp(b)]


@stated(low=1, high=5)
def hs071(x: Any) -> Any:
    a, b, c, d = x
    return a * d * (a + b + c) + c, [a**2 + b**2 + c**2 + d**2 - 40], [a * b * c * d - 25]


def network(x: Any, width: Any) -> Any:
    a, b, c, d = x
    quarter = D("0.25")
    f = 3 * a + D("1e-6") * a**3 + 2 * b + D("2e-6") * b**3 / 3
    h = [
        1000 * mp.sin(-c - quarter) + 1000 * mp.sin(-d - quarter) + D("894.8") - a,
        1000 * mp.sin(c - quarter) + 1000 * mp.sin(c - d - quarter) + D("894.8") - b,
        1000 * mp.sin(d - quarter) + 1000 * mp.sin(d - c - quarter) + D("1294.8"),
    ]
    return f, h, [d - c + width, c - d + width]


@stated(low=[0, 0, "-0.55", "-0.55"], high=[1200, 1200, "0.55", "0.55"])
def hs074(x: Any) -> Any:
    return network(x, D("0.55"))


@stated(low=[0, 0, "-0.48", "-0.48"], high=[1200, 1200, "0.48", "0.48"])
def hs075(x: Any) -> Any:
    return network(x, D("0.48"))


@stated(low=0)
def hs076(x: Any) -> Any:
    a, b, c, d = x
    f = a**2 + b**2 / 2 + c**2 + d**2 / 2 - a * c + c * d - a - 3 * b + c - d
    return f, [], [5 - a - 2 * b - c - d, 4 - 3 * a - b - 2 * c + d, b + 4 * c - D("1.5")]


@stated()
def hs077(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - 1) ** 2 + (a - b) ** 2 + (c - 1) ** 2 + (d - 1) ** 4 + (e - 1) ** 6
    return f, [a**2 * d + mp.sin(d - e) - 2 * mp.sqrt(2), b + c**4 * d**2 - 8 - mp.sqrt(2)], []


def powell(x: Any) -> Any:
    a, b, c, d, e = x
    return [a**2 + b**2 + c**2 + d**2 + e**2 - 10, b * c - 5 * d * e, a**3 + b**3 + 1]


@stated()
def hs078(x: Any) -> Any:
    a, b, c, d, e = x
    return a * b * c * d * e, powell(x), []


@stated()
def hs079(x: Any) -> Any:
    a, b, c, d, e = x
    f = (a - 1) ** 2 + (a - b) ** 2 + (b - c) ** 2 + (c - d) ** 4 + (d - e) ** 4
    r = mp.sqrt(2)
    return f, [a + b**2 + c**3 - 2 - 3 * r, b - c**2 + d + 2 - 2 * r, a * e - 2], []


@stated(low=["-2.3"] * 2 + ["-3.2"] * 3, high=["2.3"] * 2 + ["3.2"] * 3)
def hs080(x: Any) -> Any:
    a, b, c, d, e = x
    return mp.exp(a * b * c * d * e), powell(x), []


@stated(low=["-2.3"] * 2 + ["-3.2"] * 3, high=["2.3"] * 2 + ["3.2"] * 3)
def hs081(x: Any) -> Any:
    a, b, c, d, e = x
    return mp.exp(a * b * c * d * e) - (a**3 + b**3 + 1) ** 2 / 2, powell(x), []


@stated()
def hs100(x: Any) -> Any:
    a, b, c, d, e, p, q = x
    f = (a - 10) ** 2 + 5 * (b - 12) ** 2 + c**4 + 3 * (d - 11) ** 2 + 10 * e**6
    f += 7 * p**2 + q**4 - 4 * p * q - 10 * p - 8 * q
    g = [
        127 - 2 * a**2 - 3 * b**4 - c - 4 * d**2 - 5 * e,
        282 - 7 * a - 3 * b - 10 * c**2 - d + e,
        196 - 23 * a - b**2 - 6 * p**2 + 8 * q,
        -4 * a**2 - b**2 + 3 * a * b - 2 * c**2 - 5 * p + 11 * q,
    ]
    return f, [], g


GIBBS = ["-6.089", "-17.164", "-34.054", "-5.914", "-24.721", "-14.986", "-24.100", "-10.708", "-26.662", "-22.179"]


@stated(low="1e-6")
def hs112(x: Any) -> Any:
    total = sum(x)
    f = sum(t * (D(c) + mp.log(t / total)) for t, c in zip(x, GIBBS, strict=True))
    h = [
        x[0] + 2 * x[1] + 2 * x[2] + x[5] + x[9] - 2,
        x[3] + 2 * x[4] + x[5] + x[6] - 1,
        x[2] + x[6] + x[7] + 2 * x[8] + x[9] - 1,
    ]
    return f, h, []


@stated()
def hs113(x: Any) -> Any:
    a, b, c, d, e, p, q, r, s, t = x
    f = a**2 + b**2 + a * b - 14 * a - 16 * b + (c - 10) ** 2 + 4 * (d - 5) ** 2 + (e - 3) ** 2
    f += 2 * (p - 1) ** 2 + 5 * q**2 + 7 * (r - 11) ** 2 + 2 * (s - 10) ** 2 + (t - 7) ** 2 + 45
    g = [
        105 - 4 * a - 5 * b + 3 * q - 9 * r,
        -10 * a + 8 * b + 17 * q - 2 * r,
        8 * a - 2 * b - 5 * s + 2 * t + 12,
        -3 * (a - 2) ** 2 - 4 * (b - 3) ** 2 - 2 * c**2 + 7 * d + 120,
        -5 * a**2 - 8 * b - (c - 6) ** 2 + 2 * d + 40,
        -((a - 8) ** 2) / 2 - 2 * (b - 4) ** 2 - 3 * e**2 + p + 30,
        -(a**2) - 2 * (b - 2) ** 2 + 2 * a * b - 14 * e + 6 * p,
        3 * a - 6 * b - 12 * (s - 8) ** 2 + 7 * t,
    ]
    return f, [], g
