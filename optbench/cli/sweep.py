"""``optbench sweep``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.group import FOLDER, main, sentences
from optbench.cli.matrix import BUDGET, cells, cores, entries_of, execute, place_of, print_plan

if TYPE_CHECKING:
    import pandas as pd

    from optbench.runner import Outcome
    from optbench.sweeps import Sweep

MOST = 100  # rows of the table that are shown


@main.command()
@cells(seeds=5)
@click.option(
    "--vary", multiple=True, required=True, metavar="KEY=RANGE", help="a,b,c or LOW..HIGH:SPACING:COUNT; once or twice."
)
@click.option(
    "--target", type=float, help="Accuracy to reach; default: 1e-6 if a run met it, else the smallest that one did."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Results file (SQLite).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes that count; the clock runs alone.")
@click.option("--repeats", type=click.IntRange(0), default=3, show_default=True, help="Timed samples a run.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its size; run nothing.")
@click.option("--plots/--no-plots", default=True, help="Save the figure.")
def sweep(output: Path | None, target: float | None, jobs: int | None, repeats: int, **options: Any) -> None:
    """Vary one or two settings and show what they do.

    KEY is a setting of the optimizer (lr among them), schedule or problem, or clip_norm, clip_value, batch_size,
    max_iter, epochs; optimizer., schedule. or problem. before it tells which where there are several. RANGE is a list
    of values or, for example, 1e-4..1:log:13; the spacings are linear, log and reverse_log (log in 1 - value, for
    momentum and betas). Every finished run is kept at once: the same command goes on where an earlier one stopped.
    """
    with sentences():
        from optbench.store import load
        from optbench.sweeps import results_of
        from optbench.vary import sweep_plan

        budget = {key: options[key] for key in BUDGET if options[key] is not None} | place_of(options)
        plan, by = sweep_plan(entries_of(options), _vary(options["vary"]), budget, target)
        if options["dry_run"]:
            print_plan(plan.describe())
            return
        path = output or FOLDER / "sweep.db"
        if output is None:
            path.parent.mkdir(exist_ok=True)
        outcome = execute(plan, path, jobs or cores(), repeats)
        swept = results_of(load(path), [run.key for run in plan.runs], by, target)
        failures = _show(swept, outcome, path, options["plots"])
    sys.exit(1 if failures else 0)


def _vary(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        key, equals, values = text.partition("=")
        if not equals or not values:
            raise ValueError(f"--vary takes KEY=RANGE, not {text!r}")
        if key in found:
            raise ValueError(f"--vary {key} is given twice")
        found[key.strip()] = values
    return found


def _show(swept: Sweep, outcome: Outcome, path: Path, plots: bool) -> int:
    """Print the table, save the figure; the number of runs that failed."""
    from optbench import console, stats, sweep_table
    from optbench.plots import save

    table, by = swept.table, list(swept.by)
    factors = [name for name in stats.FACTORS if table[name].nunique() > 1]
    shared = [table[name].iloc[0] for name in stats.FACTORS if name not in factors]
    shown = table.sort_values([table.attrs["on"], "loss"], kind="stable").head(MOST) if len(table) > MOST else table
    console.show_table(f"{' and '.join(by)}: {', '.join(shared)}", _text(shown, [*factors, *by]))
    if len(shown) < len(table):
        click.echo(f"... the best {len(shown)} of {len(table)}; the whole table: optbench.sweep(...).table")
    for cell, part in table.groupby(factors, sort=False) if factors else [((), table)]:
        for line in sweep_table.words(part, by):
            click.echo(": ".join([*([", ".join(map(str, cell))] if factors else []), line]))
    failures = console.outcome_of(swept.runs, outcome)
    click.echo(f"results: {path}")
    if plots:
        kind = "sweep" if len(by) == 1 else "sweep_map"
        click.echo(f"plot:    {save(swept.plot(), path.with_name(f'{path.stem}-{kind}.png'))}")
    return failures


def _text(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The table of a sweep as text."""
    import pandas as pd

    from optbench import console, stats, sweep_table

    target = stats.target_text(table.attrs["target"])
    columns = {key: table[key].map(sweep_table.value_text) for key in keys}
    columns["runs"] = table["runs"].astype(str)
    columns[f"met {target}"] = table["success"].map(lambda share: "?" if share != share else f"{share:.0%}")
    columns["diverged"] = table["diverged"].map("{:.0%}".format)
    ends = {**console.ENDS, "loss": f"{table.attrs['loss']} at end"}
    for name in ("iterations", "epochs", "loss", "val_loss", "val_accuracy"):
        if table[name].notna().any():
            title = f"{name} to {target}" if name in ("iterations", "epochs") else ends.get(name, name)
            write = console.count if name == "iterations" else console.number
            columns[title] = console.spread(table, name + "{}", write)
    columns["time"] = table["seconds"].map(console.duration)
    return pd.DataFrame(columns)
