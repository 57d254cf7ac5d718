"""The steps of a run worked out: learning rate, clipping, update, from the functions that its kernels are made of."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optbench import harness
from optbench.clipping import clip, coefficient
from optbench.explanations._board import Board, Line
from optbench.explanations._terms import Term, bracketed, named, number_text, record, unparsed
from optbench.kernels import form_of
from optbench.methods import Optimizer
from optbench.optimize import OptimizeResult
from optbench.outcome import Run
from optbench.records import Empty, encode
from optbench.schedules._warmup import warmup_target, warmup_value
from optbench.types import Array, Problem

GIVEN = "lr_given"  # the learning rate that the schedule starts from


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes
    ----------
    t : int
        1, 2, ...
    lr : float
        Learning rate of the step; for a method with a search the step length that it found.
    x, gradient : ndarray, shape (n,)
        The point and its gradient, before clipping.
    f, f_next : float
        Objective before and after.
    x_next : ndarray, shape (n,)
        The next point, as the compiled run gives it.
    before, multipliers, kkt : ndarray, shape (m,), twice, and float, or None
        For a problem with constraints the multipliers of this and of the next point, and the latter's KKT residual.
    rate, shared, norms : tuple of Line
        How the schedule and the clipping come to their numbers; what the update computes once for all coordinates; the
        norms of the parameter groups and what comes of them, after the directions u.
    updates : mapping of int to tuple of Line
        For the coordinates that are shown the lines of their update; the last one gives their next value.
    state : mapping of int to dict
        What the optimizer remembers of them after the step.
    """

    t: int
    lr: float
    x: Array
    gradient: Array
    f: float
    f_next: float
    x_next: Array
    before: Array | None = None
    multipliers: Array | None = None
    kkt: float | None = None
    rate: tuple[Line, ...] = ()
    shared: tuple[Line, ...] = ()
    norms: tuple[Line, ...] = ()
    updates: Mapping[int, tuple[Line, ...]] | None = None
    state: Mapping[int, dict[str, float]] | None = None

    @property
    def worked(self) -> dict[int, float]:
        """The next values of the coordinates that are shown, as the lines give them."""
        values: dict[int, float] = {}
        for i, lines in (self.updates or {}).items():
            values[i] = next(float(line.value) for line in reversed(lines) if line.arrow and not line.state)
        return values


def steps_of(
    problem: Problem, run: Run, result: OptimizeResult, names: Sequence[str], shown: Sequence[int], count: int
) -> list[Step]:
    """The first `count` steps of a run that was recorded with all its points; fewer where it had fewer."""
    points = result.columns["x"]
    method = harness.method_of(run, problem)
    work = _Work(problem, method, names, shown) if isinstance(method.optimizer, Optimizer) else None
    made = []
    for k in range(min(count, len(points) - 1)):
        f, gradient = problem.fun_and_grad(points[k])
        lr = float(result.columns["lr"][k])
        facts: dict[str, Any] = {}
        if "multipliers" in result.columns:
            before, after = result.columns["multipliers"][k : k + 2]
            facts = {"before": before, "multipliers": after, "kkt": float(result.columns["kkt"][k + 1])}
        if work is not None:
            facts |= work.step(k, points[k], f, gradient, lr)
        f_next = float(problem.fun(points[k + 1]))
        made.append(Step(k + 1, lr, points[k], gradient, f, f_next, points[k + 1], **facts))
    return made


