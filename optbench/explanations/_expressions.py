"""Expressions of a function on the board: what each kind of them comes to."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from optbench.explanations._terms import (
    COMPARE,
    Term,
    Unsupported,
    atom,
    combine,
    joined,
    literal,
    negative,
    number_text,
    several,
    uncertain,
)

if TYPE_CHECKING:
    from optbench.explanations._board import Board, Frame


def _constant(board: Board, node: ast.Constant, frame: Frame) -> Term:
    return literal(node.value)


def _name(board: Board, node: ast.Name, frame: Frame) -> Term:
    if node.id in frame.names:
        return frame.names[node.id]
    value = _global(frame.function, node.id)
    if isinstance(value, (int, float)):
        return literal(value)._replace(guard=True)
    if isinstance(value, tuple) and all(isinstance(part, (int, float)) for part in value):
        return several([literal(part) for part in value])
    return Term(value, ast.Name(node.id), ast.Name(node.id), True)


def _attribute(board: Board, node: ast.Attribute, frame: Frame) -> Term:
    base = board.term(node.value, frame)
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


def _subscript(board: Board, node: ast.Subscript, frame: Frame) -> Term:
    base, key = board.term(node.value, frame), board.index(node.slice, frame)
    if base.parts is None:
        raise Unsupported
    if key not in base.parts:
        if isinstance(key, int) and hasattr(base.value, "_fields"):
            return list(base.parts.values())[key]
        raise Unsupported
    return base.parts[key]


def _binary(board: Board, node: ast.BinOp, frame: Frame) -> Term:
    return combine(node.op, board.term(node.left, frame), board.term(node.right, frame))


def _unary(board: Board, node: ast.UnaryOp, frame: Frame) -> Term:
    term = board.term(node.operand, frame)
    if isinstance(node.op, ast.USub):
        if isinstance(node.operand, ast.Constant):
            return literal(-term.value)
        return negative(term)
    if isinstance(node.op, ast.Not):
        return joined(not term.value, lambda parts: ast.UnaryOp(node.op, parts[0]), (term,))
    raise Unsupported


def _compare(board: Board, node: ast.Compare, frame: Frame) -> Term:
    terms = [board.term(part, frame) for part in (node.left, *node.comparators)]
    pairs = zip(node.ops, terms, terms[1:], strict=False)
    value = all(COMPARE[type(op)](a.value, b.value) for op, a, b in pairs)
    return joined(value, lambda parts: ast.Compare(parts[0], node.ops, parts[1:]), terms)


def _logic(board: Board, node: ast.BoolOp, frame: Frame) -> Term:
    terms: list[Term] = []
    stop = isinstance(node.op, ast.Or)
    for part in node.values:
        terms.append(board.term(part, frame))
        if bool(terms[-1].value) == stop:
            return terms[-1]
    return joined(not stop, lambda parts: ast.BoolOp(node.op, parts), terms)


def _tuple(board: Board, node: ast.Tuple, frame: Frame) -> Term:
    return several([board.term(part, frame) for part in node.elts])


def _either(board: Board, node: ast.IfExp, frame: Frame) -> Term:
    test = board.term(node.test, frame)
    board.note(test)
    term = board.term(node.body if test.value else node.orelse, frame)
    return term if test.fixed else uncertain(term, test.own)


def _call(board: Board, node: ast.Call, frame: Frame) -> Term:
    function = board.term(node.func, frame).value
    arguments = [board.term(part, frame) for part in node.args]
    if isinstance(function, type) and hasattr(function, "_fields"):
        fields = list(function._fields)
        given = dict(zip(fields, arguments, strict=False))
        given |= {part.arg: board.term(part.value, frame) for part in node.keywords if part.arg}
        if set(given) != set(fields):
            raise Unsupported
        values = function(**{key: term.value for key, term in given.items()})
        made = several([given[key] for key in fields])
        return made._replace(value=values, parts={key: given[key] for key in fields})
    if node.keywords:
        raise Unsupported
    inner = any(term.parts is not None for term in arguments)
    if isinstance(function, types.FunctionType) and function.__name__ != "span" and (inner or len(arguments) > 1):
        return board.opened(function, arguments)
    return board.closed(function, arguments)


def _global(function: Callable[..., Any], name: str) -> Any:
    found = inspect.getclosurevars(function)
    for scope in (found.nonlocals, found.globals, found.builtins):
        if name in scope:
            return scope[name]
    raise Unsupported


VISIT: dict[type[ast.expr], Callable[[Board, Any, Frame], Term]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _logic,
    ast.Tuple: _tuple,
    ast.IfExp: _either,
    ast.Call: _call,
}
