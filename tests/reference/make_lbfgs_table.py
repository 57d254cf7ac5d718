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
from optbench.optimizers._linear_algebra import norm
from optbench.optimizers.lbfgs import Params, lbfgs, memory
from optbench.registry import PROBLEMS, descent
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
relative, or 1e-10) has its own in its cell. The last column compares optbench's evaluations with the range of the
others, of those that reached the gradient at the same value: empty inside it, else by how much they lie below or above,
with "outside" beyond a factor of {BAND:g}. Where no other reached it there is nothing to compare with.

| problem | n | optbench | SciPy | torch | liblbfgs | f | largest gradient entry | status | |
|---|---:|---:|---:|---:|---:|---:|---:|---|---|
"""

FIRST = """
## The first step

Where the first gradient is shorter than 1, the first step of SciPy and liblbfgs has the length 1; optbench's is the
gradient itself. All such rows, and the same code of optbench with a first step of length 1:

| problem | n | length of the first gradient | optbench | with length 1 | SciPy | liblbfgs |
|---|---:|---:|---:|---:|---:|---:|
"""


def unit_first(t, at, d, memory, params):  # type: ignore[no-untyped-def]
    """The direction of `lbfgs`; a first step of length 1, however short the gradient."""
    step = lbfgs(t, at, d, memory, params)  # type: ignore[no-untyped-call]
    return 1.0 / norm(at.g) if memory.state[0] == 0.0 else step  # type: ignore[no-untyped-call]


descent(params=Params, memory=memory, name="lbfgs_unit_first")(unit_first)


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


def ours(problem: Problem, name: str = "lbfgs") -> End:
    """Run optbench's `lbfgs`, or a variant of it."""
    params = {"m": PAIRS}
    r = optbench.minimize(problem, name, params=params, max_iter=MAX_ITER, targets=(), gtol=GTOL, record="log")
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
    method = torch.optim.LBFGS([x], history_size=PAIRS, line_search_fn="strong_wolfe", **limits)  # type: ignore[arg-type, unused-ignore]

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
    """How the evaluations compare with the range of the others."""
    peers = [end.nfev for end in others if end.reached and same_value(end.f, own.f)]
    if not own.reached:
        return "outside: not reached" if any(end.reached for end in others) else "nobody reached it"
    if not peers:
        return "no other reached it"
    low, high = min(peers), max(peers)
    if low <= own.nfev <= high:
        return ""
    nearest = low if own.nfev < low else high
    beyond = "outside: " if not low / BAND <= own.nfev <= high * BAND else ""
    return f"{beyond}{100 * (own.nfev / nearest - 1):+.1f} %"


def row(problem: Problem, ends: dict[str, End | None]) -> str:
    """One line of the table."""
    own = ends["optbench"]
    assert own is not None
    others = [end for who, end in ends.items() if end is not None and who != "optbench"]
    cells = [cell(ends[who], own.f) for who in WHO]
    marks = (f"{own.f:.6g}", f"{own.top:.1e}", own.status, outside(own, others))
    return "| " + " | ".join([problem.name, str(problem.n), *cells, *marks]) + " |"


def first_row(problem: Problem, ends: dict[str, End | None]) -> str:
    """One line of the table of first steps."""
    own, length = ends["optbench"], float(np.linalg.norm(problem.grad(problem.x0)))
    assert own is not None
    variants = [own, ours(problem, "lbfgs_unit_first"), ends["SciPy"], ends["liblbfgs"]]
    cells = [cell(end, own.f) for end in variants]
    return "| " + " | ".join([problem.name, str(problem.n), f"{length:.2g}", *cells]) + " |"


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
        rows, first = [], []
        for problem in problems():
            ends = {who: methods[who](problem) if who in methods else None for who in WHO}
            rows.append(row(problem, ends))
            if np.linalg.norm(problem.grad(problem.x0)) < 1.0:
                first.append(first_row(problem, ends))
            print(rows[-1], flush=True)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(
        HEAD.replace("{versions}", versions(peer)) + "\n".join(rows) + "\n" + FIRST + "\n".join(first) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
