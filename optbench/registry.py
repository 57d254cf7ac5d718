"""Registration, discovery and look-up by name of problems, optimizers and schedules.

A file in ``optbench/optimizers``, ``optbench/schedules`` or ``problems`` registers what it defines with a decorator
below; nothing else has to be told. A user's file does the same. No decorator compiles or changes the function.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from optbench.methods import AnyMethod, Descent, Lagrangian, Optimizer, Schedule, Variant
from optbench.parallel import with_one_thread
from optbench.records import Empty, fields
from optbench.types import Problem

# What settings with these annotations take.
KINDS: dict[Any, tuple[str, Any]] = {int: ("a whole number", int), float: ("a number", (int, float))}
KINDS |= {bool: ("true or false", bool), str: ("a string", str)}
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class UnknownName(ValueError):  # noqa: N818  (reads as the sentence it is)
    """A name or key that nothing is registered under; the message lists the known ones and the nearest."""


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownName:
    """The error for a name that is not among `known`: what, the nearest match, and all known ones."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownName(f"unknown {what} {name!r}.{hint} Known: {', '.join(names) or 'none'}")


class Registry(Generic[T]):
    """Names of one kind, discovered by importing the modules of its packages on first use."""

    def __init__(self, kind: str, *packages: str) -> None:
        self.kind = kind
        self.packages = packages
        self._items: dict[str, T] = {}
        self._modules: dict[str, str] = {}
        self._discovered = False

    def add(self, name: str, item: T, module: str) -> None:
        """Register; a name that another module holds is an error, the same module may replace its own."""
        if name in self._items and self._modules[name] != module:
            raise ValueError(f"{self.kind} {name!r} is registered already, by {self._modules[name]}")
        self._items[name] = item
        self._modules[name] = module

    def names(self) -> list[str]:
        """All names, sorted."""
        if not self._discovered:
            for package in self.packages:
                for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
                    if not module.name.rpartition(".")[2].startswith("_"):
                        importlib.import_module(module.name)
            self._discovered = True
        return sorted(self._items)

    def get(self, name: str) -> T:
        """The item of that name. Raises UnknownName."""
        if name not in self._items and name not in self.names():
            raise unknown(self.kind, name, self.names())
        return self._items[name]


class ProblemFactory:
    """A registered way to make problems: ``factory(**settings) -> Problem``."""

    def __init__(self, name: str, make: Callable[..., Problem], source: str, tags: tuple[str, ...]) -> None:
        self.name, self.make, self.source, self.tags = name, make, source, tags
        self.doc = _doc(make)
        self.parameters = inspect.signature(make, eval_str=True).parameters

    def defaults(self) -> dict[str, Any]:
        """Settings and their defaults."""
        return {key: parameter.default for key, parameter in self.parameters.items()}

    def __call__(self, **settings: Any) -> Problem:
        """Make the problem. Raises UnknownName for an unknown setting, ValueError for a bad value."""
        for key in settings:
            if key not in self.parameters:
                raise unknown(f"setting of problem {self.name!r}:", key, self.parameters)
        settings = {key: _setting(self.name, self.parameters[key], value) for key, value in settings.items()}
        problem = with_one_thread(self.make, settings)
        problem.name, problem.doc, problem.source = self.name, self.doc, self.source
        problem.settings = problem.resolved or {**self.defaults(), **settings}
        problem.resolved = {}  # it is not what a factory resolved that made its problem from this one
        problem.tags = tuple(dict.fromkeys((*self.tags, *problem.tags)))
        return problem


def _setting(problem: str, parameter: inspect.Parameter, value: Any) -> Any:
    """The value of a setting, one number in one type: equal settings give equal problems."""
    text, kinds = KINDS.get(wanted := parameter.annotation, ("", object))
    huge = wanted is float and isinstance(value, int) and abs(value) > sys.float_info.max
    if text and (not isinstance(value, kinds) or isinstance(value, bool) != (wanted is bool) or huge):
        raise ValueError(f"problem {problem!r}: {parameter.name} takes {text}, not {value!r}")
    if parameter.name == "n" and value < 1:
        raise ValueError(f"problem {problem!r}: n must be at least 1, not {value!r}")
    return float(value) if wanted is float else value


PROBLEMS: Registry[ProblemFactory] = Registry("problem", "optbench.problems")
OPTIMIZERS: Registry[AnyMethod] = Registry("optimizer", "optbench.optimizers", "optbench.constrained")
SCHEDULES: Registry[Schedule] = Registry("schedule", "optbench.schedules")


def problem(*, source: str = "", tags: tuple[str, ...] = (), name: str | None = None) -> Callable[[F], F]:
    """Register a factory ``f(**settings) -> Problem`` under its function's name (or `name`).

    The factory's parameters are the problem's settings: annotate them and give each a default.
    """

    def register(make: F) -> F:
        stem = name or make.__name__
        PROBLEMS.add(stem, ProblemFactory(stem, make, source, tags), make.__module__)
        return make

    return register


