"""The compiled form of a problem, an optimizer and a schedule: one kernel each, behind one signature a kind.

=============  ==========================================================  =========================================
kind           signature (all pointers as 64-bit integers)                 compiled from
=============  ==========================================================  =========================================
objective      ``double (x, g, n, data)``                                  ``Problem.fun_grad``
Hessian        ``int64 (x, h, n, data)``                                   ``Problem.hess_fun``
step           ``int64 (frame, t, double lr)``, frame: `coordinate`        ``Optimizer.constants``, ``update``, ...
schedule       ``int64 (out, t0, count, double lr, params)``               ``Schedule.value``
observer       ``double (double f, double lr, params, state)``             ``Schedule.value`` of an observing schedule
=============  ==========================================================  =========================================
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
from optbench.coordinate import make_step
from optbench.records import Empty, encode, fields, pack

if TYPE_CHECKING:
    from optbench.types import Optimizer, Problem, Schedule

Array = NDArray[np.float64]
LANES = 8  # float64 a cache line: arrays start on one

# ------------------------------------------------------------------------------------------------- objectives


def objective(problem: Problem) -> jit.Kernel:
    """Kernel of ``fun_grad``, compiled once for the problem's code, whatever its data."""
    return _objective(problem.fun_grad, problem.record, problem.name)


@functools.cache
def _objective(function: Callable[..., Any], record: type, name: str) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder

        decode, inner = decoder(record), jit.lower(function, jit.SUM_MATH)

        def kernel(x, g, n, data):  # type: ignore[no-untyped-def]
            return inner(array_at(x, n), array_at(g, n), decode(data))

        return kernel

    key = _key((function,), (record,))
    return jit.compile_kernel(f"objective-{name}", make, key, "diiii", jit.SUM_MATH)


@functools.cache
def _hessian(function: Callable[..., Any], record: type, name: str) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder, matrix_at

        decode, inner = decoder(record), jit.lower(function, jit.SUM_MATH)

        def kernel(x, h, n, data):  # type: ignore[no-untyped-def]
            inner(array_at(x, n), matrix_at(h, n, n), decode(data))
            return n

        return kernel

    key = _key((function,), (record,))
    return jit.compile_kernel(f"hessian-{name}", make, key, "iiiii", jit.SUM_MATH)


@functools.cache
def _key(functions: tuple[Callable[..., Any] | None, ...], records: tuple[type, ...]) -> str:
    """Fingerprint of the functions and of the shape of the records they get."""
    parts = [jit.fingerprint(function) for function in functions if function is not None]
    parts += [",".join(f"{field.name}:{field.kind}" for field in fields(record)) for record in records]
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:24]


_DATA: weakref.WeakKeyDictionary[Problem, tuple[Any, Any]] = weakref.WeakKeyDictionary()


def data_words(problem: Problem) -> Any:
    """The problem's data as packed words, kept alive with the problem."""
    if problem not in _DATA:
        encoded = encode(problem.data)
        _DATA[problem] = (encoded, pack(encoded))
    return _DATA[problem][1]


def evaluate(problem: Problem, x: Array) -> tuple[float, Array]:
    """Value and gradient at `x`, shape (n,), contiguous float64, from the compiled objective."""
    g = np.empty_like(x)
    words = data_words(problem)
    return objective(problem)(x.ctypes.data, g.ctypes.data, problem.n, words.ctypes.data), g


def evaluate_hess(problem: Problem, x: Array) -> Array:
    """Hessian at `x`, shape (n,), contiguous float64, from the compiled function: shape (n, n)."""
    assert problem.hess_fun is not None
    h = np.zeros((problem.n, problem.n))
    kernel = _hessian(problem.hess_fun, problem.record, problem.name)
    kernel(x.ctypes.data, h.ctypes.data, problem.n, data_words(problem).ctypes.data)
    return h


# ------------------------------------------------------------------------------------------------- optimizers


