"""A plain function worked out on a board: every assignment with its formula, the numbers put in, and the value.

Kernels are plain functions, and what is compiled is what is read here: the syntax tree of the function is walked with
the values of one call, so that no formula has to be written a second time. A helper function is opened where its result
is one expression, which then stands in place of the call; the names that it introduces get lines of their own. A
function of one number is shown by its name, and so is one with constructs that a board cannot show.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import math
import re
import textwrap
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from optbench.explanations._expressions import VISIT
from optbench.explanations._terms import (
    Term,
    Unsupported,
    combine,
    computed,
    joined,
    literal,
    named,
    number_text,
    opposite,
    record,
    uncertain,
    unparsed,
)

MOST_LINES, LONGEST_LOOP = 60, 4


class Line(NamedTuple):
    """One line on the board: ``name = code = numbers = value``.

    `because`: the conditions that decided it; `own`: it is one coordinate's; `arrow`: the name takes a new value, that
    of the next step, and `state`: it is a memory of the optimizer.
    """

    name: str
    code: str
    numbers: str
    value: Any
    because: tuple[str, ...] = ()
    own: bool = False
    arrow: bool = False
    state: bool = False

    @property
    def steps(self) -> list[str]:
        """What stands between the signs of equality, each once."""
        return [text for text in dict.fromkeys((self.code, self.numbers, number_text(self.value))) if text]


@dataclass
class Frame:
    """Names of one call: its arguments and its own. `doubt`: a condition decided the way here, `own` a coordinate's."""

    function: Callable[..., Any]
    names: dict[str, Term]
    arguments: frozenset[str]
    top: bool
    doubt: bool = False
    own: bool = False


