"""``optbench plot`` and ``optbench export``."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.figure_options import FigureCommand, chosen_options, flag, written
from optbench.cli.filters import filtered
from optbench.cli.group import main, sentences

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from optbench.plots._kinds import Kind

FORMATS = ("png", "svg", "pdf")


@main.command(cls=FigureCommand)
@click.argument("results", type=click.Path(path_type=Path), required=False)
@click.option(
    "--kind",
    multiple=True,
    default=["convergence"],
    show_default=True,
    help="Which figure, or all; several: once each. --kind help lists them with their options.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="PNG, SVG or PDF by its ending; a folder for several kinds."
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="Where -o names no file. Default: png.")
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only these runs: problem=beale, n=2,10, lr>=0.01, status!=diverged (quoted in a shell).",
)
def plot(
    results: Path | None,
    kind: tuple[str, ...],
    output: Path | None,
    form: str | None,
    where: tuple[str, ...],
    **options: Any,
) -> None:
    """Draw figures from a results file; some kinds need none.

    An option of a figure goes to every kind that takes it.
    """
    with sentences():
        from optbench import plots

        if "help" in kind:
            click.echo(catalogue(plots.KINDS.values()))
            return
        kinds = kinds_of(kind, results)
        given = chosen_options(kinds, options)
        several = len(kinds) > 1 or "all" in kind
        targets = {each.name: target_of(each.name, results, output, form, several) for each in kinds}
        figures = drawn(kinds, given, results, where, skip="all" in kind)
        for name, figure in figures.items():
            targets[name].parent.mkdir(exist_ok=True)
            click.echo(f"plot:    {plots.save(figure, targets[name])}")


def catalogue(kinds: Any) -> str:
    """All kinds with what they show, what they need and what may be chosen."""
    lines = []
    indent: dict[str, Any] = {"width": 100, "subsequent_indent": " " * 23, "break_on_hyphens": False}
    for kind in kinds:
        text = f"{kind.name:<22} {kind.summary}" + ("" if kind.tables else " Needs no results file.")
        words = "  ".join(
            flag(name) if option.types == (bool,) else f"{flag(name)}\N{NO-BREAK SPACE}{written(option)}"
            for name, option in kind.options.items()
        )
        lines += textwrap.wrap(text, **indent)
        lines += textwrap.wrap(words, initial_indent=" " * 23, **indent)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def kinds_of(names: Sequence[str], results: Path | None) -> list[Kind]:
    """The kinds of these names; ``all``: those that take the tables of a results file, or without one those without.

    Raises ValueError: an unknown name, or a results file that is missing or of no use.
    """
    from optbench.plots import KINDS
    from optbench.registry import unknown

    for name in names:
        if name not in (*KINDS, "all"):
            raise unknown("kind", name, [*KINDS, "all"])
    fitting = [name for name, kind in KINDS.items() if bool(kind.tables) == (results is not None)]
    if results is None:
        fitting = [name for name in fitting if not any(option.required for option in KINDS[name].options.values())]
    chosen = [
        KINDS[name] for name in dict.fromkeys(n for name in names for n in (fitting if name == "all" else [name]))
    ]
    for kind in chosen:
        if kind.tables and results is None:
            raise ValueError(f"{kind.name} is drawn from a results file: optbench plot RESULTS --kind {kind.name}")
        if results is not None and not kind.tables:
            raise ValueError(f"{kind.name} is not drawn from results: leave {results} out")
    return chosen


def target_of(name: str, results: Path | None, output: Path | None, form: str | None, several: bool) -> Path:
    """The file of a figure. Raises ValueError for an ending that no figure has, or a folder that is not there."""
    from optbench.plots import SUFFIXES, check_target

    folder = output is not None and (several or output.is_dir())
    if output is not None and not folder:
        if form is not None:
            raise ValueError(f"--format goes with a folder; the format of {output} is that of its ending")
        return check_target(output)
    if output is not None and output.suffix.lower() in SUFFIXES and not output.is_dir():
        raise ValueError(f"several figures go to a folder, not to one file, {output}")
    stem = "" if results is None else f"{results.stem}-"
    file = f"{stem}{name}.{form or 'png'}"
    if output is None:
        return check_target(results.with_name(file) if results else Path(file))
    if not output.resolve().parent.is_dir() or (output.exists() and not output.is_dir()):
        raise ValueError(f"{output}: no folder can be made there")
    return output / file


def drawn(
    kinds: Sequence[Kind],
    options: dict[str, dict[str, Any]],
    results: Path | None,
    where: tuple[str, ...],
    skip: bool,
) -> dict[str, Figure]:
    """Figures by kind. With `skip` those that do not apply are told with the reason; ValueError where none does."""
    from optbench.store import load

    if results is None:
        if where:
            raise ValueError("--where chooses among the runs of a results file; there is none")
        found = runs = None
    else:
        found = load(results)
        runs = filtered(found.runs, where)
    figures, reasons = drawn_or_not(
        {kind.name: functools.partial(kind, runs, found, **options[kind.name]) for kind in kinds}
    )
    if reasons and not (skip and figures):
        raise ValueError("\n".join(reasons))
    for line in reasons:
        click.echo(f"not drawn: {line}")
    return figures


def drawn_or_not(draw: Mapping[str, Callable[[], Figure]]) -> tuple[dict[str, Figure], list[str]]:
    """Figures by name, and a line for every reason, with the names of those that it keeps from being drawn."""
    figures: dict[str, Figure] = {}
    reasons: dict[str, list[str]] = {}
    for name, make in draw.items():
        try:
            figures[name] = make()
        except ValueError as reason:
            reasons.setdefault(str(reason), []).append(name)
    return figures, [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder; default: beside the results file.")
@click.option(
    "--format", "form", type=click.Choice(["parquet", "csv"]), help="Default: by the ending of -o, or parquet."
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
def export(results: Path, output: Path | None, form: str | None, overwrite: bool) -> None:
    """Write the tables of a results file as Parquet or CSV."""
    with sentences():
        from optbench.export import export as write

        folder = output or results.with_suffix("")
        for file in write(results, folder, form, overwrite=overwrite):
            click.echo(file)