def form_of(optimizer: Optimizer, params: Any) -> tuple[Callable[..., Any], type]:
    """Update and state record for these hyperparameters: a variant's where its flag is set."""
    for flag, variant in optimizer.variants.items():
        if getattr(params, flag):
            return variant.update, variant.state
    return optimizer.update, optimizer.state


def step(optimizer: Optimizer, params: Any) -> jit.Kernel:
    """Kernel of one step, compiled once for the optimizer (and once for each variant in use)."""
    update, state = form_of(optimizer, params)
    records = (optimizer.params, state, optimizer.shared)
    return _step(optimizer.name, update, optimizer.constants, (optimizer.scale, optimizer.finish), records)


@functools.cache
def _step(
    name: str,
    update: Callable[..., Any],
    constants: Callable[..., Any],
    scaling: tuple[Callable[..., Any] | None, Callable[..., Any] | None],
    records: tuple[type, type, type],
) -> jit.Kernel:
    key = _key((constants, update, *scaling), records)

    def make() -> Callable[..., Any]:
        return make_step(update, constants, scaling, *records)

    return jit.compile_kernel(f"optimizer-{name}", make, key, "iiid")


# -------------------------------------------------------------------------------------------------- schedules


def schedule(item: Schedule) -> jit.Kernel:
    """Kernel of a schedule, compiled once, whatever its settings."""
    return _schedule(item.name, item.value, item.params, item.state)


@functools.cache
def _schedule(name: str, value: Callable[..., Any], params: type, state: type) -> jit.Kernel:
    def make_fill() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder

        decode, inner = decoder(params), jit.lower(value)

        def kernel(out, t0, count, lr, settings):  # type: ignore[no-untyped-def]
            values, p = array_at(out, count), decode(settings)
            for k in range(count):
                values[k] = inner(t0 + k, lr, p)
            return count

        return kernel

    def make_observer() -> Callable[..., Any]:
        from optbench.codec import decoder, record_storer

        decode, decode_state, store, inner = decoder(params), decoder(state), record_storer(state), jit.lower(value)

        def kernel(f, lr, settings, memory):  # type: ignore[no-untyped-def]
            following, new = inner(f, lr, decode(settings), decode_state(memory))
            store(memory, new)
            return following

        return kernel

    key = _key((value,), (params, state))
    if state is Empty:
        return jit.compile_kernel(f"schedule-{name}", make_fill, key, "iiiidi")
    return jit.compile_kernel(f"schedule-{name}", make_observer, key, "dddii")


def code_of(problem: Problem, optimizer: Optimizer, params: Any, schedule: Schedule) -> str:
    """Fingerprint of all the code and data that a run's numbers come from, without compiling anything."""
    update, state = form_of(optimizer, params)
    parts = [
        jit.engine_hash(),
        _key((problem.fun_grad,), (problem.record,)),
        _key(
            (optimizer.constants, update, optimizer.scale, optimizer.finish),
            (optimizer.params, state, optimizer.shared),
        ),
        _key((schedule.value,), (schedule.params, schedule.state)),
        data_hash(problem),
    ]
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:16]


_DATA_HASHES: weakref.WeakKeyDictionary[Problem, str] = weakref.WeakKeyDictionary()


def data_hash(problem: Problem) -> str:
    """Hash of the problem's data, start and minimum."""
    if problem not in _DATA_HASHES:
        digest = hashlib.sha256(repr(problem.f_opt).encode() + problem.x0.tobytes())
        for field, item in zip(fields(problem.record), encode(problem.data), strict=True):
            if field.kind != "scratch":
                digest.update(np.asarray(item).tobytes())
        _DATA_HASHES[problem] = digest.hexdigest()[:16]
    return _DATA_HASHES[problem]


# ----------------------------------------------------------------------------------------------------- memory


def padded(n: int) -> int:
    """`n` rounded up to whole cache lines."""
    return -(-n // LANES) * LANES


def aligned(count: int) -> Array:
    """Zeros, shape (count,), that start on a cache line."""
    raw = np.zeros(count + LANES)
    skip = (-raw.ctypes.data // 8) % LANES
    return raw[skip : skip + count]
