"""The point that is explained: parameters by name, from text, a mapping or numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optbench.models import model_of
from optbench.registry import unknown
from optbench.types import Array, Problem

_COMMA = re.compile(r",(?![^\[]*\])")  # not one within the brackets of a name
_LISTED = 12  # names that a message lists


def names_of(problem: Problem) -> tuple[str, ...]:
    """Names of the parameters: w and b of a model on data, else x1, ..., xn as in the formulas."""
    model = model_of(problem)
    return tuple(f"x{k}" for k in range(1, problem.n + 1)) if model is None else model.parameter_names()


def point_of(problem: Problem, at: Any = None) -> Array:
    """A point, shape (n,).

    Parameters
    ----------
    problem : Problem
    at : str, mapping, array_like or None
        ``"w=1,b=2"``, ``"1,2"``, such a mapping, or n numbers; None is the problem's start. Names are those of
        `names_of`; of a function also x0, x1, ... (where x0 is given) and, up to three, x, y, z.

    Raises
    ------
    UnknownName, ValueError
        A name that is not known, a parameter twice or not at all, what is no finite number, another count of numbers.
    """
    if at is None:
        return np.array(problem.x0)
    if isinstance(at, str):
        at = _parsed(problem, at)
    if isinstance(at, Mapping):
        at = _ordered(problem, at)
    try:
        point = np.asarray(at, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"at takes numbers, {_form(problem)}, not {at!r}") from None
    if point.shape != (problem.n,):
        raise ValueError(f"at takes {_count(problem)}, {_form(problem)}, not {point.size}")
    if not np.isfinite(point).all():
        raise ValueError(f"at takes finite numbers, not {point.tolist()}")
    return point


def _parsed(problem: Problem, text: str) -> dict[str, float] | list[float]:
    parts = [part.strip() for part in _COMMA.split(text)]
    named = [part.rpartition("=") for part in parts]
    if any(name for name, _, _ in named) != all(name for name, _, _ in named):
        raise ValueError(f"at takes names for all numbers or for none, {_form(problem)}, not {text!r}")
    numbers = [_number(problem, value) for _, _, value in named]
    names = [name.strip() for name, _, _ in named if name]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"at gives {name} twice")
    return dict(zip(names, numbers, strict=True)) if names else numbers


def _number(problem: Problem, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"at takes numbers, {_form(problem)}, not {text.strip()!r}") from None


def _ordered(problem: Problem, given: Mapping[str, Any]) -> list[Any]:
    """The values of a mapping in the order of the parameters."""
    names: Sequence[str] = names_of(problem)
    places = {name: i for i, name in enumerate(names)}
    if names[0] == "x1":
        if problem.n <= 3:
            places |= {name: i for i, name in enumerate("xyz"[: problem.n])}
        places |= {f"x_{i + 1}": i for i in range(problem.n)}
        if "x0" in given:
            places |= {f"x{i}": i for i in range(problem.n)}
    values: dict[int, Any] = {}
    for name, value in given.items():
        if name not in places:
            listed = names if problem.n <= _LISTED else [*names[:_LISTED], "..."]
            error = unknown(f"parameter of {problem.name}:", name, places)
            raise type(error)(f"{str(error).split(' Known: ')[0]} Known: {', '.join(listed)}")
        if places[name] in values:
            raise ValueError(f"at gives {names[places[name]]} twice")
        values[places[name]] = value
    missing = [name for i, name in enumerate(names) if i not in values]
    if missing:
        more = ", ..." if len(missing) > 3 else ""
        raise ValueError(
            f"at takes {_count(problem)}; {', '.join(missing[:3])}{more} {'is' if len(missing) == 1 else 'are'} missing"
        )
    return [values[i] for i in range(problem.n)]


def _count(problem: Problem) -> str:
    return "one number" if problem.n == 1 else f"all {problem.n} parameters of {problem.name}"


def _form(problem: Problem) -> str:
    names = names_of(problem)
    few = ",".join(f"{name}={k}" for k, name in enumerate(names[:2], 1)) + (",..." if problem.n > 2 else "")
    return f"as {few} or {','.join(str(k) for k in range(1, min(problem.n, 2) + 1))}{',...' if problem.n > 2 else ''}"


def text_of(names: Sequence[str], x: Array) -> str:
    """``w = 1, b = 2``; of many parameters the first and the last."""
    from optbench.explanations._terms import number_text
    from optbench.explanations._text import HEAD, shown_of

    kept = shown_of(x.size)
    parts = [f"{names[i]} = {number_text(x[i])}" for i in kept]
    if len(kept) < x.size:
        parts.insert(HEAD, "...")
    return ", ".join(parts)
