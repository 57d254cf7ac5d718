"""What commands that run a matrix share: entries as text, the plan in print, and a run with progress."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.group import FACTORS, FOLDER

if TYPE_CHECKING:
    from optbench.config import Config
    from optbench.plan import Plan
    from optbench.runner import Outcome


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


def named_matrix(options: Mapping[str, Any]) -> dict[str, Any]:
    """The matrix that -p, -O, -s, --max-iter and --seeds describe; empty without them. Raises ValueError."""
    given = {plural: [entry(text) for text in options[one]] for one, plural in FACTORS.items() if options[one]}
    budget = {key: options[key] for key in ("max_iter", "seeds") if options[key] is not None}
    if not given and not budget:
        return {}
    for one in ("problem", "optimizer"):
        if FACTORS[one] not in given:
            raise ValueError(f"a matrix on the command line needs at least one --{one}")
    return {**given, "budget": budget}


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
        for file in tuning_text.save_plots(done, results, path):
            click.echo(f"plot:    {file}")
    return failures
