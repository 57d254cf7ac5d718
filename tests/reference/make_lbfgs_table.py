"""Counts of L-BFGS beside three independent implementations: the table ``docs/lbfgs_counts.md``.

``python tests/reference/make_lbfgs_table.py`` (needs SciPy, torch, gcc, and liblbfgs with its header: without it that
column is ``-``) runs optbench's `lbfgs`, SciPy's L-BFGS-B, ``torch.optim.LBFGS`` and liblbfgs with 10 pairs each from
the standard start until the largest gradient entry is at most 1e-8, on Rosenbrock's chain and on every problem of More,
Garbow & Hillstrom (1981) that is registered, all on optbench's compiled objective, and writes the table with the
versions.
"""

from __future__ import annotations

import ctypes
import platform
import runpy
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
from scipy.optimize import minimize as scipy_minimize

import optbench
from optbench.registry import PROBLEMS
from optbench.types import Array, Problem

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "lbfgs_counts.md"
BENCHMARK = runpy.run_path(str(ROOT / "benchmarks" / "lbfgs.py"), run_name="lbfgs")
PAIRS, GTOL, MAX_ITER = 10, 1e-8, 20_000
SIZES = (2, 10, 100, 1000)
WHO = ("optbench", "SciPy", "torch", "liblbfgs")
BAND = 1.25  # a count is outside the spread when it leaves the others' range by more than this factor

HEAD = f"""# L-BFGS: iterations and evaluations beside other implementations

Made by `python tests/reference/make_lbfgs_table.py`; do not edit. {{versions}}

Every method keeps {PAIRS} pairs and runs from the standard start on the same compiled objective until the largest
gradient entry is at most {GTOL:g}: no other test ends it, and it may take {MAX_ITER} iterations. SciPy: `L-BFGS-B` with
`maxcor={PAIRS}, gtol={GTOL:g}, ftol=0`; torch: `LBFGS(history_size={PAIRS}, line_search_fn="strong_wolfe",
tolerance_change=0)`; liblbfgs: `m={PAIRS}`, its More-Thuente search.

A cell holds iterations / evaluations. `*`: the method ended without reaching that gradient; the largest entry at the
point where it stopped follows. The value of f is optbench's; a method that ends at another value (by more than 1e-6,
relative, or 1e-10) has its own in its cell. "outside" marks a row in which optbench's evaluations leave the range of
the others, of those that reached the gradient at the same value, by more than a factor of {BAND:g}, or in which another
reached it and optbench did not.

The first step decides the small differences to SciPy and liblbfgs where the first gradient is shorter than 1: theirs
has the length 1 there, optbench's is the gradient itself, as torch's is unless the sum of magnitudes exceeds 1. With
their rule `gaussian` takes 9 / 11, `discrete_boundary_value` 50 / 57, `discrete_integral_equation` 7 / 9,
`kowalik_osborne` 27 / 38 and `trigonometric` 28 / 34, as they do.

| problem | n | optbench | SciPy | torch | liblbfgs | f | largest gradient entry | status | |
|---|---:|---:|---:|---:|---:|---:|---:|---|---|
"""


@dataclass(frozen=True)
class End:
    """How one method ended on one problem: its counts, the value and the largest gradient entry at its point."""

    nit: int
    nfev: int
    f: float
    top: float
    status: str = ""

    @property
    def reached(self) -> bool:
        """Whether the gradient is small enough."""
        return self.top <= GTOL


def ended(problem: Problem, x: Array, nit: int, nfev: int, status: str = "") -> End:
    """The end at `x`, evaluated again."""
    f, g = problem.fun_and_grad(x)
    return End(nit, nfev, f, float(np.max(np.abs(g))), status)


def ours(problem: Problem) -> End:
    """Run optbench's `lbfgs`."""
    params = {"m": PAIRS}
    r = optbench.minimize(problem, "lbfgs", params=params, max_iter=MAX_ITER, targets=(), gtol=GTOL, record="log")
    return ended(problem, r.x, r.nit, r.nfev, r.status)


def with_scipy(problem: Problem) -> End:
    """Run SciPy's L-BFGS-B without bounds."""
    options = {"maxcor": PAIRS, "gtol": GTOL, "ftol": 0.0, "maxiter": MAX_ITER, "maxfun": 2 * MAX_ITER}
    r = scipy_minimize(problem.fun_and_grad, problem.x0, jac=True, method="L-BFGS-B", options=options)
    return ended(problem, r.x, int(r.nit), int(r.nfev))


