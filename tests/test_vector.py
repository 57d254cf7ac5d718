"""The arithmetic of the networks' kernels: products against NumPy, functions against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from optbench import jit
from optbench.problems._product import add_outer, add_product
from optbench.problems._vector import exp_neg, sigmoid, tanh

logistic: Callable[[Any], Any] = sigmoid


def kernel_of(function: Any, kinds: str, make: Callable[[Any], Callable[..., Any]]) -> jit.Kernel:
    """The function as a part of a kernel that sums."""
    return jit.compile_kernel(
        f"test-{function.__name__}",
        lambda: make(jit.lower(function, jit.SUM_MATH, inline=True)),
        jit.fingerprint(function),
        kinds,
        jit.SUM_MATH,
    )


def product_kernel(inner: Any) -> Callable[..., Any]:
    from optbench.codec import array_at, matrix_at

    def kernel(z, n, m, w, rows, columns, a, d, total, start):  # type: ignore[no-untyped-def]
        inner(matrix_at(z, n, m), array_at(w, n * d), rows, columns, matrix_at(a, d, total), start)
        return n

    return kernel


def outer_kernel(inner: Any) -> Callable[..., Any]:
    from optbench.codec import matrix_at

    def kernel(g, n, d, u, m, a, total, start):  # type: ignore[no-untyped-def]
        inner(matrix_at(g, n, d), matrix_at(u, n, m), matrix_at(a, d, total), start)
        return n

    return kernel


@pytest.mark.parametrize(
    ("n", "d", "m", "start"),
    [(1, 1, 1, 0), (3, 2, 5, 0), (4, 4, 8, 3), (5, 7, 33, 1), (10, 32, 64, 0), (6, 9, 300, 50)],
)
def test_products_are_numpys(n: int, d: int, m: int, start: int) -> None:
    rng = np.random.default_rng(0)
    multiply, outer = kernel_of(add_product, 11 * "i", product_kernel), kernel_of(add_outer, 9 * "i", outer_kernel)
    w, a, z = rng.standard_normal((n, d)), rng.standard_normal((d, m + start)), rng.standard_normal((n, m))
    part = a[:, start:]
    for values, rows, columns in ((w.ravel(), d, 1), (w.T.ravel(), 1, n)):
        got = z.copy()
        multiply(got.ctypes.data, n, m, values.ctypes.data, rows, columns, a.ctypes.data, d, m + start, start)
        assert_allclose(got, z + w @ part, rtol=1e-12, atol=1e-12)
    got = w.copy()
    outer(got.ctypes.data, n, d, z.ctypes.data, m, a.ctypes.data, m + start, start)
    assert_allclose(got, w + z @ part.T, rtol=1e-12, atol=1e-12)


def loop_kernel(inner: Any) -> Callable[..., Any]:
    from optbench.codec import array_at

    def kernel(x, y, n):  # type: ignore[no-untyped-def]
        given, out = array_at(x, n), array_at(y, n)
        for i in range(n):
            out[i] = inner(given[i])
        return n

    return kernel


def looped(function: Any) -> Any:
    """The function over an array, compiled as in a kernel that sums."""

    def values(given: Any) -> Any:
        x = np.array(given, dtype=np.float64)
        y = np.empty_like(x)
        kernel_of(function, "iiii", loop_kernel)(x.ctypes.data, y.ctypes.data, x.size)
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
