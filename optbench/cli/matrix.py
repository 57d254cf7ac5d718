"""What commands that run a matrix share: entries as text, the plan in print, and a run with progress."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
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


def print_plan(plan: Plan) -> None:
    """Print the plan and its size."""
    for key, value in plan.describe().items():
        parts = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
        between = "\n" + " " * 16 if key == "not applicable" else ", "
        click.echo(f"{key:<15} {between.join(parts)}".rstrip())


def execute(plan: Plan, path: Path, jobs: int, repeats: int, load: tuple[str, ...] = ()) -> Outcome:
    """Run the plan and show progress; Ctrl-C ends with a sentence and exit code 130."""
    from optbench import console
    from optbench.runner import run_plan

    with console.progress() as progress:
        try:
            command = " ".join(["optbench", *sys.argv[1:]])
            return run_plan(plan, path, jobs=jobs, repeats=repeats, command=command, load=load, progress=progress)
        except KeyboardInterrupt:
            click.echo(f"\noptbench: stopped; every finished run is kept in {path}, the same command goes on", err=True)
            sys.exit(130)
