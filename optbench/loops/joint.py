"""An objective in phases (`Problem.phases`), done in pieces by a team of threads.

In each phase a function does a range of coordinates, or all at once where it says so; the next phase starts when all
are done. f is the sum of what the pieces return, added in their order, so it does not depend on who did which.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from optbench import evaluation, jit, parallel
from optbench.loops.team import Team, runner
from optbench.types import Array, Phase, Problem

# Words of the record: addresses of x and gradient, which a call writes, n, the data; of the phases' kernel and of the
# team; the number of pieces and where their values go; the number of phases and which of them (bits) go in pieces.
X, G, N, DATA, KERNEL, TEAM, PIECES, VALUES, PHASES, CUT, N_WORDS = range(11)


class Joint:
    """What stands in the place of a problem's objective: `objective` and its data, an array of words."""

    def __init__(self, problem: Problem, team: Team) -> None:
        pieces = -(-problem.n // parallel.PIECE)
        self._values: Array = np.zeros(pieces)
        self.words = np.zeros(N_WORDS, dtype=np.int64)
        self.words[N:] = [
            problem.n,
            evaluation.data_words(problem).ctypes.data,
            phases(problem).address,
            team.address,
            pieces,
            self._values.ctypes.data,
            len(problem.phases),
            sum(1 << i for i, phase in enumerate(problem.phases) if phase.over == "coordinates"),
        ]


@functools.cache
def objective() -> jit.Kernel:
    """Kernel ``double (x, g, n, words)``: f and its gradient, for every problem in phases."""
    key = jit.fingerprint(_make_objective) + jit.fingerprint(runner)
    return jit.compile_kernel("joint", _make_objective, key, "diiii")


def _make_objective() -> Callable[..., Any]:
    from optbench.codec import array_at, integers_at

    run = runner()

    def kernel(x, g, n, data):  # type: ignore[no-untyped-def]
        w = integers_at(data, N_WORDS)
        w[X], w[G] = x, g
        values, f = array_at(w[VALUES], w[PIECES]), 0.0
        for phase in range(w[PHASES]):
            count = w[PIECES] if (w[CUT] >> phase) & 1 else 1
            run(w[TEAM], w[KERNEL], data, phase, count)
            for k in range(count):
                f += values[k]
        return f

    return kernel


def phases(problem: Problem) -> jit.Kernel:
    """Kernel ``int64 (words, phase, k)``: piece k of a phase of the problem, compiled once whatever its data."""
    return _phases(problem.phases, problem.record)


@functools.cache
def _phases(parts: tuple[Phase, ...], record: type) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder, integers_at

        decode, choose = decoder(record), _chosen(parts)
        size = parallel.PIECE

        def kernel(at, phase, k):  # type: ignore[no-untyped-def]
            w = integers_at(at, N_WORDS)
            n, whole = w[N], (w[CUT] >> phase) & 1 == 0
            first = 0 if whole else size * k
            last = n if whole else min(n, first + size)
            f = choose(phase, array_at(w[X], n), array_at(w[G], n), first, last, decode(w[DATA]))
            array_at(w[VALUES], w[PIECES])[k] = f
            return k

        return kernel

    key = jit.key_of(tuple(part.function for part in parts), (record,)) + str(parallel.PIECE)
    return jit.compile_kernel(f"phases-{evaluation.stem(parts[0].function)}", make, key, "iiii", jit.SUM_MATH)


def _chosen(parts: tuple[Phase, ...]) -> Any:
    """``choose(phase, x, g, first, last, data)``: the function of that phase."""
    inner = jit.lower(parts[0].function, jit.SUM_MATH, inline=True)
    if len(parts) == 1:
        only = inner

        def last_one(phase, x, g, first, last, data):  # type: ignore[no-untyped-def]
            return only(x, g, first, last, data)

        return jit.compiled(last_one, jit.SUM_MATH, inline=True)
    rest = _chosen(parts[1:])

    def choose(phase, x, g, first, last, data):  # type: ignore[no-untyped-def]
        if phase == 0:
            return inner(x, g, first, last, data)
        return rest(phase - 1, x, g, first, last, data)

    return jit.compiled(choose, jit.SUM_MATH, inline=True)
