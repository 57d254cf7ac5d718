"""``optbench history``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optbench.cli.group import main, sentences

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 20  # changes of a kind that are listed


@main.command()
@click.argument("results", type=click.Path(path_type=Path), default=Path(".asv/results"))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for a PNG a family of benchmarks, made where there is none; or a PDF with all of them, or a PNG or "
    "SVG of one family. Default: the folder history beside RESULTS.",
)
@click.option("-b", "--bench", default="", metavar="REGEX", help="Only benchmarks in whose name this is found.")
@click.option(
    "--factor", default=1.1, show_default=True, help="By how much a time or a memory must grow or fall to count."
)
@click.option("--fail", is_flag=True, help="Exit code 1 if there is a regression.")
@click.option("--no-plots", is_flag=True, help="The tables alone.")
@click.option("--full", is_flag=True, help=f"Every change, not only the {MOST} largest.")
def history(results: Path, output: Path | None, bench: str, factor: float, fail: bool, **show: bool) -> None:
    """Performance over commits from asv's RESULTS (default: .asv/results), without the network.

    Lists and marks where benchmarks changed for good: every change of a track_ value, which has no noise, and steps of
    times and memory beyond their scatter.
    """
    with sentences():
        from optbench.history import changes_over, commits_of, load_history

        table = load_history(results, bench)
        changes = changes_over(table, factor)
        target = output or results.parent / "history"
        figures = {} if show["no_plots"] else _figures(table, changes, target)
        commits = commits_of(table)
        series = table.groupby(["machine", "environment", "benchmark", "params"]).ngroups
        click.echo(f"{series} series over {len(commits)} commits, {commits[0][:8]} to {commits[-1][:8]}")
        for kind in ("regression", "improvement"):
            _show(changes[changes["kind"] == kind], kind, show["full"])
        if figures:
            for path in _save(figures, target):
                click.echo(f"plot:    {path}")
    sys.exit(1 if fail and (changes["kind"] == "regression").any() else 0)


def _figures(table: pd.DataFrame, changes: pd.DataFrame, target: Path) -> dict[str, Figure]:
    """Draw all families, after it is sure that they can be saved there. Raises ValueError."""
    from optbench import plots
    from optbench.plots.history import history as draw

    if target.suffix:
        plots.check_target(target)
        families = sorted(set(table["benchmark"].str.rpartition(".")[0]))
        if len(families) > 1 and target.suffix.lower() != ".pdf":
            raise ValueError(
                f"{target.name} takes one family of benchmarks, and there are {len(families)}: {', '.join(families)}; "
                "choose one with -b, or name a folder or a PDF"
            )
    elif target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file: figures go to a folder, a PNG, an SVG or a PDF")
    return draw(table, changes)


def _save(figures: dict[str, Figure], target: Path) -> list[Path]:
    """Write the figures; the files."""
    from optbench import plots

    if not target.suffix:
        target.mkdir(parents=True, exist_ok=True)
        return [plots.save(figure, target / f"{name}.png") for name, figure in figures.items()]
    if target.suffix.lower() != ".pdf":
        return [plots.save(figure, target) for figure in figures.values()]
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(target, metadata={"CreationDate": None}) as pages:
        for figure in figures.values():
            pages.savefig(figure)
    return [target]


def _show(changes: pd.DataFrame, kind: str, full: bool) -> None:
    """Print a table of changes."""
    import pandas as pd

    from optbench import console
    from optbench.plots.history import value_text

    if changes.empty:
        click.echo(f"no {kind}s")
        return
    shown = changes if full else changes.head(MOST)
    each = zip(shown["benchmark"], shown["params"], strict=True)
    names = [f"{name}({', '.join(params)})" if params else name for name, params in each]
    columns = {"benchmark": names}
    for key in ("machine", "environment"):
        if changes[key].nunique() > 1:
            columns[key] = list(shown[key])
    columns["commit"] = [commit[:8] for commit in shown["commit"]]
    columns["previous"] = [commit[:8] for commit in shown["last"]]
    for key in ("before", "after", "latest"):
        columns[key] = [value_text(value, unit) for value, unit in zip(shown[key], shown["unit"], strict=True)]
    columns["unit"] = ["" if unit in ("seconds", "bytes") else unit for unit in shown["unit"]]
    columns["ratio"] = ["" if value == float("inf") else console.number(value) for value in shown["ratio"]]
    console.show_table(f"{len(changes)} {kind}{'s' * (len(changes) > 1)}", pd.DataFrame(columns))
    if len(shown) < len(changes):
        click.echo(f"... and {len(changes) - len(shown)} more (--full)")
