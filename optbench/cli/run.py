"""``optbench run``."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.group import FACTORS, FOLDER, main, sentences

if TYPE_CHECKING:
    from optbench.plan import Plan
    from optbench.store import Results


@main.command()
@click.argument("matrix", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Results file (SQLite).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes that count; the clock runs alone.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads for large problems, while the clock runs.")
@click.option("--repeats", type=click.IntRange(0), help="Timed samples a run, in place of the matrix's own.")
@click.option("-p", "--problem", multiple=True, metavar="NAME[:KEY=VALUE,...]", help="Problem, in place of a matrix.")
@click.option("-O", "--optimizer", multiple=True, metavar="NAME[:KEY=VALUE,...]", help="Optimizer, likewise.")
@click.option("-s", "--schedule", multiple=True, metavar="NAME[:KEY=VALUE,...]", help="Schedule, likewise.")
@click.option("--max-iter", type=click.IntRange(1), help="Iteration budget, with -p and -O.")
@click.option("--seeds", type=click.IntRange(1), help="Number of seeds (starts), with -p and -O.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its size; run nothing.")
@click.option("--full", is_flag=True, help="Show every schedule and the whole ranking, not only the best.")
@click.option("--plots/--no-plots", default=True, help="Save the convergence plot and the heat map.")
def run(matrix: Path | None, output: Path | None, jobs: int | None, repeats: int | None, **options: Any) -> None:
    """Run MATRIX (a TOML file) or, without one, the built-in quick matrix.

    Every finished run is kept in the results file at once: the same command goes on where an earlier one stopped.
    """
    with sentences():
        from optbench import parallel
        from optbench.config import load_config, parse_config, quick_config
        from optbench.plan import make_plan

        if options["threads"]:
            parallel.set_threads(options["threads"])
        parallel.threads()  # a wrong environment variable shows before anything runs
        named = _named_matrix(options)
        if matrix is not None and named:
            raise ValueError(
                "-p, -O, -s, --max-iter and --seeds stand in place of a matrix file: give one or the other"
            )
        stem = matrix.stem if matrix else "named" if named else "quick"
        config = load_config(matrix) if matrix else parse_config(named, "command line") if named else quick_config()
        plan = make_plan(config)
        if options["dry_run"]:
            _print_plan(plan)
            return
        path = output or FOLDER / f"{stem}.db"
        if output is None:
            path.parent.mkdir(exist_ok=True)
        samples = config.repeats if repeats is None else repeats
        failures = _run(plan, path, jobs or _cores(), samples, config.load, options["plots"], options["full"])
    sys.exit(1 if failures else 0)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _named_matrix(options: dict[str, Any]) -> dict[str, Any]:
    """The matrix that -p, -O, -s, --max-iter and --seeds describe; empty without them."""
    given = {plural: [_entry(text) for text in options[one]] for one, plural in FACTORS.items() if options[one]}
    budget = {key: options[key] for key in ("max_iter", "seeds") if options[key] is not None}
    if not given and not budget:
        return {}
    for one in ("problem", "optimizer"):
        if FACTORS[one] not in given:
            raise ValueError(f"a matrix on the command line needs at least one --{one}")
    return {**given, "budget": budget}


def _entry(text: str) -> Any:
    """``quadratic:n=100,spectrum=geometric`` as a matrix entry; values as in TOML, or else text."""
    name, _, rest = text.partition(":")
    if not rest:
        return name
    entry: dict[str, Any] = {"name": name}
    with suppress(tomllib.TOMLDecodeError):  # lists and quoted text hold commas of their own
        return entry | tomllib.loads(f"v = {{ {rest} }}")["v"]
    for pair in re.split(r",(?![^\[]*\])", rest):  # at commas outside lists
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{text!r}: settings are written KEY=VALUE, separated by commas, not {pair!r}")
        try:
            entry[key.strip()] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            entry[key.strip()] = value
    return entry


def _print_plan(plan: Plan) -> None:
    for key, value in plan.describe().items():
        parts = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
        between = "\n" + " " * 16 if key == "not applicable" else ", "
        click.echo(f"{key:<15} {between.join(parts)}".rstrip())


def _run(plan: Plan, path: Path, jobs: int, repeats: int, load: tuple[str, ...], plots: bool, full: bool) -> int:
    """Run the plan, print the summary, save the plots; the number of runs that failed."""
    from optbench import console
    from optbench.runner import run_plan
    from optbench.store import load as load_results

    with console.progress() as progress:
        try:
            command = " ".join(["optbench", *sys.argv[1:]])
            outcome = run_plan(plan, path, jobs=jobs, repeats=repeats, command=command, load=load, progress=progress)
        except KeyboardInterrupt:
            click.echo(f"\noptbench: stopped; every finished run is kept in {path}, the same command goes on", err=True)
            sys.exit(130)
    results = load_results(path)
    failures = console.summary(plan, results, outcome, full)
    click.echo(f"results: {path}")
    if plots:
        for file in _save_plots(plan, results, path):
            click.echo(f"plot:    {file}")
    return failures


def _save_plots(plan: Plan, results: Results, path: Path) -> list[Path]:
    from optbench import plots

    keys = [run.key for run in plan.runs]
    runs = results.runs.loc[keys]
    files = []
    for kind, draw in plots.KINDS.items():
        target = path.with_name(f"{path.stem}-{kind}.png")
        plots.save(draw(runs, results), target)
        files.append(target)
    return files
