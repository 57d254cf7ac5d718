"""Time of one mini-batch step of a network, gradient and Adam, beside C with OpenBLAS, torch eager and JAX.

``python benchmarks/mlp.py [--repeats 9] [--no-torch] [--no-jax] [--json FILE]``

The network has one hidden layer of tanh and a softmax, on scikit-learn's digits (64 features, 10 classes), float64, one
thread. The C (``mlp.c``) is compiled on the fly and calls dgemm of SciPy's OpenBLAS. All take the batches in the order
of the data, start at the same point and must end at the same point, which shows that they did the same work: the
largest difference is given relative to the way from the start. `shuffled` is optbench with a new order every epoch,
where choosing and copying a batch is part of the step. They run in one process, in interleaved rounds; figures are
medians, in microseconds a step. A time above 1.2 times the C's is marked ``*``. Exit code 1 when an end point differs,
2 without a C compiler.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from peers import FLAGS, compile_c, jax_or_none, ratio, rounds, torch_or_none
from scipy.linalg import cython_blas
from threadpoolctl import threadpool_info, threadpool_limits

from optbench.environment import environment
from optbench.loops.batches import Batching
from optbench.loops.prepared import Method
from optbench.loops.runs import PreparedSteps
from optbench.memory import padded
from optbench.registry import get_optimizer, get_problem, get_schedule
from optbench.types import Problem

SOURCE = Path(__file__).with_name("mlp.c")
CASES = ((32, 64), (32, 8), (32, 256), (128, 64), (256, 64))  # hidden units and samples a batch
TARGET, SAME, LR = 1.2, 1e-6, 1e-3
TRIES = 5  # a sample is the fastest of so many

Taker = tuple[Callable[[], float], Any]  # takes one sample, in microseconds a step; the end point


class Work:
    """A network, its batches one after the other, and the steps of a run: two milliseconds, so it is rarely cut."""

    def __init__(self, units: int, size: int) -> None:
        self.problem: Problem = get_problem("mlp", data="digits", hidden=[units], alpha=0.0)
        self.units, self.size = units, size
        self.batches = self.problem.n_samples // size
        self.steps = 1500 // (12 * units * size // 2048 + 3)
        used = self.batches * size
        features, labels = np.asarray(self.problem.data.X), np.asarray(self.problem.data.Y[0])
        self.x = features[:, :used].reshape(64, self.batches, size).transpose(1, 0, 2).copy()
        self.y = labels[:used].reshape(self.batches, size).copy()

    def per_step(self, run: Callable[[], Any]) -> float:
        """Microseconds a step of the fastest of some runs."""
        times = []
        for _ in range(TRIES):
            begin = time.perf_counter_ns()
            run()
            times.append((time.perf_counter_ns() - begin) / self.steps / 1e3)
        return min(times)


def prepare_ours(work: Work, order: str) -> Taker:
    """Our compiled run, with the batches in the order of the data or in a new order every epoch."""
    adam, constant = get_optimizer("adam"), get_schedule("constant")
    batching = Batching(work.size, order, drop_last=True)
    method = Method(adam, adam.params(), LR, constant, constant.params(), max_iter=work.steps, batching=batching)
    run = PreparedSteps(work.problem, method, work.problem.x0, np.empty(0))
    x = run.run().x
    run.for_the_clock()  # without the checkpoints on all samples, which are not part of a run's time
    return lambda: min(run.seconds(1) for _ in range(TRIES)) / work.steps * 1e6, x


def address_of_dgemm() -> int:
    """Address of the dgemm that SciPy uses."""
    name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = cython_blas.__pyx_capi__["dgemm"]
    return int(pointer(capsule, name(capsule)))


def prepare_c(work: Work, library: ctypes.CDLL) -> Taker:
    """The C, its arrays in one piece of memory, each on a cache line, the first on a page."""
    n, units, size = work.problem.n, work.units, work.size
    sizes = [n, n, n, n, work.x.size, work.y.size, (2 * units + 12) * size]
    block = np.zeros(sum(map(padded, sizes)) + 512)
    at, arrays = (-block.ctypes.data // 8) % 512, []
    for count in sizes:
        arrays.append(block[at : at + count])
        at += padded(count)
    x, _, m, v, features, labels, _ = arrays
    features[:], labels[:] = work.x.ravel(), work.y.ravel()
    library.train.restype = ctypes.c_double
    a = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    counts = [ctypes.c_int(value) for value in (64, units, 10, size)]
    ends = [ctypes.c_long(work.batches), ctypes.c_long(work.steps), ctypes.c_double(LR), a[6]]
    arguments = [ctypes.c_void_p(address_of_dgemm()), *a[:6], *counts, *ends]

    def once() -> None:
        x[:], m[:], v[:] = work.problem.x0, 0.0, 0.0
        library.train(*arguments)

    once()
    return lambda: work.per_step(once), x.copy()


def prepare_torch(work: Work, torch: Any) -> Taker:
    """torch.nn and torch.optim, eager."""
    model = torch.nn.Sequential(torch.nn.Linear(64, work.units), torch.nn.Tanh(), torch.nn.Linear(work.units, 10))
    loss, parameters = torch.nn.CrossEntropyLoss(), list(model.parameters())
    x = [torch.tensor(part.T.copy()) for part in work.x]
    y = [torch.tensor(part).long() for part in work.y]

    def once() -> None:
        torch.nn.utils.vector_to_parameters(torch.tensor(np.array(work.problem.x0)), parameters)
        optimizer = torch.optim.Adam(parameters, lr=LR)
        for t in range(work.steps):
            optimizer.zero_grad()
            loss(model(x[t % work.batches]), y[t % work.batches]).backward()
            optimizer.step()

    once()
    end = torch.nn.utils.parameters_to_vector(parameters).detach().numpy().copy()
    return lambda: work.per_step(once), end


def prepare_jax(work: Work, jax: Any) -> Taker:
    """JAX: all steps in one compiled loop, Adam of optax."""
    import optax

    units, adam, jnp = work.units, optax.adam(LR), jax.numpy
    x, y = jnp.asarray(work.x.transpose(0, 2, 1)), jnp.asarray(work.y, dtype=jnp.int64)

    def loss(p: Any, t: Any) -> Any:
        w1, b1, w2, b2 = p
        z = jnp.tanh(x[t] @ w1.T + b1) @ w2.T + b2
        return optax.softmax_cross_entropy_with_integer_labels(z, y[t]).mean()

    @jax.jit
    def train(p: Any) -> Any:
        def step(t: Any, carry: Any) -> Any:
            p, state = carry
            updates, state = adam.update(jax.grad(loss)(p, t % work.batches), state)
            return optax.apply_updates(p, updates), state

        return jax.lax.fori_loop(0, work.steps, step, (p, adam.init(p)))[0]

    w1, b1, w2, b2 = np.split(np.array(work.problem.x0), np.cumsum([64 * units, units, 10 * units]))
    start = tuple(jnp.asarray(part) for part in (w1.reshape(units, 64), b1, w2.reshape(10, units), b2))
    end = np.concatenate([np.ravel(part) for part in train(start)])
    return lambda: work.per_step(lambda: jax.block_until_ready(train(start))), end


def measure(work: Work, makers: dict[str, Callable[[Work], Taker]], repeats: int) -> dict[str, Any]:
    """Samples of all competitors, and the largest difference of the end points."""
    takers = {name: make(work) for name, make in makers.items()}
    samples = rounds({name: take for name, (take, _) in takers.items()}, repeats)
    ours = takers["ours"][1]
    way = float(np.linalg.norm(ours - work.problem.x0))
    ends = [float(np.linalg.norm(end - ours)) / way for name, (_, end) in takers.items() if name != "shuffled"]
    return {"units": work.units, "batch": work.size, "samples": samples, "difference": max(ends)}


def line(cell: dict[str, Any]) -> str:
    """One line of the table; ratios are medians over the rounds."""
    samples = cell["samples"]
    text = f"{'64-' + str(cell['units']) + '-10':<12}{cell['batch']:>6}"
    for name, values in samples.items():
        text += f"{median(values):>10.2f}"
        if name == "c":
            share = ratio(samples, "ours", "c")
            text += f"{f'{share:.2f}' + ('*' if share > TARGET else ''):>12}"
        elif name in ("torch", "jax"):
            text += f"{ratio(samples, name, 'ours'):>12.1f}"
    return text + f"{cell['difference']:>13.1e}"


def head(names: list[str]) -> str:
    """The table's first line."""
    columns = {"c": f"{'c':>10}{'ours/c':>12}"} | {name: f"{name:>10}{name + '/ours':>12}" for name in ("torch", "jax")}
    return f"{'network':<12}{'batch':>6}" + "".join(columns.get(n, f"{n:>10}") for n in names) + f"{'difference':>13}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--no-jax", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    machine, cells = environment(), []
    print(f"{machine['cpu']}; Python {machine['python']}, numba {machine['versions']['numba']}")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        library, _ = compile_c(SOURCE, folder)
        blas = [item for item in threadpool_info() if "scipy" in item["filepath"]]
        print("BLAS of the C: " + ", ".join(f"{item['internal_api']} {item['version']}" for item in blas))
        makers: dict[str, Callable[[Work], Taker]] = {
            "ours": partial(prepare_ours, order="sequential"),
            "shuffled": partial(prepare_ours, order="shuffle"),
            "c": partial(prepare_c, library=library),
        }
        if torch := None if options.no_torch else torch_or_none():
            makers["torch"] = partial(prepare_torch, torch=torch)
        if jax := None if options.no_jax else jax_or_none():
            makers["jax"] = partial(prepare_jax, jax=jax)
        print(f"microseconds a step, median of {options.repeats} rounds, one thread\n\n{head(list(makers))}")
        for units, size in CASES:
            cells.append(measure(Work(units, size), makers, options.repeats))
            print(line(cells[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps({"environment": machine, "flags": FLAGS, "cells": cells}, indent=1))
    wrong = [cell for cell in cells if not cell["difference"] <= SAME]
    for cell in wrong:
        print(f"mlp.py: 64-{cell['units']}-10, batch {cell['batch']}: the ends differ", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
