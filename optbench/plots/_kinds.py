"""What a figure is to those who do not know it: the tables that it takes, and its options."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

from optbench.tuned import side_by_side

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TABLES = ("runs", "hits", "traces", "times", "trials")  # of a results file


class Option(NamedTuple):
    """A parameter of a figure that is no table: its name, the types it takes, whether it has to be given."""

    name: str
    types: tuple[Any, ...]
    required: bool

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it takes; empty where there is no list of them."""
        return tuple(value for kind in self.types if get_origin(kind) is Literal for value in get_args(kind))


class Kind:
    """A figure by its function, whose signature says all: parameters named as in `TABLES` are tables, others options.

    ``kind(runs, results, **options)`` draws the runs with the other tables of their results file, ``kind(**options)`` a
    figure that takes no tables. A figure that does not take the trials shows tuned beside default in their place.
    """

    def __init__(self, name: str, draw: Callable[..., Figure]) -> None:
        self.name, self.draw, self.__doc__ = name, draw, draw.__doc__
        parameters = inspect.signature(draw).parameters.values()
        self.tables = tuple(parameter.name for parameter in parameters if parameter.name in TABLES)
        self.options = {
            parameter.name: Option(parameter.name, _types(draw, parameter), parameter.default is parameter.empty)
            for parameter in parameters
            if parameter.name not in TABLES
        }

    @property
    def summary(self) -> str:
        """What it shows, in a line."""
        return (self.__doc__ or "").splitlines()[0]

    def __call__(self, runs: pd.DataFrame | None = None, results: Any = None, **options: Any) -> Figure:
        """Draw. Raises ValueError where there is nothing to plot."""
        if not self.tables:
            return self.draw(**options)
        if runs is None or results is None:
            raise ValueError(f"{self.name} needs the results of runs")
        tables = {name: getattr(results, name) for name in self.tables if name != "runs"}
        if "trials" not in tables and len(results.trials):
            runs, tables = side_by_side(runs, tables, results.trials)
        return self.draw(**({"runs": runs} if "runs" in self.tables else {}), **tables, **options)


def kinds(draw: Mapping[str, Callable[..., Figure]]) -> dict[str, Kind]:
    """Kinds by name."""
    return {name: Kind(name, function) for name, function in draw.items()}


def _types(draw: Callable[..., Any], parameter: inspect.Parameter) -> tuple[Any, ...]:
    """Members of the annotated type, without None."""
    wanted = parameter.annotation
    if isinstance(wanted, str):  # only this one: those of tables are there for type checkers alone
        wanted = eval(wanted, getattr(inspect.unwrap(draw), "__globals__", {}))
    members = get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)
    return tuple(member for member in members if member is not type(None))