def optimizer(
    *,
    lr: float,
    params: type = Empty,
    state: type = Empty,
    shared: type = Empty,
    constants: Callable[..., Any] | None = None,
    scale: Callable[..., float] | None = None,
    finish: Callable[..., Any] | None = None,
    init: Callable[..., Any] | None = None,
    variants: Mapping[str, Variant] | None = None,
    source: str = "",
    name: str | None = None,
) -> Callable[[F], F]:
    """Register ``update(x, g, state, c) -> (x, state)`` of one coordinate as an optimizer; see `Optimizer`.

    Without `constants`, `c` is the tuple ``(lr, params)``.
    """

    def register(update: F) -> F:
        stem = name or update.__name__
        for record in (params, state, shared):
            fields(record)  # raises here, at the definition, for an annotation that no kernel can take
        made = Optimizer(
            name=stem,
            update=update,
            constants=constants or lr_and_params,
            params=params,
            state=state,
            shared=shared,
            scale=scale,
            finish=finish or (descend if scale else None),
            init=init,
            variants=variants or {},
            lr=lr,
            doc=_doc(update),
            source=source,
        )
        OPTIMIZERS.add(stem, made, update.__module__)
        return update

    return register


def descent(
    *,
    params: type,
    memory: Callable[..., Any],
    needs: str = "gradient",
    search: str = "wolfe",
    curvature: float = 0.9,
    lr: float = 1.0,
    source: str = "",
    name: str | None = None,
) -> Callable[[F], F]:
    """Register ``direction(t, at, d, memory, params) -> step`` as a method with a search of its own; see `Descent`."""

    def register(direction: F) -> F:
        stem = name or direction.__name__
        fields(params)
        made = Descent(
            stem, direction, params, memory, needs, search, curvature, lr, doc=_doc(direction), source=source
        )
        OPTIMIZERS.add(stem, made, direction.__module__)
        return direction

    return register


def lagrangian(
    *,
    params: type,
    memory: Callable[..., Any],
    inner: str = "none",
    hessian: bool = False,
    lr: float = 1e-2,
    source: str = "",
    name: str | None = None,
) -> Callable[[F], F]:
    """Register ``iterate(t, at, evaluate, inner, memory, params) -> step`` for constraints; see `Lagrangian`."""

    def register(iterate: F) -> F:
        stem = name or iterate.__name__
        fields(params)
        made = Lagrangian(stem, iterate, params, memory, inner, hessian, lr, doc=_doc(iterate), source=source)
        OPTIMIZERS.add(stem, made, iterate.__module__)
        return iterate

    return register


def search_of(optimizer: str, params: Mapping[str, Any]) -> str:
    """What sets the step of a method with these hyperparameters: 'none' is the schedule. See `Descent.search_of`.

    A Lagrangian method answers for its inner optimizer. Raises UnknownName.
    """
    method = OPTIMIZERS.get(optimizer)
    if isinstance(method, Lagrangian) and method.inner != "none":
        return search_of(str(params.get("inner", method.params().inner)), {})
    given = {key: value for key, value in params.items() if key in [field.name for field in fields(method.params)]}
    return method.search_of(method.params(**given))


def lr_and_params(t, lr, params):  # type: ignore[no-untyped-def]
    """The default `constants` of an optimizer."""
    return lr, params


def descend(x, u, s, state, c):  # type: ignore[no-untyped-def]
    """Finish of an optimizer with `scale` that names none."""
    return x - s * u, state


def schedule(
    *, params: type = Empty, state: type = Empty, source: str = "", name: str | None = None
) -> Callable[[F], F]:
    """Register ``value(t, lr, params) -> lr_t``, or with `state` an observing schedule; see `Schedule`."""

    def register(value: F) -> F:
        stem = name or value.__name__
        for record in (params, state):
            fields(record)
        SCHEDULES.add(stem, Schedule(stem, value, params, state, _doc(value), source), value.__module__)
        return value

    return register


def _doc(function: Callable[..., Any]) -> str:
    module = inspect.getmodule(function)
    return "\n\n".join(part for part in (inspect.getdoc(module), inspect.getdoc(function)) if part)


def list_problems() -> list[str]:
    """Names of all problems, sorted."""
    return PROBLEMS.names()


def list_optimizers() -> list[str]:
    """Names of all optimizers, sorted."""
    return OPTIMIZERS.names()


def list_schedules() -> list[str]:
    """Names of all schedules, sorted."""
    return SCHEDULES.names()


def get_problem(name: str, **settings: Any) -> Problem:
    """Make a registered problem: ``get_problem("rosenbrock", n=10)``.

    Raises
    ------
    UnknownName
        No such problem or setting; the message lists the known ones and the nearest match.
    ValueError
        A setting has a value that the problem cannot take.
    """
    return PROBLEMS.get(name)(**settings)


def get_optimizer(name: str) -> AnyMethod:
    """The registered optimizer of that name. Raises UnknownName."""
    return OPTIMIZERS.get(name)


def get_schedule(name: str) -> Schedule:
    """The registered schedule of that name. Raises UnknownName."""
    return SCHEDULES.get(name)
