"""Write ``docs/constrained_table.md``: every constrained problem with every Lagrangian method, from the standard start.

Run in the folder of the repository: ``python tests/reference/make_constrained_table.py``. What the tables say is
measured; why a run of the two methods that should solve everything failed is written below, and the script stops when a
run fails that has no explanation.
"""

from __future__ import annotations

import math
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import optbench
from optbench.optimize import OptimizeResult
from optbench.registry import PROBLEMS
from optbench.types import Problem

OUT = Path(__file__).resolve().parents[2] / "docs" / "constrained_table.md"
TARGETS = (1e-2, 1e-4, 1e-6, 1e-8)
NEAR = 1e-4  # relative distance to a certified minimizer from which the multipliers are compared


class Entry(NamedTuple):
    """A method with its settings, as the table shows it."""

    title: str
    method: str
    settings: dict[str, Any]
    wanted: float
    promise: str


METHODS = [
    Entry("lagrange_newton", "lagrange_newton", {"max_iter": 500}, 1e-8, "at least 95 %"),
    Entry("augmented_lagrangian, lbfgs", "augmented_lagrangian", {"max_iter": 100}, 1e-6, "at least 90 %"),
    Entry(
        "augmented_lagrangian, adam with cosine",
        "augmented_lagrangian",
        {
            "max_iter": 100,
            "params": {"inner": "adam"},
            "lr": 1e-2,
            "schedule": {"name": "cosine", "T_max": 1000},
        },
        1e-4,
        "",
    ),
    Entry("gradient_descent_ascent, adam", "gradient_descent_ascent", {"max_iter": 100_000, "lr": 1e-2}, 1e-4, ""),
    Entry("quadratic_penalty, lbfgs", "quadratic_penalty", {"max_iter": 100}, 1e-6, ""),
]

# (method's title, problem): why the run did not reach what is wanted of it.
WHY: dict[tuple[str, str], str] = {
    ("", "hs002"): "The start is on the side of the local minimum on the bound near x_1 = -1.22.",
    ("", "hs047"): "The point (1, 1, 1, 1, 1) of the book: stationary, multipliers 0, but no minimum; f is flat to third order.",
    ("augmented_lagrangian, lbfgs", "hs075"): (
        "Its variables go from 0.5 to 1000, its multipliers to 2.8e3, and the curvature of its Lagrangian along the "
        "constraints is 4e-3. The penalty that brings the constraints down makes rho J'J larger than that by more "
        "than 1e10: the searches of the inner run end at rounding level, at a gradient that is the KKT residual."
    ),
}


class Row(NamedTuple):
    """What came out of one run."""

    problem: Problem
    result: OptimizeResult
    gap: float
    feasibility: float
    multiplier_error: float


def row_of(problem: Problem, entry: Entry) -> Row:
    r = optbench.minimize(problem, entry.method, targets=TARGETS, record="log", **entry.settings)
    c = problem.constraint(r.x)[0]
    feasibility = max(0.0, *np.abs(c[: problem.m_eq]), *c[problem.m_eq :])
    assert problem.f_opt is not None and problem.minimizers is not None and r.multipliers is not None
    distance = np.min(np.max(np.abs(problem.minimizers - r.x), axis=1))
    near = distance <= NEAR * max(1.0, float(np.max(np.abs(r.x)))) and problem.multipliers is not None
    error = float(np.max(np.abs(r.multipliers - problem.multipliers))) if near else math.nan
    return Row(problem, r, r.fun - problem.f_opt, feasibility, error)


def met(row: Row, target: float) -> bool:
    return row.result.hits[target] is not None


def elsewhere(row: Row) -> bool:
    assert row.problem.f_opt is not None
    return abs(row.gap) > 1e-3 * max(1.0, abs(row.problem.f_opt))


def line(row: Row) -> str:
    r = row.result
    reached = [f"{target:.0e}" for target in TARGETS if met(row, target)]
    error = f"{row.multiplier_error:.1e}" if row.multiplier_error == row.multiplier_error else "-"
    cells = [row.problem.name, r.status, reached[-1] if reached else "-", f"{r.kkt:.1e}", f"{row.gap:.1e}"]
    cells += [f"{row.feasibility:.1e}", error, str(r.nit), str(r.nfev)]
    return "| " + " | ".join(cells) + " |"


