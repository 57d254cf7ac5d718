"""What the algorithms need: iterations, evaluations, failures. Free of noise, so that any change is a change of code.

All numbers are such that more is worse, as asv takes it everywhere; the success rate is therefore kept as its
complement. Every learning rate of a cell is tried from `STARTS` starts, and the one counts that needs the fewest
iterations, a start that misses the target counting with its whole budget.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from .common import DESCENT, FIRST_ORDER, LAGRANGIAN, SCHEDULES, problem, run_once

STARTS = 3
BUDGET = 5000
RATES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rosenbrock n=2": ("extended_rosenbrock", {"n": 2}),  # the same function, with the residuals that two methods need
    "quadratic n=20": ("quadratic", {"n": 20, "cond": 100.0}),
    "logistic_regression": ("logistic_regression", {}),
}
ACTING: dict[str, dict[str, Any]] = {  # settings with which a schedule acts before the target is reached
    "multistep": {"milestones": [50, 100], "gamma": 0.5},
    "polynomial": {"total_iters": 400},
    "reduce_on_plateau": {"patience": 10, "threshold": 0.1},
    "step": {"step_size": 50, "gamma": 0.7},
}
SCHEDULED = ("gd", "adam")
BATCHED = ("sgd", "momentum", "rmsprop", "adam", "lamb")
CONSTRAINED = ("circle_on_line", "constrained_qp", "hs071", "rectangle_in_ellipse")

Key = tuple[str, str, str]  # class of benchmarks and its two parameters


class Need(NamedTuple):
    """Means over the starts with the best rate: iterations, evaluations, and the percentage of starts that missed."""

    iterations: float
    evaluations: float
    failures: float


class Cell(NamedTuple):
    """What is run: a problem with its settings, an optimizer with rates (None: its default), a target, more options."""

    problem: str
    settings: dict[str, Any]
    optimizer: str
    target: float = 1e-4
    rates: Sequence[float | None] = RATES
    options: dict[str, Any] = {}  # noqa: RUF012 (a tuple's default, which nobody changes)


def need(cell: Cell) -> Need:
    """What a cell needs to reach its target. Raises NotImplementedError if this commit cannot run it."""
    made, tried = problem(cell.problem, **cell.settings), []
    options = {"max_iter": BUDGET, "targets": (cell.target,), **cell.options}
    for lr in cell.rates:
        runs = [run_once(made, cell.optimizer, lr=lr, seed=seed, **options) for seed in range(STARTS)]
        hits = [run.hits.get(cell.target) for run in runs]
        iterations = mean([options["max_iter"] if hit is None else hit for hit in hits])
        failures = 100.0 * mean([hit is None for hit in hits])
        tried.append(Need(iterations, mean([run.nfev + run.njev for run in runs]), failures))
    return min(tried)


def mean(values: Sequence[float]) -> float:
    """Mean, the same to the last bit in every order."""
    return math.fsum(values) / len(values)


def cells() -> dict[Key, Cell]:
    """Every cell by its class of benchmarks and its parameters."""
    found: dict[Key, Cell] = {}
    for case, (name, settings) in CASES.items():
        for optimizer in (*FIRST_ORDER, *DESCENT):
            rates = RATES if optimizer in FIRST_ORDER else (None,)
            found["Optimizers", optimizer, case] = Cell(name, settings, optimizer, rates=rates)
    for schedule in SCHEDULES:
        for optimizer in SCHEDULED:
            options = {"schedule": {"name": schedule, **ACTING.get(schedule, {})}, "max_iter": 400}
            found["Schedules", schedule, optimizer] = Cell(*CASES["quadratic n=20"], optimizer, options=options)
    for optimizer in BATCHED:
        for case in ("linear_regression", "logistic_regression"):
            found["Batches", optimizer, case] = Cell(case, {}, optimizer, 1e-2, options={"batch_size": 32})
    for optimizer in LAGRANGIAN:
        for case in CONSTRAINED:
            found["Constrained", optimizer, case] = Cell(case, {}, optimizer, rates=(None,), options={"max_iter": 1000})
    return found


def measured(suite: str) -> dict[Key, Need]:
    """Run every cell of a class of benchmarks once; what this commit does not have, or apply, is left out."""
    found = {}
    for key, cell in cells().items():
        if key[0] == suite:
            with suppress(NotImplementedError):
                found[key] = need(cell)
    return found


class _Needs:
    """The benchmarks of a class; each has a `setup_cache` of its own, which asv knows by its line in this file."""

    version = "1"  # of what is measured: raise it when `need` or a cell changes, and older results are left out
    param_names: Sequence[str] = ("optimizer", "problem")

    def setup(self, cache: dict[Key, Need], *names: str) -> None:
        """Skip what does not apply."""
        if (type(self).__name__, *names) not in cache:
            raise NotImplementedError

    def _need(self, cache: dict[Key, Need], first: str, second: str) -> Need:
        return cache[type(self).__name__, first, second]

    def track_iterations(self, cache: dict[Key, Need], first: str, second: str) -> float:
        """Iterations to the target, mean over starts; a miss counts with the whole budget."""
        return self._need(cache, first, second).iterations

    def track_evaluations(self, cache: dict[Key, Need], first: str, second: str) -> float:
        """Evaluations of the objective and of its gradient in these runs, mean over starts."""
        return self._need(cache, first, second).evaluations

    def track_failure_rate(self, cache: dict[Key, Need], first: str, second: str) -> float:
        """100 less the success rate: starts from which the target was missed."""
        return self._need(cache, first, second).failures

    track_iterations.unit = "iterations"  # type: ignore[attr-defined]
    track_evaluations.unit = "evaluations"  # type: ignore[attr-defined]
    track_failure_rate.unit = "% of starts"  # type: ignore[attr-defined]


class Optimizers(_Needs):
    """Every optimizer without constraints, to 1e-4."""

    params = ((*FIRST_ORDER, *DESCENT), tuple(CASES))

    def setup_cache(self) -> dict[Key, Need]:
        """Run everything once, which compiles it."""
        return measured("Optimizers")

    setup_cache.timeout = 1200  # type: ignore[attr-defined]


class Schedules(_Needs):
    """Every schedule, on a quadratic with n = 20 and condition number 100, to 1e-4."""

    params = (SCHEDULES, SCHEDULED)
    param_names = ("schedule", "optimizer")

    def setup_cache(self) -> dict[Key, Need]:
        """Run everything once, which compiles it."""
        return measured("Schedules")

    setup_cache.timeout = 1200  # type: ignore[attr-defined]


class Batches(_Needs):
    """Batches of 32, to 1e-2."""

    params = (BATCHED, ("linear_regression", "logistic_regression"))

    def setup_cache(self) -> dict[Key, Need]:
        """Run everything once, which compiles it."""
        return measured("Batches")

    setup_cache.timeout = 1200  # type: ignore[attr-defined]


class Constrained(_Needs):
    """Lagrangian methods, to a KKT residual of 1e-4."""

    params = (LAGRANGIAN, CONSTRAINED)

    def setup_cache(self) -> dict[Key, Need]:
        """Run everything once, which compiles it."""
        return measured("Constrained")

    setup_cache.timeout = 1200  # type: ignore[attr-defined]
