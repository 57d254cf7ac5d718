"""What commands that run a matrix share: entries as text, the plan in print, and a run with progress."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from optbench.cli.group import FACTORS, FOLDER

if TYPE_CHECKING:
    from optbench.config import Config
    from optbench.plan import Plan
    from optbench.runner import Outcome

Command = TypeVar("Command", bound=Callable[..., Any])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def entry(text: str) -> Any:
    """``quadratic:n=100,spectrum=geometric`` as a matrix entry; values as in TOML, or else text."""
    name, _, rest = text.partition(":")
    if not rest:
        return name
    made: dict[str, Any] = {"name": name}
    with suppress(tomllib.TOMLDecodeError):  # lists and quoted text hold commas of their own
        return made | tomllib.loads(f"v = {{ {rest} }}")["v"]
    for pair in re.split(r",(?![^\[]*\])", rest):  # at commas outside lists
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{text!r}: settings are written KEY=VALUE, separated by commas, not {pair!r}")
        try:
            made[key.strip()] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            made[key.strip()] = value
    return made


ENTRY = "NAME[:KEY=VALUE,...]"
BUDGET = ("max_iter", "epochs", "seeds")
WHERE = ("backend", "dtype")


def cells(seeds: int | None = None) -> Callable[[Command], Command]:
    """Options that name the cells of a matrix and their budget, for `entries_of` and `named_matrix`."""
    options = (
        click.option("-p", "--problem", multiple=True, metavar=ENTRY, help="Problem with its settings."),
        click.option("-O", "--optimizer", multiple=True, metavar=ENTRY, help="Optimizer, likewise."),
        click.option("-s", "--schedule", multiple=True, metavar=ENTRY, help="Schedule, likewise; default: constant."),
        click.option("--clip", multiple=True, metavar="KIND=LIMIT", help="norm=1.0, value=0.5 or none."),
        click.option("--batch-size", multiple=True, metavar="SAMPLES", help="A number, or full."),
        click.option("--max-iter", type=click.IntRange(1), help="Iteration budget of a run."),
        click.option("--epochs", type=float, help="Budget in passes through the samples instead."),
        click.option(
            "--seeds", type=click.IntRange(1), default=seeds, show_default=seeds is not None, help="Number of seeds."
        ),
        click.option("--backend", help="Where the runs are done: cpu, or cuda for a GPU."),
        click.option("--dtype", help="Of a GPU's arithmetic: float64 or float32."),
    )

    def added(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return added


def entries_of(options: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Entries of a matrix by factor. Raises ValueError for settings that are not written KEY=VALUE."""
    made = {factor: [entry(text) for text in options[factor]] for factor in FACTORS}
    clips = [entry(f"clip:{text}") if text != "none" else text for text in options["clip"]]
    made["clip"] = [clip if clip == "none" else {k: v for k, v in clip.items() if k != "name"} for clip in clips]
    made["batch"] = [int(text) if text.isdecimal() else text for text in options["batch_size"]]
    return made


def place_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Where the options of `cells` have the runs done, and in which arithmetic, if they say so. Raises ValueError."""
    from optbench.entries import BUDGET as KEYS

    return {key: KEYS[key].check(options[key]) for key in WHERE if options[key] is not None}


def named_matrix(options: Mapping[str, Any]) -> dict[str, Any]:
    """The matrix that the options of `cells` describe; empty without any. Raises ValueError."""
    plural = {**FACTORS, "clip": "clipping", "batch": "batch_size"}
    given = {plural[factor]: entries for factor, entries in entries_of(options).items() if entries}
    budget = {key: options[key] for key in BUDGET if options[key] is not None}
    if not given and not budget:
        return {}
    for one in ("problem", "optimizer"):
        if FACTORS[one] not in given:
            raise ValueError(f"a matrix on the command line needs at least one --{one}")
    return {**given, "budget": budget | place_of(options)}


def print_plan(facts: Mapping[str, Any]) -> None:
    """Print a plan and its size, as `Plan.describe` gives them."""
    written = {
        "seconds": lambda value: f"{value:.0f} at most (time limits)",
        "memory": lambda value: f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.1f} GB",
    }
    for key, value in facts.items():
        if key in written:
            value = written[key](value)
        if value == ():
            continue
        parts = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
        between = "\n" + " " * 16 if key == "not applicable" else ", "
        click.echo(f"{key:<15} {between.join(parts)}".rstrip())


@contextmanager
def working(path: Path) -> Iterator[dict[str, Any]]:
    """Options ``command`` and ``progress`` of what does runs; Ctrl-C ends with a sentence and exit code 130."""
    from optbench import console

    with console.progress() as progress:
        try:
            yield {"command": " ".join(["optbench", *sys.argv[1:]]), "progress": progress}
        except KeyboardInterrupt:
            click.echo(f"\noptbench: stopped; every finished run is kept in {path}, the same command goes on", err=True)
            sys.exit(130)


def execute(plan: Plan, path: Path, jobs: int, repeats: int) -> Outcome:
    """Run the plan and show progress."""
    from optbench.runner import run_plan

    with working(path) as rest:
        return run_plan(plan, path, jobs=jobs, repeats=repeats, **rest)


def run_config(config: Config, path: Path | None, stem: str, options: Mapping[str, Any]) -> int:
    """Run a matrix as the options say, print what came of it, save the plots; the number of runs that failed."""
    from optbench import console, tuning
    from optbench.cli import tuning_text
    from optbench.plan import make_plan
    from optbench.store import load

    plan = make_plan(config)
    if options["dry_run"]:
        print_plan(tuning.describe(config, plan))
        return 0
    if config.tuning is not None:
        tuning.studies_of(config, plan)  # says what is wrong before anything is written
    if path is None:
        path = FOLDER / f"{stem}.db"
        path.parent.mkdir(exist_ok=True)
    repeats = config.repeats if options["repeats"] is None else options["repeats"]
    with working(path) as rest:
        done = tuning.run_matrix(config, plan, path, jobs=options["jobs"] or cores(), repeats=repeats, **rest)
    results = load(path)
    if done.trials is None:
        failures = console.summary(done.plan, results, done.outcome, options["full"])
    else:
        failures = tuning_text.summary(done, results, options["full"])
    click.echo(f"results: {path}")
    if options["plots"]:
        tuning_text.save_plots(done, results, path)
    return failures
