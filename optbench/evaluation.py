"""The compiled functions of a problem, and their values at a point.

=============  ==========================================  ===========================================================
kernel         signature (addresses as 64-bit integers)    compiled from
=============  ==========================================  ===========================================================
objective      ``double (x, g, n, data)``                  ``Problem.fun_grad``, or the sum of squared ``residuals``
parts          ``int64 (x, n, r, jac, m, data)``           ``Problem.residuals`` or ``constraints``
measure        ``int64 (x, n, out, data)``                 ``Problem.measure``
Hessian        ``int64 (x, n, weights, h, m, data)``       ``Problem.hess_fun`` (or the residuals) and ``curvature``
=============  ==========================================  ===========================================================
"""

from __future__ import annotations

import functools
import hashlib
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from optbench import jit
from optbench.memory import together
from optbench.records import encode, fields, pack, words

if TYPE_CHECKING:
    from optbench.types import Problem

Array = NDArray[np.float64]


def objective(problem: Problem) -> jit.Kernel:
    """Kernel of f and its gradient, compiled once for the problem's code, whatever its data."""
    if problem.fun_grad is not None:
        return _objective(problem.fun_grad, problem.record)
    assert problem.residuals is not None
    return _squares(problem.residuals, problem.record, problem.name)


@functools.cache
def _objective(function: Callable[..., Any], record: type) -> jit.Kernel:
    name = stem(function)  # not the problem's: several may have one function

    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder

        decode, inner = decoder(record), jit.lower(function, jit.SUM_MATH, inline=True)

        def kernel(x, g, n, data):  # type: ignore[no-untyped-def]
            return inner(array_at(x, n), array_at(g, n), decode(data))

        return kernel

    return jit.compile_kernel(f"objective-{name}", make, jit.key_of((function,), (record,)), "diiii", jit.SUM_MATH)


@functools.cache
def _squares(function: Callable[..., Any], record: type, name: str) -> jit.Kernel:
    """Objective of a least-squares problem: residuals and Jacobian into the scratch behind the data, then sums."""

    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder, integers_at, matrix_at

        decode, inner, sums, at = decoder(record), *lowered(function, sum_of_squares), words(record)

        def kernel(x, g, n, data):  # type: ignore[no-untyped-def]
            w = integers_at(data, at + 3)
            r, jac = array_at(w[at], w[at + 2]), matrix_at(w[at + 1], w[at + 2], n)
            inner(array_at(x, n), r, jac, decode(data))
            return sums(r, jac, array_at(g, n))

        return kernel

    return jit.compile_kernel(f"objective-{name}", make, jit.key_of((function,), (record,)), "diiii", jit.SUM_MATH)


def sum_of_squares(r, jac, g):  # type: ignore[no-untyped-def]
    """F = sum of r_i^2; its gradient 2 J'r into g."""
    for j in range(g.size):
        g[j] = 0.0
    f = 0.0
    for i in range(r.size):
        f += r[i] * r[i]
        for j in range(g.size):
            g[j] += 2.0 * r[i] * jac[i, j]
    return f


def stem(function: Callable[..., Any]) -> str:
    """Name of the file that a function comes from."""
    return function.__module__.rpartition(".")[2]


def lowered(*functions: Callable[..., Any]) -> tuple[Any, ...]:
    """Dispatchers of functions that sum."""
    return tuple(jit.lower(function, jit.SUM_MATH) for function in functions)


def parts(problem: Problem) -> jit.Kernel:
    """Kernel of the residuals, or of the constraint functions, and their Jacobian."""
    function = problem.residuals or problem.constraints
    assert function is not None
    return _parts(function, problem.record, problem.name)


@functools.cache
def _parts(function: Callable[..., Any], record: type, name: str) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder, matrix_at

        decode, (inner,) = decoder(record), lowered(function)

        def kernel(x, n, r, jac, m, data):  # type: ignore[no-untyped-def]
            inner(array_at(x, n), array_at(r, m), matrix_at(jac, m, n), decode(data))
            return m

        return kernel

    return jit.compile_kernel(f"parts-{name}", make, jit.key_of((function,), (record,)), "iiiiiii", jit.SUM_MATH)


def hessian(problem: Problem) -> jit.Kernel:
    """Kernel of the Hessian: of f plus the weighted sum over constraints, or of a sum of squared residuals."""
    functions = (problem.residuals, problem.hess_fun, problem.curvature)
    return _hessian(functions, problem.record, problem.name)


@functools.cache
def _hessian(functions: tuple[Callable[..., Any] | None, ...], record: type, name: str) -> jit.Kernel:
    residuals, hess, curvature = functions

    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder, integers_at, matrix_at

        decode, at = decoder(record), words(record)
        base, bend = (jit.lower(part or nothing, jit.SUM_MATH) for part in (hess, curvature))
        reset, mirror = lowered(zero, gauss_newton)
        squares = hess is None
        (inner,) = lowered(residuals or nothing)

        def kernel(x, n, weights, h, m, data):  # type: ignore[no-untyped-def]
            point, out, d = array_at(x, n), matrix_at(h, n, n), decode(data)
            reset(out)
            if squares:
                w = integers_at(data, at + 3)
                r, jac = array_at(w[at], w[at + 2]), matrix_at(w[at + 1], w[at + 2], n)
                inner(point, r, jac, d)
                mirror(r, jac, out)
                bend(point, r, out, d)
            else:
                base(point, out, d)
                if m > 0:
                    bend(point, array_at(weights, m), out, d)
            return n

        return kernel

    return jit.compile_kernel(f"hessian-{name}", make, jit.key_of(functions, (record,)), "iiiiiii", jit.SUM_MATH)


