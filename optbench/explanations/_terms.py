"""Terms of a worked formula: a value, the expression that gives it, and the same with numbers put in."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

DIGITS = 6  # of every number that is printed

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OPPOSITE: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.GtE(),
    ast.GtE: ast.Lt(),
    ast.Gt: ast.LtE(),
    ast.LtE: ast.Gt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
}


class Unsupported(Exception):  # noqa: N818  (no error: the function is shown by its name instead)
    """A function has a construct that is not worked out statement by statement."""


def number_text(value: Any) -> str:
    """Text of a number with `DIGITS` significant digits, or all of a whole one; of anything else its own."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return str(value)
    if isinstance(value, (int, np.integer)) and abs(int(value)) < 10**9:
        return str(int(value))
    number = float(value)
    text = f"{number:.0f}" if 1e6 <= abs(number) < 1e9 else f"{number:.{DIGITS}g}"
    return "0" if text == "-0" else text


def atom(text: str) -> ast.expr:
    """An expression that prints as `text`, in parentheses where it starts with a sign."""
    return ast.Name(f"({text})" if text.startswith("-") else text)


def unparsed(code: ast.expr) -> str:
    """Text of an expression; a negative number that stands first, or alone in a call, needs no parentheses."""
    text = re.sub(r"\((\(-[^()\s]+\))\)", r"\1", ast.unparse(code)).replace(" ** ", "^")
    return re.sub(r"^\((-[^()\s]+)\)(?!\^)", r"\1", text)


def bracketed(value: float) -> str:
    """Text of a number as a part of a formula: a negative one in parentheses."""
    return ast.unparse(atom(number_text(value)))


class Term(NamedTuple):
    """A value on the board.

    `code` is its expression in the reader's names, `numbers` the same with numbers. `fixed`: made of settings alone;
    `own`: depends on the coordinate at hand; `guard`: has a constant of its module in it. `parts`: fields of a record
    by name, entries of a tuple or an array by index.
    """

    value: Any
    code: ast.expr
    numbers: ast.expr
    fixed: bool = False
    own: bool = False
    guard: bool = False
    parts: Mapping[Any, Term] | None = None


def named(name: str, value: Any, *, fixed: bool = False, own: bool = False) -> Term:
    """A number under a name."""
    return Term(value, ast.Name(name), atom(number_text(value)), fixed, own)


def literal(value: Any) -> Term:
    """A number that stands for itself."""
    return Term(value, atom(number_text(value)), atom(number_text(value)), True)


def record(value: Any, *, fixed: bool = False, own: bool = False, suffix: str = "") -> Term:
    """A record whose fields go by their names, followed by `suffix`."""
    parts = {
        key: array(part, key) if isinstance(part, np.ndarray) else named(key + suffix, part, fixed=fixed, own=own)
        for key, part in zip(value._fields, value, strict=True)
    }
    return Term(value, ast.Name(type(value).__name__), ast.Name("..."), fixed, own, parts=parts)


def array(value: Any, name: str, *, names: Sequence[str] = (), fixed: bool = True) -> Term:
    """An array whose entries are ``name[i]``, or have `names` of their own. Large ones are Unsupported when read."""
    parts: dict[Any, Term] = {}
    if value.size <= 64:
        for index, entry in np.ndenumerate(value):
            key = index[0] if len(index) == 1 else index
            text = names[index[0]] if names else f"{name}[{','.join(map(str, index))}]"
            parts[key] = named(text, float(entry), fixed=fixed)
    return Term(value, ast.Name(name), ast.Name("..."), fixed, parts=parts)


def several(terms: Sequence[Term]) -> Term:
    """A tuple."""
    return Term(
        tuple(term.value for term in terms),
        ast.Tuple([term.code for term in terms]),
        ast.Tuple([term.numbers for term in terms]),
        all(term.fixed for term in terms),
        any(term.own for term in terms),
        parts=dict(enumerate(terms)),
    )


def joined(value: Any, make: Callable[[list[ast.expr]], ast.expr], terms: Sequence[Term]) -> Term:
    """What comes of several terms by the node that `make` makes of their expressions."""
    return Term(
        value,
        make([term.code for term in terms]),
        make([term.numbers for term in terms]),
        all(term.fixed for term in terms),
        any(term.own for term in terms),
        any(term.guard for term in terms),
    )


def combine(op: ast.operator, left: Term, right: Term) -> Term:
    """A sum, product, ...; factors 1 and terms 0 that are so by the settings are left out of the expressions."""
    value = computed(ARITHMETIC[type(op)], left.value, right.value)
    kept: Term | None = None
    if isinstance(op, ast.Mult):
        kept = left if _is(left, 0) or _is(right, 1) else right if _is(right, 0) or _is(left, 1) else None
    elif isinstance(op, ast.Add):
        kept = left if _is(right, 0) else right if _is(left, 0) else None
    elif isinstance(op, ast.Sub) and _is(left, 0):
        return negative(right)
    elif isinstance(op, ast.Sub):
        kept = left if _is(right, 0) else None
    elif isinstance(op, ast.Div):
        kept = left if _is(left, 0) or _is(right, 1) else None
    if kept is not None:
        return kept._replace(value=value)
    return joined(value, lambda parts: ast.BinOp(parts[0], op, parts[1]), (left, right))


def _is(term: Term, value: int) -> bool:
    """Whether the settings make the term this number."""
    return term.fixed and bool(term.value == value)


def negative(term: Term) -> Term:
    """The term with the other sign."""
    return joined(-term.value, lambda parts: ast.UnaryOp(ast.USub(), parts[0]), (term,))


def computed(function: Callable[..., Any], *values: Any) -> Any:
    """The value of a function as compiled code gives it: NaN and infinities, where Python raises."""
    try:
        return function(*values)
    except ZeroDivisionError:
        with np.errstate(all="ignore"):
            return float(function(*(np.float64(value) for value in values)))
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def opposite(code: ast.expr) -> ast.expr:
    """The expression of a condition that does not hold, turned into one that does."""
    if isinstance(code, ast.Compare) and len(code.ops) == 1:
        return ast.Compare(code.left, [_OPPOSITE[type(code.ops[0])]], code.comparators)
    if isinstance(code, ast.BoolOp):
        other: ast.boolop = ast.And() if isinstance(code.op, ast.Or) else ast.Or()
        return ast.BoolOp(other, [opposite(part) for part in code.values])
    return ast.UnaryOp(ast.Not(), code)


def uncertain(term: Term, own: bool) -> Term:
    """The term, no longer one of settings alone: a condition decided for it, `own`: one of the coordinate."""
    parts = None if term.parts is None else {key: uncertain(part, own) for key, part in term.parts.items()}
    return term._replace(fixed=False, own=term.own or own, parts=parts)
