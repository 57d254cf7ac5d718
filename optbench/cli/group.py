"""The command group, and how bad input ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from optbench import __version__

FACTORS = {"problem": "problems", "optimizer": "optimizers", "schedule": "schedules"}
FOLDER = Path("optbench-results")  # of results files that are not named


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
def sentences() -> Iterator[None]:
    """Bad input ends with one clear sentence (or one line for each error of a matrix) on stderr and exit code 2."""
    from optbench.storefile import StoreError

    try:
        yield
    except (ValueError, OSError, StoreError) as error:
        if isinstance(error, BrokenPipeError) and _unread():
            sys.exit(1)
        for line in str(error).splitlines():
            click.echo(f"optbench: {line}", err=True)
        sys.exit(2)


def _unread() -> bool:
    """Whether who reads the output has gone, as head does; what is left of it goes nowhere then, at the exit too."""
    try:
        click.echo()  # shows whether it was this pipe that broke
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="optbench")
def main() -> None:
    """Benchmark optimization algorithms: problems x optimizers x learning-rate schedules in compiled kernels."""
