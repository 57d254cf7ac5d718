"""Configuration: a TOML matrix as validated levels of its factors, with every error at once.

The form is shown by ``quick.toml`` beside this file. A list where one value is expected is a grid, in file order; a
setting that is itself a list takes a list as one value and a list of lists as a grid. A later source of a value wins:
``[budget]``, a problem's entry, ``[[include]]``, ``[[override]]`` in order. Exclusions act on the matrix, not on
inclusions. A problem's ``data`` that ends in ``.csv`` is relative to the TOML's folder and reaches the run relative to
the current directory, so that a run is the same run on every machine that starts it from the same place.
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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import numpy as np

from optbench.records import Budget, Field, Matrix, Vector, check, fields
from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown
from optbench.types import DEFAULT_TARGETS

LISTS = {"problem": "problems", "optimizer": "optimizers", "schedule": "schedules", "clip": "clipping"}
ABSENT = {"schedule": ["constant"], "clip": ["none"]}
CLIPS = ("none", "norm", "value")
MATCH = (*LISTS, "n", "seed")


class Key(NamedTuple):
    """What may be set: the check of one value, the default (``...``: required), how deep lists go in one value."""

    check: Callable[[Any], Any]
    default: Any = ...
    depth: float = 0


class Level(NamedTuple):
    """One level of a factor: where it stands, its name, complete values, budget of its own, and a problem's size."""

    where: str
    name: str
    values: dict[str, Any]
    budget: dict[str, Any]
    n: int = 0
    memory: int = 0


class Rule(NamedTuple):
    """An override or an exclusion: what it matches (names or numbers by key) and the values that it sets."""

    where: str
    match: dict[str, list[Any]]
    values: dict[str, Any]


class Block(NamedTuple):
    """A full product of levels, in the order of `LISTS`: the matrix itself or an inclusion; seeds of its own."""

    where: str
    factors: tuple[tuple[Level, ...], ...]
    budget: dict[str, Any]


class Config(NamedTuple):
    """A valid configuration. `load` holds absolute paths of the user's own files, for other processes to load."""

    file: str
    load: tuple[str, ...]
    budget: dict[str, Any]
    repeats: int
    blocks: tuple[Block, ...]
    overrides: tuple[Rule, ...]
    excludes: tuple[Rule, ...]


