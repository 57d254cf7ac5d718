"""Mini-batches: which samples a step sees, and their gradient.

A run on mini-batches has, in the place of the problem's objective, the kernel below. It draws the next batch, cuts the
samples out of the data and calls the problem's own function with a record that holds nothing else. The stream is
SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, 453-472): one word of state, about 1 ns a draw, the same on every
platform; it is seeded by what the run is, so all optimizers see the same batches.

Three orders: "shuffle", a new permutation every epoch (Fisher & Yates, as many exchanges a batch as it has samples);
"replacement", every sample drawn independently; "sequential", the order of the data, without any copy.
"""

from __future__ import annotations

import functools
import weakref
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optbench import evaluation, jit
from optbench.memory import aligned, padded
from optbench.outcome import ORDERS
from optbench.records import cut_samples, encode, fields, pack, words_of
from optbench.types import Array, Problem

SHUFFLE, REPLACEMENT, SEQUENTIAL = range(len(ORDERS))
STREAM, AT, ENDED, N_DRAW = range(4)  # words of the state: generator, samples used in this epoch, whether it is over
SUM, BATCHES, MEAN, N_MEAN = range(4)  # of the losses in this epoch; of all its batches, once it is over
WORD, KIND, ROWS, SOURCE, TARGET, N_FIELD = range(6)  # of a field that is cut: where its words are, what it is
KINDS = ("vector", "matrix", "scratch")
VECTOR, MATRIX, SCRATCH = range(3)

GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S27, S30, S31, S32 = (np.uint64(shift) for shift in (27, 30, 31, 32))
LOW, WRAP = np.uint64(0xFFFFFFFF), np.uint64(1 << 32)


class Batching(NamedTuple):
    """Samples a batch (0: all), how they are drawn, whether a short last one is left out, start of the stream."""

    size: int = 0
    order: str = "shuffle"
    drop_last: bool = False
    stream: int = 0

    def samples(self, steps: int, m: int) -> int:
        """Samples that so many steps see."""
        if not self.size:
            return steps * m
        if self.order == "replacement":
            return steps * self.size
        each = m // self.size if self.drop_last else -(-m // self.size)
        whole = each * self.size if self.drop_last else m
        return steps // each * whole + min(steps % each * self.size, whole)

    def epochs(self, steps: int, m: int) -> float:
        """Passes through the samples that so many steps make; with drop_last, one that leaves out the rest counts."""
        whole = m // self.size * self.size if self.size and self.drop_last and self.order != "replacement" else m
        return self.samples(steps, m) / whole if m else 0.0


WHOLE = Batching()


class Draw(NamedTuple):
    """What the kernel reads: the problem's kernel, the words of the cut record, the state, the data."""

    objective: int
    words: int
    state: int
    means: int
    permutation: int
    m: int
    size: int
    order: int
    drop_last: bool
    table: int
    n_fields: int


def draw(stream, count):
    """Next state, and a number drawn evenly among 0, ..., count - 1 (Lemire 2019, ACM TOMACS 29, with 32 bits)."""
    k = np.uint64(count)
    while True:
        stream += GAMMA
        z = (stream ^ (stream >> S30)) * MIX_1
        z = (z ^ (z >> S27)) * MIX_2
        wide = ((z ^ (z >> S31)) >> S32) * k
        rest = wide & LOW
        if rest >= k or rest >= (WRAP - k) % k:
            return stream, np.int64(wide >> S32)


def choose(d, state, permutation, at, count):
    """Put the samples of the next batch into ``permutation[at : at + count]``."""
    stream = np.uint64(state[STREAM])
    if d.order == SHUFFLE:
        for i in range(at, at + count):
            stream, skip = draw(stream, d.m - i)
            j = np.uint64(i + skip)
            permutation[i], permutation[j] = permutation[j], permutation[i]
    else:
        for i in range(at, at + count):
            stream, permutation[i] = draw(stream, d.m)
    state[STREAM] = np.int64(stream)


def gather(source, rows, chosen, target):
    """Cut samples, each one row of `source`, out of it: into `target`, one column each."""
    count = chosen.size
    for j in range(rows):
        for i in range(count):  # unsigned: a signed index that is computed costs a test of its sign
            target[np.uint64(j * count + i)] = source[np.uint64(rows * chosen[i] + j)]


def note(state, means, f, over):
    """Add a batch's loss to those of its epoch."""
    means[SUM] += f
    means[BATCHES] += 1.0
    state[ENDED] = 0
    if over:
        means[MEAN] = means[SUM] / means[BATCHES]
        means[SUM] = means[BATCHES] = 0.0
        state[AT], state[ENDED] = 0, 1


