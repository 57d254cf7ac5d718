"""Entries of a matrix: what may be set for a name, the checks of single values, the complete settings.

One validator for the TOML files and for the Python interface.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import importlib.util
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import numpy as np

from optbench import footprint
from optbench.devices import DTYPES
from optbench.outcome import BACKENDS, DEFAULT_TARGETS, ORDERS
from optbench.parallel import THRESHOLD
from optbench.records import Budget, Field, Matrix, Vector, check, fields
from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown
from optbench.types import Problem

LISTS = {
    "problem": "problems",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "clip": "clipping",
    "batch": "batch_size",
}
ABSENT: dict[str, list[Any]] = {"schedule": ["constant"], "clip": ["none"], "batch": ["full"]}
CLIPS = ("none", "norm", "value")


class Key(NamedTuple):
    """What may be set: the check of one value, the default (``...``: required), how deep lists go in one value."""

    check: Callable[[Any], Any]
    default: Any = ...
    depth: float = 0


def number(name: str, kind: str, wanted: str, inside: Callable[[Any], bool], value: Any) -> Any:
    """`value` as a number of that kind, if it lies `inside`; else raise ValueError with what is `wanted`."""
    with suppress(ValueError):
        got = check(Field(name, kind, (), ...), value)
        if math.isfinite(got) and inside(got):
            return got
    raise ValueError(f"{name} takes {wanted}, not {value!r}")


def positive_key(name: str, default: Any = ..., depth: float = 0) -> Key:
    """Make the key of a finite number above 0."""
    return Key(partial(number, name, "float", "a number above 0", lambda v: v > 0), default, depth)


def count_key(name: str, default: Any, least: int, depth: float = 0) -> Key:
    """Make the key of a whole number of at least `least`."""
    wanted = f"a whole number of at least {least}"
    return Key(partial(number, name, "int", wanted, lambda v: v >= least), default, depth)


def several(name: str, item: Key, value: Any) -> tuple[Any, ...]:
    """`value` as a tuple of different values, each checked; raises ValueError."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise ValueError(f"{name} takes a list, not {value!r}")
    values = tuple(item.check(part) for part in value)
    if len(set(values)) < len(values):
        raise ValueError(f"{name} takes different values, not {value!r}")
    return values


def _targets(value: Any) -> tuple[float, ...]:
    between = partial(number, "targets", "float", "numbers between 0 and 1", lambda v: 0 < v < 1)
    return tuple(sorted(several("targets", Key(between), value), reverse=True))


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)):
        return several("seeds", count_key("seeds", ..., 0), value)
    return tuple(range(count_key("seeds", ..., 1).check(value)))


def _flag(name: str, value: Any) -> bool:
    return bool(check(Field(name, "bool", (), ...), value))


def _one_of(name: str, known: tuple[str, ...], value: Any) -> str:
    if value not in known:
        raise unknown(name, value, known)
    return str(value)


BUDGET = {
    "max_iter": count_key("max_iter", 10_000, 1, math.inf),
    "epochs": positive_key("epochs", None, math.inf),
    "time_limit": positive_key("time_limit", 60.0, math.inf),
    "targets": Key(_targets, DEFAULT_TARGETS, math.inf),
    "seeds": Key(_seeds, (0,), math.inf),
    "backend": Key(partial(_one_of, "backend", BACKENDS), "cpu", math.inf),
    "dtype": Key(partial(_one_of, "dtype", DTYPES), "float64", math.inf),
}
REPEATS = count_key("repeats", 5, 0, math.inf)
START = partial(number, "warmup_start", "float", "a number above 0 and at most 1", lambda v: 0 < v <= 1)
BATCH = {
    "size": count_key("batch_size", ..., 1),
    "order": Key(partial(_one_of, "order", ORDERS), "shuffle"),
    "drop_last": Key(partial(_flag, "drop_last"), False),
}
DECAY_BIAS = {"decay_bias": Key(partial(_flag, "decay_bias"), True)}
WARMUP = {"warmup": count_key("warmup", 0, 0), "warmup_start": Key(START, 1 / 3)}  # PyTorch's start_factor


