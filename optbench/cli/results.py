"""``optbench plot`` and ``optbench export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from optbench.cli.group import main, sentences


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--kind", default="convergence", help="Which figure; --kind help lists them.", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="PNG, SVG or PDF by its ending.")
@click.option("--by", multiple=True, metavar="KEY", help="Setting to plot by, for sweep (one) and sweep_map (two).")
@click.option(
    "--where", multiple=True, metavar="COLUMN=VALUE", help="Only runs with this value, for example problem=beale."
)
def plot(results: Path, kind: str, output: Path | None, by: tuple[str, ...], where: tuple[str, ...]) -> None:
    """Draw a figure from a results file."""
    with sentences():
        from optbench import plots
        from optbench.registry import unknown
        from optbench.store import load

        if kind == "help":
            for name, draw in plots.KINDS.items():
                click.echo(f"{name:<14} {(draw.__doc__ or '').splitlines()[0]}")
            return
        if kind not in plots.KINDS:
            raise unknown("kind", kind, plots.KINDS)
        target = output or results.with_name(f"{results.stem}-{kind}.png")
        plots.check_target(target)
        found = load(results)
        if by and kind not in ("sweep", "sweep_map"):
            raise ValueError(f"--by goes with sweep and sweep_map, not with {kind}")
        options: dict[str, Any] = {"by": by} if by else {}
        plots.save(plots.KINDS[kind](filtered(found.runs, where), found, **options), target)
        click.echo(f"plot:    {target}")


def filtered(runs: Any, where: tuple[str, ...]) -> Any:
    """Runs whose columns have the values that ``COLUMN=VALUE`` texts ask for. Raises ValueError."""
    from optbench.registry import unknown

    for text in where:
        column, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--where takes COLUMN=VALUE, not {text!r}")
        if column not in runs.columns:
            raise unknown("column", column, runs.columns)
        known = runs[column].astype(str)
        if value not in set(known):
            raise unknown(f"value of {column}:", value, set(known))
        runs = runs[known == value]
    return runs


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
