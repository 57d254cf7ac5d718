"""Time of one evaluation of L-BFGS, all of the method included, beside plain C, SciPy and liblbfgs.

``python benchmarks/lbfgs.py [--repeats 9] [--no-scipy] [--json FILE]``

The problems are Rosenbrock's chain with n = 1000 and a quadratic with n = 200 and condition number 1e6, diagonal and
rotated; every method keeps 10 pairs and runs until the largest gradient entry is at most 1e-8. The C (``lbfgs.c``: the
same directions and the same line search, the objective behind a function pointer) is compiled on the fly, with a
driver of liblbfgs where its header and library are found. All competitors run in one process, in interleaved rounds;
times are medians, in microseconds: a run's time over its number of evaluations; ratios are medians of the rounds' own.

`checks` first shows that the C is the same algorithm: short runs must take the same iterations and evaluations and end
at the same point. Long runs part ways at rounding level, since compilers order sums in their own way. A ratio to the C
above 1.2 is marked ``*``. Exit code 1 when a check or a run fails, 2 when nothing could be measured.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from peers import FLAGS, compile_c, rounds

from optbench import evaluation
from optbench.environment import environment
from optbench.loops.constrained_runs import prepared
from optbench.loops.prepared import Method
from optbench.methods import Descent
from optbench.records import encode
from optbench.registry import get_optimizer, get_problem, get_schedule
from optbench.types import Problem

SOURCE = Path(__file__).with_name("lbfgs.c")
PAIRS, GTOL, MAX_ITER = 10, 1e-8, 50_000
TARGET = 1.2  # ratio to the C to reach
SAME = 1e-6  # largest difference of the end points of a check, relative to the way from the start
SAMPLE = 0.1  # seconds that a sample of compiled code takes, about
WHO = ("ours", "c", "liblbfgs", "scipy", "scipy, numpy")
ENDS = {"c": 0, "liblbfgs": 1}  # codes of an end by the gradient


@dataclass
class Taker:
    """A competitor: its runs, timed in seconds, and what one run does."""

    seconds: Callable[[int], float]
    nit: int
    nfev: int
    x: Any
    ended: bool


@dataclass
class Cell:
    """Samples of one problem in microseconds an evaluation, and the counts of one run."""

    problem: str
    n: int
    samples: dict[str, list[float]] = field(default_factory=dict)
    nit: dict[str, int] = field(default_factory=dict)
    nfev: dict[str, int] = field(default_factory=dict)
    gap: dict[str, float] = field(default_factory=dict)

    def time(self, who: str) -> float | None:
        """Median; None where `who` does not take part."""
        return median(self.samples[who]) if who in self.samples else None

    def ratio(self, who: str) -> float:
        """Median of the rounds' ratios of the time of `who` to ours."""
        return median(a / b for a, b in zip(self.samples[who], self.samples["ours"], strict=True))


def c_objective(problem: Problem) -> str:
    """Name of the C function of a problem."""
    if problem.name == "quadratic":
        return "dense" if problem.settings.get("rotated") else "diagonal"
    return problem.name


def label(problem: Problem) -> str:
    """Name in the table."""
    return f"{c_objective(problem)}-{problem.n}"


def cases() -> list[Problem]:
    """The problems that are timed."""
    steep = [get_problem("quadratic", n=200, cond=1e6, rotated=rotated) for rotated in (False, True)]
    return [get_problem("rosenbrock", n=1000), *steep]


def checks() -> list[tuple[Problem, int]]:
    """Problems and iterations over which rounding cannot yet decide anything."""
    easy = [get_problem("quadratic", n=n, cond=100.0, rotated=rotated) for n in (10, 200) for rotated in (False, True)]
    whole = [get_problem("rosenbrock", n=2), *easy]
    return [(problem, MAX_ITER) for problem in whole] + [(problem, 30) for problem in cases()]


# -------------------------------------------------------------------------------------------------- compiled


