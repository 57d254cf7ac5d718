"""What a sweep varies: its ranges, where a key belongs, and the plan that follows.

A sweep is an ordinary matrix in which one or two settings are grids, so that checks, resuming and statuses are those of
any other matrix. A key is the name of a setting of the optimizers (`lr` among them), schedules or problems that take
part, or ``clip_norm``, ``clip_value``, ``batch_size``, ``max_iter``, ``epochs``; where a name means several settings,
``optimizer.``, ``schedule.`` or ``problem.`` before it tells which.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from optbench.config import parse_config
from optbench.entries import ABSENT, BATCH, BUDGET, LISTS, Key, facts_of, keys_of, split_entry
from optbench.outcome import DEFAULT_TARGETS
from optbench.plan import Plan, make_plan
from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, UnknownName, unknown
from optbench.single import searches

FACTORS = ("optimizer", "schedule", "problem")
SPACINGS = ("linear", "log", "reverse_log")
DIGITS = 3  # of the values of a range, at least
MOST = 2  # keys that a table or a figure can show together
_FORM = "a range is written LOW..HIGH:SPACING:COUNT, for example 1e-4..1:log:13"


class Varied(NamedTuple):
    """A setting that a sweep varies: its name, with the factor where it has one, and its values."""

    name: str
    values: list[Any]


def value_of(text: str) -> Any:
    """A value as in TOML, a number as in Python, or else the text itself."""
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(f"v = {text}")["v"]
    with suppress(ValueError):
        return float(text)
    return text.strip()


def parse_range(text: str) -> list[Any]:
    """Values of ``a,b,c`` or of ``low..high:spacing:count``.

    The spacing is ``linear``, ``log`` (equal ratios) or ``reverse_log`` (equal ratios of 1 - value, for numbers just
    below 1). The ends are taken as they are written; values between them are rounded to as few digits, from three on,
    as leave the spacing in place.

    Raises
    ------
    ValueError
        It is neither, or no such range exists.
    """
    if ".." not in text:
        with suppress(tomllib.TOMLDecodeError):  # lists and quoted text hold commas of their own
            return list(tomllib.loads(f"v = [{text}]")["v"])
        return [value_of(part) for part in text.split(",")]
    parts = re.fullmatch(r"(.+?)\.\.(.+?):(\w+):(\w+)", text)
    if parts is None:
        raise ValueError(f"{_FORM}, not {text!r}")
    low, high, spacing, count = parts.groups()
    if spacing not in SPACINGS:
        raise unknown("spacing", spacing, SPACINGS)
    numbers = [value_of(part) for part in (low, high, count)]
    if not all(isinstance(number, (int, float)) and np.isfinite(number) for number in numbers):
        raise ValueError(f"{_FORM}, with finite numbers, not {text!r}")
    if not isinstance(numbers[2], int) or not 2 <= numbers[2] <= 10_000:
        raise ValueError(f"the COUNT of a range is a whole number from 2 to 10000, not {count!r}")
    return spaced(numbers[0], numbers[1], spacing, numbers[2])


def spaced(low: float, high: float, spacing: str, count: int) -> list[float]:
    """`count` numbers from `low` to `high`; see `parse_range`. Raises ValueError where there are no such numbers."""
    if not low < high:
        raise ValueError(f"a range goes from a smaller to a larger number, not from {low!r} to {high!r}")
    if spacing == "log" and low <= 0:
        raise ValueError(f"a range with log spacing has ends above 0, not {low!r}")
    if spacing == "reverse_log" and high >= 1:
        raise ValueError(f"a range with reverse_log spacing has ends below 1, not {high!r}")
    if spacing == "linear":
        return [low, *_rounded(np.linspace(low, high, count))[1:-1], high]
    if spacing == "log":
        return [low, *_rounded(np.geomspace(low, high, count))[1:-1], high]
    # Rounded to 12 digits, 1 - w loses the noise of the subtraction alone.
    steps = _rounded(np.geomspace(1 - low, 1 - high, count))
    return [low, *(float(f"{1 - step:.12g}") for step in steps[1:-1]), high]


def _rounded(values: Any) -> list[float]:
    """Values with the fewest digits, from `DIGITS` on, that move none by more than 2 % of the way to the next."""
    gaps = np.abs(np.diff(values))
    room = 0.02 * np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))
    for digits in range(DIGITS, 17):
        short = [float(f"{value:.{digits}g}") for value in values]
        if (np.abs(np.asarray(short) - values) <= room).all():
            return short
    return [float(value) for value in values]


# ----------------------------------------------------------------------------------------------------------- keys


def known_keys(entries: Mapping[str, Sequence[Any]]) -> dict[str, Key]:
    """List what can be varied, by full name: what all entries of a factor take. Raises as `keys_of`."""
    known: dict[str, Key] = {}
    for factor in FACTORS:
        each = [_keys_of_entry(factor, entry) for entry in entries.get(factor) or ABSENT.get(factor, [])]
        if not each:
            raise ValueError(f"a sweep needs at least one {factor}")
        known |= {f"{factor}.{key}": item for key, item in each[0].items() if all(key in keys for keys in each)}
    for clip in ("norm", "value"):
        known[f"clip_{clip}"] = keys_of("clip", clip)[clip]
    return {**known, "batch_size": BATCH["size"], "max_iter": BUDGET["max_iter"], "epochs": BUDGET["epochs"]}


def _keys_of_entry(factor: str, entry: Any) -> dict[str, Key]:
    name, given = split_entry(factor, entry)
    keys = keys_of(factor, name)
    if factor == "optimizer" and searches(name, given):
        del keys["lr"]  # it would do nothing
    return keys


def resolve(key: str, known: Iterable[str]) -> str:
    """Full name of a key.

    Raises
    ------
    UnknownName
        There is none; the message lists the known ones, the nearest match, and who has a setting of that name.
    ValueError
        It may be several.
    """
    names = list(known)
    found = [key] if key in names else [name for name in names if name.rpartition(".")[2] == key]
    if len(found) > 1:
        raise ValueError(f"{key!r} may be {' or '.join(found)}: write which")
    if found:
        return found[0]
    short = [name.rpartition(".")[2] for name in names]
    usable = names if "." in key else [s if short.count(s) == 1 else n for s, n in zip(short, names, strict=True)]
    error = unknown("setting", key, usable)
    elsewhere = _owners(key)
    raise UnknownName(f"{error}. {key!r} is a setting of {elsewhere}") if elsewhere else error


def _owners(key: str) -> str:
    """Who has a setting of that name, as text."""
    parts = []
    for factor, listed in zip(FACTORS, (OPTIMIZERS.names(), SCHEDULES.names(), PROBLEMS.names()), strict=True):
        names = [name for name in listed if key in keys_of(factor, name)]
        if names:
            parts.append(f"the {factor}s {', '.join(names)}")
    return " and of ".join(parts)


def resolved_values(name: str, item: Key, values: Any) -> Varied:
    """The values of a key: a list, or text as `parse_range` takes it; whole numbers, each once, where it takes those.

    Raises
    ------
    ValueError
        Fewer than two values, or no list.
    """
    if isinstance(values, str):
        ranged = ".." in values
        values = parse_range(values)
        if ranged:
            values = list(dict.fromkeys(_fitted(item, value) for value in values))
    elif isinstance(values, np.ndarray):
        values = values.tolist()
    elif not isinstance(values, (list, tuple)):
        raise ValueError(f"{name} takes a list of values or a range as text, not {values!r}")
    if len(values) < 2:
        raise ValueError(f"{name}: a sweep needs at least two values, not {list(values)!r}")
    return Varied(name, [list(value) if isinstance(value, tuple) else value for value in values])


def _fitted(item: Key, value: float) -> float:
    """The value, rounded where the key takes whole numbers only."""
    for candidate in (value, round(value)):
        with suppress(ValueError):
            return item.check(candidate) if isinstance(item.check(candidate), int) else candidate
    return value  # the matrix says what is wrong with it


# ----------------------------------------------------------------------------------------------------------- plan


def sweep_plan(
    entries: Mapping[str, Sequence[Any]],
    vary: Mapping[str, Any],
    budget: Mapping[str, Any],
    target: float | None = None,
) -> tuple[Plan, tuple[str, ...]]:
    """All runs of a sweep, and the full names of what it varies.

    Parameters
    ----------
    entries : mapping
        By factor (``problem``, ``optimizer``, ``schedule``, ``clip``, ``batch``) the entries as in a matrix.
    vary : mapping
        Values, or a range as text, by key.
    budget : mapping
        As in a matrix.
    target : float, optional
        Added to the usual targets.

    Raises
    ------
    ValueError
        Among others `UnknownName` and `ConfigError`: what is wrong, in a sentence each.
    """
    varied = _resolved(entries, vary)
    if target is not None:
        known = [t for t in DEFAULT_TARGETS if not np.isclose(t, target, rtol=1e-9, atol=0.0)]
        budget = {"targets": [*known, target], **budget}
    plans = []
    for matrix in _matrices(entries, varied, budget):
        plan = make_plan(parse_config(matrix, "sweep"))
        if plan.skipped:
            cell = plan.skipped[0]
            raise ValueError(f"{cell.optimizer} on {cell.problem}: {cell.reason}")
        plans.append(plan)
    whole = Plan(
        tuple(itertools.chain.from_iterable(plan.runs for plan in plans)),
        plans[0].repeats,
        n=max(plan.n for plan in plans),
        memory=max(plan.memory for plan in plans),
    )
    names = tuple(item.name for item in varied)
    if "epochs" in names:
        _refuse_epochs(whole)
    if len(set(whole.runs)) < len(whole.runs):  # of one matrix for every budget: none of them sees that
        raise ValueError(f"two values of {next(name for name in names if name in BUDGET)} make the same runs")
    return whole, tuple("max_epochs" if name == "epochs" else name for name in names)


def _refuse_epochs(plan: Plan) -> None:
    for problem, given in dict.fromkeys((run.problem, run.settings) for run in plan.runs):
        if not facts_of(problem, dict(given))[3]:
            raise ValueError(f"epochs do not apply to {problem}: it is not a sum over samples; vary max_iter")


def _resolved(entries: Mapping[str, Sequence[Any]], vary: Mapping[str, Any]) -> list[Varied]:
    if not 1 <= len(vary) <= MOST:
        raise ValueError(f"a sweep varies one or two settings, not {len(vary)}")
    known = known_keys(entries)
    names = [resolve(key, known) for key in vary]
    varied = [resolved_values(name, known[name], values) for name, values in zip(names, vary.values(), strict=True)]
    for group in ({"max_iter", "epochs"}, {"clip_norm", "clip_value"}):
        if group <= set(names):
            raise ValueError(f"vary {' or '.join(sorted(group))}, not both")
    if len(set(names)) < len(names):
        raise ValueError(f"{names[0]} is varied twice")
    return varied


def _matrices(
    entries: Mapping[str, Sequence[Any]], varied: Sequence[Varied], budget: Mapping[str, Any]
) -> Iterable[dict[str, Any]]:
    """One matrix, or one for every budget where that is varied: the cells of one matrix have different settings."""
    table: dict[str, Any] = {LISTS[factor]: list(given) for factor, given in entries.items() if given}
    budgets: list[list[dict[str, Any]]] = []
    for name, values in varied:
        factor, _, key = name.rpartition(".")
        if factor:
            listed = table.get(LISTS[factor], ABSENT.get(factor, []))
            table[LISTS[factor]] = [_with(factor, entry, key, values) for entry in listed]
        elif key in BUDGET:
            _refuse(key, budget.get(key))
            budgets.append([{key: value} for value in values])
        else:
            column = LISTS["batch" if key == "batch_size" else "clip"]
            _refuse(key, table.get(column))
            kind = key.removeprefix("clip_")
            table[column] = values if column == key else [v if v == "none" else {kind: v} for v in values]
    for parts in itertools.product(*budgets):
        yield {**table, "budget": {**budget, **{key: value for part in parts for key, value in part.items()}}}


def _with(factor: str, entry: Any, key: str, values: list[Any]) -> dict[str, Any]:
    name, given = split_entry(factor, entry)
    _refuse(f"{key} of {name}", given.get(key))
    return {"name": name, **given, key: values}


def _refuse(what: str, given: Any) -> None:
    if given is not None:
        raise ValueError(f"{what} is varied: do not set it to {given!r} as well")