@dataclass
class Board:
    """Works functions out; `lines` are those so far. `labels`: names of the entries of arrays that are written to."""

    labels: dict[str, Callable[[Any], str]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def call(self, function: Callable[..., Any], *arguments: Term) -> Term:
        """The result of a function; where it cannot be worked out, its value alone."""
        before = len(self.lines)
        try:
            return self.work(function, *arguments)
        except Unsupported:
            del self.lines[before:]
            return self.closed(function, arguments)

    def work(self, function: Callable[..., Any], *arguments: Term) -> Term:
        """The result of a function. Raises Unsupported where it cannot be worked out."""
        return self.opened(function, arguments, top=True)

    # ------------------------------------------------------------------------------------------ functions

    def opened(self, function: Callable[..., Any], arguments: Sequence[Term], top: bool = False) -> Term:
        tree = _tree(function)
        names = [part.arg for part in tree.args.args]
        if len(names) != len(arguments) or tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
            raise Unsupported
        frame = Frame(function, dict(zip(names, arguments, strict=True)), frozenset(names), top)
        result = self._run(tree.body, frame)
        if result is None:
            return literal(0)
        return uncertain(result, frame.own) if frame.doubt else result

    def closed(self, function: Callable[..., Any], arguments: Sequence[Term]) -> Term:
        """A call by its name, or by its sign where it has one."""
        if function is math.pow:
            return combine(ast.Pow(), *arguments)
        if function is float and len(arguments) == 1:
            return arguments[0]
        value = computed(function, *(term.value for term in arguments))
        name = ast.Name(getattr(function, "__name__", "f"))
        made = joined(value, lambda parts: ast.Call(name, parts, []), arguments)
        if isinstance(value, tuple):
            keys = getattr(value, "_fields", [f"{name.id}(...)"] * len(value))
            parts = [_whole(str(key), part, made.own) for key, part in zip(keys, value, strict=True)]
            return made._replace(parts=dict(zip(getattr(value, "_fields", range(len(value))), parts, strict=True)))
        return made

    # ------------------------------------------------------------------------------------------ statements

    def _run(self, body: Sequence[ast.stmt], frame: Frame) -> Term | None:
        for statement in body:
            if isinstance(statement, ast.Return):
                return self.term(statement.value, frame) if statement.value else None
            result = self._statement(statement, frame)
            if result is not None:
                return result
        return None

    def _statement(self, statement: ast.stmt, frame: Frame) -> Term | None:
        if isinstance(statement, ast.Assign):
            term = self.term(statement.value, frame)
            for target in statement.targets:
                self._assign(target, term, frame)
            self.reasons.clear()
        elif isinstance(statement, ast.AugAssign):
            before = self.term(_loaded(statement.target), frame)
            self._assign(statement.target, combine(statement.op, before, self.term(statement.value, frame)), frame)
        elif isinstance(statement, ast.If):
            return self._run(statement.body if self.decide(statement.test, frame) else statement.orelse, frame)
        elif isinstance(statement, ast.For):
            return self._loop(statement, frame)
        elif isinstance(statement, ast.While):
            self._while(statement, frame)
        elif not isinstance(statement, ast.Pass) and not _is_text(statement):
            if not isinstance(statement, ast.Expr):
                raise Unsupported
            self.term(statement.value, frame)
        return None

    def _loop(self, statement: ast.For, frame: Frame) -> Term | None:
        over = self.term(statement.iter, frame).value
        if not isinstance(over, range) or len(over) > LONGEST_LOOP or not isinstance(statement.target, ast.Name):
            raise Unsupported
        for k in over:
            frame.names[statement.target.id] = literal(k)
            result = self._run(statement.body, frame)
            if result is not None:
                return result
        return None

    def _while(self, statement: ast.While, frame: Frame) -> None:
        """A loop that searches a number: what it found, without its way there."""
        hidden = Board(lines=[], labels=self.labels)
        before = dict(frame.names)
        while hidden.decide(statement.test, frame):
            if hidden._run(statement.body, frame) is not None:
                raise Unsupported
            hidden.lines.clear()
        for name, term in frame.names.items():
            if term is not before.get(name):
                frame.names[name] = named(name, term.value, own=term.own)
                self._write(Line(name, number_text(term.value), number_text(term.value), term.value, (), term.own))

    def _assign(self, target: ast.expr, term: Term, frame: Frame) -> None:
        if isinstance(target, ast.Name):
            frame.names[target.id] = self._bound(target.id, term, frame)
        elif isinstance(target, ast.Tuple):
            if term.parts is None or len(term.parts) != len(target.elts):
                raise Unsupported
            for part, value in zip(target.elts, term.parts.values(), strict=True):
                self._assign(part, value, frame)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self._store(target, term, frame)
        else:
            raise Unsupported

    def _store(self, target: ast.Subscript, term: Term, frame: Frame) -> None:
        array = self.term(target.value, frame)
        key = self.index(target.slice, frame)
        name = unparsed(array.code)
        if not isinstance(array.parts, dict) or name not in self.labels:
            raise Unsupported
        label = self.labels[name](key)
        array.parts[key] = named(label, term.value, own=term.own)
        self._write(Line(label, unparsed(term.code), unparsed(term.numbers), term.value, (), term.own))

    def _bound(self, name: str, term: Term, frame: Frame) -> Term:
        """What a name stands for from here on; a line for it, unless it says nothing."""
        if not frame.top and name in frame.arguments:
            return term  # a helper's argument: the caller's expression goes on
        if term.parts is not None:
            if not hasattr(term.value, "_fields"):
                return term
            prefix = "" if name in frame.arguments else f"{name}."
            parts = {key: self._bound(f"{prefix}{key}", part, frame) for key, part in term.parts.items()}
            return term._replace(parts=parts)
        code = unparsed(term.code)
        alias = isinstance(term.code, ast.Name) and term.code.id.isidentifier() and not self.reasons
        plain = term.fixed and (term.value in (0, 1) or code == number_text(term.value))
        if code == name or name == "_" or alias or plain:
            return term
        shown = self._numbered(name, code)
        self._write(Line(shown, code, unparsed(term.numbers), term.value, tuple(self.reasons), term.own))
        self.reasons.clear()
        return named(shown, term.value, fixed=term.fixed, own=term.own)

    def _numbered(self, name: str, code: str) -> str:
        """The name that a new value goes by: ``power_2`` of what comes from ``power``, so that both can be told."""
        if not re.search(rf"(?<![\w.]){re.escape(name)}(_\d+)?(?![\w.(])", code):
            return name
        taken = {line.name for line in self.lines}
        return next(text for k in itertools.count(2) if (text := f"{name}_{k}") not in taken)

    def _write(self, line: Line) -> None:
        if len(self.lines) >= MOST_LINES:
            raise Unsupported
        self.lines.append(line)

    def term(self, node: ast.expr, frame: Frame) -> Term:
        visit = VISIT.get(type(node))
        if visit is None:
            raise Unsupported
        return visit(self, node, frame)

    def index(self, node: ast.expr, frame: Frame) -> Any:
        value = self.term(node, frame).value
        key = tuple(int(part) for part in value) if isinstance(value, tuple) else value
        if not isinstance(key, (int, np.integer, tuple)):
            raise Unsupported
        return key

    def decide(self, node: ast.expr, frame: Frame) -> bool:
        test = self.term(node, frame)
        self.note(test)
        frame.doubt, frame.own = frame.doubt or not test.fixed, frame.own or test.own
        return bool(test.value)

    def note(self, test: Term) -> None:
        """Keep what decided, unless it is the settings or a guard against the ends of the numbers."""
        if not test.fixed and not test.guard:
            self.reasons.append(unparsed(test.code if test.value else opposite(test.code)))


def _whole(name: str, value: Any, own: bool) -> Term:
    """A number under a name, or a record of such."""
    return record(value, own=own) if hasattr(value, "_fields") else named(name, value, own=own)


@functools.cache
def _tree(function: Callable[..., Any]) -> ast.FunctionDef:
    """Syntax tree of a function. Raises Unsupported where there is no source of its own."""
    if not isinstance(function, types.FunctionType):
        raise Unsupported
    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        raise Unsupported from None
    if not isinstance(node, ast.FunctionDef):
        raise Unsupported
    return node


def _loaded(target: ast.expr) -> ast.expr:
    """The target of an assignment as an expression that is read."""
    return ast.parse(ast.unparse(target), mode="eval").body


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