def plain(value: Any) -> Any:
    """Convert to Python's own numbers, strings and tuples, which hash and go through JSON."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(plain(item) for item in value)
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float, Budget, type(None))) else str(value)


def _in_field(item: Field, value: Any) -> Any:
    if any(isinstance(part, Budget) for part in (value if isinstance(value, tuple) else (value,))):
        return value  # the run that it is a fraction of is not known here
    encoded = check(item, value)
    return value if item.kind in ("choice", "name") else plain(encoded)


def _string(name: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise ValueError(f"{name} takes a string, not {value!r}")
    return str(value)


def record_keys(record: type) -> dict[str, Key]:
    """List what may be set in a record class."""
    depth = {"vector": 1, "matrix": 2}
    return {item.name: Key(partial(_in_field, item), item.default, depth.get(item.kind, 0)) for item in fields(record)}


def _setting_key(name: str, wanted: Any, default: Any) -> Key:
    kinds = {int: "int", float: "float", bool: "bool", Literal: "choice"}
    kind = "vector" if wanted == Vector else "matrix" if wanted == Matrix else kinds.get(get_origin(wanted) or wanted)
    if kind:
        return Key(partial(_in_field, Field(name, kind, get_args(wanted), ...)), default, kind in ("vector", "matrix"))
    if wanted is str:
        return Key(partial(_string, name), default)
    is_list = any((get_origin(part) or part) in (list, tuple, Sequence) for part in (wanted, *get_args(wanted)))
    return Key(plain, default, int(is_list))  # the factory checks it


def keys_of(factor: str, name: str) -> dict[str, Key]:
    """List what may be set for the problem, optimizer, schedule or clip of that name. Raises UnknownName."""
    if factor == "optimizer":
        optimizer = OPTIMIZERS.get(name)
        keys = record_keys(optimizer.params)
        return {"lr": positive_key("lr", optimizer.lr), **keys, **(DECAY_BIAS if "weight_decay" in keys else {})}
    if factor == "schedule":
        return {**WARMUP, **record_keys(SCHEDULES.get(name).params)}
    if factor == "batch":
        return BATCH if name != "full" else {}
    if factor == "clip":
        if name not in CLIPS:
            raise unknown("clip", name, CLIPS)
        return {name: positive_key(name)} if name != "none" else {}
    parameters = PROBLEMS.get(name).parameters.values()
    reserved = [p.name for p in parameters if p.name in ("name", *BUDGET)]
    if reserved:
        raise ValueError(f"problem {name!r}: no setting may be called {reserved[0]!r}")
    return {p.name: _setting_key(p.name, p.annotation, ... if p.default is p.empty else p.default) for p in parameters}


def complete(what: str, keys: Mapping[str, Key], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given`, checked, and the defaults of all other keys; a default that is a `Budget` stays one.

    Raises UnknownName for a key that is not in `keys`, ValueError for a wrong value or a missing one.
    """
    for key in given:
        if key not in keys:
            raise unknown(f"setting of {what}:", key, keys)
    for key, item in keys.items():
        if key not in given and item.default is ...:
            raise ValueError(f"{what} needs a value of {key!r}")
    return {key: item.check(given.get(key, item.default)) for key, item in keys.items()}


