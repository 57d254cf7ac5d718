"""The command line: the only package that prints, one module for each command or two.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

from optbench.cli import animate, compare, doctor, explain, history, listing, results, run, sweep, tune
from optbench.cli.group import main

__all__ = ["animate", "compare", "doctor", "explain", "history", "listing", "main", "results", "run", "sweep", "tune"]
