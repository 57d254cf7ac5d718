"""Constraints, the Lagrangian and the Karush-Kuhn-Tucker conditions at a point, worked out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from optbench.constrained._residual import complementarity, infeasibility
from optbench.explanations._board import Board, Line
from optbench.explanations._function import SMALL, inputs
from optbench.explanations._steps import Step
from optbench.explanations._terms import Unsupported, array, bracketed, number_text
from optbench.explanations._text import board_text, formula, paragraph, shown_of, sum_text, title, vector_text
from optbench.types import Array, Problem

ACTIVE = 1e-8  # an inequality below -ACTIVE is inactive
SOLVED = 1e-6  # KKT residual of what counts as a solution
LARGEST = 6  # unknowns of a system that is written out


def multipliers_at(problem: Problem, x: Array) -> Array:
    """Multipliers that make the gradient of the Lagrangian shortest; 0 for inequalities that are inactive."""
    from scipy.optimize import lsq_linear

    c, jac = problem.constraint(x)
    inequality = np.arange(problem.m) >= problem.m_eq
    used = ~inequality | (c >= -ACTIVE)
    lam = np.zeros(problem.m)
    if used.any():
        low = np.where(inequality[used], 0.0, -np.inf)
        found = lsq_linear(
            jac[used].T, -problem.grad(x), (low, np.inf), method="bvls" if used.sum() <= x.size else "trf"
        )
        lam[used] = rounded(found.x, np.abs(found.x).max() + 1.0)
    return lam


def rounded(values: Array, scale: float) -> Array:
    """The values, 0 in place of what rounding leaves of it."""
    return np.where(np.abs(values) <= 1e-13 * scale, 0.0, values)


def constraints_text(problem: Problem, x: Array, names: Sequence[str]) -> list[str]:
    """Constraints, the Lagrangian with its gradient, and the parts of the Karush-Kuhn-Tucker residual."""
    c, jac = problem.constraint(x)
    lam, gradient = multipliers_at(problem, x), problem.grad(x)
    total = rounded(gradient + jac.T @ lam, float(np.abs(gradient).max() + np.abs(jac.T * lam).max()))
    lines = title("Constraints")
    worked = _constraint_lines(problem, x, names)
    lines += board_text(worked[1]) if worked else []
    kept = shown_of(problem.m)
    for k, i in enumerate(kept):
        lines += ["  ..."] if k and i != kept[k - 1] + 1 else []
        rule, state = ("0", "met" if abs(c[i]) <= ACTIVE else "violated") if i < problem.m_eq else _state(c[i])
        steps = worked[0][i].steps if worked else [number_text(c[i])]
        lines += formula(f"c{i + 1}(x)", *steps, note=f"must be {rule}: {state}")
    lines += _lagrangian(problem.fun(x), lam, c)
    for j in shown_of(problem.n):
        code = f"df/d{names[j]} + sum lambda_i dc_i/d{names[j]}"
        numbers = _weighted(gradient[j], lam, jac[:, j])
        lines += formula(f"dL/d{names[j]}", code, numbers, number_text(total[j]))
    return lines + _conditions(total, c, lam, problem.m_eq)


def _lagrangian(f: float, lam: Array, c: Array) -> list[str]:
    text = "Multipliers: those that make the gradient of L shortest here, 0 for inactive inequalities."
    lines = [*title("Lagrangian"), *paragraph(text, "  "), *formula("lambda", vector_text(lam))]
    value = number_text(float(f + lam @ c))
    return [*lines, *formula("L(x, lambda)", "f(x) + sum lambda_i c_i(x)", _weighted(f, lam, c), value)]


def _weighted(first: float, lam: Array, values: Array) -> str:
    """``first + sum lambda_i values_i`` in numbers; nothing where they are many."""
    if lam.size > 3:
        return ""
    terms = [f"{bracketed(weight)} * {bracketed(value)}" for weight, value in zip(lam, values, strict=True)]
    return f"{number_text(first)} + {sum_text(terms)}"


def _conditions(total: Array, c: Array, lam: Array, m_eq: int) -> list[str]:
    """The parts of the residual, by the functions of the Lagrangian methods."""
    violation: Callable[..., float] = infeasibility
    product: Callable[..., float] = complementarity
    parts = {
        ("stationarity", "max |dL/dx_j|"): float(np.abs(total).max()),
        ("infeasibility", "max |c_i| of equalities, max c_i of inequalities"): violation(c, m_eq),
        ("complementarity", "max |lambda_i c_i|, -lambda_i"): product(c, lam, m_eq),
    }
    lines, worst = title("Karush-Kuhn-Tucker residual"), max(parts.values())
    for (name, code), value in parts.items():
        lines += formula(name.ljust(15), code, number_text(value))
    note = f"the largest of these{'; 0 at a solution' if worst > SOLVED else ': this is a solution'}"
    return [*lines, *formula("residual".ljust(15), number_text(worst), note=note)]


def _state(value: float) -> tuple[str, str]:
    return "at most 0", "violated" if value > ACTIVE else "active" if value >= -ACTIVE else "inactive"


def _constraint_lines(problem: Problem, x: Array, names: Sequence[str]) -> tuple[list[Line], list[Line]] | None:
    """The lines of the constraint functions, and those that they need; None where they cannot be followed."""
    if problem.n > SMALL or problem.m > SMALL:
        return None
    point, data = inputs(problem, x, names)
    labels: dict[str, Callable[[Any], str]] = {"c": lambda i: f"c{i + 1}", "jac": lambda key: f"jac{key}"}
    board = Board(labels=labels)
    assert problem.constraints is not None
    room = array(np.zeros(problem.m), "c"), array(np.zeros((problem.m, problem.n)), "jac")
    try:
        board.work(problem.constraints, point, *room, data)
    except Unsupported:
        return None
    found = {line.name: line for line in board.lines}
    wanted = [f"c{i + 1}" for i in range(problem.m)]
    c = problem.constraint(x)[0]
    if not set(wanted) <= set(found) or not np.allclose([found[name].value for name in wanted], c, 1e-9, 1e-9):
        return None
    needed = [line for line in board.lines if line.name not in wanted and not line.name.startswith("jac")]
    return [found[name] for name in wanted], [line for line in needed if _mentions(board.lines, line.name, wanted)]


def _mentions(lines: Sequence[Line], name: str, wanted: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", line.code) for line in lines if line.name in wanted)


def kkt_text(problem: Problem, step: Step) -> list[str]:
    """Newton's system for the step and the multipliers, where it is small, has equalities alone and gives the step."""
    n, m = problem.n, problem.m
    if problem.m_eq < m or n + m > LARGEST or step.before is None:
        return []
    c, jac = problem.constraint(step.x)
    h = problem.lagrangian_hess(step.x, step.before)
    system = np.block([[h, jac.T], [jac, np.zeros((m, m))]])
    right = -np.append(step.gradient, c)
    try:
        found = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        return []
    if not np.allclose(step.x + step.lr * found[:n], step.x_next, 1e-9, 1e-9 * (1.0 + np.abs(step.x).max())):
        return []
    lines = paragraph(
        "Newton's method on grad L = 0, c = 0: solve [H J'; J 0] (d, lambda) = (-grad f, -c), where H is", "  "
    )
    lines += paragraph("the Hessian of L and J has the gradients of the constraints as rows:", "  ")
    cells = [[number_text(value) for value in (*row, b)] for row, b in zip(rounded(system, 1.0), right, strict=True)]
    width = max(len(text) for row in cells for text in row)
    rows = [" ".join(text.rjust(width) for text in row[:-1]) + f" | {row[-1].rjust(width)}" for row in cells]
    lines += [f"    [ {row} ]" for row in rows]
    return [*lines, *formula("(d, lambda)", vector_text(rounded(found, 1.0 + float(np.abs(found).max()))))]
