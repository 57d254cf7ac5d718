"""Time of a step with millions of parameters, beside the memory's own limit, C and torch, all with the same threads.

``python benchmarks/large.py [--sizes 1e6 1e7] [--threads 2] [--repeats 9] [--no-torch]``

The limit is a loop that reads x, the gradient and Adam's two moments and writes three of them back, with next to no
arithmetic (``large.c``, compiled on the fly). First the step of Adam alone: optbench, the C, torch's fused Adam. Then
gradient and step of whole problems, beside the time that their traffic would take at the limit's bandwidth: in
multiples of n, 11 for the diagonal quadratic (4 for the gradient and 7 for the step), 9 for Rosenbrock's valley and
2 m + 10 for logistic regression with m samples, whose features are read twice. Interleaved rounds in one process,
medians of their ratios. Exit code 1 when the end points differ from the C's, 2 without a compiler.
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
from peers import compile_c, ratio, rounds, torch_or_none

from optbench import parallel
from optbench.environment import environment
from optbench.loops import constrained_runs
from optbench.loops import first_order as fo
from optbench.loops.prepared import Method, Prepared
from optbench.memory import aligned
from optbench.registry import get_optimizer, get_problem, get_schedule
from optbench.types import Array, Phase, Problem

LR, SAME = 1e-7, 1e-6  # learning rate; difference of a step of about that length, relative to it
COPY, ADAM = range(2)
MOVED = 1.5e9  # bytes that a sample moves at least: a tenth of a second or so


def still(x, g, data):
    """Objective that leaves the gradient as it is."""
    return 1.0


def still_phase(x, g, first, last, data):
    """Do the same at once."""
    return 1.0


def prepare(problem: Problem, steps: int, x0: Array | None = None) -> Prepared:
    """A run of Adam without rows of the trace: steps and gradients alone."""
    adam, constant = get_optimizer("adam"), get_schedule("constant")
    method = Method(adam, adam.params(), LR, constant, constant.params(), max_iter=steps)
    run = constrained_runs.prepared(problem, method, problem.x0 if x0 is None else x0, np.empty(0))
    run._ints[fo.NEXT_ROW] = run._ints[fo.STALL_AT] = fo.NEVER
    run.pristine[:] = run.live
    return run


def seconds(run: Prepared) -> float:
    """A sample, in seconds a step."""
    return run.seconds(0) / run.method.max_iter


def step_alone(n: int, steps: int, arrays: list[Array]) -> Prepared:
    """A run whose gradient stands still."""
    run = prepare(Problem(still, np.zeros(n), phases=(Phase(still_phase, "all"),)), steps, arrays[0])
    run._view("g")[:n] = arrays[1]
    run.pristine[:] = run.live
    return run


def c_pass(library: ctypes.CDLL, kind: int, arrays: list[Array], steps: int, rate: float) -> Callable[[], float]:
    """A function that takes a sample of the C; the rates are those of Adam's first step."""
    library.measure.restype = ctypes.c_double
    pointers = (ctypes.c_void_p * 4)(*(array.ctypes.data for array in arrays))
    root = (1.0 - 0.999) ** 0.5
    scalars = [ctypes.c_double(value) for value in (rate * root / (1.0 - 0.9), 1e-8 * root)]
    rest = ctypes.c_long(arrays[0].size), parallel.threads(), ctypes.c_long(steps)
    return lambda: float(library.measure(kind, pointers, *rest, *scalars)) + 0.0 * arrays[0][0]  # keeps the arrays


def torch_step(torch: Any, arrays: list[Array], steps: int) -> Callable[[], float]:
    """A function that takes a sample of torch's fused Adam."""
    x = torch.tensor(arrays[0], requires_grad=True)
    x.grad = torch.tensor(arrays[1])
    method = torch.optim.Adam([x], lr=LR, fused=True)

    def once() -> float:
        begin = time.perf_counter_ns()
        for _ in range(steps):
            method.step()
        return (time.perf_counter_ns() - begin) * 1e-9 / steps

    once()
    return once


