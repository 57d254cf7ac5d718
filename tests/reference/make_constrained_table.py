"""Write ``docs/constrained_table.md``: every constrained problem with every Lagrangian method, from the standard start.

Run in the folder of the repository: ``python tests/reference/make_constrained_table.py``. What the tables say is
measured; why a run failed is written below, and the script stops when one fails that has no explanation.
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
ADAM, ASCENT, PENALTY = (entry.title for entry in METHODS[2:])
LONGER = "With inner_iter = T_max = 10000 it is solved: a thousand steps of Adam do not reach the inner minimum."
STIFF = (
    "At x* the Hessian with penalty 1 has eigenvalues from 5e-3 to 7e6: no one step size of a first-order update "
    "serves both, and lr = 1 ends no better."
)
LOGARITHM = "A step leaves the domain: f has the logarithm of a coordinate that became negative; so with lr = 1e-3."
SADDLE = "At x* the Hessian with penalty 1 has the eigenvalue {}: the descent in x leaves x*. {}"
COMPLEMENTARITY = "The residual is lam c = lam^2 / rho: 1e10 is too small a penalty for a multiplier of {}."
ROUNDING = "rho = 1e10 makes the rounding of rho c J the size of the residual: it grew while the penalty did."
WHY: dict[tuple[str, str], str] = {
    ("", "hs002"): "The start is on the side of the local minimum on the bound near x_1 = -1.22.",
    ("", "hs047"): "The point (1, 1, 1, 1, 1) of the book: stationary, but a cube along a curve, and no minimum.",
    (METHODS[1].title, "hs075"): (
        "At x* its Lagrangian has curvatures down to 4e-3, J'J eigenvalues up to 7e6, and a multiplier is 2.8e3. "
        "At rho = 1e8 the rounding of rho c J, 1e8 times 1e-16 times values of 1e3 in both, is the residual that is "
        "left. With largest_penalty = 1e4 it ends at 1e-3, with 1e3 the multipliers come too slowly."
    ),
    **{(ADAM, name): LONGER for name in ("hs010", "hs060", "hs071", "hs077")},
    **{(title, name): STIFF for title in (ADAM, ASCENT) for name in ("hs074", "hs075")},
    **{(title, "hs112"): LOGARITHM for title in (ADAM, ASCENT)},
    (ASCENT, "hs010"): (
        "The start violates the constraint by 599; the multiplier rises to 1900, then falls by dual_lr |c| = 0.01 a "
        "step: 190 000 steps to 0.5."
    ),
    (ASCENT, "hs015"): SADDLE.format("-1100", "So it has with penalty 10."),
    (ASCENT, "hs040"): SADDLE.format("-0.12", "With penalty 10 it is solved."),
    (ASCENT, "hs044"): SADDLE.format("-1.3", "With penalty 10 it is solved."),
    (ASCENT, "hs064"): (
        "A multiplier of 2279 and steps of 1e-2: with lr = 0.1 and dual_lr = 1 the same number of steps ends at a "
        "residual of 2."
    ),
    (ASCENT, "hs081"): "Adam's normalised steps do not settle here: with sgd and lr = 1e-3 it is solved.",
    (PENALTY, "hs015"): COMPLEMENTARITY.format("1751"),
    (PENALTY, "hs064"): COMPLEMENTARITY.format("2279"),
    **{(PENALTY, name): ROUNDING for name in ("hs074", "hs075", "hs100", "hs113")},
    (PENALTY, "hs112"): (
        "The minimum for rho = 1 violates the constraints by 14; the run for rho = 10 then ends at the edge of the "
        "domain, with coordinates down to 1e-22 and their logarithms in the gradient, and no later run moves."
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
    assert problem.f_opt is not None
    assert problem.minimizers is not None
    assert problem.multipliers is not None
    assert r.multipliers is not None
    distance = np.min(np.max(np.abs(problem.minimizers - r.x), axis=1))
    near = distance <= NEAR * max(1.0, float(np.max(np.abs(r.x))))
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
    if kkt[-1] > 10.0 * kkt.min():
        best = int(r.trace.index[int(kkt.argmin())])
        return f"{r.message}: KKT residual {kkt[-1]:.1e}, {kkt.min():.1e} in iteration {best} of {r.nit}, {largest}"
    half = kkt[r.trace.index.to_numpy() <= r.nit // 2][-1]
    if kkt[-1] < 0.5 * half:
        return f"still falling: KKT residual {half:.1e} at half of the {r.nit} iterations, {kkt[-1]:.1e} at the end"
    return f"{r.message}: KKT residual {kkt[-1]:.1e}, {half:.1e} at half of the {r.nit} iterations, {largest}"


def explain(entry: Entry, rows: list[Row]) -> list[str]:
    lines = []
    for row in rows:
        name = row.problem.name
        if not met(row, entry.wanted):
            reason = WHY.get((entry.title, name), "")
            if not reason:
                raise SystemExit(f"{entry.title} fails on {name} without an explanation: {observed(row)}")
            lines.append(f"- **{name}**: {observed(row)}. {reason}".rstrip())
        elif elsewhere(row) and row.result.kkt <= entry.wanted:
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
        best = sum(met(row, entry.wanted) and not elsewhere(row) for row in hock)
        out += [f"Hock-Schittkowski problems to {entry.wanted:.0e}: {rate} (aim: {entry.promise});", ""]
        out[-2] += f" {best} of them at the certified minimum."
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
        f"Written by `tests/reference/make_constrained_table.py` with {versions}, Python {platform.python_version()},",
        f"{platform.machine()}. A run starts at the standard start and stops at a KKT residual of {TARGETS[-1]:.0e}.",
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
