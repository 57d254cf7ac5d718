"""Time of one iteration, gradient and update, of every first-order optimizer, beside hand-written C and torch.

``python benchmarks/steps.py [--optimizers NAME ...] [--repeats 9] [--no-torch] [--json FILE]``

The C (``steps.c``: one loop, two function pointers, the same algebra) is compiled on the fly. All competitors run in
one process, in interleaved rounds; figures are medians, in nanoseconds. The C must end where optbench ends, which shows
that both did the same work: the largest difference is given relative to the way from the start. A time that exceeds
the C's by more than a tenth is marked ``*``. Exit code 1 when an optimizer has no C or ends elsewhere, 2 when nothing
could be measured.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from peers import FLAGS, compile_c, ratio, rounds, torch_or_none

from optbench.environment import environment
from optbench.loops.prepared import Method
from optbench.loops.runs import PreparedSteps
from optbench.methods import Optimizer
from optbench.records import encode
from optbench.registry import get_optimizer, get_problem, get_schedule, list_optimizers
from optbench.types import Problem

SOURCE = Path(__file__).with_name("steps.c")
TARGET, SAME = 1.1, 1e-6  # ratio to reach; largest difference of the end points

# Learning rates so small that nothing converges, diverges or reaches denormal numbers, which are slow, while timed.
RATE = 1e-7
RATES = {"adabelief": 1e-13, "adadelta": 1e-3, "lars": 1e-4}
TRIES = 3  # a sample is the fastest of so many, since another process may take the core in the middle of one
START = 5.0  # every coordinate of the quadratics, outside the minimizers' box
TORCH_STEPS = 200

TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "adadelta": ("Adadelta", {}),
    "adagrad": ("Adagrad", {}),
    "adam": ("Adam", {}),
    "adamax": ("Adamax", {}),
    "adamw": ("AdamW", {}),
    "asgd": ("ASGD", {}),
    "gd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nadam": ("NAdam", {}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "radam": ("RAdam", {}),
    "rmsprop": ("RMSprop", {}),
    "rprop": ("Rprop", {}),
    "sgd": ("SGD", {}),
}


@dataclass(frozen=True)
class Case:
    """A problem with its start and the number of steps of a run, about a millisecond."""

    problem: Problem
    function: str
    x0: Any
    steps: int


@dataclass
class Cell:
    """Samples of one optimizer on one problem, in nanoseconds an iteration."""

    optimizer: str
    problem: str
    n: int
    difference: float = math.nan
    samples: dict[str, list[float]] = field(default_factory=dict)

    def time(self, who: str) -> float:
        """Median; NaN where `who` does not take part."""
        return median(self.samples[who]) if who in self.samples else math.nan

    @property
    def ratio(self) -> float:
        """Our time over the C's: median over the rounds, since another process slows a round down, not one side."""
        return ratio(self.samples, "ours", "c")


def first_order() -> list[str]:
    """Names of all first-order optimizers."""
    return [name for name in list_optimizers() if isinstance(get_optimizer(name), Optimizer)]


def cases() -> list[Case]:
    """Return the three problems."""
    valley = get_problem("rosenbrock", n=2)
    made = [Case(valley, "rosenbrock", valley.x0, 50_000)]
    for n, steps in ((10, 50_000), (100, 10_000)):
        made.append(Case(get_problem("quadratic", n=n, rotated=False), "quadratic", np.full(n, START), steps))
    return made


# ------------------------------------------------------------------------------------------------ competitors


def prepare_ours(case: Case, optimizer: Optimizer, lr: float) -> tuple[Callable[[], float], Any]:
    """A function that takes one sample, and the end point."""
    constant = get_schedule("constant")
    method = Method(optimizer, optimizer.params(), lr, constant, constant.params(), max_iter=case.steps)
    run = PreparedSteps(case.problem, method, case.x0, np.empty(0))
    outcome = run.run()
    if outcome.nit != case.steps:
        raise SystemExit(f"steps.py: {optimizer.name} on {case.function} stopped after {outcome.nit} steps")
    return lambda: min(run.seconds(2) for _ in range(TRIES)) / (2 * case.steps) * 1e9, outcome.x