@functools.cache
def objective() -> jit.Kernel:
    """Kernel ``double (x, g, n, draw)``: loss and gradient of the next mini-batch, for every problem."""
    key = "".join(jit.fingerprint(part) for part in (choose, gather, note, _make))
    return jit.compile_kernel("batch", _make, key, "diiii")


def _make() -> Any:
    from optbench.codec import F64, I64, array_at, caller, decoder, integers_at

    evaluate, decode = caller(F64, I64, I64, I64, I64), decoder(Draw)
    pick, cut, add = jit.lower(choose), jit.lower(gather), jit.lower(note)

    def kernel(x, g, n, data):
        d = decode(data)
        state, means, permutation = integers_at(d.state, N_DRAW), array_at(d.means, N_MEAN), d.permutation
        at = state[AT]
        count = d.size if d.order == REPLACEMENT else min(d.size, d.m - at)
        first = 0 if d.order == REPLACEMENT else at
        if d.order != SEQUENTIAL:
            pick(d, state, integers_at(permutation, d.m), first, count)
        for k in range(d.n_fields):
            field = integers_at(d.table + 8 * N_FIELD * k, N_FIELD)
            rows, words = field[ROWS], integers_at(d.words + 8 * field[WORD], 3)
            if field[KIND] == MATRIX:
                words[1], words[2] = rows, count
            else:
                words[1] = rows * count
            if field[KIND] == SCRATCH:
                continue
            if d.order == SEQUENTIAL:
                words[0] = field[SOURCE] + 8 * rows * at
            else:
                chosen = integers_at(permutation + 8 * first, count)
                cut(array_at(field[SOURCE], rows * d.m), rows, chosen, array_at(field[TARGET], rows * count))
        f = evaluate(d.objective, (x, g, n, d.words))
        state[AT] = at + count
        rest = d.m - state[AT]
        add(state, means, f, rest <= 0 or (d.drop_last and rest < d.size))
        return f

    return kernel


class Batches:
    """The memory of a run's mini-batches: data laid out for cutting, room for one batch, the kernel's record.

    Samples lie one after the other, each of them contiguous; in sequential order batch after batch, each as the
    problem reads it.
    """

    def __init__(self, problem: Problem, batching: Batching, addresses: dict[str, int]) -> None:
        self._keep: list[Any] = []
        encoded = encode(problem.data)
        small = np.arange(batching.size)
        cut = cut_samples(encoded, problem.samples, small)
        room = {name: self._hold(_aligned(array)) for name, array in cut.items()}
        record = self._hold(encoded._replace(**room))
        words, table, at = pack(record), list[list[int]](), 0
        for field in fields(problem.record):
            if field.name in room:
                array, kind = getattr(encoded, field.name), KINDS.index(field.kind)
                rows = array.size // problem.n_samples
                source = 0 if kind == SCRATCH else self._hold(_laid_out(problem, field.name, batching)).ctypes.data
                table.append([at, kind, rows, source, room[field.name].ctypes.data])
            at += words_of(field)
        self.words = np.concatenate([words, np.zeros(2, dtype=np.int64)])  # a vector's words are read as three
        self.table = np.array(table, dtype=np.int64)
        self.record = Draw(
            objective=evaluation.objective(problem).address,
            words=self.words.ctypes.data,
            **addresses,
            m=problem.n_samples,
            size=batching.size,
            order=ORDERS.index(batching.order),
            drop_last=batching.drop_last,
            table=self.table.ctypes.data,
            n_fields=len(table),
        )
        self.packed = pack(encode(self.record))

    def _hold(self, item: Any) -> Any:
        self._keep.append(item)
        return item


def start(problem: Problem, batching: Batching) -> dict[str, NDArray[np.int64] | Array]:
    """The memory that a run's batches change, at its start."""
    state = np.zeros(N_DRAW, dtype=np.int64)
    state[STREAM] = batching.stream
    return {"draw": state, "means": np.zeros(N_MEAN), "permutation": np.arange(problem.n_samples, dtype=np.int64)}


def _aligned(array: Array) -> Array:
    room = aligned(padded(array.size))[: array.size].reshape(array.shape)
    room[...] = array
    return room


_LAID_OUT: weakref.WeakKeyDictionary[Problem, dict[tuple[str, int], Array]] = weakref.WeakKeyDictionary()


def _laid_out(problem: Problem, name: str, batching: Batching) -> Array:
    """One copy for all runs of a problem that read its samples in the same order."""
    size = batching.size if batching.order == "sequential" else 0
    copies = _LAID_OUT.setdefault(problem, {})
    if (name, size) not in copies:
        array, m = np.asarray(getattr(problem.data, name), dtype=np.float64), problem.n_samples
        blocks = [array[..., at : at + size].ravel() for at in range(0, m, size)] if size else [array.T.ravel()]
        copies[name, size] = np.concatenate(blocks)
    return copies[name, size]
