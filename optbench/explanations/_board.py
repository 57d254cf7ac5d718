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
import textwrap
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from optbench.explanations._terms import (
    COMPARE,
    Term,
    Unsupported,
    atom,
    combine,
    computed,
    joined,
    literal,
    named,
    negative,
    number_text,
    opposite,
    record,
    several,
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
            return self._closed(function, arguments)

    def work(self, function: Callable[..., Any], *arguments: Term) -> Term:
        """The result of a function. Raises Unsupported where it cannot be worked out."""
        return self._opened(function, arguments, top=True)

    # ------------------------------------------------------------------------------------------ functions

    def _opened(self, function: Callable[..., Any], arguments: Sequence[Term], top: bool = False) -> Term:
        tree = _tree(function)
        names = [part.arg for part in tree.args.args]
        if len(names) != len(arguments) or tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
            raise Unsupported
        frame = Frame(function, dict(zip(names, arguments, strict=True)), frozenset(names), top)
        result = self._run(tree.body, frame)
        if result is None:
            return literal(0)
        return _uncertain(result, frame.own) if frame.doubt else result

    def _closed(self, function: Callable[..., Any], arguments: Sequence[Term]) -> Term:
        """A call by its name."""
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
                return self._term(statement.value, frame) if statement.value else None
            result = self._statement(statement, frame)
            if result is not None:
                return result
        return None

    def _statement(self, statement: ast.stmt, frame: Frame) -> Term | None:
        if isinstance(statement, ast.Assign):
            term = self._term(statement.value, frame)
            for target in statement.targets:
                self._assign(target, term, frame)
            self.reasons.clear()
        elif isinstance(statement, ast.AugAssign):
            before = self._term(_loaded(statement.target), frame)
            self._assign(statement.target, combine(statement.op, before, self._term(statement.value, frame)), frame)
        elif isinstance(statement, ast.If):
            return self._run(statement.body if self._decide(statement.test, frame) else statement.orelse, frame)
        elif isinstance(statement, ast.For):
            return self._loop(statement, frame)
        elif isinstance(statement, ast.While):
            return self._while(statement, frame)
        elif not isinstance(statement, ast.Pass) and not _is_text(statement):
            if not isinstance(statement, ast.Expr):
                raise Unsupported
            self._term(statement.value, frame)
        return None

    def _loop(self, statement: ast.For, frame: Frame) -> Term | None:
        over = self._term(statement.iter, frame).value
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
        while hidden._decide(statement.test, frame):
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
        array = self._term(target.value, frame)
        key = self._index(target.slice, frame)
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
        self._write(Line(name, code, unparsed(term.numbers), term.value, tuple(self.reasons), term.own))
        self.reasons.clear()
        return named(name, term.value, fixed=term.fixed, own=term.own)

    def _write(self, line: Line) -> None:
        if len(self.lines) >= MOST_LINES:
            raise Unsupported
        self.lines.append(line)

    # ------------------------------------------------------------------------------------------ expressions

    def _term(self, node: ast.expr, frame: Frame) -> Term:
        visit = _VISIT.get(type(node))
        if visit is None:
            raise Unsupported
        return visit(self, node, frame)

    def _constant(self, node: ast.Constant, frame: Frame) -> Term:
        return literal(node.value)

    def _name(self, node: ast.Name, frame: Frame) -> Term:
        if node.id in frame.names:
            return frame.names[node.id]
        value = _global(frame.function, node.id)
        if isinstance(value, (int, float)):
            return literal(value)._replace(guard=True)
        if isinstance(value, tuple) and all(isinstance(part, (int, float)) for part in value):
            return several([literal(part) for part in value])
        return Term(value, ast.Name(node.id), ast.Name(node.id), True)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Term:
        base = self._term(node.value, frame)
        if base.parts is not None and node.attr in base.parts:
            return base.parts[node.attr]
        value = getattr(base.value, node.attr)
        if isinstance(base.value, types.ModuleType):
            numbers = atom(node.attr if node.attr == "pi" or callable(value) else number_text(value))
            return Term(value, ast.Name(node.attr), numbers, True)
        if node.attr == "size":
            return literal(value)
        if node.attr == "shape":
            return several([literal(part) for part in value])
        raise Unsupported

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Term:
        base, key = self._term(node.value, frame), self._index(node.slice, frame)
        if base.parts is None:
            raise Unsupported
        if key not in base.parts:
            if isinstance(key, int) and hasattr(base.value, "_fields"):
                return list(base.parts.values())[key]
            raise Unsupported
        return base.parts[key]

    def _index(self, node: ast.expr, frame: Frame) -> Any:
        value = self._term(node, frame).value
        key = tuple(int(part) for part in value) if isinstance(value, tuple) else value
        if not isinstance(key, (int, np.integer, tuple)):
            raise Unsupported
        return key

    def _binary(self, node: ast.BinOp, frame: Frame) -> Term:
        return combine(node.op, self._term(node.left, frame), self._term(node.right, frame))

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Term:
        term = self._term(node.operand, frame)
        if isinstance(node.op, ast.USub):
            if isinstance(node.operand, ast.Constant):
                return literal(-term.value)
            return negative(term)
        if isinstance(node.op, ast.Not):
            return joined(not term.value, lambda parts: ast.UnaryOp(node.op, parts[0]), (term,))
        raise Unsupported

    def _compare(self, node: ast.Compare, frame: Frame) -> Term:
        terms = [self._term(part, frame) for part in (node.left, *node.comparators)]
        pairs = zip(node.ops, terms, terms[1:], strict=False)
        value = all(COMPARE[type(op)](a.value, b.value) for op, a, b in pairs)
        return joined(value, lambda parts: ast.Compare(parts[0], node.ops, parts[1:]), terms)

    def _logic(self, node: ast.BoolOp, frame: Frame) -> Term:
        terms: list[Term] = []
        stop = isinstance(node.op, ast.Or)
        for part in node.values:
            terms.append(self._term(part, frame))
            if bool(terms[-1].value) == stop:
                return terms[-1]
        return joined(not stop, lambda parts: ast.BoolOp(node.op, parts), terms)

    def _tuple(self, node: ast.Tuple, frame: Frame) -> Term:
        return several([self._term(part, frame) for part in node.elts])

    def _either(self, node: ast.IfExp, frame: Frame) -> Term:
        test = self._term(node.test, frame)
        term = self._term(node.body if test.value else node.orelse, frame)
        self._note(test)
        return term if test.fixed else _uncertain(term, test.own)

    def _decide(self, node: ast.expr, frame: Frame) -> bool:
        test = self._term(node, frame)
        self._note(test)
        frame.doubt, frame.own = frame.doubt or not test.fixed, frame.own or test.own
        return bool(test.value)

    def _note(self, test: Term) -> None:
        """Keep what decided, unless it is the settings or a guard against the ends of the numbers."""
        if not test.fixed and not test.guard:
            self.reasons.append(unparsed(test.code if test.value else opposite(test.code)))

    def _call(self, node: ast.Call, frame: Frame) -> Term:
        function = self._term(node.func, frame).value
        arguments = [self._term(part, frame) for part in node.args]
        if isinstance(function, type) and hasattr(function, "_fields"):
            fields = list(function._fields)
            given = dict(zip(fields, arguments, strict=False))
            given |= {part.arg: self._term(part.value, frame) for part in node.keywords if part.arg}
            if set(given) != set(fields):
                raise Unsupported
            values = function(**{key: term.value for key, term in given.items()})
            made = several([given[key] for key in fields])
            return made._replace(value=values, parts={key: given[key] for key in fields})
        if node.keywords:
            raise Unsupported
        inner = any(term.parts is not None for term in arguments)
        if isinstance(function, types.FunctionType) and function.__name__ != "span" and (inner or len(arguments) > 1):
            return self._opened(function, arguments)
        return self._closed(function, arguments)


_VISIT: dict[type[ast.expr], Callable[[Board, Any, Frame], Term]] = {
    ast.Constant: Board._constant,
    ast.Name: Board._name,
    ast.Attribute: Board._attribute,
    ast.Subscript: Board._subscript,
    ast.BinOp: Board._binary,
    ast.UnaryOp: Board._unary,
    ast.Compare: Board._compare,
    ast.BoolOp: Board._logic,
    ast.Tuple: Board._tuple,
    ast.IfExp: Board._either,
    ast.Call: Board._call,
}


def _whole(name: str, value: Any, own: bool) -> Term:
    """A number under a name, or a record of such."""
    return record(value, own=own) if hasattr(value, "_fields") else named(name, value, own=own)


def _uncertain(term: Term, own: bool) -> Term:
    """The term, no longer one of settings alone: a condition decided for it, `own`: one of the coordinate."""
    parts = None if term.parts is None else {key: _uncertain(part, own) for key, part in term.parts.items()}
    return term._replace(fixed=False, own=term.own or own, parts=parts)


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


def _global(function: Callable[..., Any], name: str) -> Any:
    found = inspect.getclosurevars(function)
    for scope in (found.nonlocals, found.globals, found.builtins):
        if name in scope:
            return scope[name]
    raise Unsupported


def _loaded(target: ast.expr) -> ast.expr:
    """The target of an assignment as an expression that is read."""
    return ast.parse(ast.unparse(target), mode="eval").body


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
