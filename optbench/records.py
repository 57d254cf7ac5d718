"""Typed records: the one form in which settings and data reach a kernel.

A record is a ``typing.NamedTuple`` whose fields are annotated with one of

=============  =========================================  =====================
annotation     what a user may pass                       what a kernel sees
=============  =========================================  =====================
``float``      a real number                              ``float64``
``int``        a whole number                             ``int64``
``bool``       ``True`` or ``False``                      ``bool``
``Literal``    one of the strings it lists                ``int64``: the string's position
``Name``       the name of a registered optimizer         nothing: ``int64`` 0
``Vector``     a sequence of numbers                      ``float64[::1]``
``Matrix``     a sequence of sequences of equal length    ``float64[:, ::1]``
``Scratch``    a sequence of numbers                      ``float64[::1]`` that the kernel may write
=============  =========================================  =====================

A number may carry a range, which is part of what a user may pass: ``beta1: Fraction``, ``eps: NonNegative``,
``T_max: Count``, or ``Annotated[float, Range(...)]`` in general.

`encode` checks a record and turns it into the values of the last column; `pack` lays those out in one array of 64-bit
words, so that every compiled loop takes any record through one pointer and no new data set, size or setting compiles
anything again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Vector = Annotated[NDArray[np.float64], 1]
Matrix = Annotated[NDArray[np.float64], 2]
Name = Annotated[str, "registered"]
Scratch = Annotated[NDArray[np.float64], 1, "scratch"]

_RANKS = {"vector": 1, "matrix": 2, "scratch": 1}
_WORDS = {"float": 1, "int": 1, "bool": 1, "choice": 1, "name": 1, "vector": 2, "matrix": 3, "scratch": 2}


class Range(NamedTuple):
    """The numbers between two ends; an end belongs to them unless it is said to be open."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether the value lies inside."""
        return (self.low < value if self.open_low else self.low <= value) and (
            value < self.high if self.open_high else value <= self.high
        )

    def __str__(self) -> str:
        low = f"{'above' if self.open_low else 'of at least'} {self.low:g}" if self.low > -math.inf else ""
        high = f"{'below' if self.open_high else 'at most'} {self.high:g}" if self.high < math.inf else ""
        return " and ".join(part for part in (low, high) if part)


ANY_NUMBER = Range()
Positive = Annotated[float, Range(0.0, open_low=True)]
NonNegative = Annotated[float, Range(0.0)]
Fraction = Annotated[float, Range(0.0, 1.0, open_high=True)]
Count = Annotated[int, Range(1)]
CountOrZero = Annotated[int, Range(0)]


class Empty(NamedTuple):
    """The record without fields: no parameters, no state, no data."""


@dataclass(frozen=True)
class Budget:
    """A default that is a fraction of the run's iteration budget (a whole number, at least 1).

    ``class Params(NamedTuple): T_max: int = Budget(1.0)`` makes the cosine end exactly where the run ends.
    """

    fraction: float

    def resolve(self, n_steps: int) -> int:
        """Steps that this fraction of `n_steps` stands for."""
        return max(1, round(self.fraction * n_steps))


@dataclass(frozen=True)
class Field:
    """One field of a record: its name, kind, choices (for ``Literal``), default (``...`` when required) and range."""

    name: str
    kind: str
    choices: tuple[str, ...]
    default: Any
    range: Range = ANY_NUMBER


@functools.cache
def fields(record: type) -> tuple[Field, ...]:
    """Fields of a record class, in order.

    Raises
    ------
    TypeError
        `record` is not a NamedTuple class, or a field has an annotation that the table above does not list.
    """
    if not (isinstance(record, type) and issubclass(record, tuple) and hasattr(record, "_fields")):
        raise TypeError(f"{record!r} is not a NamedTuple class")
    hints = get_type_hints(record, include_extras=True)
    defaults = getattr(record, "_field_defaults", {})
    return tuple(
        Field(name, *_kind_of(record, name, hints[name]), defaults.get(name, ...), _range_of(hints[name]))
        for name in record._fields
    )


def _range_of(hint: Any) -> Range:
    return next((part for part in get_args(hint) if isinstance(part, Range)), ANY_NUMBER)


def _kind_of(record: type, name: str, hint: Any) -> tuple[str, tuple[str, ...]]:
    if get_origin(hint) is Annotated and isinstance(get_args(hint)[1], Range):
        hint = get_args(hint)[0]
    if hint in (float, int, bool):
        return hint.__name__, ()
    if get_origin(hint) is Literal and all(isinstance(choice, str) for choice in get_args(hint)):
        return "choice", get_args(hint)
    if hint == Vector:
        return "vector", ()
    if hint == Matrix:
        return "matrix", ()
    if hint == Name:
        return "name", ()
    if hint == Scratch:
        return "scratch", ()
    raise TypeError(
        f"{record.__qualname__}.{name}: a field is annotated float, int, bool, Literal[...] of strings, "
        f"Vector, Matrix or Scratch, not {hint!r}"
    )


