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
from optbench.records import Empty, fields

# Words of the frame that a step gets: addresses of x, the gradient, the state (STRIDE elements a field), the packed
# hyperparameters, the scalars kept from step to step, the work array and the bounds of the parameter groups.
X, G, N, STATE, STRIDE, PARAMS, SHARED, WORK, GROUPS, N_BOUNDS, FRAME_WORDS = range(11)


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
    inner = jit.lower(constants)

    def prepare(t, lr, params, scalars):  # type: ignore[no-untyped-def]
        return inner(t, lr, params)

    return jit.compiled(prepare)


def _keeping(constants: Callable[..., Any], load: Any, store: Any) -> Any:
    inner = jit.lower(constants)

    def prepare(t, lr, params, scalars):  # type: ignore[no-untyped-def]
        c, kept = inner(t, lr, params, load(scalars))
        store(scalars, kept)
        return c

    return jit.compiled(prepare)


def _sweep(update: Callable[..., Any], state: type) -> Any:
    from optbench.codec import state_loader, state_storer

    load, store, inner = state_loader(state), state_storer(state), jit.lower(update)

    def sweep(x, g, states, c, work, groups):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            x[i], new = inner(x[i], g[i], load(states, i), c)
            store(states, i, new)

    return jit.compiled(sweep)


def norm_of(x):  # type: ignore[no-untyped-def]
    """Euclidean norm."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i]
    return math.sqrt(total)


def _scaled_sweep(update: Callable[..., Any], scale: Any, finish: Any, state: type) -> Any:
    from optbench.codec import state_loader, state_storer

    load, store = state_loader(state), state_storer(state)
    inner, ratio, move = jit.lower(update), jit.lower(scale), jit.lower(finish)
    norm = jit.lower(norm_of, jit.SUM_MATH)

    def sweep(x, g, states, c, u, groups):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            u[i], new = inner(x[i], g[i], load(states, i), c)
            store(states, i, new)
        for k in range(groups.size - 1):
            first = groups[k]
            part, direction = x[first : groups[k + 1]], u[first : groups[k + 1]]
            s = ratio(norm(part), norm(direction), c)
            for i in range(part.size):
                part[i], new = move(part[i], direction[i], s, load(states, first + i), c)
                store(states, first + i, new)

    return jit.compiled(sweep)
