"""A function of its parameters, worked out: formula, value and partial derivatives; gradient, Hessian; constraints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from optbench.explanations._board import Board, Line
from optbench.explanations._terms import Term, Unsupported, array, bracketed, number_text, record, unparsed
from optbench.explanations._text import WIDTH, board_text, formula, paragraph, shown_of, sum_text, title, vector_text
from optbench.points import symbol
from optbench.types import Array, Problem

SMALL = 4  # parameters up to which a function is worked out statement by statement


def formula_of(problem: Problem) -> list[str]:
    """The paragraphs of a problem's documentation up to its source: what it is and its formula."""
    parts = problem.doc.split("\n\n")
    end = next((k for k, part in enumerate(parts) if part.startswith("Source:")), len(parts))
    last = min(end, 3)
    while last < end and parts[last - 1].endswith(","):  # in the middle of a sentence
        last += 1
    lines = []
    for part in parts[:last]:
        rows = part.splitlines()
        lines += ["", *(rows if max(map(len, rows)) <= WIDTH else paragraph(" ".join(rows)))]
    return lines[1:]


def function_text(problem: Problem, x: Array, names: Sequence[str]) -> list[str]:
    """Value and partial derivatives, statement by statement where the function is short, else by their numbers."""
    name = symbol(problem)
    lines = title("Objective")
    worked = worked_out(problem, x, names)
    f, gradient = problem.fun_and_grad(x)
    if worked is not None:
        return [*lines, *board_text(worked)]
    lines += formula(f"{name}({'x' if problem.n > 2 else ', '.join(names)})", number_text(f))
    lines += title("Partial derivatives")
    kept = shown_of(problem.n)
    width = max(len(names[i]) for i in kept)
    for k, i in enumerate(kept):
        lines += ["  ..."] if k and i != kept[k - 1] + 1 else []
        lines += formula(f"d{name}/d{names[i]}".ljust(width + 4), number_text(gradient[i]))
    return lines


def worked_out(problem: Problem, x: Array, names: Sequence[str]) -> list[Line] | None:
    """The lines of the problem's own function at `x`; None for one that is too long to be followed."""
    if problem.n > SMALL or problem.samples:
        return None
    try:
        return _own(problem, x, names) if problem.fun_grad is not None else _squares(problem, x, names)
    except Unsupported:
        return None


def inputs(problem: Problem, x: Array, names: Sequence[str]) -> tuple[Term, Term]:
    data = record(problem.data, fixed=True)
    return array(x, "x", names=names, fixed=False), data


def _own(problem: Problem, x: Array, names: Sequence[str]) -> list[Line]:
    point, data = inputs(problem, x, names)
    slope: Callable[[Any], str] = lambda i: f"df/d{names[i]}"  # noqa: E731
    board = Board(labels={"g": slope})
    assert problem.fun_grad is not None
    out = board.work(problem.fun_grad, point, array(np.zeros(problem.n), "g"), data)
    name = "f(x)" if problem.n > 2 else f"f({', '.join(names)})"
    value = Line(name, unparsed(out.code), unparsed(out.numbers), out.value)
    lines = list(board.lines)
    last = next((line for line in reversed(lines) if line.name == value.code), None)
    if last is not None:  # the value has a line already
        lines.remove(last)
        value = last._replace(name=name)
    _same([value], problem, x)
    slopes = [line for line in lines if line.name.startswith("df/")]
    return [*(line for line in lines if line not in slopes), value, *slopes]


def _same(lines: Sequence[Line], problem: Problem, x: Array) -> None:
    """Refuse lines whose value is not that of the kernel."""
    f = problem.fun(x)
    if not math.isclose(lines[0].value, f, rel_tol=1e-9, abs_tol=1e-12 * (1.0 + abs(f))):
        raise Unsupported


def _squares(problem: Problem, x: Array, names: Sequence[str]) -> list[Line]:
    """A sum of squared residuals: residuals, f, and dj = 2 sum r_i dr_i/dx_j."""
    if problem.m > SMALL:
        raise Unsupported
    point, data = inputs(problem, x, names)
    labels: dict[str, Callable[[Any], str]] = {
        "r": lambda i: f"r{i + 1}",
        "jac": lambda key: f"dr{key[0] + 1}/d{names[key[1]]}",
    }
    board = Board(labels=labels)
    assert problem.residuals is not None
    room = array(np.zeros(problem.m), "r"), array(np.zeros((problem.m, problem.n)), "jac")
    board.work(problem.residuals, point, *room, data)
    r, jac = problem.residual(x)
    lines = list(board.lines)
    code = sum_text([f"r{i + 1}^2" for i in range(problem.m)])
    numbers = sum_text([f"{bracketed(value)}^2" for value in r])
    name = "f(x)" if problem.n > 2 else f"f({', '.join(names)})"
    lines.append(Line(name, code, numbers, problem.fun(x)))
    for j, text in enumerate(names):
        code = sum_text([f"r{i + 1} * dr{i + 1}/d{text}" for i in range(problem.m)])
        numbers = sum_text([f"{bracketed(r[i])} * {bracketed(jac[i, j])}" for i in range(problem.m)])
        lines.append(Line(f"df/d{text}", f"2 * ({code})", f"2 * ({numbers})", float(problem.grad(x)[j])))
    _same([lines[-1 - len(names)]], problem, x)
    return lines


def gradient_text(problem: Problem, x: Array, names: Sequence[str]) -> list[str]:
    """The gradient as a vector, its length, and which way is down."""
    name, gradient = symbol(problem), problem.grad(x)
    norm = float(np.linalg.norm(gradient))
    lines = title("Gradient")
    which = ", ".join(f"d{name}/d{text}" for text in names) if problem.n <= 3 else f"d{name}/dx"
    lines += formula("g", f"({which})" if problem.n <= 3 else which, vector_text(gradient))
    squares = sum_text([f"{bracketed(value)}^2" for value in gradient]) if problem.n <= 3 else "sum g_j^2"
    lines += formula("||g||", f"sqrt({squares})", number_text(norm))
    if norm == 0.0:
        return [*lines, *paragraph("It is zero: the point is stationary.", "  ")]
    return [*lines, *paragraph(f"{name} falls fastest along -g: {vector_text(-gradient)}.", "  ")]


def hessian_text(problem: Problem, x: Array) -> list[str]:
    """The Hessian of two parameters with its eigenvalues, and what they say of gradient descent."""
    if problem.n != 2 or not problem.has_hess:
        return []
    h = problem.hess(x)
    h[np.abs(h) <= 1e-14 * np.abs(h).max()] = 0.0  # what rounding leaves of a zero
    low, high = np.linalg.eigvalsh(h)
    rows = ["  ".join(number_text(value).rjust(10) for value in row) for row in h]
    lines = title("Hessian")
    lines += [f"  H = [{rows[0]} ]", f"      [{rows[1]} ]"]
    text = f"Eigenvalues {number_text(low)} and {number_text(high)}: "
    if low > 0.0:
        text += f"curved upwards in every direction, condition number {number_text(high / low)}."
        if problem.constraints is None:
            limit = f"2 / (largest eigenvalue) = {number_text(2.0 / high)}"
            text += f" On a bowl of this shape gradient descent converges for lr < {limit}."
    elif high > 0.0:
        text += "flat in one direction." if low == 0.0 else "curved upwards one way and downwards another, as a saddle."
    else:
        text += "not curved upwards in any direction."
    return [*lines, *paragraph(text, "  ")]