def nothing(x, w, h, data=None):  # type: ignore[no-untyped-def]
    """The curvature of what has none."""


def zero(h):  # type: ignore[no-untyped-def]
    """Fill with zeros."""
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            h[i, j] = 0.0


def gauss_newton(r, jac, h):  # type: ignore[no-untyped-def]
    """Add 2 J'J to h and double r, the weights of the residuals' own curvature."""
    for k in range(r.size):
        r[k] *= 2.0
        for i in range(h.shape[0]):
            for j in range(h.shape[0]):
                h[i, j] += 2.0 * jac[k, i] * jac[k, j]


def measure(problem: Problem) -> jit.Kernel:
    """Kernel of what is measured on held-out samples."""
    assert problem.measure is not None
    return _measure(problem.measure, problem.record)


@functools.cache
def _measure(function: Callable[..., Any], record: type) -> jit.Kernel:
    name = stem(function)

    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder

        decode, (inner,) = decoder(record), lowered(function)

        def kernel(x, n, out, data):  # type: ignore[no-untyped-def]
            inner(array_at(x, n), array_at(out, 2), decode(data))
            return n

        return kernel

    return jit.compile_kernel(f"measure-{name}", make, jit.key_of((function,), (record,)), "iiiii", jit.SUM_MATH)


_DATA: weakref.WeakKeyDictionary[Problem, tuple[Any, ...]] = weakref.WeakKeyDictionary()


def data_words(problem: Problem) -> Any:
    """The problem's data as packed words, and behind them its scratch for residuals; kept alive with the problem."""
    if problem not in _DATA:
        encoded = together(encode(problem.data))
        r, jac = np.zeros(problem.m), np.zeros((problem.m, problem.n))
        packed = pack(encoded)[: words(problem.record)]
        scratch = np.array([r.ctypes.data, jac.ctypes.data, problem.m], dtype=np.int64)
        _DATA[problem] = (np.concatenate([packed, scratch]), encoded, r, jac)
    return _DATA[problem][0]


_HELD_OUT: weakref.WeakKeyDictionary[Problem, tuple[Any, Any]] = weakref.WeakKeyDictionary()


def held_out_words(problem: Problem) -> Any:
    """The problem's held-out samples as packed words, kept alive with the problem."""
    if problem not in _HELD_OUT:
        encoded = together(encode(problem.validation))
        _HELD_OUT[problem] = (pack(encoded), encoded)
    return _HELD_OUT[problem][0]


def evaluate_measure(problem: Problem, x: Array) -> Array:
    """Loss and share of right answers on held-out samples at `x`, shape (n,), contiguous float64: shape (2,)."""
    out = np.full(2, np.nan)
    words = held_out_words(problem).ctypes.data
    measure(problem)(x.ctypes.data, problem.n, out.ctypes.data, words)
    return out


def evaluate(problem: Problem, x: Array) -> tuple[float, Array]:
    """Value and gradient at `x`, shape (n,), contiguous float64, from the compiled objective."""
    g = np.empty_like(x)
    return objective(problem)(x.ctypes.data, g.ctypes.data, problem.n, data_words(problem).ctypes.data), g


def evaluate_parts(problem: Problem, x: Array) -> tuple[Array, Array]:
    """Residuals or constraint functions, shape (m,), and their Jacobian, shape (m, n), from the compiled function."""
    r, jac = np.empty(problem.m), np.empty((problem.m, problem.n))
    data = data_words(problem).ctypes.data
    parts(problem)(x.ctypes.data, problem.n, r.ctypes.data, jac.ctypes.data, problem.m, data)
    return r, jac


def evaluate_hess(problem: Problem, x: Array) -> Array:
    """Hessian of the objective at `x`, shape (n,), contiguous float64, from the compiled function: shape (n, n)."""
    h = np.empty((problem.n, problem.n))
    hessian(problem)(x.ctypes.data, problem.n, 0, h.ctypes.data, 0, data_words(problem).ctypes.data)
    return h


def evaluate_lagrangian_hess(problem: Problem, x: Array, weights: Array) -> Array:
    """Hessian of the objective plus the weighted constraints at `x`, from the compiled functions: shape (n, n)."""
    h = np.empty((problem.n, problem.n))
    data = data_words(problem).ctypes.data
    hessian(problem)(x.ctypes.data, problem.n, weights.ctypes.data, h.ctypes.data, problem.m, data)
    return h


_DATA_HASHES: weakref.WeakKeyDictionary[Problem, str] = weakref.WeakKeyDictionary()


def data_hash(problem: Problem) -> str:
    """Hash of the problem's data, held-out samples, start, bounds and minimum."""
    if problem not in _DATA_HASHES:
        digest = hashlib.sha256(repr((problem.f_opt, problem.frozen)).encode() + problem.x0.tobytes())
        digest.update((problem.bounds if problem.bounds.strides[0] else problem.bounds[:1]).tobytes())
        for data in (problem.data, problem.validation):
            for field, item in zip(fields(problem.record), encode(data), strict=True) if data is not None else ():
                if field.kind != "scratch":
                    digest.update(np.ascontiguousarray(item).data)
        _DATA_HASHES[problem] = digest.hexdigest()[:16]
    return _DATA_HASHES[problem]
