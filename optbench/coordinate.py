"""One step of a coordinate-wise optimizer: the loop over coordinates around its two small functions.

The functions see scalars, so nothing they load can alias what they store. Every state field is an array of its own that
starts on a cache line. What depends on norms (LAMB, LARS) first writes its direction to a work array, then scales it
group by group and lets `finish` move each coordinate by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from optbench import jit
from optbench.memory import LANES
from optbench.records import Empty, fields

# Words of the frame that a step gets: addresses of x, the gradient, the state (STRIDE elements a field), the packed
# hyperparameters, the scalars kept from step to step, the work array and the bounds of the parameter groups.
X, G, N, STATE, STRIDE, PARAMS, SHARED, WORK, GROUPS, N_BOUNDS, FRAME_WORDS = range(11)
FEW = 32  # coordinates from which whole vectors pay


def make_step(
    update: Callable[..., Any],
    constants: Callable[..., Any],
    scaling: tuple[Callable[..., Any] | None, Callable[..., Any] | None],
    params: type,
    state: type,
    shared: type,
) -> Callable[..., Any]:
    """The plain function ``step(frame, t, lr)`` for `optbench.kernels` to compile."""
    from optbench.codec import array_at, decoder, integers_at, record_storer, state_arrays

    prepare = _keeping(constants, decoder(shared), record_storer(shared)) if shared is not Empty else _plain(constants)
    sweep = _scaled_sweep(update, *scaling, state) if scaling[0] else _sweep(update, state)
    decode, split = decoder(params), state_arrays(len(fields(state)))

    def step(frame, t, lr):  # type: ignore[no-untyped-def]
        w = integers_at(frame, FRAME_WORDS)
        n, c = w[N], prepare(t, lr, decode(w[PARAMS]), w[SHARED])
        states, work, groups = split(w[STATE], w[STRIDE], n), array_at(w[WORK], n), integers_at(w[GROUPS], w[N_BOUNDS])
        sweep(array_at(w[X], n), array_at(w[G], n), states, c, work, groups)
        return t

    return step


def _plain(constants: Callable[..., Any]) -> Any:
    inner = jit.lower(constants, inline=True)

    def prepare(t, lr, params, scalars):  # type: ignore[no-untyped-def]
        return inner(t, lr, params)

    return jit.compiled(prepare, inline=True)


def _keeping(constants: Callable[..., Any], load: Any, store: Any) -> Any:
    inner = jit.lower(constants, inline=True)

    def prepare(t, lr, params, scalars):  # type: ignore[no-untyped-def]
        c, kept = inner(t, lr, params, load(scalars))
        store(scalars, kept)
        return c

    return jit.compiled(prepare, inline=True)


def every_coordinate(visit: Any) -> Any:
    """Loop of ``visit(arrays, i, c)`` over all coordinates.

    Below FEW coordinates a step waits for values that the objective has just stored, and a load that is wider than
    the stores before it costs ten nanoseconds: knowing the bound, LLVM takes half vectors and single numbers there, as
    it does in a short objective. From FEW on the rest after whole vectors is one masked vector.
    """

    def every(arrays, n, c):  # type: ignore[no-untyped-def]
        if n < FEW:
            for i in range(n):
                visit(arrays, i, c)
        else:
            whole = n & -LANES
            for i in range(whole):
                visit(arrays, i, c)
            for i in range(n & (LANES - 1)):
                visit(arrays, whole + i, c)

    return jit.compiled(every, inline=True)


def mover(update: Callable[..., Any], state: type) -> Any:
    """Loop ``move((x, g, states), n, c)``: the update of every coordinate."""
    from optbench.codec import state_loader, state_storer

    load, store, inner = state_loader(state), state_storer(state), jit.lower(update, inline=True)

    def visit(arrays, i, c):  # type: ignore[no-untyped-def]
        x, g, states = arrays
        x[i], new = inner(x[i], g[i], load(states, i), c)
        store(states, i, new)

    return every_coordinate(jit.compiled(visit, inline=True))


def _sweep(update: Callable[..., Any], state: type) -> Any:
    every = mover(update, state)

    def sweep(x, g, states, c, work, groups):  # type: ignore[no-untyped-def]
        every((x, g, states), x.size, c)

    return jit.compiled(sweep, inline=True)


def add_square(total, value):  # type: ignore[no-untyped-def]
    """Sum of squares with one more."""
    return total + value * value


def sum_squares(x):  # type: ignore[no-untyped-def]
    """Sum of squares."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i]
    return total


def _scaled_sweep(update: Callable[..., Any], scale: Any, finish: Any, state: type) -> Any:
    from optbench.codec import array_at, state_loader, state_storer

    load, store = state_loader(state), state_storer(state)
    inner, ratio, move = jit.lower(update, inline=True), jit.lower(scale, inline=True), jit.lower(finish, inline=True)
    add, squares = jit.lower(add_square, jit.SUM_MATH, inline=True), jit.lower(sum_squares, jit.SUM_MATH, inline=True)

    def visit(arrays, i, c):  # type: ignore[no-untyped-def]
        (x, g, states, u), first = arrays
        u[i], new = inner(x[i], g[i], load(states, first + i), c)
        store(states, first + i, new)

    def end(arrays, i, c):  # type: ignore[no-untyped-def]
        (x, states, u), first = arrays
        x[i], new = move(x[i], u[i], c[0], load(states, first + i), c[1])
        store(states, first + i, new)

    every, apply = every_coordinate(jit.compiled(visit, inline=True)), every_coordinate(jit.compiled(end, inline=True))

    def group(x, g, states, c, u, first):  # type: ignore[no-untyped-def]
        x_squares = 0.0
        u_squares = 0.0
        if x.size < FEW:  # in one loop, which spares a way through memory
            for i in range(x.size):
                direction, new = inner(x[i], g[i], load(states, first + i), c)
                store(states, first + i, new)
                u[i] = direction
                x_squares, u_squares = add(x_squares, x[i]), add(u_squares, direction)
        else:
            every(((x, g, states, u), first), x.size, c)
            x_squares, u_squares = squares(x), squares(u)
        s = ratio(math.sqrt(x_squares), math.sqrt(u_squares), c)
        apply(((x, states, u), first), x.size, (s, c))

    one = jit.compiled(group, inline=True)

    def sweep(x, g, states, c, u, groups):  # type: ignore[no-untyped-def]
        for k in range(groups.size - 1):
            first, count, skip = groups[k], groups[k + 1] - groups[k], 8 * groups[k]
            part, slope = array_at(x.ctypes.data + skip, count), array_at(g.ctypes.data + skip, count)
            one(part, slope, states, c, array_at(u.ctypes.data + skip, count), first)

    return jit.compiled(sweep, inline=True)
