"""A step cut into pieces: the same coordinate functions on a range of coordinates, with settings of its own group.

A piece lies in one parameter group. The constants of the step are computed anew for every piece from what the step
before has left, so pieces may be done in any order and by several threads; sums over pieces are added in their order,
so the numbers do not depend on who did which.

Phases of a piece: `MOVE` moves the coordinates (or, for an optimizer with norms, writes their directions and the sums
of squares), `FINISH` moves by scaled directions. `KEEP` ends the step: it stores the scalars that live on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from optbench import jit
from optbench.coordinate import (
    FRAME_WORDS,
    PARAMS,
    SHARED,
    STATE,
    STRIDE,
    WORK,
    G,
    X,
    every_coordinate,
    mover,
    sum_squares,
)
from optbench.records import Empty, Matrix, Vector, fields

MOVE, FINISH, KEEP = range(3)
T, LR, COEFFICIENT = range(3)


class Pieces(NamedTuple):
    """What a step in pieces is, as its kernels read it.

    Addresses of the frame (`coordinate`), of the piece's kernel, of what is called in its place to clip first, of what
    measures the gradient for that, and of the team; the number of pieces; addresses of their bounds, int64
    (pieces + 1,), of their groups, int64 (pieces,), and of the groups' packed hyperparameters, int64 (groups,);
    whether the optimizer takes norms; clipping as in the driver. Then what a step writes: t, lr and the coefficient of
    clipping, (3,); sums of squares, (pieces, 2), and norms, (groups, 2), of x and of the direction.
    """

    frame: int
    kernel: int
    clipper: int
    measure: int
    team: int
    pieces: int
    bounds: int
    owners: int
    settings: int
    scaled: bool
    clip: int
    clip_at: float
    now: Vector
    squares: Matrix
    norms: Matrix


def make_piece(
    update: Callable[..., Any],
    constants: Callable[..., Any],
    scaling: tuple[Callable[..., Any] | None, Callable[..., Any] | None],
    params: type,
    state: type,
    shared: type,
) -> Callable[..., Any]:
    """The plain function ``piece(pieces, phase, k)`` for `optbench.kernels` to compile."""
    from optbench.codec import array_at, decoder, integers_at, record_storer, state_arrays

    look, decode, load = decoder(Pieces), decoder(params), decoder(shared)
    split, store, keeps = state_arrays(len(fields(state))), record_storer(shared), shared is not Empty
    prepare = _looking(constants, keeps)
    move, finish = _scaled(update, *scaling, state) if scaling[0] else _moved(update, state)

    def piece(at, phase, k):  # type: ignore[no-untyped-def]
        s = look(at)
        w, group = integers_at(s.frame, FRAME_WORDS), integers_at(s.owners, s.pieces)[k]
        settings = w[PARAMS] if phase == KEEP else integers_at(s.settings, s.norms.shape[0])[group]
        c, kept = prepare(int(s.now[T]), s.now[LR], decode(settings), load(w[SHARED]))
        if phase == KEEP:
            if keeps:
                store(w[SHARED], kept)
            return k
        bounds = integers_at(s.bounds, s.pieces + 1)
        first, count = 8 * bounds[k], bounds[k + 1] - bounds[k]
        x, u = array_at(w[X] + first, count), array_at(w[WORK] + first, count)
        states = split(w[STATE] + first, w[STRIDE], count)
        if phase == MOVE:
            move(x, array_at(w[G] + first, count), states, c, u, s.squares[k])
        else:
            finish(x, states, c, u, s.norms[group])
        return k

    return piece


def _looking(constants: Callable[..., Any], keeps: bool) -> Any:
    """Constants of the step, and the scalars as they will be after it."""
    inner = jit.lower(constants, inline=True)

    def plain(t, lr, params, scalars):  # type: ignore[no-untyped-def]
        return inner(t, lr, params), scalars

    return inner if keeps else jit.compiled(plain, inline=True)


def _moved(update: Callable[..., Any], state: type) -> tuple[Any, Any]:
    every = mover(update, state)

    def move(x, g, states, c, u, squares):  # type: ignore[no-untyped-def]
        every((x, g, states), x.size, c)

    def finish(x, states, c, u, norms):  # type: ignore[no-untyped-def]
        return

    return jit.compiled(move, inline=True), jit.compiled(finish, inline=True)


def _scaled(update: Callable[..., Any], scale: Any, end: Any, state: type) -> tuple[Any, Any]:
    from optbench.codec import state_loader, state_storer

    load, store = state_loader(state), state_storer(state)
    inner, ratio, last = jit.lower(update, inline=True), jit.lower(scale, inline=True), jit.lower(end, inline=True)
    total = jit.lower(sum_squares, jit.SUM_MATH, inline=True)

    def visit(arrays, i, c):  # type: ignore[no-untyped-def]
        x, g, states, u = arrays
        u[i], new = inner(x[i], g[i], load(states, i), c)
        store(states, i, new)

    def stop(arrays, i, c):  # type: ignore[no-untyped-def]
        x, states, u = arrays
        x[i], new = last(x[i], u[i], c[0], load(states, i), c[1])
        store(states, i, new)

    every, apply = (every_coordinate(jit.compiled(part, inline=True)) for part in (visit, stop))

    def move(x, g, states, c, u, squares):  # type: ignore[no-untyped-def]
        every((x, g, states, u), x.size, c)
        squares[0], squares[1] = total(x), total(u)

    def finish(x, states, c, u, norms):  # type: ignore[no-untyped-def]
        apply((x, states, u), x.size, (ratio(norms[0], norms[1], c), c))

    return jit.compiled(move, inline=True), jit.compiled(finish, inline=True)


def add_norms(s, owners):  # type: ignore[no-untyped-def]
    """Norms of x and of the direction over each group, from the sums over its pieces in their order."""
    for j in range(s.norms.shape[0]):
        s.norms[j, 0] = s.norms[j, 1] = 0.0
    for k in range(s.pieces):
        s.norms[owners[k], 0] += s.squares[k, 0]
        s.norms[owners[k], 1] += s.squares[k, 1]
    for j in range(s.norms.shape[0]):
        s.norms[j, 0], s.norms[j, 1] = math.sqrt(s.norms[j, 0]), math.sqrt(s.norms[j, 1])
