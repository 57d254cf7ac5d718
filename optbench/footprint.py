"""Memory that problems and runs take, stated before it is taken."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from optbench.kernels import form_of
from optbench.methods import AnyMethod, Descent, Optimizer
from optbench.records import encode, fields
from optbench.types import Problem

TOGETHER = 64  # runs that are timed in turn, and held in memory, at a time ...
LIVE = 2 << 30  # ... as long as they take no more bytes than this
COPIED = 1 << 25  # bytes of an array up to which the engine may copy it to where it likes it
CHECKED = 1 << 30  # bytes below which nobody asks whether they are there
SIZES = (128, 256, 384, 512)  # at which what grows as a polynomial in n is measured; the last confirms it
ARRAYS = 4  # of length n besides a run's own: snapshot, start, last point and gradient


class Bytes(NamedTuple):
    """Bytes of a problem: of its data and held-out samples; of its start, minimizers and bounds."""

    data: int
    points: int

    @property
    def total(self) -> int:
        """With the copies that the engine makes of small data, to have them where it likes them."""
        return self.data + min(self.data, COPIED) + self.points


def of_problem(problem: Problem) -> Bytes:
    """Measure a problem."""
    base = problem.bounds.base
    points = [problem.x0, problem.bounds if base is None else base]
    points += [] if problem.minimizers is None else [problem.minimizers]
    data = (*problem.data, *(problem.validation or ()))
    return Bytes(*(sum(np.asarray(item).nbytes for item in items) for items in (data, points)))


def of_run(method: AnyMethod, params: Any, n: int, m: int = 0, batches: bool = False) -> int:
    """Bytes of a run on a problem with n parameters and m residuals or constraints, and of its result."""
    if isinstance(method, Optimizer):
        _, state = form_of(method, params)
        arrays = 2 + len(fields(state)) + bool(method.scale) + batches
        return 8 * n * (2 * arrays + ARRAYS)
    own = extrapolated(lambda size: _numbers(method.memory(size, m, params)), n)
    matrix = method.needs if isinstance(method, Descent) else "hessian" if method.hessian else "constraints"
    rows = {"gradient": 0, "hessian": n * n, "jacobian": m * (n + 1)}.get(matrix, m * (n + 4))
    return 8 * (2 * (own + rows + 7 * n) + ARRAYS * n)


def _numbers(record: Any) -> int:
    return sum(np.size(item) for item in encode(record))


def together(size: int) -> int:
    """How many runs of that many bytes are timed in turn."""
    return max(1, min(TOGETHER, LIVE // max(1, size)))


def extrapolated(measure: Callable[[int], int], n: int) -> int:
    """Return ``measure(n)``, found from small sizes where they lie on a parabola and n is beyond them."""
    if n <= SIZES[-1]:
        return measure(n)
    found = [measure(size) for size in SIZES]
    first, second = found[1] - found[0], found[2] - 2 * found[1] + found[0]

    def at(size: int) -> Fraction:
        s = Fraction(size - SIZES[0], SIZES[1] - SIZES[0])
        return found[0] + first * s + second * s * (s - 1) / 2

    value = at(n)
    return int(value) if at(SIZES[-1]) == found[-1] and value.denominator == 1 else measure(n)


def check(what: str, size: int) -> None:
    """Raise ValueError where a number of bytes is more than there is."""
    if size < CHECKED:
        return
    there = available()
    if size > there:
        raise ValueError(f"{what} needs {size / 1e9:,.1f} GB of memory, and {there / 1e9:,.1f} GB are available")


def available() -> int:
    """Bytes of memory that are free to take."""
    import psutil

    return int(psutil.virtual_memory().available)