def with_torch(problem: Problem) -> End:
    """Run ``torch.optim.LBFGS``."""
    x = torch.tensor(problem.x0, dtype=torch.float64, requires_grad=True)
    limits = {"max_iter": MAX_ITER, "max_eval": 2 * MAX_ITER, "tolerance_grad": GTOL, "tolerance_change": 0.0}
    method = torch.optim.LBFGS([x], history_size=PAIRS, line_search_fn="strong_wolfe", **limits)  # type: ignore[arg-type]

    def closure() -> float:
        f, g = problem.fun_and_grad(x.detach().numpy())
        x.grad = torch.from_numpy(g)
        return f

    run: Any = method.step
    run(closure)
    state = method.state[x]
    return ended(problem, x.detach().numpy().copy(), int(state["n_iter"]), int(state["func_evals"]))


def with_liblbfgs(library: ctypes.CDLL) -> Callable[[Problem], End]:
    """A function that runs liblbfgs through the driver of ``benchmarks/lbfgs.c``."""

    def run(problem: Problem) -> End:
        compiled = BENCHMARK["Compiled"](library, "liblbfgs", problem, ours=True)
        compiled(MAX_ITER)
        return ended(problem, compiled.x.copy(), compiled.counts[0], compiled.counts[1])

    return run


def problems() -> list[Problem]:
    """Rosenbrock's chain and blocks, then the rest of the set in alphabetical order."""
    sized = [optbench.get_problem(name, n=n) for name in ("rosenbrock", "extended_rosenbrock") for n in SIZES]
    names = [name for name in optbench.list_problems() if "Garbow & Hillstrom" in PROBLEMS.get(name).source]
    return sized + [optbench.get_problem(name) for name in names if "rosenbrock" not in name]


def same_value(a: float, b: float) -> bool:
    """Whether two values are those of one minimum."""
    return abs(a - b) <= 1e-10 + 1e-6 * abs(b)


def cell(end: End | None, f: float) -> str:
    """Iterations / evaluations, with what has to be said besides."""
    if end is None:
        return "-"
    text = f"{end.nit} / {end.nfev}" + ("" if end.reached else f" * {end.top:.0e}")
    return text if same_value(end.f, f) else f"{text} (f = {end.f:.6g})"


def outside(own: End, others: list[End]) -> str:
    """The mark of a row that needs an explanation."""
    peers = [end.nfev for end in others if end.reached and same_value(end.f, own.f)]
    if not own.reached:
        return "outside: not reached" if any(end.reached for end in others) else ""
    if not peers:
        return ""
    low, high = min(peers) / BAND, max(peers) * BAND
    return "" if low <= own.nfev <= high else f"outside: {'fewer' if own.nfev < low else 'more'}"


def row(problem: Problem, methods: dict[str, Callable[[Problem], End]]) -> str:
    """One line of the table."""
    ends = {who: methods[who](problem) if who in methods else None for who in WHO}
    own = ends["optbench"]
    assert own is not None
    others = [end for who, end in ends.items() if end is not None and who != "optbench"]
    cells = [cell(ends[who], own.f) for who in WHO]
    marks = (f"{own.f:.6g}", f"{own.top:.1e}", own.status, outside(own, others))
    return "| " + " | ".join([problem.name, str(problem.n), *cells, *marks]) + " |"


def versions(peer: bool) -> str:
    """What the numbers were made with."""
    modules = (optbench, scipy, torch, np)
    named = ", ".join(f"{module.__name__} {module.__version__}" for module in modules)
    found = "not found"
    if peer:
        query = ["dpkg-query", "--show", "--showformat=${Version}", "liblbfgs-dev"]
        found = subprocess.run(query, capture_output=True, text=True, check=False).stdout or "version not known"
    return f"{named}, liblbfgs {found}; Python {platform.python_version()}, {platform.machine()}."


def main() -> int:
    """Write the table."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", RuntimeWarning)
    methods: dict[str, Callable[[Problem], End]] = {"optbench": ours, "SciPy": with_scipy, "torch": with_torch}
    with tempfile.TemporaryDirectory() as folder:
        library, peer = BENCHMARK["compile_c"](folder)
        if peer:
            methods["liblbfgs"] = with_liblbfgs(library)
        rows = []
        for problem in problems():
            rows.append(row(problem, methods))
            print(rows[-1], flush=True)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(HEAD.replace("{versions}", versions(peer)) + "\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