class ConfigError(ValueError):
    """All that is wrong with a configuration; `errors` has one line for each: file, key, reason."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = list(errors)


# ------------------------------------------------------------------------------------------------ single values


def number(name: str, kind: str, wanted: str, inside: Callable[[Any], bool], value: Any) -> Any:
    """`value` as a number of that kind, if it lies `inside`; else raise ValueError with what is `wanted`."""
    with suppress(ValueError):
        got = check(Field(name, kind, (), ...), value)
        if math.isfinite(got) and inside(got):
            return got
    raise ValueError(f"{name} takes {wanted}, not {value!r}")


def _positive(name: str, default: Any = ..., depth: float = 0) -> Key:
    return Key(partial(number, name, "float", "a number above 0", lambda v: v > 0), default, depth)


def _count(name: str, default: Any, least: int, depth: float = 0) -> Key:
    wanted = f"a whole number of at least {least}"
    return Key(partial(number, name, "int", wanted, lambda v: v >= least), default, depth)


def _several(name: str, item: Key, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise ValueError(f"{name} takes a list, not {value!r}")
    values = tuple(item.check(part) for part in value)
    if len(set(values)) < len(values):
        raise ValueError(f"{name} takes different values, not {value!r}")
    return values


def _targets(value: Any) -> tuple[float, ...]:
    between = partial(number, "targets", "float", "numbers between 0 and 1", lambda v: 0 < v < 1)
    return tuple(sorted(_several("targets", Key(between), value), reverse=True))


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)):
        return _several("seeds", _count("seeds", ..., 0), value)
    return tuple(range(_count("seeds", ..., 1).check(value)))


BUDGET = {
    "max_iter": _count("max_iter", 10_000, 1, math.inf),
    "time_limit": _positive("time_limit", 60.0, math.inf),
    "targets": Key(_targets, DEFAULT_TARGETS, math.inf),
    "seeds": Key(_seeds, (0,), math.inf),
}
REPEATS = _count("repeats", 5, 0, math.inf)
START = partial(number, "warmup_start", "float", "a number above 0 and at most 1", lambda v: 0 < v <= 1)
WARMUP = {"warmup": _count("warmup", 0, 0), "warmup_start": Key(START, 1 / 3)}  # PyTorch's start_factor


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
    return value if item.kind == "choice" else plain(encoded)


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
        return {"lr": _positive("lr", optimizer.lr), **record_keys(optimizer.params)}
    if factor == "schedule":
        return {**WARMUP, **record_keys(SCHEDULES.get(name).params)}
    if factor == "clip":
        if name not in CLIPS:
            raise unknown("clip", name, CLIPS)
        return {name: _positive(name)} if name != "none" else {}
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
    if factor == "schedule" and not values["warmup"]:
        values["warmup_start"] = WARMUP["warmup_start"].default
    return values


def split_entry(factor: str, entry: Any) -> tuple[str, dict[str, Any]]:
    """Name and settings of an entry: a name, a table with a name, or ``{norm = 1.0}``. Raises ValueError."""
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, Mapping) and factor == "clip" and len(entry) == 1:
        return str(next(iter(entry))), dict(entry)
    if isinstance(entry, Mapping) and factor != "clip" and isinstance(entry.get("name"), str):
        return entry["name"], {key: value for key, value in entry.items() if key != "name"}
    wanted = "'none', { norm = ... } or { value = ... }" if factor == "clip" else "a name or a table with a name"
    raise ValueError(f"takes {wanted}, " + ("missing" if entry is None else f"not {entry!r}"))


# ------------------------------------------------------------------------------------------------------ reading


class _Noting:
    """Turns what goes wrong inside a ``with`` block into a line of a list."""

    def __init__(self, errors: list[str], prefix: str) -> None:
        self.errors, self.prefix = errors, prefix

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        noted = isinstance(error, (ValueError, OSError))
        if noted:
            self.errors.append(f"{self.prefix}: {error}")
        return noted


class _Reader:
    def __init__(self, file: str, base: Path) -> None:
        self.file, self.base, self.errors = file, base, list[str]()

    def at(self, path: str) -> _Noting:
        return _Noting(self.errors, f"{self.file}: {path}")

    def table(self, value: Any, path: str, known: Iterable[str]) -> dict[str, Any]:
        """Known keys of a table; every other is an error."""
        with self.at(path):
            if not isinstance(value, dict):
                raise ValueError(f"takes a table, not {value!r}")
            for key in value:
                with self.at(f"{path}.{key}".lstrip(".")):
                    if key not in known:
                        raise unknown("key", key, known)
            return {key: item for key, item in value.items() if key in known}
        return {}

    def listed(self, value: Any, path: str) -> list[Any]:
        with self.at(path):
            if not isinstance(value, list) or not value:
                got = "missing" if value is None else f"not {value!r}"
                raise ValueError(f"takes a list with at least one entry, {got}")
            return value
        return []

    def checked(self, table: Mapping[str, Any], keys: Mapping[str, Key], path: str) -> dict[str, Any]:
        """Single values, none of them a grid."""
        good = {}
        for key, value in table.items():
            with self.at(f"{path}.{key}"):
                good[key] = keys[key].check(value if value != [] else self.listed(value, f"{path}.{key}"))
        return good

    def grid(self, key: Key, value: Any, path: str) -> list[Any]:
        """All values of one key."""
        good = []
        for item in self.listed(value, path) if _depth(value) > key.depth else [value]:
            with self.at(path):
                good.append(key.check(item))
        return good

    def levels(self, factor: str, entry: Any, path: str) -> list[Level]:
        """All levels that one entry stands for."""
        before = len(self.errors)
        with self.at(path):
            name, given = split_entry(factor, entry)
            keys = keys_of(factor, name) | (BUDGET if factor == "problem" else {})
            given = self.table(given, path, keys)
            if factor == "problem" and "data" in given:
                given["data"] = self.located(given["data"])
            grid = {key: self.grid(keys[key], value, f"{path}.{key}") for key, value in given.items()}
            if len(self.errors) == before:
                chosen = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
                return [level for values in chosen for level in self.level(factor, name, values, path)]
        return []

    def level(self, factor: str, name: str, chosen: dict[str, Any], path: str) -> Iterator[Level]:
        own = {key: chosen.pop(key) for key in BUDGET if factor == "problem" and key in chosen}
        with self.at(path):
            values = settings_of(factor, name, chosen)
            yield Level(path, name, values, own, *(_size(name, values) if factor == "problem" else (0, 0)))

    def located(self, data: Any) -> Any:
        """Paths of CSV files, from the current directory."""
        if isinstance(data, list):
            return [self.located(item) for item in data]
        if isinstance(data, str) and data.endswith(".csv") and not Path(data).is_absolute():
            return Path(os.path.relpath(self.base / data)).as_posix()
        return data

    def distinct(self, levels: list[Level]) -> tuple[Level, ...]:
        """Return the levels; equal ones are errors."""
        for k, level in enumerate(levels):
            for other in levels[:k]:
                if (other.name, other.values) == (level.name, level.values):
                    with self.at(level.where):
                        raise ValueError(f"{level.name} with the same settings as in {other.where}")
        return tuple(levels)

    def matrix(self, table: Mapping[str, Any]) -> Block:
        """Product that the lists name. Without inclusions it must not be empty."""
        factors = []
        for factor, key in LISTS.items():
            only_included = "include" in table and not ("problems" in table or "optimizers" in table)
            listed = [] if only_included else self.listed(table.get(key, ABSENT.get(factor)), key)
            levels = [self.levels(factor, entry, f"{key}[{k}]") for k, entry in enumerate(listed)]
            factors.append(self.distinct(list(itertools.chain.from_iterable(levels))))
        return Block("", tuple(factors), {})

    def inclusion(self, table: Any, path: str) -> Block:
        """Cells of one ``[[include]]``."""
        known = self.table(table, path, (*LISTS, "seeds"))
        factors = []
        for factor in LISTS:
            entry = known.get(factor, ABSENT.get(factor, [None])[0])
            factors.append(self.distinct(self.levels(factor, entry, f"{path}.{factor}")))
        given = {"seeds": known["seeds"]} if "seeds" in known else {}
        return Block(path, tuple(factors), self.checked(given, BUDGET, path))

    def rules(self, table: Mapping[str, Any], blocks: Sequence[Block], key: str) -> tuple[Rule, ...]:
        """All overrides or all exclusions."""
        used = {f: {level.name for block in blocks for level in block.factors[k]} for k, f in enumerate(LISTS)}
        keys = MATCH[:-1] if key == "override" else MATCH
        rules = []
        for k, entry in enumerate(self.listed(table[key], key) if key in table else []):
            path = f"{key}[{k}]"
            if not isinstance(entry, dict):
                self.table(entry, path, keys)
                continue
            given = entry
            match = {k: self.matched(k, given[k], f"{path}.{k}", used) for k in keys if k in given}
            rest = {k: value for k, value in given.items() if k not in keys}
            values = self.changes(rest, path, match, used["optimizer"]) if key == "override" else {}
            with self.at(path):
                if key == "exclude" and not (match or rest):
                    raise ValueError(f"needs at least one of {', '.join(keys)}")
            if key == "exclude":
                self.table(rest, path, keys)
            rules.append(Rule(path, match, values))
        return tuple(rules)

    def changes(self, given: dict[str, Any], path: str, match: dict[str, list[Any]], used: set[str]) -> dict[str, Any]:
        """Check what an override sets, against every optimizer that it may match."""
        before, values = len(self.errors), dict[str, Any]()
        with self.at(path):
            if not given:
                raise ValueError("sets nothing")
        for name in sorted(used.intersection(match.get("optimizer", used))):
            settable = {**BUDGET, **keys_of("optimizer", name)}
            values = self.checked(self.table(given, path, settable), settable, path)
            if len(self.errors) > before:
                break  # the other optimizers would mostly say the same
        return values

    def matched(self, key: str, wanted: Any, path: str, used: Mapping[str, set[str]]) -> list[Any]:
        """Check the names or numbers that a rule matches; return them as a list."""
        listed = self.listed(wanted if isinstance(wanted, list) else [wanted], path)
        for item in listed:
            with self.at(path):
                if key not in LISTS:
                    _count(key, ..., 0).check(item)
                elif not isinstance(item, str):
                    raise ValueError(f"takes a name or a list of names, not {item!r}")
                elif item not in used[key]:
                    keys_of(key, item)  # says so when there is nothing of that name at all
                    raise ValueError(f"matches no cell: {item!r} is not in the matrix")
        return [item for item in listed if isinstance(item, (str, int))]

    def load(self, name: Any, path: str) -> str:
        """Import a user's own file, which registers what it defines; its absolute path."""
        with self.at(path):
            if not isinstance(name, str) or not (self.base / name).is_file():
                raise ValueError(f"no such file: {name!r}")
            load_file(str((self.base / name).resolve()))
            return str((self.base / name).resolve())
        return ""


