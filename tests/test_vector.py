"""The arithmetic of the networks' kernels: products against NumPy, functions against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from optbench import jit
from optbench.problems._product import add_outer, add_product
from optbench.problems._vector import exp_neg, sigmoid, tanh

logistic: Callable[[Any], Any] = sigmoid


def test_products_are_numpys() -> None:
    rng = np.random.default_rng(0)
    inner, outer = (jit.lower(function, jit.SUM_MATH) for function in (add_product, add_outer))
    multiply = njit(lambda z, w, rows, columns, a, start: inner(z, w, rows, columns, a, start))
    correlate = njit(lambda g, u, a, start: outer(g, u, a, start))
    for n, d, m, start in [(1, 1, 1, 0), (3, 2, 5, 0), (4, 4, 8, 3), (5, 7, 33, 1), (10, 32, 64, 0), (6, 9, 300, 50)]:
        w, a, z = rng.standard_normal((n, d)), rng.standard_normal((d, m + start)), rng.standard_normal((n, m))
        part = a[:, start:]
        for values, rows, columns in ((w.ravel(), d, 1), (w.T.ravel(), 1, n)):
            got = z.copy()
            multiply(got, values, rows, columns, a, start)
            assert_allclose(got, z + w @ part, rtol=1e-12, atol=1e-12)
        got = w.copy()
        correlate(got, z, a, start)
        assert_allclose(got, w + z @ part.T, rtol=1e-12, atol=1e-12)


def looped(function: Any) -> Any:
    """The function over an array, compiled as in a kernel that sums."""
    inner = jit.lower(function, jit.SUM_MATH, inline=True)

    def loop(x, y):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            y[i] = inner(x[i])

    body = jit.compiled(loop, jit.SUM_MATH)
    run = njit(lambda x, y: body(x, y))

    def values(x: Any) -> Any:
        y = np.empty(np.size(x))
        run(np.array(x, dtype=np.float64), y)
        return y

    return values


def worst(got: Any, exact: Any, x: Any) -> float:
    """Largest error in units of the last place."""
    found = 0.0
    with mp.workdps(40):
        for a, y in zip(x, got, strict=True):
            true = exact(mp.mpf(float(a)))
            found = max(found, float(abs(mp.mpf(float(y)) - true) / mp.mpf(float(np.spacing(abs(float(true)))))))
    return found


def some(low: float, high: float) -> Any:
    rng = np.random.default_rng(5)
    return np.concatenate([10.0 ** rng.uniform(low, np.log10(high), 700), rng.uniform(0.0, high, 300), [0.0, high]])


def share(a: Any) -> Any:
    return logistic(a)[0]


def slope(a: Any) -> Any:
    return logistic(a)[1]


def test_vector_functions_are_exact_to_the_last_places() -> None:
    assert worst(looped(exp_neg)(x := some(-300, 708.0)), lambda a: mp.exp(-a), x) <= 1.0
    x = np.concatenate([some(-300, 25.0), -some(-300, 25.0)])
    assert worst(looped(tanh)(x), mp.tanh, x) <= 3.0
    x = np.concatenate([some(-20, 700.0), -some(-20, 700.0)])
    assert worst(looped(share)(x), lambda a: 1 / (1 + mp.exp(-a)), x) <= 3.0
    assert worst(looped(slope)(x), lambda a: mp.exp(-abs(a)) / (1 + mp.exp(-abs(a))) ** 2, x) <= 5.0


def test_vector_functions_at_the_ends() -> None:
    huge = [np.inf, 1e300, 1e3]
    assert np.all(looped(exp_neg)(huge) < 1e-307)
    assert_array_equal(looped(tanh)([*huge, *(-t for t in huge), 0.0]), [1, 1, 1, -1, -1, -1, 0])
    assert np.signbit(looped(tanh)([-0.0]))[0]
    assert_allclose(looped(share)([*huge, *(-t for t in huge)]), [1, 1, 1, 0, 0, 0], atol=1e-307)
    assert np.all(looped(slope)([*huge, *(-t for t in huge)]) < 1e-307)
    for function in (exp_neg, tanh, share, slope):
        assert np.isnan(looped(function)([np.nan]))[0]
    x = some(-5, 30.0)
    assert_array_equal(looped(tanh)(x), -looped(tanh)(-x))
    plain: Callable[[float], float] = tanh
    assert_allclose(looped(tanh)(x), np.array([plain(a) for a in x]), rtol=5e-16)
