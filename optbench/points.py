"""Points of a problem: names of its parameters and of its objective; a point from text, a mapping or numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from optbench.models import model_of
from optbench.registry import UnknownName, unknown
from optbench.types import Array, Problem

COMMA = re.compile(r",(?![^\[]*\])")  # not one within the brackets of a name
_LISTED = 12  # names that a message lists


def parameter_names(problem: Problem) -> tuple[str, ...]:
    """Names of the parameters: w and b of a model on data, else x1, ..., xn as in the formulas."""
    model = model_of(problem)
    return tuple(f"x{k}" for k in range(1, problem.n + 1)) if model is None else model.parameter_names()


def symbol(problem: Problem) -> str:
    """How the objective is called: J where it is the cost of a model on data, else f."""
    return "f" if model_of(problem) is None else "J"


def places_of(problem: Problem, given: Iterable[str]) -> list[int]:
    """Places, from 0, of parameters by their names.

    Names are those of `parameter_names`; of a function also x_1, x_2, ..., up to three parameters x, y, z, and, where
    x0 is among the names given, x0, x1, ...

    Raises
    ------
    UnknownName
        There is no such parameter.
    """
    wanted, names = list(given), parameter_names(problem)
    places = {name: i for i, name in enumerate(names)}
    if names[0] == "x1":
        if problem.n <= 3:
            places |= {name: i for i, name in enumerate("xyz"[: problem.n])}
        places |= {f"x_{i + 1}": i for i in range(problem.n)}
        if "x0" in wanted:
            places |= {f"x{i}": i for i in range(problem.n)}
    for name in wanted:
        if name not in places:
            listed = names if problem.n <= _LISTED else (*names[:_LISTED], "...")
            message = str(unknown(f"parameter of {problem.name}:", name, places))
            raise UnknownName(f"{message.partition(' Known: ')[0]} Known: {', '.join(listed)}")
    return [places[name] for name in wanted]


def point_at(problem: Problem, at: Any) -> Array:
    """A point, shape (n,).

    Parameters
    ----------
    problem : Problem
    at : str, mapping or array_like
        ``"w=1,b=2"``, ``"1,2"``, such a mapping, or n numbers. Names are those of `places_of`; all are given.

    Raises
    ------
    UnknownName, ValueError
        A name that is not known, a parameter twice or not at all, what is no finite number, another count of numbers.
    """
    if isinstance(at, str):
        at = _parsed(problem, at)
    if isinstance(at, Mapping):
        at = _ordered(problem, at)
    try:
        point = np.array(at, dtype=np.float64)
    except (TypeError, ValueError):
        raise _refused(problem, f"numbers, {_form(problem)}", repr(at)) from None
    if point.shape != (problem.n,):
        raise _refused(problem, f"{_count(problem)}, {_form(problem)}", str(point.size))
    if not np.isfinite(point).all():
        raise _refused(problem, "finite numbers", str(point.tolist()))
    return point


def _refused(problem: Problem, takes: str, given: str) -> ValueError:
    return ValueError(f"a point of {problem.name} takes {takes}, not {given}")


def _parsed(problem: Problem, text: str) -> dict[str, float] | list[float]:
    named = [part.strip().rpartition("=") for part in COMMA.split(text)]
    if any(equals for _, equals, _ in named) != all(equals for _, equals, _ in named):
        raise _refused(problem, f"names for all numbers or for none, {_form(problem)}", repr(text))
    numbers = [_number(problem, value) for _, _, value in named]
    names = [name.strip() for name, equals, _ in named if equals]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"a point of {problem.name} takes every parameter once: {name} is given twice")
    return dict(zip(names, numbers, strict=True)) if names else numbers


def _number(problem: Problem, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _refused(problem, f"numbers, {_form(problem)}", repr(text.strip())) from None


def _ordered(problem: Problem, given: Mapping[str, Any]) -> list[Any]:
    """The values of a mapping in the order of the parameters."""
    names, values = parameter_names(problem), dict[int, Any]()
    for place, value in zip(places_of(problem, given), given.values(), strict=True):
        if place in values:
            raise ValueError(f"a point of {problem.name} takes every parameter once: {names[place]} is given twice")
        values[place] = value
    missing = [name for i, name in enumerate(names) if i not in values]
    if missing:
        few = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        verb = "is" if len(missing) == 1 else "are"
        raise ValueError(f"a point of {problem.name} takes {_count(problem)}: {few} {verb} missing")
    return [values[i] for i in range(problem.n)]


def _count(problem: Problem) -> str:
    return "one number" if problem.n == 1 else f"all {problem.n} parameters"


def _form(problem: Problem) -> str:
    few, more = min(problem.n, 2), ",..." * (problem.n > 2)
    pairs = ",".join(f"{name}={k}" for k, name in enumerate(parameter_names(problem)[:few], 1))
    return f"as {pairs}{more} or {','.join(map(str, range(1, few + 1)))}{more}"