def padded(count: int) -> int:
    """`count` numbers rounded up to whole cache lines."""
    return -(-count // 8) * 8


def c_memory(data: Any, size: int, count: int) -> tuple[Any, list[Any]]:
    """`data` and `count` arrays of `size` zeros in one piece of memory, each on a cache line, the first on a page.

    Arrays at arbitrary places can double the time of the C: a load waits for an earlier store to another page when the
    addresses agree in their last 12 bits.
    """
    page, before = 512, padded(data.size)
    block = np.zeros(before + count * size + page)
    first = before + (-block.ctypes.data // 8 - before) % page
    block[first - before :][: data.size] = data
    return block[first - before :], [block[first + k * size :][:size] for k in range(count)]


def prepare_c(case: Case, optimizer: Optimizer, lr: float, library: ctypes.CDLL) -> tuple[Callable[[], float], Any]:
    """The same for the C."""
    n = case.problem.n
    values = np.concatenate([*map(np.ravel, encode(case.problem.data)), np.zeros(0)])
    data, (x, g, a, b, w) = c_memory(values, padded(n), 5)
    p = np.array([float(value) for value in encode(optimizer.params())] or [0.0])
    q = np.ones(4)
    start = optimizer.init(optimizer.params()) if optimizer.init else ()
    library.run.restype = ctypes.c_double
    functions = [ctypes.cast(getattr(library, name), ctypes.c_void_p) for name in (case.function, optimizer.name)]
    at = [ctypes.c_void_p(array.ctypes.data) for array in (x, g, a, b, w, data, p, q)]
    arguments = (*functions, *at[:5], ctypes.c_long(n), *at[5:], ctypes.c_double(lr), ctypes.c_long(case.steps))

    def once() -> float:
        x[:n] = case.x0
        a[:], b[:], q[:] = 0.0, 0.0, 1.0
        for array, value in zip((a, b), start, strict=False):
            array[:] = value
        begin = time.perf_counter_ns()
        library.run(*arguments)
        return (time.perf_counter_ns() - begin) / case.steps

    once()
    return lambda: min((once() + once()) / 2 for _ in range(TRIES)), x[:n].copy()


def prepare_torch(case: Case, optimizer: Optimizer, lr: float, torch: Any) -> Callable[[], float]:
    """A function that takes one sample: autograd for the gradient, ``torch.optim`` for the update."""
    name, fixed = TORCH[optimizer.name]
    x = torch.tensor(case.x0, requires_grad=True)
    method = getattr(torch.optim, name)([x], lr=lr, **fixed)
    data = [torch.tensor(item) for item in case.problem.data]

    def rosenbrock() -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    def quadratic() -> Any:
        return 0.5 * (data[0] * (x - data[1]) ** 2).sum()

    function = {"rosenbrock": rosenbrock, "quadratic": quadratic}[case.function]

    def once() -> float:
        begin = time.perf_counter_ns()
        for _ in range(TORCH_STEPS):
            method.zero_grad()
            function().backward()
            method.step()
        return (time.perf_counter_ns() - begin) / TORCH_STEPS

    once()
    return once


def measure(case: Case, optimizer: Optimizer, library: ctypes.CDLL, torch: Any, repeats: int) -> Cell:
    """Samples of all competitors in interleaved rounds; the order turns round by round."""
    lr = RATES.get(optimizer.name, RATE)
    takers: dict[str, Callable[[], float]] = {}
    takers["ours"], x = prepare_ours(case, optimizer, lr)
    takers["c"], x_c = prepare_c(case, optimizer, lr, library)
    if torch is not None and optimizer.name in TORCH:
        takers["torch"] = prepare_torch(case, optimizer, lr, torch)
    cell = Cell(optimizer.name, case.function, case.problem.n)
    cell.difference = float(np.linalg.norm(x - x_c) / np.linalg.norm(x - case.x0))
    cell.samples = rounds(takers, repeats)
    return cell


# ----------------------------------------------------------------------------------------------------- output

COLUMNS = "{:10}  {:13}{:>9}{:>9}{:>9}{:>9}{:>12}{:>12}"
HEAD = COLUMNS.format("optimizer", "problem", "ours", "C", "ours/C", "torch", "torch/ours", "difference")


def line(cell: Cell) -> str:
    """Return one line of the table."""
    ours, c, torch = (cell.time(who) for who in ("ours", "c", "torch"))
    quotient = f"{cell.ratio:.2f}" + ("*" if cell.ratio > TARGET else " ")
    slow = ("-", "-") if math.isnan(torch) else (f"{torch:.0f}", f"{torch / ours:.0f}")
    name = f"{cell.problem}-{cell.n}"
    return COLUMNS.format(cell.optimizer, name, f"{ours:.2f}", f"{c:.2f}", quotient, *slow, f"{cell.difference:.1e}")


def summary(cells: list[Cell]) -> str:
    """Geometric mean of the ratios and how many reach the target."""
    mean = math.exp(sum(math.log(cell.ratio) for cell in cells) / len(cells))
    good = sum(cell.ratio <= TARGET for cell in cells)
    return f"ours/C: geometric mean {mean:.3f}; {good} of {len(cells)} cells within {TARGET}"


def faults(cells: list[Cell], without_c: list[str]) -> list[str]:
    """What is wrong with the benchmark itself."""
    found = [f"{name} has no function in {SOURCE.name}" for name in without_c]
    for cell in cells:
        if not cell.difference <= SAME:
            found.append(f"{cell.optimizer} on {cell.problem}-{cell.n}: the C ends elsewhere ({cell.difference:.1e})")
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--optimizers", nargs="+", metavar="NAME", default=first_order())
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    optimizers = [get_optimizer(name) for name in options.optimizers]
    machine = environment()
    print(f"{machine['cpu']}; Python {machine['python']}, numba {machine['versions']['numba']}")
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory() as folder:
        library, _ = compile_c(SOURCE, folder)
        torch = None if options.no_torch else torch_or_none()
        print(f"ns per iteration, median of {options.repeats} rounds\n\n{HEAD}")
        without_c = [optimizer.name for optimizer in optimizers if not hasattr(library, optimizer.name)]
        for optimizer in optimizers:
            for case in cases() if optimizer.name not in without_c else ():
                cells.append(measure(case, optimizer, library, torch, options.repeats))
                print(line(cells[-1]), flush=True)
    if cells:
        print(f"\n{summary(cells)}")
    if options.json:
        report = {"environment": machine, "flags": FLAGS, "cells": [asdict(cell) for cell in cells]}
        options.json.write_text(json.dumps(report, indent=1))
    found = faults(cells, without_c)
    for fault in found:
        print(f"steps.py: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
