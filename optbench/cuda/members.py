"""Many runs of one problem and optimizer, each by a thread of its own.

Of a small problem a thread keeps its point, gradient and state in registers from step to step; of others they lie in
the device's memory, a column a run.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import cuda

from optbench import kernels
from optbench.clipping import clip_norm, clip_value
from optbench.cuda import data, driver, step
from optbench.cuda.lowering import device, lower
from optbench.cuda.member import viewer
from optbench.evaluation import sum_of_squares
from optbench.loops import first_order as fo
from optbench.loops.prepared import Method
from optbench.methods import Optimizer
from optbench.records import fields
from optbench.types import Problem

SMALL, NUMBERS = 16, 64  # variables, and numbers of their state, that a thread may keep in registers


def make_kernel(problem: Problem, method: Method, keep: bool, real: type) -> Any:
    """Kernel ``(world, t0, until)``: every run that has not ended goes on to before step `until`."""
    small = _in_registers(problem, method)
    go = driver.make_go(_parts(problem, method, small, real), keep, method.batching.size > 0)
    full, cut = data.rooms(problem, method.batching)
    member = viewer(data.views(full), data.views(cut))
    if small:
        return cuda.jit(_small(go, member, *_sizes(problem, method), real))
    return cuda.jit(_large(go, member))


def _sizes(problem: Problem, method: Method) -> tuple[int, int, int]:
    """Variables, fields of a coordinate's state and scalars kept from step to step; one where there is none."""
    assert isinstance(method.optimizer, Optimizer)
    _, state = kernels.form_of(method.optimizer, method.params)
    return problem.n, max(len(fields(state)), 1), max(len(fields(method.optimizer.shared)), 1)


def _in_registers(problem: Problem, method: Method) -> bool:
    n, state, _ = _sizes(problem, method)
    return not method.batching.size and n <= SMALL and n * state <= NUMBERS


def _parts(problem: Problem, method: Method, small: bool, real: type) -> driver.Parts:
    assert isinstance(method.optimizer, Optimizer)
    evaluate, own = data.objective(problem, real, sum_of_squares), data.own_data(problem)

    def of_all(m: Any) -> Any:
        return evaluate(m, m.g, own(m, 0))

    def of_all_apart(m: Any) -> Any:
        return evaluate(m, m.book.full_g, own(m, 0))

    batches = method.batching.size > 0
    loss = data.batch_objective(problem, method.batching, real, evaluate) if batches else device(of_all)
    functions = step.functions_of(method.optimizer, method.params, real)
    rate, observe = driver.rates(method.schedule, batches)
    return driver.Parts(
        evaluate=loss,
        whole=device(of_all_apart),
        shelve=device(_shelve if small else _nothing),
        judge=lower(fo.verdict, np.float64),
        size=_size(real),
        clip=_clip(method.clip[0], real),
        step=step.of_one(functions, len(problem.groups), real),
        rate=rate,
        observe=observe,
    )


def _clip(kind: str, real: type) -> Any:
    if kind == "none":
        return device(_nothing)
    inner = lower(clip_norm if kind == "norm" else clip_value, real)

    def clip(m: Any) -> None:
        inner(m.g, m.clip_at)

    return device(clip)


def _nothing(m: Any) -> None:
    return None


def _shelve(m: Any) -> None:
    for i in range(m.x.size):
        m.book.x[i] = m.x[i]
        m.book.g[i] = m.g[i]


@functools.cache
def _size(real: type) -> Any:
    length = lower(fo.norm, real)

    def size(b: Any, g: Any) -> Any:
        return length(g)

    return device(size)


def _small(go: Any, member: Any, n: int, n_states: int, n_shared: int, real: type) -> Any:
    kept, scalars = (n_states, n), (n_shared, 1)

    def kernel(w: Any, t0: Any, until: Any) -> None:
        k = cuda.grid(1)
        if k < w.codes.size and w.codes[k] == fo.RUNNING:
            x, g, work = cuda.local.array(n, real), cuda.local.array(n, real), cuda.local.array(n, real)
            states, shared = cuda.local.array(kept, real), cuda.local.array(scalars, real)
            for j in range(n_shared):
                shared[j, 0] = w.shared[j, 0, k]
            for i in range(n):
                x[i] = w.x[i, k]
                for j in range(n_states):
                    states[j, i] = w.states[j, i, k]
            ints = w.ints[:, k]
            w.codes[k] = go(member(w, k, x, g, states, shared, work, ints, ints), t0, until)
            for j in range(n_shared):
                w.shared[j, 0, k] = shared[j, 0]
            for i in range(n):
                w.x[i, k] = x[i]
                for j in range(n_states):
                    w.states[j, i, k] = states[j, i]
            if w.codes[k] == fo.RUNNING:
                cuda.atomic.add(w.running, 0, 1)

    return kernel


def _large(go: Any, member: Any) -> Any:
    def kernel(w: Any, t0: Any, until: Any) -> None:
        k = cuda.grid(1)
        if k < w.codes.size and w.codes[k] == fo.RUNNING:
            x, g, work, ints = w.x[:, k], w.g[:, k], w.work[:, k], w.ints[:, k]
            m = member(w, k, x, g, w.states[:, :, k], w.shared[:, :, k], work, ints, ints)
            w.codes[k] = go(m, t0, until)
            if w.codes[k] == fo.RUNNING:
                cuda.atomic.add(w.running, 0, 1)

    return kernel
