"""The kernels of lanes: many runs of one optimizer on one small problem, side by side in vector instructions.

The lanes of a block lie in tiles: ``[tile][coordinate][lane]``, `WIDTH` lanes a tile, so that the lanes of a coordinate
are neighbours and a tile has places at constant distances, which tells LLVM that they do not overlap. The objective is
compiled for a fixed n, with the point and the gradient of a lane in arrays of their own: its loops unroll, those arrays
become registers, and the loop over lanes is left to vectorize. Where all lanes have one learning rate the step is the
kernel of single runs, on all coordinates of all lanes; otherwise it is the one below.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from optbench import evaluation, jit
from optbench.coordinate import FRAME_WORDS, PARAMS, SHARED, STATE, STRIDE, G, N, X
from optbench.kernels import form_of
from optbench.methods import Optimizer
from optbench.records import Empty, fields
from optbench.types import Problem

WIDTH = 32  # lanes of a tile

# Words of a step's frame besides those of `coordinate`: coordinates of a lane, lanes that there is memory for.
SIZE, LANES_MOST, LANE_WORDS = FRAME_WORDS, FRAME_WORDS + 1, FRAME_WORDS + 2


def objective(problem: Problem) -> jit.Kernel:
    """Kernel ``int64 (x, g, f, floor, tiles, data)``: f and gradient of every lane, compiled for the problem's sizes.

    Its value is 1 where the f of any lane lies outside (floor, infinity), else 0.
    """
    function = problem.fun_grad or problem.residuals
    assert function is not None
    return _objective(problem.name, function, problem.record, problem.n, 0 if problem.fun_grad else problem.m)


@functools.cache
def _objective(name: str, function: Callable[..., Any], record: type, n: int, m: int) -> jit.Kernel:
    """With m > 0 the function gives m residuals."""
    key = f"{jit.key_of((function,), (record,))} {n} {m}"

    def make() -> Callable[..., Any]:
        return _make_objective(function, record, n, m)

    return jit.compile_kernel(f"lanes-{name}", make, key, "iiiiiii", jit.SUM_MATH)


def _make_objective(function: Callable[..., Any], record: type, n: int, m: int) -> Callable[..., Any]:
    from numpy import uint64

    from optbench.codec import array_at, decoder, local_array

    inner, sums = (jit.lower(part, jit.SUM_MATH, inline=None) for part in (function, evaluation.sum_of_squares))
    new, new_r, new_jac, squares = local_array(n), local_array(max(m, 1)), local_array(max(m, 1), n), m > 0

    def assess(xs, gs, values, floors, data, tiles):  # type: ignore[no-untyped-def]
        out = 0
        for tile in range(tiles):
            at, first = tile * (n * WIDTH), tile * WIDTH
            for lane in range(WIDTH):
                x, g = new(), new()
                for i in range(n):
                    x[i] = xs[uint64(at + i * WIDTH + lane)]
                if squares:
                    r, jac = new_r(), new_jac()
                    inner(x, r, jac, data)
                    f = sums(r, jac, g)
                else:
                    f = inner(x, g, data)
                for i in range(n):
                    gs[uint64(at + i * WIDTH + lane)] = g[i]
                values[uint64(first + lane)] = f
                out |= not (floors[uint64(first + lane)] < f < math.inf)
        return out

    run, decode = jit.compiled(assess, jit.SUM_MATH), decoder(record)

    def kernel(x, g, f, floor, tiles, data):  # type: ignore[no-untyped-def]
        lanes = tiles * WIDTH
        size = n * lanes
        return run(
            array_at(x, size), array_at(g, size), array_at(f, lanes), array_at(floor, lanes), decode(data), tiles
        )

    return kernel


def step(optimizer: Optimizer, params: Any) -> jit.Kernel:
    """Kernel ``int64 (frame, t, rates)``: a step of every lane with a learning rate of its own."""
    update, state = form_of(optimizer, params)
    records = (optimizer.params, state, optimizer.shared)
    return _step(optimizer.name, update, optimizer.constants, records)


@functools.cache
def _step(
    name: str, update: Callable[..., Any], constants: Callable[..., Any], records: tuple[type, type, type]
) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        return _make_step(update, constants, *records)

    return jit.compile_kernel(f"lanes-{name}", make, jit.key_of((constants, update), records), "iiii")


def _make_step(
    update: Callable[..., Any], constants: Callable[..., Any], params: type, state: type, shared: type
) -> Callable[..., Any]:
    """The constants of a lane are computed anew for each of its coordinates: cheaper than keeping them."""
    from numpy import uint64

    from optbench.codec import array_at, decoder, integers_at, state_arrays, state_loader, state_storer

    decode, split, split_shared = decoder(params), state_arrays(len(fields(state))), state_arrays(len(fields(shared)))
    load, store, inner = state_loader(state), state_storer(state), jit.lower(update, inline=True)
    prepare = _constants(constants, shared)
    keep = state_storer(shared)

    def visit(x, g, states, rates, p, t, kept, at, lane):  # type: ignore[no-untyped-def]
        c, following = prepare(t, rates[uint64(lane)], p, kept, lane)
        x[uint64(at)], new = inner(x[uint64(at)], g[uint64(at)], load(states, at), c)
        store(states, at, new)
        return following

    one = jit.compiled(visit, inline=True)

    def sweep(x, g, states, kept, rates, p, t, n, tiles):  # type: ignore[no-untyped-def]
        for tile in range(tiles):
            first = tile * WIDTH
            for i in range(n - 1):
                at = (first * n) + i * WIDTH
                for lane in range(WIDTH):
                    one(x, g, states, rates, p, t, kept, at + lane, first + lane)
            at = (first * n) + (n - 1) * WIDTH
            for lane in range(WIDTH):  # the last coordinate: the scalars of the next step replace those of this one
                keep(kept, first + lane, one(x, g, states, rates, p, t, kept, at + lane, first + lane))

    run = jit.compiled(sweep)

    def kernel(frame, t, rates):  # type: ignore[no-untyped-def]
        w = integers_at(frame, LANE_WORDS)
        n, size, most = w[SIZE], w[N], w[LANES_MOST]
        tiles = size // (n * WIDTH)
        states, kept = split(w[STATE], w[STRIDE], size), split_shared(w[SHARED], most, most)
        run(
            array_at(w[X], size),
            array_at(w[G], size),
            states,
            kept,
            array_at(rates, most),
            decode(w[PARAMS]),
            t,
            n,
            tiles,
        )
        return t

    return kernel


def _constants(constants: Callable[..., Any], shared: type) -> Any:
    """Dispatcher ``(t, lr, params, arrays, lane) -> (c, the scalars kept from step to step)``."""
    from optbench.codec import state_loader

    inner, load = jit.lower(constants, inline=True), state_loader(shared)

    def plain(t, lr, params, kept, lane):  # type: ignore[no-untyped-def]
        return inner(t, lr, params), load(kept, lane)

    def keeping(t, lr, params, kept, lane):  # type: ignore[no-untyped-def]
        return inner(t, lr, params, load(kept, lane))

    return jit.compiled(plain if shared is Empty else keeping, inline=True)


def refusal(problem: Problem, optimizer: Any, observes: bool) -> str | None:
    """Why a problem, a method or a schedule cannot run in lanes, or None."""
    if not isinstance(optimizer, Optimizer) or optimizer.scale is not None:
        return f"{optimizer.name} does not act on each coordinate alone"
    if problem.constraints is not None:
        return f"{problem.name} has constraints"
    if problem.n > LARGEST:
        return f"{problem.name} has {problem.n} variables, and a lane holds at most {LARGEST}"
    if any(field.kind == "scratch" for field in fields(problem.record)) or (
        problem.fun_grad is None and problem.m > WIDTH
    ):
        return f"{problem.name} is a sum over many samples"
    if any(field.kind != "float" for field in fields(optimizer.shared)):
        return f"{optimizer.name} keeps other than floats from step to step"
    if observes:
        return "the schedule observes the objective"
    return None


LARGEST = 16  # variables of a problem whose point fits into registers
