"""Time of one step on a mini-batch: least squares with 10 000 samples of 10 features, 32 a batch, beside C, JAX, torch.

``python benchmarks/batches.py [--repeats 9] [--no-torch] [--no-jax]``

The C (``batches.c``: one loop, two function pointers) is compiled on the fly. In the order "sequential" a batch is a
slice of the data; in the order "shuffle" every epoch has a new permutation, and choosing and copying a batch is part of
the step, for every competitor. optbench and the C must end at the same point, which shows that both did the same work.
Interleaved rounds in one process; medians. Exit code 1 when the end points differ, 2 without a compiler.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from peers import compile_c, jax_or_none, ratio, rounds, torch_or_none

from optbench import harness
from optbench.environment import environment
from optbench.registry import get_problem
from optbench.single import make_run
from optbench.types import Problem

M, D, BATCH, STEPS, TORCH_STEPS = 10_000, 10, 32, 31_300, 626
RATES = {"sgd": 1e-4, "adam": 1e-5}  # so small that nothing converges while it is timed
TARGET, SAME = 1.2, 1e-9


def prepare_ours(problem: Problem, optimizer: str, order: str) -> tuple[Callable[[], float], Any, int]:
    """A function that takes one sample in ns a step, the end point, and the start of the random stream."""
    run = make_run(problem, optimizer=optimizer, lr=RATES[optimizer], batch_size=BATCH, order=order, max_iter=STEPS)
    prepared = harness.prepare(run, problem)
    prepared.seconds(0)
    prepared.for_the_clock()
    x = prepared._view("x")[: problem.n].copy()
    stream = prepared.method.batching.stream
    return lambda: min(prepared.seconds(1) for _ in range(3)) / STEPS * 1e9, x, stream


def prepare_c(
    problem: Problem, optimizer: str, order: str, stream: int, library: ctypes.CDLL
) -> tuple[Callable[[], float], Any]:
    """The same for the C."""
    columns, y = np.ascontiguousarray(problem.data.X), np.ascontiguousarray(problem.data.y)
    rows = np.ascontiguousarray(columns.T)
    x, g, a, v = (np.zeros(16) for _ in range(4))
    q, permutation, work = np.ones(2), np.arange(M, dtype=np.int64), np.zeros((D + 2) * BATCH + 16)
    library.run.restype = ctypes.c_double
    functions = [ctypes.cast(getattr(library, name), ctypes.c_void_p) for name in ("least_squares", optimizer)]
    arrays = {"x": x, "g": g, "a": a, "v": v, "q": q, "columns": columns, "rows": rows, "y": y}
    arrays |= {"permutation": permutation, "work": work}
    at = {name: array.ctypes.data_as(ctypes.c_void_p) for name, array in arrays.items()}  # keeps the arrays
    long = ctypes.c_long

    def once() -> float:
        for array in (x, g, a, v):
            array[:] = 0.0
        q[:], permutation[:] = 1.0, np.arange(M)
        begin = time.perf_counter_ns()
        library.run(
            *functions,
            *(at[name] for name in ("x", "g", "a", "v", "q")),
            long(D),
            *(at[name] for name in ("columns", "rows", "y")),
            long(M),
            long(BATCH),
            ctypes.c_int(order == "shuffle"),
            at["permutation"],
            at["work"],
            ctypes.c_uint64(stream & (2**64 - 1)),
            ctypes.c_double(RATES[optimizer]),
            long(STEPS),
        )
        return (time.perf_counter_ns() - begin) / STEPS

    once()
    return lambda: min(once() for _ in range(3)), x[: D + 1].copy()


def prepare_jax(problem: Problem, optimizer: str, order: str, jax: Any) -> Callable[[], float]:
    """The same for JAX: one compiled loop over the epochs, which drop the short batch at the end."""
    jnp, lax = jax.numpy, jax.lax
    data, goal, each = jnp.asarray(problem.data.X), jnp.asarray(problem.data.y), M // BATCH
    epochs = STEPS // each

    def loss(x: Any, u: Any, y: Any) -> Any:
        return jnp.mean((x[:-1] @ u + x[-1] - y) ** 2)

    def step(k: Any, state: Any) -> Any:
        x, m, v, t, u, y = state
        u_b, y_b = lax.dynamic_slice(u, (0, k * BATCH), (D, BATCH)), lax.dynamic_slice(y, (k * BATCH,), (BATCH,))
        g = jax.grad(loss)(x, u_b, y_b)
        if optimizer == "sgd":
            return x - RATES["sgd"] * g, m, v, t + 1, u, y
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        root = jnp.sqrt(v) / jnp.sqrt(1 - 0.999**t) + 1e-8
        return x - RATES["adam"] / (1 - 0.9**t) * m / root, m, v, t + 1, u, y

    def epoch(e: Any, state: Any) -> Any:
        x, m, v, t, key = state
        key, own = jax.random.split(key)
        order_now = jax.random.permutation(own, M) if order == "shuffle" else None
        u, y = (data[:, order_now], goal[order_now]) if order == "shuffle" else (data, goal)
        x, m, v, t, _, _ = lax.fori_loop(0, each, step, (x, m, v, t, u, y))
        return x, m, v, t, key

    run = jax.jit(lambda key: lax.fori_loop(0, epochs, epoch, (*[jnp.zeros(D + 1)] * 3, 1.0, key))[0])
    key = jax.random.PRNGKey(0)
    run(key).block_until_ready()

    def once() -> float:
        begin = time.perf_counter_ns()
        run(key).block_until_ready()
        return (time.perf_counter_ns() - begin) / (epochs * each)

    return once


def prepare_torch(problem: Problem, optimizer: str, order: str, torch: Any) -> Callable[[], float]:
    """The same for torch: autograd, ``torch.optim``."""
    rows, goal = torch.tensor(np.ascontiguousarray(problem.data.X.T)), torch.tensor(problem.data.y)
    x = torch.zeros(D + 1, requires_grad=True)
    method = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]([x], lr=RATES[optimizer])

    def once() -> float:
        begin = time.perf_counter_ns()
        for k in range(TORCH_STEPS):
            at = k * BATCH % M
            if at < BATCH:
                chosen = torch.randperm(M) if order == "shuffle" else None
            part = slice(at, at + BATCH)
            u, y = (rows[part], goal[part]) if chosen is None else (rows[chosen[part]], goal[chosen[part]])
            method.zero_grad()
            ((u @ x[:-1] + x[-1] - y) ** 2).mean().backward()
            method.step()
        return (time.perf_counter_ns() - begin) / TORCH_STEPS

    once()
    return once


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--no-jax", action="store_true")
    options = parser.parse_args()
    machine = environment()
    print(f"{machine['cpu']}; Python {machine['python']}, numba {machine['versions']['numba']}")
    problem = get_problem("linear_regression", data="synthetic", n_samples=M, n_features=D)
    differs = False
    with tempfile.TemporaryDirectory() as folder:
        library, _ = compile_c(Path(__file__).with_suffix(".c"), folder)
        torch = None if options.no_torch else torch_or_none()
        jax = None if options.no_jax else jax_or_none()
        print(f"ns per step, median of {options.repeats} rounds\n")
        print(
            f"{'optimizer':10}{'order':12}{'ours':>8}{'C':>8}{'ours/C':>8}{'jax/ours':>10}{'torch/ours':>12}{'difference':>12}"
        )
        for optimizer in RATES:
            for order in ("sequential", "shuffle"):
                takers: dict[str, Callable[[], float]] = {}
                takers["ours"], x, stream = prepare_ours(problem, optimizer, order)
                takers["c"], x_c = prepare_c(problem, optimizer, order, stream, library)
                if jax:
                    takers["jax"] = prepare_jax(problem, optimizer, order, jax)
                if torch:
                    takers["torch"] = prepare_torch(problem, optimizer, order, torch)
                samples = rounds(takers, options.repeats)
                difference = float(np.linalg.norm(x - x_c) / np.linalg.norm(x))
                differs |= not difference <= SAME
                quotient = ratio(samples, "ours", "c")
                mark = "*" if quotient > TARGET else " "
                others = [f"{ratio(samples, who, 'ours'):.1f}" if who in samples else "-" for who in ("jax", "torch")]
                ours, c = median(samples["ours"]), median(samples["c"])
                print(
                    f"{optimizer:10}{order:12}{ours:8.1f}{c:8.1f}{quotient:7.2f}{mark}"
                    f"{others[0]:>10}{others[1]:>12}{difference:12.1e}",
                    flush=True,
                )
    if differs:
        print("batches.py: the C ends elsewhere", file=sys.stderr)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
