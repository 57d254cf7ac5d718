"""``optbench tune``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from optbench.cli.group import main, sentences
from optbench.cli.matrix import cells, entry, named_matrix, run_config


@main.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Results file (SQLite).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes that count; the clock runs alone.")
@click.option("--repeats", type=click.IntRange(0), default=0, help="Timed samples a test run.", show_default=True)
@cells(seeds=5)
@click.option("--mode", help="grid (default), random, quasi-random or none.")
@click.option("--budget", "budgets", type=click.IntRange(1), multiple=True, help="Trials; several are nested.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME", help="Hyperparameter to search, or all.")
@click.option("--criterion", help="final_loss (default), time_to_target, val_loss or val_accuracy.")
@click.option("--target", type=float, help="Of time_to_target: 1e-3 by default.")
@click.option("--tuning-seeds", type=click.IntRange(1), help="Number of tuning seeds, 3 by default.")
@click.option("--search-seed", type=click.IntRange(0), help="Seed of the points, 0 by default.")
@click.option("--range", "ranges", multiple=True, metavar="NAME=LOW,HIGH", help="Range of a hyperparameter, for all.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its size; run nothing.")
@click.option("--full", is_flag=True, help="Show every cell, not only the first.")
@click.option("--plots/--no-plots", default=True, help="Save the figures.")
def tune(output: Path | None, **options: Any) -> None:
    """Tune every problem, optimizer and schedule with the same trials, and test the winners on other seeds.

    The winners of every budget and the defaults run side by side on seeds that no trial has seen. Every run is kept in
    the results file at once: the same command goes on where an earlier one stopped. In a matrix: [tuning].
    """
    with sentences():
        from optbench.config import parse_config

        if not options["problem"] and not options["optimizer"]:
            raise ValueError("name what is tuned: at least one --problem and one --optimizer")
        config = parse_config({**named_matrix(options), "tuning": _tuning(options)}, "command line")
        failures = run_config(config, output, "tune", options)
    sys.exit(1 if failures else 0)


def _tuning(options: dict[str, Any]) -> dict[str, Any]:
    """The [tuning] table that the options describe."""
    keys = {"mode": "mode", "criterion": "criterion", "target": "target", "search_seed": "search_seed"}
    table = {key: options[name] for key, name in {**keys, "seeds": "tuning_seeds"}.items() if options[name] is not None}
    for key in ("budgets", "parameters"):
        if options[key]:
            table[key] = list(options[key])
    if table.get("parameters") == ["all"]:
        table["parameters"] = "all"
    if options["ranges"]:
        table["ranges"] = dict(map(_range, options["ranges"]))
    return table


def _range(text: str) -> tuple[str, Any]:
    name, equals, ends = text.partition("=")
    if not equals or ends.count(",") != 1:
        raise ValueError(f"--range takes NAME=LOW,HIGH, not {text!r}")
    return name, entry(f"x:v=[{ends}]")["v"]
