"""One step of an optimizer on the device, from the functions of its file."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from optbench import kernels
from optbench.cuda.lowering import device, loader, lower, storer
from optbench.methods import Optimizer
from optbench.records import Empty


class Functions(NamedTuple):
    """Device functions of an optimizer with these hyperparameters.

    ``prepare(m, t, lr) -> c``, once a step: it keeps the scalars that live from step to step in m.shared.
    ``update(x, g, state, c)``, ``scale(x_norm, u_norm, c)`` and ``finish(x, u, s, state, c)`` as in `Optimizer`;
    ``load(states, i)`` and ``store(states, i, state)``.
    """

    prepare: Any
    update: Any
    load: Any
    store: Any
    scale: Any
    finish: Any


def functions_of(optimizer: Optimizer, params: Any, real: type) -> Functions:
    """Lower an optimizer's functions; steps are counted in `real` where that is float32."""
    update, state = kernels.form_of(optimizer, params)
    scale, finish = optimizer.scale, optimizer.finish
    return Functions(
        _prepare(optimizer.constants, optimizer.shared, real),
        lower(update, real),
        loader(state),
        storer(state),
        lower(scale, real) if scale else None,
        lower(finish, real) if finish else None,
    )


def _prepare(constants: Callable[..., Any], shared: type, real: type) -> Any:
    inner, load, store = lower(constants, real), loader(shared), storer(shared)
    count: Any = np.int64 if real is np.float64 else real

    def plain(m: Any, t: Any, lr: Any) -> Any:
        return inner(count(t), real(lr), m.params)

    def keeping(m: Any, t: Any, lr: Any) -> Any:
        c, kept = inner(count(t), real(lr), m.params, load(m.shared, 0))
        store(m.shared, 0, kept)
        return c

    return device(plain if shared is Empty else keeping)


def of_one(functions: Functions, groups: int, real: type) -> Any:
    """Device function ``step(m, t, lr)`` of all coordinates, which are in so many groups, by one thread."""
    prepare, update, load, store, ratio, _ = functions
    if ratio is not None:
        return _scaled(functions, groups == 1, real)

    def step(m: Any, t: Any, lr: Any) -> None:
        c = prepare(m, t, lr)
        for i in range(m.x.size):
            m.x[i], new = update(m.x[i], m.g[i], load(m.states, i), c)
            store(m.states, i, new)

    return device(step)


def _scaled(functions: Functions, single: bool, real: type) -> Any:
    """With norms; of a single group the bounds are known, so that its loops can unroll and keep x in registers."""
    prepare, update, load, store, ratio, move = functions
    zero = real(0.0)

    def step(m: Any, t: Any, lr: Any) -> None:
        c = prepare(m, t, lr)
        for k in range(1 if single else m.groups.size - 1):
            first, last = (0, m.x.size) if single else (m.groups[k], m.groups[k + 1])
            x_squares, u_squares = zero, zero
            for i in range(first, last):
                m.work[i], new = update(m.x[i], m.g[i], load(m.states, i), c)
                store(m.states, i, new)
                x_squares += m.x[i] * m.x[i]
                u_squares += m.work[i] * m.work[i]
            s = ratio(math.sqrt(x_squares), math.sqrt(u_squares), c)
            for i in range(first, last):
                m.x[i], new = move(m.x[i], m.work[i], s, load(m.states, i), c)
                store(m.states, i, new)

    return device(step)