def difference(n: int, library: ctypes.CDLL, arrays: list[Array]) -> float:
    """Largest difference of the first step from the C's, relative to its length."""
    run = step_alone(n, 1, arrays)
    x, g = aligned(n), aligned(n)
    x[:], g[:] = arrays[0], arrays[1]
    state = [aligned(n), aligned(n)]
    c_pass(library, ADAM, [x, g, *state], 1, LR)()
    run.seconds(0)
    return float(np.max(np.abs(run._view("x")[:n] - x)) / LR)


def line(name: str, n: int, samples: dict[str, list[float]], traffic: int = 7) -> str:
    """One line of the table: times, their ratio to the limit, and the bandwidth that optbench reaches."""
    ours, limit = median(samples["ours"]), median(samples["limit"])
    others = "".join(f"{1e3 * median(samples[who]):>9.2f}" if who in samples else f"{'-':>9}" for who in ("c", "torch"))
    share = 1.0 / ratio(samples, "ours", "limit") * traffic / 7
    rate = 8 * traffic * n / ours / 1e9
    return f"{name:22}{n:>10}{1e3 * ours:>9.2f}{1e3 * limit * traffic / 7:>9.2f}{others}{share:>12.2f}{rate:>9.1f}"


def wholes(n: int) -> dict[str, tuple[Problem, int]]:
    """Problems with the arrays of length n that an iteration moves."""
    samples = 16
    wide = get_problem("logistic_regression", data="wide", n_features=n - 1, n_samples=samples)
    return {
        "quadratic": (get_problem("quadratic", n=n), 11),
        "rosenbrock": (get_problem("rosenbrock", n=n), 9),
        f"logistic, m = {samples}": (wide, 2 * samples + 10),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e6, 1e7])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--no-torch", action="store_true")
    options = parser.parse_args()
    parallel.set_threads(options.threads)
    machine, worst = environment(), 0.0
    print(f"{machine['cpu']}, {options.threads} threads; Python {machine['python']}")
    with tempfile.TemporaryDirectory() as folder:
        library, _ = compile_c(Path(__file__).with_name("large.c"), folder, ["-pthread"])
        torch = None if options.no_torch else torch_or_none(options.threads)
        head = ("ours", "limit", "C", "torch", "limit/ours", "GB/s")
        print(f"ms a step\n\n{'':22}{'n':>10}" + "".join(f"{t:>{12 if '/o' in t else 9}}" for t in head))
        for n in map(int, options.sizes):
            steps, rng = max(3, int(MOVED / (56 * n))), np.random.default_rng(n)
            arrays = [aligned(n) for _ in range(4)]
            for array in arrays:
                rng.standard_normal(out=array)
            worst = max(worst, difference(n, library, arrays))
            np.abs(arrays[3], out=arrays[3])
            limit = c_pass(library, COPY, [a.copy() for a in arrays], steps, 1e-9)
            run = step_alone(n, steps, arrays)
            takers = {"limit": limit, "ours": lambda run=run: seconds(run)}  # type: ignore[misc]
            takers["c"] = c_pass(library, ADAM, [a.copy() for a in arrays], steps, LR)
            if torch is not None:
                takers["torch"] = torch_step(torch, arrays, steps)
            rounds(takers, 1)
            print(line("step of Adam", n, rounds(takers, options.repeats)), flush=True)
            del run, takers
            for name, (problem, traffic) in wholes(n).items():
                run = prepare(problem, max(3, 7 * steps // traffic))
                takers = {"limit": limit, "ours": lambda run=run: seconds(run)}  # type: ignore[misc]
                rounds(takers, 1)
                print(line(name, n, rounds(takers, options.repeats), traffic), flush=True)
    if worst > SAME:
        print(f"large.py: the C ends elsewhere ({worst:.1e})", file=sys.stderr)
    return int(worst > SAME)


if __name__ == "__main__":
    raise SystemExit(main())