class _Work:
    """Schedule and optimizer of a run, with what they remember from step to step."""

    def __init__(self, problem: Problem, method: Any, names: Sequence[str], shown: Sequence[int]) -> None:
        self.problem, self.method, self.names, self.shown = problem, method, names, shown
        self.optimizer: Optimizer = method.optimizer
        self.params = encode(method.params)
        self.settings = encode(method.schedule_params)
        self.update, state = form_of(self.optimizer, self.params)
        start = self.optimizer.init(self.params) if self.optimizer.init else state(*[0.0] * len(state._fields))  # type: ignore[attr-defined]
        self.all = self.optimizer.scale is not None  # norms need every coordinate
        self.states = dict.fromkeys(range(problem.n) if self.all else shown, start)
        self.kept: dict[bool, Any] = dict.fromkeys((False, True), self.optimizer.shared())
        self.observed: Any = method.schedule.state()
        self.seen: tuple[float, float] | None = None
        self.spared = self._spared()

    def _spared(self) -> set[int]:
        """Coordinates that weight decay leaves alone."""
        if self.method.decay_bias:
            return set()
        sizes = np.cumsum([group.size for group in self.problem.groups])
        groups = zip(self.problem.groups, sizes, strict=True)
        return {i for group, end in groups if group.bias for i in range(end - group.size, end)}

    def step(self, k: int, x: Array, f: float, gradient: Array, lr: float) -> dict[str, Any]:
        """What there is to say of step k = 0, 1, ..., and its effect on what is remembered."""
        rate = self._rate(Board(), k)
        g = self._clipped(gradient, rate)
        self.seen = (f, lr)
        t = named("t", k + 1)
        shared, constants = Board(), {}
        for spared in sorted({i in self.spared for i in self.states}):
            constants[spared] = self._constants(shared, t, lr, spared)
        updates = {i: self._first(i, x, gradient, g, constants[i in self.spared], shared) for i in self.shown}
        norms = self._scaled(x, g, constants, updates) if self.all else []
        lines = list(dict.fromkeys(shared.lines))
        return {
            "rate": tuple(rate),
            "shared": tuple(line for line in lines if not line.own),
            "norms": tuple(norms),
            "updates": {i: tuple(made) for i, made in updates.items()},
            "state": {i: self.states[i]._asdict() for i in self.shown},
        }

    def _rate(self, board: Board, k: int) -> list[Line]:
        method, given = self.method, named(GIVEN, self.method.lr)
        if k < method.warmup:
            peak = named(GIVEN, warmup_target(method.schedule, method.lr, self.settings))
            start = named("warmup_start", method.warmup_start)
            term = board.call(warmup_value, named("t", k), peak, named("warmup", method.warmup), start)
        elif not method.schedule.observes:
            settings = record(self.settings, fixed=True)
            term = board.call(method.schedule.value, named("t", k - method.warmup), given, settings)
        elif self.seen is None or k <= method.warmup:
            return []
        else:
            f, before = self.seen
            old = record(self.observed, suffix="_old")
            settings = record(self.settings, fixed=True)
            out = board.call(method.schedule.value, named("f", f), named("lr_old", before), settings, old)
            assert out.parts is not None
            self.observed, term = out.value[1], out.parts[0]
        code = unparsed(term.code)
        if code == GIVEN:
            return []
        return [*board.lines, Line("lr", code, unparsed(term.numbers), term.value, tuple(board.reasons))]

    def _clipped(self, gradient: Array, lines: list[Line]) -> Array:
        kind, limit = self.method.clip
        if kind == "none":
            return gradient
        if kind == "value":
            return clip(gradient, value=limit)
        norm = float(np.linalg.norm(gradient))
        board = Board()
        term = board.call(coefficient, named("||g||", norm), named("limit", limit))
        lines.append(Line("||g||", "", "", norm))
        lines += board.lines
        if term.value == 1.0:
            lines.append(Line("c", "1", "1", 1.0, tuple(board.reasons)))
        return np.asarray(gradient * term.value)

    def _constants(self, board: Board, t: Term, lr: float, spared: bool) -> Term:
        params = self.params._replace(weight_decay=0.0) if spared else self.params
        arguments = [t, named("lr", lr), record(params, fixed=True)]
        if self.optimizer.shared is Empty:
            return board.call(self.optimizer.constants, *arguments)
        out = board.call(self.optimizer.constants, *arguments, record(self.kept[spared], suffix="_old"))
        assert out.parts is not None
        c, after = out.parts.values()
        self.kept[spared] = after.value
        return c

    def _first(self, i: int, x: Array, gradient: Array, g: Array, c: Term, shared: Board) -> list[Line]:
        """The lines of one coordinate's update, or, with norms, of its direction u."""
        board = Board()
        slope = f"d{'J' if self.problem.samples else 'f'}/d{self.names[i]}"
        arguments = [named(self.names[i], float(x[i]), own=True), named("g", float(g[i]), own=True)]
        out = board.call(self.update, *arguments, record(self.states[i], own=True, suffix="_old"), c)
        shared.lines += [line for line in board.lines if not line.own]
        lines = [self._gradient_line(slope, float(gradient[i]), float(g[i]))]
        lines += [line for line in board.lines if line.own]
        assert out.parts is not None
        if self.all:
            return [*lines, *_result("u", out, board, arrow=False)]
        self.states[i] = out.value[1]
        lines += _result(self.names[i], out, board)
        if len(lines) == 2 and self.method.clip[0] == "none":  # the gradient is used once: it stands in its place
            code, *because = (re.sub(r"\bg\b", slope, text) for text in (lines[1].code, *lines[1].because))
            return [lines[1]._replace(code=code, because=tuple(because))]
        return lines

    def _gradient_line(self, slope: str, raw: float, g: float) -> Line:
        kind, limit = self.method.clip
        if kind == "none":
            return Line("g", slope, slope, g, own=True)
        if kind == "norm":
            factor = g / raw if raw else 1.0
            return Line("g", f"c * {slope}", f"{number_text(factor)} * {bracketed(raw)}", g, own=True)
        ends = f"{number_text(-limit)}, {number_text(limit)}"
        return Line("g", f"{slope} within [{ends}]", f"{number_text(raw)} within [{ends}]", g, own=True)

    def _scaled(self, x: Array, g: Array, constants: Mapping[bool, Term], updates: dict[int, list[Line]]) -> list[Line]:
        """Norms and scale of every group; it moves all coordinates, with lines for those that are shown."""
        assert self.optimizer.scale is not None
        assert self.optimizer.finish is not None
        directions = np.empty(self.problem.n)
        for i in range(self.problem.n):
            c = constants[i in self.spared].value
            directions[i], self.states[i] = self.update(float(x[i]), float(g[i]), self.states[i], c)
        end, lines = 0, []
        for group in self.problem.groups:
            first, end = end, end + group.size
            here, u = x[first:end], directions[first:end]
            norms = [math.sqrt(float(part @ part)) for part in (here, u)]
            board, c = Board(), constants[first in self.spared]
            s = board.call(self.optimizer.scale, named("||x||", norms[0]), named("||u||", norms[1]), c)
            title = "" if len(self.problem.groups) == 1 else f"[{group.name}]"
            made = [Line(f"s{title}", unparsed(s.code), unparsed(s.numbers), s.value, tuple(board.reasons))]
            lengths = [Line(f"||{v}||{title}", "", "", norm) for v, norm in zip("xu", norms, strict=True)]
            lines += [*lengths, *board.lines, *made]
            for i in range(first, end):
                self._finish(i, float(x[i]), float(directions[i]), named(f"s{title}", s.value), c, updates)
        return lines

    def _finish(self, i: int, x: float, u: float, s: Term, c: Term, updates: dict[int, list[Line]]) -> None:
        assert self.optimizer.finish is not None
        before = self.states[i]
        if i not in updates:
            self.states[i] = self.optimizer.finish(x, u, s.value, before, c.value)[1]
            return
        board = Board()
        arguments = [named(self.names[i], x, own=True), named("u", u, own=True), s]
        out = board.call(self.optimizer.finish, *arguments, record(before, own=True, suffix="_old"), c)
        self.states[i] = out.value[1]
        updates[i] += [*(line for line in board.lines if line.own), *_result(self.names[i], out, board)]


def _result(name: str, out: Term, board: Board, arrow: bool = True) -> list[Line]:
    """The lines of what an update returns: the next value, and what it remembers where that has no line yet."""
    assert out.parts is not None
    value, state = out.parts.values()
    lines = []
    for key, part in (state.parts or {}).items():
        code = unparsed(part.code)
        if code not in (key, f"{key}_old"):
            lines.append(Line(str(key), code, unparsed(part.numbers), part.value, own=True, arrow=True, state=True))
    code = unparsed(value.code)
    because = tuple(board.reasons)
    return [*lines, Line(name, code, unparsed(value.numbers), value.value, because, own=True, arrow=arrow)]
