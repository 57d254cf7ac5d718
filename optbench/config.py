"""Configuration: a TOML matrix as validated levels of its factors, with every error at once.

The form is shown by ``quick.toml`` beside this file. A list where one value is expected is a grid, in file order; a
setting that is itself a list takes a list as one value and a list of lists as a grid. A later source of a value wins:
``[budget]``, a problem's entry, ``[[include]]``, ``[[override]]`` in order. A problem's ``data`` that ends in ``.csv`` is
relative to the TOML's folder and reaches the run relative to the current directory, so that a run is the same run on
every machine that starts it from the same place. The checks of single values serve the Python interface too.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import itertools
import math
import os
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from inspect import Parameter
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import numpy as np

from optbench.records import Budget, Field, Matrix, Vector, check, fields
from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown
from optbench.types import DEFAULT_TARGETS

LISTS = {"problem": "problems", "optimizer": "optimizers", "schedule": "schedules", "clip": "clipping"}
ABSENT = {"schedule": ["constant"], "clip": ["none"]}
CLIPS = ("none", "norm", "value")
WARMUP_START = 1 / 3  # PyTorch's default start_factor of LinearLR

# ------------------------------------------------------------------------------------------------ single values


class Key(NamedTuple):
    """What a user may set: check of one value, default (``...`` when required), depth of lists in one value."""

    check: Callable[[Any], Any]
    default: Any = ...
    depth: float = 0


def positive(name: str, value: Any) -> float:
    """A finite number above 0. Raises ValueError."""
    with suppress(ValueError):
        number: float = check(Field(name, "float", (), ...), value)
        if 0.0 < number < math.inf:
            return number
    raise ValueError(f"{name} takes a number above 0, not {value!r}")


def count(name: str, least: int, value: Any) -> int:
    """A whole number of at least `least`. Raises ValueError."""
    with suppress(ValueError):
        number: int = check(Field(name, "int", (), ...), value)
        if number >= least:
            return number
    raise ValueError(f"{name} takes a whole number of at least {least}, not {value!r}")


def fraction(name: str, value: Any) -> float:
    """A number above 0 and at most 1. Raises ValueError."""
    number = positive(name, value)
    if number > 1.0:
        raise ValueError(f"{name} takes a number above 0 and at most 1, not {value!r}")
    return number


def targets(value: Any) -> tuple[float, ...]:
    """Accuracies in (0, 1), in descending order. Raises ValueError, for equal ones too."""
    listed = isinstance(value, (list, tuple, np.ndarray))
    numbers = [positive("targets", item) for item in value] if listed else [1.0]
    if len(set(numbers)) < len(numbers) or any(number >= 1.0 for number in numbers):
        raise ValueError(f"targets takes a list of different numbers between 0 and 1, not {value!r}")
    return tuple(sorted(numbers, reverse=True))


def seeds(value: Any) -> tuple[int, ...]:
    """Seeds from a list, or 0 ... k-1 from a number k. Raises ValueError."""
    if not isinstance(value, (list, tuple)):
        return tuple(range(count("seeds", 1, value)))
    numbers = tuple(count("seeds", 0, item) for item in value)
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"seeds takes different numbers, not {value!r}")
    return numbers


BUDGET = {
    "max_iter": Key(partial(count, "max_iter", 1), 10_000, math.inf),
    "time_limit": Key(partial(positive, "time_limit"), 60.0, math.inf),
    "targets": Key(targets, DEFAULT_TARGETS, math.inf),
    "seeds": Key(seeds, (0,), math.inf),
}


def plain(value: Any) -> Any:
    """The same value in Python's own numbers, strings and tuples, which hash and go through JSON."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(plain(item) for item in value)
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float, Budget, type(None))) else str(value)


def _field_value(item: Field, value: Any) -> Any:
    encoded = check(item, value)
    return value if item.kind == "choice" else plain(encoded)


def _setting(name: str, wanted: Any, value: Any) -> Any:
    """`value` as the annotation `wanted` of a problem's setting has it. Raises ValueError."""
    if get_origin(wanted) in (Union, UnionType):
        options = [option for option in get_args(wanted) if option is not type(None)]
        if value is None and len(options) < len(get_args(wanted)):
            return None
        for option in options[1:]:
            with suppress(ValueError):
                return _setting(name, option, value)
        return _setting(name, options[0], value)
    kind = {int: "int", float: "float", bool: "bool", Literal: "choice"}.get(get_origin(wanted) or wanted)
    kind = "vector" if wanted == Vector else "matrix" if wanted == Matrix else kind
    if kind:
        return _field_value(Field(name, kind, get_args(wanted), ...), value)
    if wanted is str and not isinstance(value, (str, os.PathLike)):
        raise ValueError(f"{name} takes a string, not {value!r}")
    if _depth_of(wanted):
        if not isinstance(value, (list, tuple, np.ndarray)):
            raise ValueError(f"{name} takes a list, not {value!r}")
        item = next(iter(get_args(wanted)), Parameter.empty)
        return tuple(_setting(name, item, part) for part in value)
    return plain(value)


def _depth_of(wanted: Any) -> int:
    """How deep the lists of one value go: 0 for a number, 1 for a vector or ``list[str]``."""
    if get_origin(wanted) in (Union, UnionType):
        return max(map(_depth_of, get_args(wanted)))
    return 2 if wanted == Matrix else int(wanted == Vector or (get_origin(wanted) or wanted) in (list, tuple, Sequence))


def record_keys(record: type) -> dict[str, Key]:
    """What may be set in a record class."""
    depths = {"vector": 1, "matrix": 2}
    return {f.name: Key(partial(_field_value, f), f.default, depths.get(f.kind, 0)) for f in fields(record)}


def keys_of(factor: str, name: str) -> dict[str, Key]:
    """What may be set for a problem, an optimizer, a schedule or a clipping of that name. Raises UnknownName."""
    if factor == "optimizer":
        own, more = record_keys(OPTIMIZERS.get(name).params), {"lr": Key(partial(positive, "lr"), OPTIMIZERS.get(name).lr)}
    elif factor == "schedule":
        own = record_keys(SCHEDULES.get(name).params)
        more = {"warmup": Key(partial(count, "warmup", 0), 0), "warmup_start": Key(partial(fraction, "warmup_start"), WARMUP_START)}
    elif factor == "clip":
        if name not in CLIPS:
            raise unknown("clip", name, CLIPS)
        own, more = {}, {} if name == "none" else {name: Key(partial(positive, name))}
    else:
        parameters = PROBLEMS.get(name).parameters.values()
        own = {p.name: Key(partial(_setting, p.name, p.annotation), p.default if p.default is not p.empty else ..., _depth_of(p.annotation)) for p in parameters}
        more = {}
    return more | own


def complete(what: str, keys: Mapping[str, Key], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` checked, with the defaults of all other keys; a `Budget` default stays one.

    Raises
    ------
    UnknownName
        A key that is not in `keys`.
    ValueError
        A value of the wrong kind, or a required key that is missing.
    """
    for key in given:
        if key not in keys:
            raise unknown(f"setting of {what}:", key, keys)
    for key, item in keys.items():
        if item.default is ... and key not in given:
            raise ValueError(f"{what} needs a value of {key!r}")
    return {key: _default(item) if key not in given else item.check(given[key]) for key, item in keys.items()}