def observed(row: Row) -> str:
    """What the trace of a failed run shows."""
    r, kkt = row.result, row.result.trace["kkt"].to_numpy()
    largest = f"largest multiplier {np.max(np.abs(r.multipliers)):.1e}" if r.multipliers is not None else ""
    if r.status == "diverged":
        return f"{r.message}, after {r.nit} iterations"
    half = kkt[r.trace.index.to_numpy() <= r.nit // 2][-1]
    if kkt[-1] < 0.5 * half:
        return f"still falling: KKT residual {half:.1e} at half of the {r.nit} iterations, {kkt[-1]:.1e} at the end"
    return f"{r.message}: KKT residual {kkt[-1]:.1e}, {half:.1e} at half of the {r.nit} iterations, {largest}"


def saddle(row: Row, entry: Entry) -> str:
    """Whether x* is no minimum in x of what a method with a fixed penalty descends on."""
    p = row.problem
    if entry.method != "gradient_descent_ascent" or p.x_opt is None or p.multipliers is None:
        return ""
    c, jac = p.constraint(p.x_opt)
    active = [i for i in range(p.m) if i < p.m_eq or abs(c[i]) < 1e-8]
    matrix = p.lagrangian_hess(p.x_opt, p.multipliers) + jac[active].T @ jac[active]
    eigenvalues = np.linalg.eigvalsh(matrix)
    if eigenvalues[0] < 0.0:
        return f"With penalty 1 the Hessian at x* has the eigenvalue {eigenvalues[0]:.2g}: the descent in x leaves x*."
    return f"At x* the Hessian with penalty 1 has eigenvalues from {eigenvalues[0]:.1e} to {eigenvalues[-1]:.1e}."


def explain(entry: Entry, rows: list[Row]) -> list[str]:
    lines = []
    for row in rows:
        name = row.problem.name
        if not met(row, entry.wanted):
            reason = WHY.get((entry.title, name), "")
            if entry.promise and not reason:
                raise SystemExit(f"{entry.title} fails on {name} without an explanation: {observed(row)}")
            lines.append(f"- **{name}**: {observed(row)}. {reason or saddle(row, entry)}".rstrip())
        elif elsewhere(row):
            reason = WHY.get((entry.title, name), "") or WHY.get(("", name), "")
            lines.append(
                f"- {name}: solved, at another KKT point: f - f* = {row.gap:.2e}, KKT residual {row.result.kkt:.1e}. "
                f"{reason}".rstrip()
            )
    return lines


def section(entry: Entry, rows: list[Row]) -> list[str]:
    count, solved = len(rows), {target: sum(met(row, target) for row in rows) for target in TARGETS}
    totals = ", ".join(f"{solved[t]} of {count} ({100 * solved[t] / count:.0f} %) to {t:.0e}" for t in TARGETS)
    hock = [row for row in rows if row.problem.name.startswith("hs")]
    share = sum(met(row, entry.wanted) for row in hock)
    settings = ", ".join(f"{key}={value}" for key, value in entry.settings.items())
    out = [f"## {entry.title}", "", f"Settings: {settings}. Solved: {totals}.", ""]
    if entry.promise:
        rate = f"{share} of {len(hock)}, {100 * share / len(hock):.1f} %"
        out += [f"Hock-Schittkowski problems to {entry.wanted:.0e}: {rate} (aim: {entry.promise}).", ""]
    evaluations = sum(row.result.nfev for row in rows if met(row, entry.wanted))
    steps = sum(row.result.nit for row in rows if met(row, entry.wanted))
    out += [f"Iterations and evaluations of the runs solved to {entry.wanted:.0e}: {steps} and {evaluations}.", ""]
    out += [
        "| problem | status | target met | KKT residual | f - f* | infeasibility | multiplier error | it. | eval. |"
    ]
    out += ["|---|---|---|---|---|---|---|---|---|", *(line(row) for row in rows), ""]
    notes = explain(entry, rows)
    return [*out, *(["What was not solved, or elsewhere:", "", *notes, ""] if notes else [])]


def main() -> None:
    names = [name for name in optbench.list_problems() if "constrained" in PROBLEMS.get(name).tags]
    problems = [optbench.get_problem(name) for name in names]
    versions = ", ".join(f"{package} {version(package)}" for package in ("optbench", "numba", "numpy"))
    text = [
        "# Lagrangian methods on the constrained problems",
        "",
        f"Written by `tests/reference/make_constrained_table.py` with {versions}, Python {platform.python_version()} on",
        f"{platform.machine()}. Every run starts at the standard start and stops at a KKT residual of {TARGETS[-1]:.0e}.",
        "The multiplier error is the largest difference from the certified multipliers, where the run ended at a",
        "certified minimizer. An iteration of the augmented Lagrangian and of the penalty method is a whole inner run;",
        "evaluations count all of f with its gradient and constraints, inner runs included.",
        "",
    ]
    for entry in METHODS:
        print(entry.title, flush=True)
        text += section(entry, [row_of(problem, entry) for problem in problems])
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join(text).rstrip() + "\n")


if __name__ == "__main__":
    main()