def _size(problem: str, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Dimension and bytes of data; making the problem shows whether it takes the settings and finds its data."""
    try:
        made = PROBLEMS.get(problem)(**settings)
    except TypeError as error:  # a value of a kind that the factory's annotations do not tell
        raise ValueError(str(error)) from error
    return made.n, sum(np.asarray(item).nbytes for item in made.data)


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


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


def parse_config(table: Mapping[str, Any], file: str = "configuration", base: Path | None = None) -> Config:
    """Validate a matrix given as a mapping; relative paths are relative to `base` (default: the current directory).

    Raises
    ------
    ConfigError
        With all errors, each a line that starts with `file` and the key.
    """
    reader = _Reader(file, base or Path())
    table = reader.table(dict(table), "", ("load", "budget", *LISTS.values(), "override", "exclude", "include"))
    names = reader.listed(table["load"], "load") if "load" in table else []
    load = tuple(reader.load(name, f"load[{k}]") for k, name in enumerate(names))
    known = {**BUDGET, "repeats": REPEATS}
    given = reader.checked(reader.table(table.get("budget", {}), "budget", known), known, "budget")
    budget = {key: given.get(key, item.default) for key, item in known.items()}
    more = reader.listed(table["include"], "include") if "include" in table else []
    blocks = (reader.matrix(table), *(reader.inclusion(entry, f"include[{k}]") for k, entry in enumerate(more)))
    overrides, excludes = (reader.rules(table, blocks, key) for key in ("override", "exclude"))
    if reader.errors:
        raise ConfigError(reader.errors)
    return Config(file, load, budget, budget.pop("repeats"), blocks, overrides, excludes)


def load_config(path: str | Path) -> Config:
    """Read and validate a TOML file. Raises ConfigError, for a file that cannot be read as well."""
    try:
        with Path(path).open("rb") as stream:
            table = tomllib.load(stream)
    except (OSError, ValueError) as error:  # no such file, not UTF-8, not TOML (with line and column)
        raise ConfigError([f"{path}: {getattr(error, 'strerror', None) or error}"]) from error
    return parse_config(table, str(path), Path(path).parent)


def quick_config() -> Config:
    """Read the built-in matrix, which ``optbench run`` uses when it is given none."""
    text = importlib.resources.files("optbench").joinpath("quick.toml").read_text(encoding="utf-8")
    return parse_config(tomllib.loads(text), "quick.toml")