def padded(count: int) -> int:
    """`count` numbers rounded up to whole cache lines."""
    return -(-count // 8) * 8


class Compiled:
    """Runs of a function of ``lbfgs.c``, ``run`` or ``liblbfgs``, on a problem; `ours`: with optbench's objective.

    Data, point and work arrays lie in one piece of memory, on cache lines: elsewhere the C can be half as fast.
    """

    def __init__(self, library: ctypes.CDLL, entry: str, problem: Problem, *, ours: bool = False) -> None:
        self._entry, self._problem, self.counts = getattr(library, entry), problem, (ctypes.c_long * 2)()
        self._function = ctypes.cast(getattr(library, "kernel" if ours else c_objective(problem)), ctypes.c_void_p)
        data = np.concatenate([*map(np.ravel, encode(problem.data)), np.zeros(0)])
        if ours:
            words = (evaluation.objective(problem).address, evaluation.data_words(problem).ctypes.data)
            data = np.array(words, dtype=np.int64).view(np.float64)
        n, before = problem.n, padded(data.size)
        total = before + 7 * padded(n) + 2 * padded(PAIRS * n) + 2 * padded(PAIRS)
        block = np.zeros(total + 512)
        block = block[(-block.ctypes.data // 8) % 512 :][:total]
        block[: data.size] = data
        self._data, self.x, self._work = block, block[before : before + n], block[before + padded(n) :]

    def __call__(self, max_iter: int = MAX_ITER) -> int:
        """One run from the problem's start; its code."""
        self.x[:] = self._problem.x0
        at = [ctypes.c_void_p(array.ctypes.data) for array in (self._data, self.x, self._work)]
        long, double = ctypes.c_long, ctypes.c_double
        sizes = (long(self.x.size), long(PAIRS), double(GTOL), long(max_iter))
        return int(self._entry(self._function, at[0], at[1], *sizes, at[2], self.counts))


def clock(once: Callable[[], Any]) -> Callable[[int], float]:
    """Wall time of so many runs in a row, as a function."""

    def seconds(repeats: int) -> float:
        start = time.perf_counter_ns()
        for _ in range(repeats):
            once()
        return (time.perf_counter_ns() - start) * 1e-9

    return seconds


def take_compiled(library: ctypes.CDLL, who: str, problem: Problem, max_iter: int = MAX_ITER) -> Taker:
    """The C or liblbfgs."""
    run = Compiled(library, {"c": "run"}.get(who, who), problem)
    code = run(max_iter)
    return Taker(clock(run), run.counts[0], run.counts[1], run.x.copy(), code == ENDS[who])


def take_ours(problem: Problem, max_iter: int = MAX_ITER) -> Taker:
    """Optbench's `lbfgs`."""
    method, constant = get_optimizer("lbfgs"), get_schedule("constant")
    assert isinstance(method, Descent)
    settings = Method(method, method.params(m=PAIRS), 1.0, constant, constant.params(), max_iter=max_iter, gtol=GTOL)
    run = prepared(problem, settings, problem.x0, np.empty(0))
    outcome = run.run()
    ended = bool(np.max(np.abs(problem.grad(outcome.x))) <= GTOL)
    return Taker(run.seconds, outcome.nit, outcome.counts.nfev, outcome.x, ended)


# ----------------------------------------------------------------------------------------------------- SciPy


def numpy_objective(problem: Problem) -> Callable[[Any], tuple[float, Any]]:
    """Value and gradient as one writes them in numpy."""

    def rosenbrock(x: Any) -> tuple[float, Any]:
        a, b = x[1:] - x[:-1] ** 2, 1.0 - x[:-1]
        g = np.zeros_like(x)
        g[:-1] = -400.0 * a * x[:-1] - 2.0 * b
        g[1:] += 200.0 * a
        return float(100.0 * (a @ a) + b @ b), g

    def quadratic(x: Any) -> tuple[float, Any]:
        d = x - problem.data.center
        g = problem.data.matrix @ d if problem.settings.get("rotated") else problem.data.eigenvalues * d
        return float(0.5 * (d @ g)), g

    return {"rosenbrock": rosenbrock, "quadratic": quadratic}[problem.name]


def take_scipy(problem: Problem, function: Callable[[Any], tuple[float, Any]]) -> Taker:
    """SciPy's L-BFGS-B with as many pairs, ended by the gradient alone."""
    from scipy.optimize import minimize

    options = {"maxcor": PAIRS, "gtol": GTOL, "ftol": 0.0, "maxiter": MAX_ITER, "maxfun": MAX_ITER}

    def once() -> Any:
        return minimize(function, problem.x0, jac=True, method="L-BFGS-B", options=options)

    result = once()
    ended = bool(np.max(np.abs(result.jac)) <= GTOL)
    return Taker(clock(once), int(result.nit), int(result.nfev), result.x, ended)


# ------------------------------------------------------------------------------------------------- measuring


def measure(problem: Problem, library: ctypes.CDLL, peer: bool, scipy: bool, repeats: int) -> tuple[Cell, list[str]]:
    """Samples of all competitors in interleaved rounds, the order turned round by round; who did not converge."""
    takers = {"ours": take_ours(problem), "c": take_compiled(library, "c", problem)}
    if peer:
        takers["liblbfgs"] = take_compiled(library, "liblbfgs", problem)
    if scipy:
        takers["scipy"] = take_scipy(problem, problem.fun_and_grad)
        takers["scipy, numpy"] = take_scipy(problem, numpy_objective(problem))
    cell = Cell(label(problem), problem.n)
    assert problem.x_opt is not None
    for who, taker in takers.items():
        cell.nit[who], cell.nfev[who] = taker.nit, taker.nfev
        cell.gap[who] = float(np.max(np.abs(taker.x - problem.x_opt)))
    runs = {who: max(1 + (who == "ours"), round(SAMPLE / taker.seconds(2) * 2)) for who, taker in takers.items()}

    def sample(who: str) -> float:
        return takers[who].seconds(runs[who]) / runs[who] / takers[who].nfev * 1e6

    cell.samples = rounds({who: partial(sample, who) for who in takers}, repeats)
    return cell, [f"{who} on {cell.problem} did not reach gtol" for who, taker in takers.items() if not taker.ended]


def compare(library: ctypes.CDLL) -> list[str]:
    """The checks, printed; what differs between optbench and the C."""
    found = []
    print("\nthe same algorithm?     iterations  evaluations  difference of the end points")
    for problem, max_iter in checks():
        ours, c = take_ours(problem, max_iter), take_compiled(library, "c", problem, max_iter)
        difference = float(np.linalg.norm(ours.x - c.x) / np.linalg.norm(ours.x - problem.x0))
        same = (ours.nit, ours.nfev) == (c.nit, c.nfev) and difference <= SAME
        both = [f"{a}" if a == b else f"{a} / {b}" for a, b in ((ours.nit, c.nit), (ours.nfev, c.nfev))]
        name = label(problem) + (f", cond {problem.settings['cond']:g}" if "cond" in problem.settings else "")
        print(f"{name:22}{both[0]:>12}{both[1]:>13}{difference:>31.1e}{'' if same else '  DIFFERS'}")
        if not same:
            found.append(f"the C differs on {name}")
    return found


# ---------------------------------------------------------------------------------------------------- output


COLUMNS = (16, 14, 9, 10, 12, 13, 10)
HEAD = ("problem", "who", "us/eval", "who/ours", "iterations", "evaluations", "|x-x*|")


def line(*items: str) -> str:
    """One line of the table."""
    left = "".join(f"{item:{width}}" for item, width in zip(items[:2], COLUMNS[:2], strict=True))
    return left + "".join(f"{item:>{width}}" for item, width in zip(items[2:], COLUMNS[2:], strict=True))


def table(cells: list[Cell]) -> str:
    """All cells: time, its ratio to ours, counts and the distance to the minimizer."""
    rows = [line(*HEAD)]
    for cell in cells:
        for who in WHO:
            spent, items = cell.time(who), ["-"] * 5
            if spent is not None:
                counts = (str(cell.nit[who]), str(cell.nfev[who]), f"{cell.gap[who]:.0e}")
                items = [f"{spent:.2f}", f"{cell.ratio(who):.2f}", *counts]
            rows.append(line(cell.problem, who, *items))
    return "\n".join(rows)


def summary(cells: list[Cell]) -> str:
    """Our time over the C's, problem by problem."""
    ratios = {cell.problem: 1.0 / cell.ratio("c") for cell in cells}
    parts = [f"{name} {ratio:.2f}{'*' if ratio > TARGET else ''}" for name, ratio in ratios.items()]
    return f"ours/C (target {TARGET}): " + ", ".join(parts)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--no-scipy", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    machine = environment()
    print(f"{machine['cpu']}; Python {machine['python']}, numba {machine['versions']['numba']}")
    with tempfile.TemporaryDirectory() as folder:
        library, peer = compile_c(SOURCE, folder, ("-DLIBLBFGS", "-llbfgs"))
        print(f"liblbfgs: {'found' if peer else 'not found'}")
        found, cells = compare(library), []
        for problem in cases():
            cell, missed = measure(problem, library, peer, not options.no_scipy, options.repeats)
            cells.append(cell)
            found += missed
    print(f"\nto the largest gradient entry {GTOL:g}, median of {options.repeats} rounds\n{table(cells)}")
    print(summary(cells))
    if options.json:
        report = {"environment": machine, "compiler": FLAGS, "cells": [asdict(cell) for cell in cells]}
        options.json.write_text(json.dumps(report, indent=1))
    for fault in found:
        print(f"lbfgs.py: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
