"""The steps of a run in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.explanations._board import Line
from optbench.explanations._constraints import kkt_text
from optbench.explanations._steps import Step
from optbench.explanations._terms import bracketed, number_text
from optbench.explanations._text import (
    INDENT,
    board_text,
    formula,
    paragraph,
    shown_of,
    title,
    vector_text,
)
from optbench.methods import Lagrangian, Optimizer
from optbench.outcome import Run
from optbench.points import symbol
from optbench.records import Empty
from optbench.registry import get_optimizer
from optbench.types import Problem

ROUNDING = 1e-14  # relative change of f that is none


def run_text(problem: Problem, run: Run) -> list[str]:
    """The optimizer, what it does in one sentence, and its settings."""
    method = get_optimizer(run.optimizer)
    settings = [f"{key} = {number_text(value)}" for key, value in run.params]
    if isinstance(method, Optimizer) or method.search_of(method.params(**dict(run.params))) == "none":
        settings.insert(0, f"lr = {number_text(run.lr)}")
    first = method.doc.strip().split("\n\n")[0].replace("\n", " ")
    lines = title(f"Optimizer: {run.optimizer}")
    lines += paragraph(first, INDENT)
    lines += paragraph(f"Settings: {', '.join(settings) or 'none'}.", INDENT)
    if isinstance(method, Optimizer):
        if any(value in (0.0, False) for _, value in run.params):
            lines += paragraph("Terms that a setting of 0 takes away are not shown below, nor factors of 1.", INDENT)
        if method.state is not Empty or method.shared is not Empty:
            lines += paragraph("Names with _old are remembered from the step before.", INDENT)
    if run.schedule != "constant" or run.warmup:
        values = [f"{key} = {number_text(value)}" for key, value in run.schedule_params]
        if run.warmup:
            values.insert(0, f"warmup = {run.warmup} steps")
        lines += paragraph(f"Schedule: {run.schedule}, {', '.join(values)}; it counts t from 0.", INDENT)
    if run.clip != "none":
        lines += paragraph(f"Clipping: by {run.clip}, limit = {number_text(run.clip_at)}.", INDENT)
    return lines


def step_text(problem: Problem, run: Run, step: Step, names: Sequence[str]) -> list[str]:
    """One step: learning rate, clipping, update of every coordinate that is shown, and what became of f."""
    lines = title(f"Step {step.t} of {run.optimizer}")
    if step.updates is None:
        lines += _found(problem, run, step, names)
    else:
        lines += _updates(step, names, problem.n)
    name = symbol(problem)
    change = step.f_next - step.f
    if np.isfinite(change) and abs(change) <= ROUNDING * max(abs(step.f), abs(step.f_next)):
        change = 0.0
    word = "fell" if change < 0.0 else "rose" if change > 0.0 else "did not change"
    by = f" by {number_text(abs(change))}" if change and np.isfinite(change) else ""
    note = f"it {word}{by}" if np.isfinite(change) else "it is no longer finite"
    lines += formula(f"{name} after the step", number_text(step.f_next), note=f"before: {number_text(step.f)}; {note}")
    if step.multipliers is not None and step.kkt is not None:
        lines += formula("multipliers after the step", vector_text(step.multipliers))
        lines += formula("KKT residual after the step", number_text(step.kkt))
    return lines


def _updates(step: Step, names: Sequence[str], n: int) -> list[str]:
    assert step.updates is not None
    lines: list[str] = board_text(step.rate)
    if step.shared:
        lines += [*([""] if lines else []), f"{INDENT}once for all coordinates, t = {step.t}:"]
        lines += board_text(step.shared, INDENT * 2)
    kept = list(step.updates)
    later: list[tuple[int, Sequence[Line]]] = []
    for k, i in enumerate(kept):
        cut = len(step.updates[i])
        if step.norms:
            cut = 1 + next(j for j, line in enumerate(step.updates[i]) if line.name == "u")
        lines += _coordinate(names[i], step.updates[i][:cut], k and i != kept[k - 1] + 1)
        later.append((i, step.updates[i][cut:]))
    if step.norms:
        lines += ["", f"{INDENT}norms and scale, group by group:", *board_text(step.norms, INDENT * 2), ""]
        for k, (i, rest) in enumerate(later):
            lines += _coordinate(names[i], rest, k and i != kept[k - 1] + 1)
    spaced = ["", *lines, ""]
    return [line for k, line in enumerate(spaced) if k and (line or spaced[k - 1])]  # blank lines one by one


def _coordinate(name: str, lines: Sequence[Line], gap: bool | int) -> list[str]:
    dots = [f"{INDENT}..."] if gap else []
    if len(lines) == 1:
        return [*dots, *board_text(lines)]
    return [*([""] if gap else []), *dots, "", f"{INDENT}{name}:", *board_text(lines, INDENT * 2)]


def _found(problem: Problem, run: Run, step: Step, names: Sequence[str]) -> list[str]:
    """A step of a method that is no sum of coordinates: where it went."""
    method = get_optimizer(run.optimizer)
    lines: list[str] = []
    if isinstance(method, Lagrangian):
        lines += kkt_text(problem, step) if method.hessian else []
        if np.array_equal(step.x, step.x_next):
            return [*lines, *paragraph("It estimates the multipliers; the point stays where it is.", INDENT), ""]
        lines += paragraph("The method moves the point and the multipliers together.", INDENT)
    else:
        lines += paragraph("The method finds the direction d and the step length itself.", INDENT)
    rate = "lr of the inner optimizer" if isinstance(method, Lagrangian) and method.inner != "none" else "step length"
    lines += formula(rate, number_text(step.lr))
    kept = shown_of(len(names))
    for k, i in enumerate(kept):
        lines += [f"{INDENT}..."] if k and i != kept[k - 1] + 1 else []
        change = float(step.x_next[i] - step.x[i])
        code, numbers = f"{names[i]} + change", f"{number_text(step.x[i])} + {bracketed(change)}"
        if rate == "step length" and step.lr:
            code = f"{names[i]} + step length * d"
            numbers = f"{number_text(step.x[i])} + {number_text(step.lr)} * {bracketed(change / step.lr)}"
        lines += formula(names[i], code, numbers, number_text(step.x_next[i]), sign="<-")
    return [*lines, ""]
