"""Runs that differ in start and learning rate alone, one after the other in one call into compiled code.

The driver is that of single runs, and so is its memory: a `Slot` is a run made ready, whose start, learning rate,
targets and trace the kernel replaces before every member. A member's numbers are those of the single run, bit for bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from optbench import evaluation, jit
from optbench.loops import first_order as fo
from optbench.loops.prepared import Counts, Outcome
from optbench.loops.runs import PreparedSteps
from optbench.records import Matrix, Vector, fields, pack, words, words_of
from optbench.types import Array, Problem

TIMED_OUT = -1  # the code of a member whose time limit has passed, besides those of `first_order`
COLUMNS = ("iterations", "values", "norms", "lrs")  # of the trace, in the setup record


class Members(NamedTuple):
    """What the members start from, a row each, and where they leave their ends.

    `judged` is 0 where no target applies; without `keep` all write the end of their trace to the first row.
    """

    drive: int
    setup: int
    starts: Matrix
    rates: Vector
    peaks: Vector
    levels: Matrix
    judged: Vector
    points: Matrix
    codes: Vector
    steps: Vector
    hits: Matrix
    keep: bool
    rows: Vector
    iterations: Matrix
    values: Matrix
    norms: Matrix
    lrs: Matrix


@functools.cache
def _places() -> dict[str, int]:
    """Where each field of the setup record stands, in words."""
    places, at = {}, 0
    for field in fields(fo.Setup):
        places[field.name], at = at, at + words_of(field)
    return places


@functools.cache
def many() -> jit.Kernel:
    """Kernel ``int64 many(members, first, last, resume, steps)``: the members from `first` to before `last`.

    It returns early when so many steps have been taken in all: the number of the member that is under way, which a call
    with `resume` goes on with.
    """
    return jit.compile_kernel("members", _make_many, jit.fingerprint(_make_many), "iiiiii")


def _make_many() -> Callable[..., Any]:
    from optbench.codec import I64, array_at, caller, decoder, integers_at

    drive, decode, decode_setup = caller(I64, I64, I64, I64), decoder(Members), decoder(fo.Setup)
    count, at = words(fo.Setup), _places()
    lr, peak, levels, stop = at["lr"], at["peak"], at["thresholds"], at["stop"]
    iterations, values, norms, lrs = (at[name] for name in COLUMNS)

    def begin(m, k):  # type: ignore[no-untyped-def]
        w, numbers, s = integers_at(m.setup, count), array_at(m.setup, count), decode_setup(m.setup)
        start = array_at(s.pristine.ctypes.data + s.x - s.live.ctypes.data, s.n)
        for i in range(s.n):
            start[i] = m.starts[k, i]
        numbers[lr], numbers[peak] = m.rates[k], m.peaks[k]
        w[stop] = m.levels.shape[1] if m.judged[k] > 0.0 else 0
        w[levels], w[levels + 1] = m.levels.ctypes.data + 8 * k * m.levels.shape[1], w[stop]
        w[stop] = min(w[stop], 1)
        skip = 8 * k * m.iterations.shape[1] if m.keep else 0
        w[iterations], w[values] = m.iterations.ctypes.data + skip, m.values.ctypes.data + skip
        w[norms], w[lrs] = m.norms.ctypes.data + skip, m.lrs.ctypes.data + skip

    def end(m, k, code):  # type: ignore[no-untyped-def]
        s = decode_setup(m.setup)
        x, hits, ints = array_at(s.x, s.n), array_at(s.hits, s.thresholds.size), integers_at(s.ints, fo.N_INTS)
        for i in range(s.n):
            m.points[k, i] = x[i]
        for i in range(hits.size):
            m.hits[k, i] = hits[i]
        m.codes[k], m.steps[k], m.rows[k] = code, ints[fo.T], ints[fo.ROWS]

    setting, noting = jit.compiled(begin), jit.compiled(end)

    def kernel(members, first, last, resume, steps):  # type: ignore[no-untyped-def]
        m = decode(members)
        ints = integers_at(decode_setup(m.setup).ints, fo.N_INTS)
        for k in range(first, last):
            begun = ints[fo.T] if resume else 0
            if not resume:
                setting(m, k)
            code = drive(m.drive, (m.setup, 1 - resume, begun + steps))
            resume, steps = 0, steps - (ints[fo.T] - begun)
            noting(m, k, code)
            if code == fo.RUNNING:
                return k
        return last

    return kernel


@functools.cache
def sampler() -> jit.Kernel:
    """Kernel ``int64 (objective, data, n, count, points, values, gradients)``: f and gradient at many points."""

    def make() -> Callable[..., Any]:
        from optbench.codec import F64, I64, array_at, caller

        evaluate = caller(F64, I64, I64, I64, I64)

        def kernel(objective, data, n, count, points, values, gradients):  # type: ignore[no-untyped-def]
            f = array_at(values, count)
            for k in range(count):
                f[k] = evaluate(objective, (points + 8 * n * k, gradients + 8 * n * k, n, data))
            return count

        return kernel

    return jit.compile_kernel("points", make, jit.fingerprint(sampler.__wrapped__), "iiiiiiii")


def evaluate_all(problem: Problem, points: Array) -> tuple[Array, Array]:
    """Values, shape (k,), and gradients, shape (k, n), at `points`, shape (k, n), contiguous float64."""
    k, n = points.shape
    f, g = np.empty(k), np.empty((k, n))
    address, data = evaluation.objective(problem).address, evaluation.data_words(problem).ctypes.data
    sampler()(address, data, n, k, points.ctypes.data, f.ctypes.data, g.ctypes.data)
    return f, g


def most_rows(max_iter: int) -> int:
    """Rows of the thinned trace of a run of that many steps, at most, with one for the end of a run."""
    t, rows = 0, 2
    while t < max_iter:
        t, rows = int(fo.next_row(t)), rows + 1  # type: ignore[no-untyped-call]
    return rows


class Slot(PreparedSteps):
    """The memory of one thread's runs, one after the other; held-out samples are not measured."""

    _measures = False  # the problem's room for it is one, and nobody asks

    def attach(self, arrays: dict[str, Array], keep: bool) -> None:
        """Bind the arrays of `Members`."""
        rows = arrays["iterations"].shape[1]
        for name in COLUMNS:
            self.setup[_places()[name] + 1] = rows
        if not keep:  # no row but the last
            start = self._at["ints"]
            self.pristine[start : start + self.n_ints].view(np.int64)[fo.NEXT_ROW] = fo.NEVER
        self._members = Members(drive=self.kernels[0].address, setup=self.setup.ctypes.data, keep=keep, **arrays)
        self._packed, self._many = pack(self._members), many()

    def go(self, first: int, last: int, resume: bool, steps: int) -> int:
        """Call the kernel; see `many`."""
        return int(self._many(self._packed.ctypes.data, first, last, int(resume), steps))

    def first_slice(self) -> int:
        """Steps that surely take less than a slice."""
        return self._first_slice()

    def give_up(self, k: int) -> None:
        """End member `k`, which is under way, for its time limit: the point where it stands is its last row."""
        m = self._members
        row = int(m.rows[k]) if m.keep else 0
        for name, (value,) in zip(COLUMNS, self._last_row().values(), strict=False):
            getattr(m, name)[k if m.keep else 0, row] = value
        m.codes[k], m.rows[k] = TIMED_OUT, row + 1

    def outcome(self, k: int) -> Outcome:
        """What a single run would have left for member `k`; `thresholds` become the member's."""
        m = self._members
        self.thresholds = m.levels[k] if m.judged[k] else np.empty(0)
        rows, timed_out = int(m.rows[k]), m.codes[k] == TIMED_OUT
        code = fo.RUNNING if timed_out else int(m.codes[k])
        names = zip(self.columns, COLUMNS, strict=True)
        trace = {name: getattr(m, column)[k, :rows] for name, column in names}
        hits = m.hits[k, : self.thresholds.size].copy()
        return Outcome(code, int(m.steps[k]), m.points[k].copy(), hits, trace, timed_out, Counts(int(m.steps[k]) + 1))
