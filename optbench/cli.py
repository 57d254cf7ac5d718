"""The command line: the only module that prints.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench import __version__

if TYPE_CHECKING:
    from optbench.plan import Plan
    from optbench.store import Results

FACTORS = {"problem": "problems", "optimizer": "optimizers", "schedule": "schedules"}


class Group(click.Group):
    """A group whose unknown command gets the nearest known name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; fail with the nearest name and all known ones."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from optbench.registry import unknown

            raise click.UsageError(str(unknown("command", args[0], self.commands)), ctx)
        return super().resolve_command(ctx, args)


@contextmanager
def _sentences() -> Iterator[None]:
    """Bad input ends with one clear sentence (or one line for each error of a matrix) on stderr and exit code 2."""
    from optbench.storefile import StoreError

    try:
        yield
    except (ValueError, OSError, StoreError) as error:
        for line in str(error).splitlines():
            click.echo(f"optbench: {line}", err=True)
        sys.exit(2)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="optbench")
def main() -> None:
    """Benchmark optimization algorithms: problems x optimizers x learning-rate schedules in compiled kernels."""


# ----------------------------------------------------------------------------------------------- list and show


@main.command("list")
@click.argument("kind", required=False, type=click.Choice([*FACTORS.values()]))
@click.option("--tag", help="Only problems with this tag.")
def list_(kind: str | None, tag: str | None) -> None:
    """Names of problems, optimizers and schedules."""
    from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown

    with _sentences():
        items: dict[str, Any] = {"problems": PROBLEMS, "optimizers": OPTIMIZERS, "schedules": SCHEDULES}
        tags = {tag for name in PROBLEMS.names() for tag in PROBLEMS.get(name).tags}
        if tag is not None and tag not in tags:
            raise unknown("tag", tag, tags)
        if tag is not None and kind not in (None, "problems"):
            raise ValueError("--tag goes with problems")
        for name in [kind] if kind else ["problems"] if tag else items:
            names = [n for n in items[name].names() if tag is None or tag in PROBLEMS.get(n).tags]
            click.echo(f"{name} ({len(names)})")
            for entry in names:
                item = items[name].get(entry)
                note = ", ".join(item.tags) if name == "problems" else item.doc.strip().splitlines()[0]
                click.echo(f"  {entry:<22} {note}".rstrip())


@main.command()
@click.argument("name")
def show(name: str) -> None:
    """Formula, source, settings with their defaults and conventions of NAME."""
    from optbench import console
    from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown

    kinds: dict[str, Any] = {"problem": PROBLEMS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
    with _sentences():
        found = {kind: registry.get(name) for kind, registry in kinds.items() if name in registry.names()}
        if not found:
            raise unknown("name", name, [n for registry in kinds.values() for n in registry.names()])
    for kind, item in found.items():
        click.echo(f"{kind} {name}\n\n{item.doc.strip()}\n")
        if item.source:
            click.echo(f"Source: {item.source}")
        if getattr(item, "tags", ()):
            click.echo(f"Tags: {', '.join(item.tags)}")
        click.echo("Settings:")
        for key, text in console.settings(kind, item):
            click.echo(f"  {key:<28} {text}")


# ------------------------------------------------------------------------------------------------------------ run


@main.command()
@click.argument("matrix", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Results file (SQLite).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes that count; the clock runs alone.")
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
    with _sentences():
        from optbench.config import load_config, parse_config, quick_config
        from optbench.plan import make_plan

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
        path = output or Path("optbench-results") / f"{stem}.db"
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
    for pair in rest.split(","):
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


# -------------------------------------------------------------------------------------------- plot, export, doctor


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--kind", default="convergence", help="Which figure; --kind help lists them.", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="PNG, SVG or PDF by its ending.")
@click.option(
    "--where", multiple=True, metavar="COLUMN=VALUE", help="Only runs with this value, for example problem=beale."
)
def plot(results: Path, kind: str, output: Path | None, where: tuple[str, ...]) -> None:
    """Draw a figure from a results file."""
    with _sentences():
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
        plots.save(plots.KINDS[kind](_filtered(found.runs, where), found), target)
        click.echo(f"plot:    {target}")


def _filtered(runs: Any, where: tuple[str, ...]) -> Any:
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
    with _sentences():
        from optbench.export import export as write

        folder = output or results.with_suffix("")
        for file in write(results, folder, form, overwrite=overwrite):
            click.echo(file)


@main.command()
def doctor() -> None:
    """Versions, kernel cache, threads, clock resolution and noise of this machine."""
    import warnings

    from optbench import jit
    from optbench.environment import environment

    record = environment()
    for name, version in record.pop("versions").items():
        click.echo(f"{name:<18} {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = jit.cache_folder()
    kernels = list(folder.glob("*.o")) if folder else []
    size = sum(path.stat().st_size for path in kernels) / 1e6
    click.echo(
        f"{'kernel cache':<18} {f'{folder} ({len(kernels)} kernels, {size:.1f} MB)' if folder else 'not writable'}"
    )
    for name, value in record.items():
        if name == "clock_resolution":
            value = f"{value * 1e9:.0f} ns"
        elif name == "noise":
            value = (
                f"{100 * value:.1f} % (spread of a fixed computation; above 10 %, timings of short runs are unreliable)"
            )
        elif name == "memory_bytes":
            value = f"{value / 2**30:.1f} GiB"
        elif isinstance(value, dict):
            value = ", ".join(f"{key}={item or 'unset'}" for key, item in value.items())
        click.echo(f"{name.replace('_', ' '):<18} {value}")
