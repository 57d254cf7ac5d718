"""What tuning searches: ranges by hyperparameter name, points in them, and the ``[tuning]`` table of a matrix.

Every optimizer gets the same points for a hyperparameter of the same name, whatever else it has: the k-th trial of
Adam and of SGD have the same learning rate. Points are nested: the first 25 of 75 are the points of a budget of 25.

Sources: ranges as in Choi et al. (2019), arXiv:1910.05446, and Schmidt, Schneider & Hennig (2021), arXiv:2007.01547,
the learning rate wider; quasi-random search as in Bousquet et al. (2017), arXiv:1706.03200.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from optbench.entries import Key, count_key, number, several
from optbench.records import Field, check, fields
from optbench.registry import get_optimizer, unknown
from optbench.types import Array

MODES = ("none", "grid", "random", "quasi-random")
CRITERIA = ("final_loss", "time_to_target", "val_loss", "val_accuracy")
SCALES = ("log", "complement", "linear")
GRID = 36  # learning rates: five a decade from 1e-5 to 1e2
BUDGETS = (25, 50, 75)
FIRST_SEED = 1000  # of tuning, far from the seeds 0, 1, ... of tests
DIGITS = 12  # of a point, so that the last bits of a mathematical library cannot make another run of it


class Span(NamedTuple):
    """Range of a hyperparameter: its ends, and on which scale it is searched.

    ``log``: evenly in its logarithm; ``complement``: evenly in log(1 - value), for what is close to 1; ``linear``.
    """

    low: float
    high: float
    scale: str

    def at(self, u: Array) -> Array:
        """Values at `u`, shape (k,), from 0 (the low end) to 1 (the high end), rounded to 12 digits."""
        if self.scale == "linear":
            values = self.low + u * (self.high - self.low)
        elif self.scale == "log":
            values = np.exp(np.log(self.low) + u * np.log(self.high / self.low))
        else:
            values = 1.0 - (1.0 - self.low) * ((1.0 - self.high) / (1.0 - self.low)) ** u
        return np.array([min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high) for value in values])

    def place(self, value: float) -> float:
        """Where a value lies on the scale, 0 at the low end, 1 at the high end: the inverse of `at`."""
        if self.scale == "linear":
            return (value - self.low) / (self.high - self.low)
        low, here, high = ((v if self.scale == "log" else 1.0 - v) for v in (self.low, value, self.high))
        return math.log(here / low) / math.log(high / low) if here > 0.0 else math.nan


_COEFFICIENT = Span(0.9, 0.9999, "complement")  # of an average of squared gradients
RANGES: dict[str, Span] = {
    "lr": Span(1e-5, 1e2, "log"),
    "momentum": Span(0.0, 0.999, "complement"),
    "beta1": Span(0.0, 0.999, "complement"),
    "beta2": _COEFFICIENT,
    "alpha": _COEFFICIENT,
    "rho": _COEFFICIENT,
    "eps": Span(1e-10, 1.0, "log"),
    "weight_decay": Span(1e-5, 1e-1, "log"),
}
# What random and quasi-random search try by default. As in Schmidt et al., neither eps nor weight_decay, which changes
# what is minimized.
USUAL = ("lr", "momentum", "beta1", "beta2", "alpha", "rho")
HOMONYMS = {("asgd", "alpha")}  # an exponent, no averaging coefficient


class Tuning(NamedTuple):
    """How a matrix is tuned.

    Attributes
    ----------
    mode : {"grid", "random", "quasi-random"}
    budgets : tuple of int
        Numbers of trials beside the defaults, ascending. The largest is run; the others are its first trials.
    parameters : tuple of str
        Hyperparameters that are searched, where an optimizer has them.
    criterion : {"final_loss", "time_to_target", "val_loss", "val_accuracy"}
        What the winner is best at, the median over the tuning seeds.
    target : float
        Of ``time_to_target``.
    seeds : tuple of int
        Tuning seeds: of no test run.
    search_seed : int
        Of the points, random or quasi-random.
    ranges : tuple of (str, Span)
    """

    mode: str
    budgets: tuple[int, ...]
    parameters: tuple[str, ...]
    criterion: str
    target: float
    seeds: tuple[int, ...]
    search_seed: int
    ranges: tuple[tuple[str, Span], ...]

    def searched(self, optimizer: str, own_step: bool) -> tuple[str, ...]:
        """What is searched of an optimizer: no learning rate where its search sets the step."""
        names = [field.name for field in fields(get_optimizer(optimizer).params)]
        known = {*names} if own_step else {"lr", *names}
        return tuple(name for name in self.parameters if name in known and (optimizer, name) not in HOMONYMS)


def points(tuning: Tuning) -> dict[str, Array]:
    """Values of every searched hyperparameter at the trials 1, 2, ..., shape (largest budget,), in order.

    Grid: evenly on the scale, both ends included. Random: independent streams by name. Quasi-random: a scrambled Halton
    sequence, one base for each name of `RANGES` and then of the user's own, so that no value depends on what else is
    searched.
    """
    count, ranges = tuning.budgets[-1], dict(tuning.ranges)
    if tuning.mode == "grid":
        unit = {name: np.linspace(0.0, 1.0, count) for name in tuning.parameters}
    elif tuning.mode == "random":
        unit = {name: _stream(tuning.search_seed, name).random(count) for name in tuning.parameters}
    else:
        from scipy.stats import qmc

        order = [*RANGES, *sorted(ranges.keys() - RANGES.keys())]
        halton = qmc.Halton(len(order), scramble=True, seed=_stream(tuning.search_seed, "halton")).random(count)
        unit = {name: halton[:, order.index(name)] for name in tuning.parameters}
    return {name: ranges[name].at(u) for name, u in unit.items()}


def _stream(seed: int, name: str) -> np.random.Generator:
    state = int.from_bytes(hashlib.sha256(f"search {seed} {name}".encode()).digest()[:16], "little")
    return np.random.Generator(np.random.PCG64(state))


# ------------------------------------------------------------------------------------------------- the table


def _one_of(what: str, known: Sequence[str], value: Any) -> str:
    if value not in known:
        raise unknown(what, value, known)
    return str(value)


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)):
        return several("seeds", count_key("seeds", ..., 0), value)
    return tuple(range(FIRST_SEED, FIRST_SEED + count_key("seeds", ..., 1).check(value)))


def _budgets(value: Any) -> tuple[int, ...]:
    item = count_key("budgets", ..., 1)
    return tuple(sorted(several("budgets", item, value if isinstance(value, (list, tuple)) else [value])))


def _parameters(value: Any) -> tuple[str, ...] | None:
    if value in (None, "all"):
        return value and ("all",)
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError(f"parameters takes 'all' or a list of names of hyperparameters, not {value!r}")
    return tuple(dict.fromkeys(value))


def _ranges(value: Any) -> dict[str, Span]:
    if not isinstance(value, Mapping):
        raise ValueError(f"ranges takes a table of names and [low, high], not {value!r}")
    return {name: _span(name, item) for name, item in value.items()}


def _span(name: str, value: Any) -> Span:
    scale = RANGES[name].scale if name in RANGES else None
    ends = value
    if isinstance(value, Mapping):
        if value.keys() != {"low", "high", "scale"}:
            raise ValueError(f"{name} takes [low, high] or {{ low, high, scale }}, not {dict(value)!r}")
        ends, scale = (value["low"], value["high"]), _one_of("scale", SCALES, value["scale"])
    if scale is None:
        near = difflib.get_close_matches(name, RANGES, n=1)
        hint = f"did you mean {near[0]!r}? Otherwise " if near else ""
        raise ValueError(
            f"{name} has no usual scale: {hint}give {{ low, high, scale }}, scale one of {', '.join(SCALES)}"
        )
    good = isinstance(ends, (list, tuple)) and len(ends) == 2
    with suppress(ValueError):
        low, high = (check(Field(name, "float", (), ...), end) for end in ends) if good else (math.nan, math.nan)
        inside = {"log": low > 0.0, "complement": high < 1.0, "linear": True}[scale]
        if -math.inf < low < high < math.inf and inside:
            return Span(low, high, scale)
    needs = {"log": ", low > 0", "complement": ", high < 1", "linear": ""}[scale]
    raise ValueError(f"{name} takes [low, high] with low < high{needs}, not {ends!r}")


TARGET = partial(number, "target", "float", "a number between 0 and 1", lambda v: 0 < v < 1)
TUNING: dict[str, Key] = {
    "mode": Key(partial(_one_of, "mode", MODES), "grid"),
    "budgets": Key(_budgets, None),
    "parameters": Key(_parameters, None),
    "criterion": Key(partial(_one_of, "criterion", CRITERIA), "final_loss"),
    "target": Key(TARGET, 1e-3),
    "seeds": Key(_seeds, 3),
    "search_seed": count_key("search_seed", 0, 0),
    "ranges": Key(_ranges, {}),
}


def tuning_of(given: Mapping[str, Any]) -> Tuning | None:
    """Settings of a ``[tuning]`` table whose values were checked one by one (`TUNING`); None for mode ``none``.

    Raises ValueError for values that do not go together.
    """
    mode = given.get("mode", TUNING["mode"].default)
    if mode == "none":
        return None
    budgets = given.get("budgets", (GRID,) if mode == "grid" else BUDGETS)
    ranges = RANGES | given.get("ranges", {})
    wanted = given.get("parameters") or (("lr",) if mode == "grid" else USUAL)
    parameters = tuple(ranges) if wanted == ("all",) else wanted
    if mode == "grid" and len(parameters) > 1:
        raise ValueError("a grid has one hyperparameter: name one, or take mode 'random' or 'quasi-random' for several")
    if mode == "grid" and (len(budgets) > 1 or budgets[0] < 2):
        raise ValueError("a grid has one budget, of at least 2: part of a grid is no grid")
    for name in parameters:
        if name not in ranges:
            raise ValueError(f"{unknown('hyperparameter', name, ranges)}; give others a range in [tuning.ranges]")
    for name in given.get("ranges", {}):
        if name not in parameters:
            raise ValueError(f"the range of {name} does nothing: searched are {', '.join(parameters)} (parameters)")
    if "target" in given and given.get("criterion") != "time_to_target":
        raise ValueError("target does nothing without criterion = 'time_to_target'")
    values = {key: given.get(key, item.check(item.default)) for key, item in TUNING.items() if key in _PLAIN}
    return Tuning(mode, budgets, parameters, ranges=tuple(ranges.items()), **values)


_PLAIN = ("criterion", "target", "seeds", "search_seed")
