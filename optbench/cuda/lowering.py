"""From plain functions and records to device functions and kernel arguments.

In float32 everything a coordinate sees is a float32: arrays, hyperparameters, the learning rate and the numbers written
in the functions themselves. A whole number times a float32 is a float64, as in NumPy; so are module constants.
"""

from __future__ import annotations

import functools
import types as pytypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import cuda

from optbench import jit
from optbench.devices import simulated
from optbench.records import encode, fields


def device(function: Callable[..., Any]) -> Any:
    """Device function that becomes a part of whoever calls it."""
    return cuda.jit(device=True, **({} if simulated() else {"forceinline": True}))(function)


@functools.cache
def lower(function: Callable[..., Any], real: type) -> Any:
    """Device function of a plain function and of every plain function that it calls; `real` is its float type.

    It is made once, so that a kernel that calls it with the types of an earlier one compiles it no more.
    """
    return jit.lower_with(function, lambda plain: device(_narrowed(plain) if real is np.float32 else plain))


def _narrowed(function: pytypes.FunctionType) -> pytypes.FunctionType:
    """The function with the floats that are written in it as float32, where they fit."""
    code = function.__code__
    function.__code__ = code.replace(co_consts=tuple(_narrow(constant) for constant in code.co_consts))
    return function


def _narrow(constant: Any) -> Any:
    if isinstance(constant, tuple):
        return tuple(_narrow(item) for item in constant)
    if not isinstance(constant, float):
        return constant
    with np.errstate(over="ignore", under="ignore"):
        small = np.float32(constant)
    fits = not np.isinf(small) and (small != 0.0 or constant == 0.0)
    return small if fits or not np.isfinite(constant) else constant


def with_globals(function: Callable[..., Any], **other: Any) -> Callable[..., Any]:
    """The function with other values for some of its globals."""
    assert isinstance(function, pytypes.FunctionType)
    scope = {**function.__globals__, **other}
    return pytypes.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )


def numbers(record: Any, real: type) -> Any:
    """A record as a kernel argument: floats and arrays of the type `real`, choices as their position."""
    cls: type = type(record)
    encoded = encode(record)
    return cls(*(_number(field.kind, value, real) for field, value in zip(fields(cls), encoded, strict=True)))


def _number(kind: str, value: Any, real: type) -> Any:
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value, dtype=real)
    return real(value) if kind == "float" else value


# --------------------------------------------------------------------------------- records from arrays, and back
# A record is put together field by field, each by a device function of its own, since their number is only known here.


def joined(parts: Sequence[Any]) -> Any:
    """Device function ``(a, b) -> tuple`` of what the parts, device functions ``(a, b) -> (item,)``, give.

    An item in a tuple of its own may be an array, which a device function must not return as it is.
    """
    whole = device(_nothing)
    for part in reversed(parts):
        whole = _before(part, whole)
    return whole


def _nothing(a: Any, b: Any) -> tuple[()]:
    return ()


def _before(part: Any, rest: Any) -> Any:
    def both(a: Any, b: Any) -> Any:
        return part(a, b) + rest(a, b)

    return device(both)


@functools.cache
def loader(record: type) -> Any:
    """Device function ``load(values, at) -> record`` of ``values[field, at]``."""
    fill = joined([_getter(field.kind, k) for k, field in enumerate(fields(record))])

    def load(values: Any, at: Any) -> Any:
        return record(*fill(values, at))

    return device(load)


def _getter(kind: str, k: int) -> Any:
    def number(values: Any, at: Any) -> Any:
        return (values[k, at],)

    def whole(values: Any, at: Any) -> Any:
        return (np.int64(values[k, at]),)

    def flag(values: Any, at: Any) -> Any:
        return (values[k, at] != 0.0,)

    return device({"float": number, "bool": flag}.get(kind, whole))


@functools.cache
def storer(record: type) -> Any:
    """Device function ``store(values, at, record)`` into ``values[field, at]``."""
    store = device(_ignored)
    for k in reversed(range(len(fields(record)))):
        store = _then(k, store)
    return store


def _ignored(values: Any, at: Any, record: Any) -> None:
    return None


def _then(k: int, rest: Any) -> Any:
    def both(values: Any, at: Any, record: Any) -> None:
        values[k, at] = record[k]
        rest(values, at, record)

    return device(both)