def settings_of(factor: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the settings of a problem, optimizer (with lr), schedule (with warm-up) or clip; raises as `complete`.

    The start of a warm-up of no steps is set to its default: it says nothing.
    """
    values = complete(f"{factor} {name!r}", keys_of(factor, name), given)
    if "warmup_start" in given and "warmup" not in given:
        raise ValueError(f"schedule {name!r}: warmup_start does nothing without warmup")
    if factor == "batch" and values and values["order"] == "replacement" and values["drop_last"]:
        raise ValueError("drop_last does nothing with order 'replacement': every batch is full")
    if factor == "schedule" and not values["warmup"]:
        values["warmup_start"] = WARMUP["warmup_start"].default
    return values


def batch_text(size: int, order: str, drop_last: bool) -> str:
    """Name of a way to draw mini-batches: ``32 replacement``; ``full`` for size 0."""
    if not size:
        return "full"
    return f"{size}{'' if order == 'shuffle' else f' {order}'}{' drop_last' if drop_last else ''}"


def split_entry(factor: str, entry: Any) -> tuple[str, dict[str, Any]]:
    """Name and settings of an entry: a name, a table with a name, or ``{norm = 1.0}``. Raises ValueError."""
    if isinstance(entry, str) and (factor != "batch" or entry == "full"):
        return entry, {}
    if isinstance(entry, Mapping) and factor == "clip" and len(entry) == 1:
        return str(next(iter(entry))), dict(entry)
    if factor == "batch":
        if isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
            return "minibatch", {"size": int(entry)}
        if isinstance(entry, Mapping):
            return "minibatch", dict(entry)
        raise ValueError(f"takes 'full', a number of samples or a table with a size, not {entry!r}")
    if isinstance(entry, Mapping) and factor != "clip" and isinstance(entry.get("name"), str):
        return entry["name"], {key: value for key, value in entry.items() if key != "name"}
    wanted = "'none', { norm = ... } or { value = ... }" if factor == "clip" else "a name or a table with a name"
    raise ValueError(f"takes {wanted}, " + ("missing" if entry is None else f"not {entry!r}"))


def facts_of(problem: str, settings: Mapping[str, Any]) -> tuple[int, int, frozenset[str], int]:
    """Dimension, bytes, what the problem offers, samples; making it shows whether it takes the settings.

    A large problem is not made: its facts follow from those of small ones.
    """
    key = next((name for name in ("n", "n_features") if settings.get(name, 0) >= THRESHOLD), "")
    least = settings.get("n_samples", 0) if key == "n_features" else 0
    shift = least if least < settings.get(key, 0) else 0  # wide data want as many features as samples

    @functools.cache
    def made(size: int) -> Problem:
        try:
            return PROBLEMS.get(problem)(**{**settings, key: size} if key else settings)
        except TypeError as error:  # a value of a kind that the factory's annotations do not tell
            raise ValueError(str(error)) from error

    def fact(of: Callable[[Problem], int]) -> int:
        return footprint.extrapolated(lambda s: of(made(s + shift)), settings[key] - shift) if key else of(made(0))

    n, samples = fact(lambda p: p.n), fact(lambda p: p.n_samples)
    held = footprint.Bytes(*(fact(lambda p, k=k: footprint.of_problem(p)[k]) for k in range(2)))  # type: ignore[misc]
    return n, held.total, made(footprint.SIZES[0] + shift if key else 0).offers, samples


def depth_of(value: Any) -> int:
    """How deep lists are nested."""
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def load_file(path: str) -> None:
    """Import a Python file by its absolute path, so that its decorators register (again, in a second process).

    Raises ValueError with the file's line for whatever goes wrong in it.
    """
    for registry in (PROBLEMS, OPTIMIZERS, SCHEDULES):
        registry.names()  # the package's own come first: the file that takes one of their names is the one to blame
    name = f"optbench_user_{Path(path).stem}_{hashlib.sha256(path.encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1]
        raise ValueError(f"{path}, line {line}: {type(error).__name__}: {error}") from error


def resolved(value: Any, n_steps: int) -> Any:
    """Replace fractions of the budget, also in a tuple, by numbers of steps."""
    if isinstance(value, tuple):
        return tuple(resolved(part, n_steps) for part in value)
    return value.resolve(n_steps) if isinstance(value, Budget) else value
