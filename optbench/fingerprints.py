"""Fingerprints of plain functions: what their machine code depends on, in any file."""

from __future__ import annotations

import enum
import functools
import hashlib
import sys
import types as pytypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from optbench.records import fields

PACKAGE = Path(__file__).resolve().parent
ENGINE = (
    "jit.py",
    "fingerprints.py",
    "noalias.py",
    "codec.py",
    "records.py",
    "kernels.py",
    "evaluation.py",
    "memory.py",
    "coordinate.py",
    "pieces.py",
    "clipping.py",
    "loops",
    "schedules/_warmup.py",
)


@functools.cache
def engine_hash() -> str:
    """Hash of the sources that decide how any function is compiled: the name of the cache folder.

    Everything else that a kernel is made of is in its own fingerprint, so an edit compiles again what it reaches and
    nothing else.
    """
    digest = hashlib.sha256()
    for entry in ENGINE:
        path = PACKAGE / entry
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def fingerprint(function: Callable[..., Any]) -> str:
    """Hash of a plain function and of all it refers to: callees, constants, records, closures, in any file."""
    digest = hashlib.sha256(sys.implementation.cache_tag.encode() if sys.implementation.cache_tag else b"")
    _feed(digest, function, set())
    return digest.hexdigest()[:24]


@functools.cache
def key_of(functions: tuple[Callable[..., Any] | None, ...], records: tuple[type, ...]) -> str:
    """Fingerprint of the functions and of the shape of the records they get."""
    parts = [fingerprint(function) if function else "-" for function in functions]
    parts += [",".join(f"{field.name}:{field.kind}" for field in fields(record)) for record in records]
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:24]


def _feed(digest: Any, value: Any, seen: set[int]) -> None:
    value = getattr(value, "py_func", value)  # a function the user compiled with Numba: read what it was made of
    if isinstance(value, pytypes.FunctionType):
        if id(value) in seen:
            return
        seen.add(id(value))
        _feed(digest, value.__code__, seen)
        _feed(digest, value.__defaults__ or (), seen)
        _feed(digest, tuple(sorted((value.__kwdefaults__ or {}).items())), seen)
        for name, item in references(value):
            digest.update(name.encode())
            _feed(digest, item, seen)
    elif isinstance(value, pytypes.CodeType):
        digest.update(value.co_code + repr((value.co_names, value.co_varnames, value.co_freevars)).encode())
        for constant in value.co_consts:
            _feed(digest, constant, seen)
    elif isinstance(value, tuple):
        digest.update(repr((type(value).__name__, getattr(value, "_fields", ()), len(value))).encode())
        for item in value:
            _feed(digest, item, seen)
    elif isinstance(value, type) and hasattr(value, "_fields"):
        digest.update(repr((value.__name__, value._fields, value.__annotations__)).encode())
    elif isinstance(value, pytypes.ModuleType):
        _feed_module(digest, value)
    elif hasattr(value, "tobytes"):
        digest.update(repr((str(getattr(value, "dtype", "")), getattr(value, "shape", ()))).encode() + value.tobytes())
    elif isinstance(value, enum.EnumMeta):
        digest.update(repr((value.__qualname__, [repr(member) for member in list[Any](value)])).encode())
    elif isinstance(value, frozenset):
        digest.update(repr(sorted(value, key=repr)).encode())
    elif isinstance(value, (int, float, complex, str, bytes, bool, type(None))):
        digest.update(type(value).__name__.encode() + repr(value).encode())
    else:
        digest.update(repr((type(value).__qualname__, getattr(value, "__qualname__", ""))).encode())


def _feed_module(digest: Any, module: pytypes.ModuleType) -> None:
    digest.update(module.__name__.encode())
    path = getattr(module, "__file__", None)
    if path and path.endswith(".py") and module.__name__.split(".")[0] not in ("numpy", "numba", "math", "scipy"):
        digest.update(Path(path).read_bytes())


def references(function: pytypes.FunctionType) -> Iterator[tuple[str, Any]]:
    """Globals and closure cells that a function's code (nested code included) uses, by name."""
    yield from zip(function.__code__.co_freevars, (c.cell_contents for c in function.__closure__ or ()), strict=True)
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _names(code: pytypes.CodeType) -> set[str]:
    nested = (constant for constant in code.co_consts if isinstance(constant, pytypes.CodeType))
    return set(code.co_names).union(*(_names(inner) for inner in nested))
