"""Configuration: a TOML matrix as validated levels of its factors, with every error at once.

The form is shown by ``quick.toml`` beside this file. A list where one value is expected is a grid, in file order; a
setting that is itself a list takes a list as one value and a list of lists as a grid. A later source of a value wins:
``[budget]``, a problem's entry, ``[[include]]``, ``[[override]]`` in order. Exclusions act on the matrix, not on
inclusions. A problem's ``data`` that ends in ``.csv`` is relative to the TOML's folder and reaches the run relative to
the current directory, so that a run is the same run on every machine that starts it from the same place.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import itertools
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from optbench.entries import (
    ABSENT,
    BUDGET,
    LISTS,
    REPEATS,
    Key,
    batch_text,
    count_key,
    depth_of,
    facts_of,
    keys_of,
    load_file,
    settings_of,
    split_entry,
)
from optbench.registry import unknown
from optbench.search import TUNING, Tuning, tuning_of

MATCH = (*LISTS, "n", "seed")


class Level(NamedTuple):
    """One level of a factor: where it stands, its name, complete values, and budget of its own.

    For a problem also its dimension, its bytes, what it offers (`Problem.offers`) and its number of samples.
    """

    where: str
    name: str
    values: dict[str, Any]
    budget: dict[str, Any]
    n: int = 0
    memory: int = 0
    offers: frozenset[str] = frozenset()
    n_samples: int = 0


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
    tuning: Tuning | None = None


class ConfigError(ValueError):
    """All that is wrong with a configuration; `errors` has one line for each: file, key, reason."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = list(errors)


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
        for item in self.listed(value, path) if depth_of(value) > key.depth else [value]:
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
            label = batch_text(**values) if factor == "batch" and values else name
            yield Level(path, label, values, own, *(facts_of(name, values) if factor == "problem" else ()))

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
                    count_key(key, ..., 0).check(item)
                elif key == "batch" and str(item) in used[key]:
                    pass
                elif not isinstance(item, str):
                    raise ValueError(f"takes a name or a list of names, not {item!r}")
                elif item not in used[key]:
                    keys_of(key, item)  # says so when there is nothing of that name at all
                    raise ValueError(f"matches no cell: {item!r} is not in the matrix")
        return [str(item) if key == "batch" else item for item in listed if isinstance(item, (str, int))]

    def tuning(self, table: Any) -> Tuning | None:
        """How the matrix is tuned; None: not at all."""
        before = len(self.errors)
        given = self.checked(self.table(table, "tuning", TUNING), TUNING, "tuning")
        with self.at("tuning"):
            return tuning_of(given) if len(self.errors) == before else None
        return None

    def load(self, name: Any, path: str) -> str:
        """Import a user's own file, which registers what it defines; its absolute path."""
        with self.at(path):
            if not isinstance(name, str) or not (self.base / name).is_file():
                raise ValueError(f"no such file: {name!r}")
            load_file(str((self.base / name).resolve()))
            return str((self.base / name).resolve())
        return ""


def parse_config(table: Mapping[str, Any], file: str = "configuration", base: Path | None = None) -> Config:
    """Validate a matrix given as a mapping; relative paths are relative to `base` (default: the current directory).

    Raises
    ------
    ConfigError
        With all errors, each a line that starts with `file` and the key.
    """
    reader = _Reader(file, base or Path())
    table = reader.table(
        dict(table), "", ("load", "budget", *LISTS.values(), "override", "exclude", "include", "tuning")
    )
    names = reader.listed(table["load"], "load") if "load" in table else []
    load = tuple(reader.load(name, f"load[{k}]") for k, name in enumerate(names))
    known = {**BUDGET, "repeats": REPEATS}
    given = reader.checked(reader.table(table.get("budget", {}), "budget", known), known, "budget")
    budget = {key: given.get(key, item.default) for key, item in known.items()}
    more = reader.listed(table["include"], "include") if "include" in table else []
    blocks = (reader.matrix(table), *(reader.inclusion(entry, f"include[{k}]") for k, entry in enumerate(more)))
    overrides, excludes = (reader.rules(table, blocks, key) for key in ("override", "exclude"))
    tuning = reader.tuning(table["tuning"]) if "tuning" in table else None
    if reader.errors:
        raise ConfigError(reader.errors)
    return Config(file, load, budget, budget.pop("repeats"), blocks, overrides, excludes, tuning)


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
