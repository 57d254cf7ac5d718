"""One run of a large problem, by all threads of the device together, in one launch for many steps.

Thread i works on the coordinates i, i + threads, ...: each of them is a piece of its own of the problem's phase. Sums
are added in a fixed order: the coordinates of a thread, the threads of a block, the blocks. All threads hold the same
numbers besides and decide alike, so that they meet at every barrier of the grid.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from optbench.clipping import clip_value, coefficient
from optbench.cuda import data, driver
from optbench.cuda.lowering import device, lower, with_globals
from optbench.cuda.member import viewer
from optbench.cuda.step import Functions, functions_of
from optbench.devices import simulated
from optbench.loops import first_order as fo
from optbench.loops.prepared import Method
from optbench.methods import Optimizer
from optbench.records import fields
from optbench.types import Problem

THREADS = 8 if simulated() else 256  # of a block; the simulator's are threads of Python
# Of a thread. Left alone the compiler takes 220, for what is done at every row of the trace, and only an eighth of the
# threads find room. With 64, half of them do; the loops of evaluation and step keep to registers.
REGISTERS = 64


class Sums(NamedTuple):
    """What a sum over all threads needs: the blocks' sums, (2, blocks); which row is next; a block's memory."""

    partials: Any
    turn: Any
    lane: Any


class Spread(NamedTuple):
    """An array that all threads share, with what a sum over them needs."""

    values: Any
    sums: Any


def make_kernel(problem: Problem, method: Method, keep: bool, real: type) -> Any:
    """Kernel ``(world, t0, until)`` of the first run of the world."""
    assert isinstance(method.optimizer, Optimizer)
    go = driver.make_go(_parts(problem, method, real), keep, False)
    member = viewer(data.views([]), data.views([]))
    n_shared = max(len(fields(method.optimizer.shared)), 1)
    n_ints, width = fo.N_INTS, THREADS

    def kernel(w: Any, t0: Any, until: Any) -> None:
        if w.codes[0] == fo.RUNNING:
            shared, ints = cuda.local.array((n_shared, 1), real), cuda.local.array(n_ints, np.int64)
            turn, lane = cuda.local.array(1, np.int64), cuda.shared.array(width, np.float64)
            turn[0] = 0
            for j in range(n_shared):
                shared[j, 0] = w.shared[j, 0, 0]
            for j in range(n_ints):
                ints[j] = w.ints[j, 0]
            sums = Sums(w.partials, turn, lane)
            m = member(w, 0, w.x[:, 0], w.g[:, 0], w.states[:, :, 0], shared, w.work[:, 0], ints, sums)
            code = go(m, t0, until)
            cuda.cg.this_grid().sync()  # nobody still reads what one thread now writes
            if cuda.grid(1) == 0:
                for j in range(n_shared):
                    w.shared[j, 0, 0] = shared[j, 0]
                for j in range(n_ints):
                    w.ints[j, 0] = ints[j]
                w.codes[0] = code
                w.running[0] = 1 if code == fo.RUNNING else 0

    return cuda.jit(kernel) if simulated() else cuda.jit(kernel, max_registers=REGISTERS)


def blocks_of(kernel: Any) -> int:
    """Blocks of a compiled kernel that the device can run at a time: all must be there for a barrier of the grid."""
    if simulated():
        return 1
    return min(int(compiled.max_cooperative_grid_blocks(THREADS)) for compiled in kernel.overloads.values())


def refusal(problem: Problem, method: Method) -> str | None:
    """Why one run cannot be done by all threads together, or None."""
    if method.batching.size:
        return "on mini-batches a run is one thread's work"
    if len(problem.phases) != 1 or any(field.kind == "scratch" for field in fields(problem.record)):
        return "the objective cannot be worked on coordinate by coordinate"
    return None


@functools.cache
def _total() -> Any:
    """Device function ``total(sums, value)``: the sum of the threads' values, alike to the last bit in each.

    It is a barrier of the grid. Two rows of `partials` take turns: before one is written again, all have read it.
    """
    width = THREADS

    def tree(lane: Any, own: Any) -> None:
        half = width // 2
        while half > 0:
            if own < half:
                lane[own] += lane[own + half]
            cuda.syncthreads()
            half //= 2

    fold = device(tree)

    def total(s: Any, value: Any) -> Any:
        partials, turn, lane, own = s.partials, s.turn, s.lane, cuda.threadIdx.x
        lane[own] = value
        cuda.syncthreads()
        fold(lane, own)
        row = turn[0]
        turn[0] = 1 - row
        if own == 0:
            partials[row, cuda.blockIdx.x] = lane[0]
        cuda.cg.this_grid().sync()
        rest = np.float64(0.0)
        for block in range(own, cuda.gridDim.x, width):
            rest += partials[row, block]
        lane[own] = rest
        cuda.syncthreads()
        fold(lane, own)
        found = lane[0]
        cuda.syncthreads()
        return found

    return device(total)


def _nothing(m: Any) -> None:
    return None


def _parts(problem: Problem, method: Method, real: type) -> driver.Parts:
    assert isinstance(method.optimizer, Optimizer)
    functions = functions_of(method.optimizer, method.params, real)
    rate, observe = driver.rates(method.schedule, False)
    evaluate = _evaluate(problem, real)
    return driver.Parts(
        evaluate=evaluate,
        whole=evaluate,
        shelve=device(_nothing),
        judge=_judge(),
        size=_norm(),
        clip=_clip(method.clip[0], real),
        step=_scaled(functions) if method.optimizer.scale else _step(functions),
        rate=rate,
        observe=observe,
    )


def _evaluate(problem: Problem, real: type) -> Any:
    total = _total()
    piece = lower(problem.phases[0].function, real)

    def evaluate(m: Any) -> Any:
        f = np.float64(0.0)
        for i in range(cuda.grid(1), m.x.size, cuda.gridsize(1)):
            f += piece(m.x, m.g, i, i + 1, m.data)
        return total(m.book.sums, f)

    return device(evaluate)


def _step(functions: Functions) -> Any:
    prepare, update, load, store, _, _ = functions

    def step(m: Any, t: Any, lr: Any) -> None:
        c = prepare(m, t, lr)
        for i in range(cuda.grid(1), m.x.size, cuda.gridsize(1)):
            m.x[i], new = update(m.x[i], m.g[i], load(m.states, i), c)
            store(m.states, i, new)
        cuda.cg.this_grid().sync()  # neighbours read x

    return device(step)


def _scaled(functions: Functions) -> Any:
    total = _total()
    prepare, update, load, store, ratio, move = functions

    def step(m: Any, t: Any, lr: Any) -> None:
        c = prepare(m, t, lr)
        first, stride = cuda.grid(1), cuda.gridsize(1)
        for k in range(m.groups.size - 1):
            x_squares, u_squares = np.float64(0.0), np.float64(0.0)
            for i in range(m.groups[k] + first, m.groups[k + 1], stride):
                m.work[i], new = update(m.x[i], m.g[i], load(m.states, i), c)
                store(m.states, i, new)
                x_squares += np.float64(m.x[i]) * m.x[i]
                u_squares += np.float64(m.work[i]) * m.work[i]
            x_squares = total(m.book.sums, x_squares)
            u_squares = total(m.book.sums, u_squares)
            s = ratio(math.sqrt(x_squares), math.sqrt(u_squares), c)
            for i in range(m.groups[k] + first, m.groups[k + 1], stride):
                m.x[i], new = move(m.x[i], m.work[i], s, load(m.states, i), c)
                store(m.states, i, new)
        cuda.cg.this_grid().sync()

    return device(step)


@functools.cache
def _norm() -> Any:
    """Device function ``norm(b, g)``, by all threads."""
    total = _total()

    def norm(b: Any, g: Any) -> Any:
        squares = np.float64(0.0)
        for i in range(cuda.grid(1), b.n, cuda.gridsize(1)):
            squares += np.float64(g[i]) * g[i]
        return math.sqrt(total(b.sums, squares))

    return device(norm)


def _clip(kind: str, real: type) -> Any:
    factor, confine, norm = lower(coefficient, np.float64), lower(clip_value, real), _norm()

    def by_norm(m: Any) -> None:
        c = factor(norm(m.book, m.g), m.clip_at)
        for i in range(cuda.grid(1), m.x.size, cuda.gridsize(1)):
            m.g[i] *= c

    def by_value(m: Any) -> None:
        for i in range(cuda.grid(1), m.x.size, cuda.gridsize(1)):
            confine(m.g[i : i + 1], m.clip_at)

    def nothing(m: Any) -> None:
        return None

    return device({"norm": by_norm, "value": by_value, "none": nothing}[kind])


@functools.cache
def _judge() -> Any:
    """`first_order.verdict`, with its looks at whole arrays done by all threads: each at single entries."""
    total = _total()
    one_within, one_moved, one_finite = (lower(part, np.float64) for part in (fo.within, fo.moved, fo.finite))

    def within(g: Any, tolerance: Any) -> Any:
        beyond = np.float64(0.0)
        for i in range(cuda.grid(1), g.values.size, cuda.gridsize(1)):
            if not one_within(g.values[i : i + 1], tolerance):
                beyond = np.float64(1.0)
        return total(g.sums, beyond) == 0.0

    def moved(x: Any, snapshot: Any) -> Any:
        changed = np.float64(0.0)
        for i in range(cuda.grid(1), x.values.size, cuda.gridsize(1)):
            if one_moved(x.values[i : i + 1], snapshot[i : i + 1]):
                changed = np.float64(1.0)
        return total(x.sums, changed) > 0.0

    def finite(x: Any) -> Any:
        beyond = np.float64(0.0)
        for i in range(cuda.grid(1), x.values.size, cuda.gridsize(1)):
            if not one_finite(x.values[i : i + 1]):
                beyond = np.float64(1.0)
        return total(x.sums, beyond) == 0.0

    looks = {"within": device(within), "moved": device(moved), "finite": device(finite)}
    verdict = lower(with_globals(fo.verdict, **looks), np.float64)

    def judge(b: Any, t: Any, f: Any, x: Any, g: Any, exact: Any, ints: Any) -> Any:
        return verdict(b, t, f, Spread(x, b.sums), Spread(g, b.sums), exact, ints)

    return device(judge)
