"""``optbench run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from optbench.cli.group import main, sentences
from optbench.cli.matrix import cells, named_matrix, place_of, run_config


@main.command()
@click.argument("matrix", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Results file (SQLite).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes that count; the clock runs alone.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads for large problems, while the clock runs.")
@click.option("--repeats", type=click.IntRange(0), help="Timed samples a run, in place of the matrix's own.")
@cells()
@click.option("--dry-run", is_flag=True, help="Print the plan and its size; run nothing.")
@click.option("--full", is_flag=True, help="Show every schedule and the whole ranking, not only the best.")
@click.option("--plots/--no-plots", default=True, help="Save the convergence plot and the heat map.")
def run(matrix: Path | None, output: Path | None, **options: Any) -> None:
    """Run MATRIX, a TOML file or the name of a shipped one (crowded_valley), or the built-in quick matrix.

    In place of a file, -p and -O name problems and optimizers; -s, --clip, --batch-size and a budget go with them.

    With [tuning] in it, every cell is tuned first: see optbench tune.

    Every finished run is kept in the results file at once: the same command goes on where an earlier one stopped.
    """
    with sentences():
        from optbench import parallel
        from optbench.config import parse_config, quick_config
        from optbench.matrices import find_config

        if options["threads"]:
            parallel.set_threads(options["threads"])
        parallel.threads()  # a wrong environment variable shows before anything runs
        named = named_matrix(options)
        if matrix is not None and named:
            raise ValueError("-p, -O and what goes with them stand in place of a matrix file: give one or the other")
        stem = matrix.stem if matrix else "named" if named else "quick"
        config = find_config(matrix) if matrix else parse_config(named, "command line") if named else quick_config()
        config = config._replace(budget=config.budget | place_of(options))
        failures = run_config(config, output, stem, options)
    sys.exit(1 if failures else 0)
