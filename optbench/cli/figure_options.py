"""Options of ``optbench plot`` that belong to figures: read from their functions, and their values from text."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import click

from optbench.cli.matrix import entry

if TYPE_CHECKING:
    from optbench.plots._kinds import Kind, Option


class FigureCommand(click.Command):
    """A command that has, beside its own, the options of all figures; they are looked up when it is parsed."""

    @functools.cached_property
    def _options(self) -> list[click.Option]:
        from optbench.plots import KINDS

        takers: dict[str, list[Kind]] = {}
        for kind in KINDS.values():
            for name in kind.options:
                takers.setdefault(name, []).append(kind)
        return [_click_option(name, kinds) for name, kinds in sorted(takers.items())]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """All parameters, those of figures before ``--help``."""
        *own, last = super().get_params(ctx)
        return [*own, *self._options, last]


def _click_option(name: str, kinds: Sequence[Kind]) -> click.Option:
    choices = dict.fromkeys(choice for kind in kinds for choice in kind.options[name].choices)
    if all(kind.options[name].types == (bool,) for kind in kinds):
        return click.Option([f"{flag(name)}/--no-{flag(name)[2:]}"], default=None, help=f"For {named(kinds)}.")
    words = f"{', '.join(choices)}; for" if choices else "For"
    metavar = "CHOICE" if choices else written(kinds[0].options[name])
    return click.Option([flag(name)], multiple=True, metavar=metavar, help=f"{words} {named(kinds)}.")


def flag(name: str) -> str:
    """A parameter as it is written on the command line."""
    return f"--{name.replace('_', '-')}"


def named(kinds: Iterable[Kind]) -> str:
    """Names of kinds, those with the fewest options first."""
    return ", ".join(kind.name for kind in sorted(kinds, key=lambda kind: len(kind.options)))


def written(option: Option) -> str:
    """What an option takes, for a line of help."""
    if option.choices:
        return "|".join(option.choices)
    items, several = _items(option)
    if any(get_origin(item) is Mapping for item in items):
        return "NAME[:KEY=VALUE,...]" if str in items else "KEY=VALUE,..."
    return "TEXT" if str in items else "NUMBER,..." if several else "NUMBER"


def _items(option: Option) -> tuple[tuple[Any, ...], bool]:
    """The types that one value has, those of the members where it takes several; whether it does."""
    lists = [kind for kind in option.types if get_origin(kind) in (list, tuple, Sequence)]
    if not lists:
        return option.types, False
    members = [kind for kind in get_args(lists[0]) if kind is not ...]
    unions = (Union, types.UnionType)
    return tuple(part for kind in members for part in (get_args(kind) if get_origin(kind) in unions else (kind,))), True


def chosen_options(kinds: Sequence[Kind], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Options of every kind by its name, from texts as click gives them: every one goes to all kinds that take it.

    Raises
    ------
    ValueError
        An option that none takes, one that is missing, or a value that it cannot have.
    """
    given = {name: value for name, value in given.items() if value not in (None, ())}
    for name in given:
        if not any(name in kind.options for kind in kinds):
            raise _refused(name, kinds)
    made: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        made[kind.name] = {name: _value(kind.options[name], given[name]) for name in given if name in kind.options}
        for option in kind.options.values():
            if option.required and option.name not in given:
                raise ValueError(f"{kind.name} needs {flag(option.name)} {written(option)}")
    return made


def _refused(name: str, kinds: Sequence[Kind]) -> ValueError:
    from optbench.plots import KINDS
    from optbench.registry import unknown

    takers = named(kind for kind in KINDS.values() if name in kind.options)
    known = {flag(option) for kind in kinds for option in kind.options}
    words = f"{flag(name)} goes with {takers}, not with {', '.join(kind.name for kind in kinds)}"
    return ValueError(f"{words}: {unknown('option', flag(name), known)}")


def _value(option: Option, given: Any) -> Any:
    """The value of one option. Raises ValueError with what it takes."""
    from optbench.registry import unknown

    if isinstance(given, bool):
        return given
    items, several = _items(option)
    if several:
        if str not in items:
            given = [part for text in given for part in text.split(",")]
        return tuple(_scalar(option, items, text) for text in given)
    if len(given) > 1:
        raise ValueError(f"{flag(option.name)} takes one value, not {len(given)}")
    if option.choices and given[0] not in option.choices and len(option.types) == 1:
        raise unknown(f"value of {flag(option.name)}:", given[0], option.choices)
    return given[0] if given[0] in option.choices else _scalar(option, option.types, given[0])


def _scalar(option: Option, kinds: Sequence[Any], text: str) -> Any:
    """One text as the first of these types that can hold it: numbers before settings before text."""
    from optbench.registry import KINDS

    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                pass
    if any(get_origin(kind) is Mapping for kind in kinds):
        made = entry(text if str in kinds else f"settings:{text}")
        return made if str in kinds else {key: value for key, value in made.items() if key != "name"}
    if str in kinds:
        return text
    wanted = KINDS[float if float in kinds else int][0]
    raise ValueError(f"{flag(option.name)} takes {wanted}, not {text!r}")