def check(field: Field, value: Any) -> Any:
    """The value a kernel sees for `value` in `field`.

    Raises
    ------
    ValueError
        `value` is not of the field's kind; the message says what the field takes.
    """
    kind, number = field.kind, isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    inside = number and field.range.holds(value)
    if kind == "float" and inside and not math.isnan(value):
        return float(value)
    if kind == "int" and inside and abs(value) <= 2**53 and value == int(value):
        return int(value)
    if kind == "bool" and isinstance(value, (bool, np.bool_)):
        return bool(value)
    if kind == "name" and isinstance(value, str):
        return 0
    if kind == "choice" and isinstance(value, str) and value in field.choices:
        return field.choices.index(value)
    if kind in _RANKS and not isinstance(value, str):
        try:
            array = np.ascontiguousarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.empty(())
        if array.ndim == _RANKS[kind]:
            return array
    raise ValueError(f"{field.name} takes {_wanted(field)}, not {value!r}")


def _wanted(field: Field) -> str:
    if field.kind == "choice":
        return "one of " + ", ".join(repr(choice) for choice in field.choices)
    inside = f" {field.range}".rstrip()
    return {
        "float": f"a number{inside}",
        "int": f"a whole number{inside}",
        "bool": "true or false",
        "name": "the name of an optimizer",
        "vector": "a list of numbers",
        "scratch": "a list of numbers",
        "matrix": "a list of rows of numbers",
    }[field.kind]


def encode(record: Any) -> Any:
    """The same record with every value as a kernel sees it (choices as their position, arrays contiguous float64)."""
    cls: type = type(record)
    return cls(*(check(field, value) for field, value in zip(fields(cls), record, strict=True)))


def words_of(field: Field) -> int:
    """Number of 64-bit words that `pack` uses for a field."""
    return _WORDS[field.kind]


def words(record: type) -> int:
    """Number of 64-bit words that `pack` uses for a record class."""
    return sum(words_of(field) for field in fields(record))


def pack(encoded: Any) -> NDArray[np.int64]:
    """Lay an encoded record out as 64-bit words.

    Numbers are stored as they are (floats by their bits), an array as its address followed by its shape. The result
    holds no reference to the arrays: keep `encoded` alive while a kernel runs.
    """
    out: list[int] = []
    cls: type = type(encoded)
    for field, value in zip(fields(cls), encoded, strict=True):
        if field.kind == "float":
            out.append(int(np.float64(value).view(np.int64)))
        elif field.kind in _RANKS:
            out += [value.ctypes.data, *value.shape]
        else:
            out.append(int(value))
    return np.array(out or [0], dtype=np.int64)


def sampled(record: Any, names: Sequence[str]) -> dict[str, tuple[Field, NDArray[np.float64]]]:
    """Fields of a record, with their arrays, whose last axis counts samples. Raises ValueError for one that is none."""
    cls: type = type(record)
    found = {field.name: field for field in fields(cls) if field.kind in _RANKS}
    for name in names:
        if name not in found:
            raise ValueError(f"samples must name arrays of the data record, not {name!r}")
    return {name: (found[name], check(found[name], getattr(record, name))) for name in names}


def count_samples(record: Any, names: Sequence[str]) -> int:
    """Length m of the last axis of these arrays, 0 for no names.

    Raises
    ------
    ValueError
        A name is not an array's; the lengths differ or are 0; the size of a ``Scratch`` is not a multiple of them.
    """
    arrays = sampled(record, names).values() if names else ()
    counts = {array.shape[-1] for field, array in arrays if field.kind != "scratch"}
    m = counts.pop() if len(counts) == 1 else 0
    if names and (not m or any(array.size % m for _, array in arrays)):
        shapes = {field.name: array.shape for field, array in arrays}
        raise ValueError(f"samples must be arrays with one number of samples, at least 1, as their last axis: {shapes}")
    return int(m)


def cut_samples(record: Any, names: Sequence[str], chosen: NDArray[np.integer[Any]]) -> dict[str, NDArray[np.float64]]:
    """These arrays on chosen samples, those of the last axis; of a ``Scratch``, (k m,), k len(chosen) zeros."""
    m = count_samples(record, names)
    return {
        name: np.zeros(array.size // m * chosen.size)
        if field.kind == "scratch"
        else np.ascontiguousarray(array[..., chosen])
        for name, (field, array) in sampled(record, names).items()
    }
