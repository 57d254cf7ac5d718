"""A whole matrix from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optbench.config import load_config, parse_config, quick_config
from optbench.plan import make_plan
from optbench.runner import run_plan
from optbench.store import Results, load


def run(
    matrix: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    output: str | os.PathLike[str] = "results.db",
    *,
    jobs: int = 0,
    repeats: int | None = None,
) -> Results:
    """Run a matrix and return its results; what `output` holds already is not run again.

    Parameters
    ----------
    matrix : path-like, mapping or None
        A TOML file, the same content as a mapping, or None for the built-in quick matrix.
    output : path-like
        Results file.
    jobs : int
        Worker processes for counting iterations; the clock runs alone. 0: in this process, which a crash in a kernel
        ends. Workers are spawned: a script that asks for some needs ``if __name__ == "__main__":`` around the call.
    repeats : int, optional
        Timed samples a run, in place of the matrix's own; 0 for none.

    Raises
    ------
    ConfigError
        With everything that is wrong with the matrix.
    StoreError
        The results file cannot be used.
    """
    if matrix is None:
        config = quick_config()
    elif isinstance(matrix, Mapping):
        config = parse_config(matrix)
    else:
        config = load_config(Path(matrix))
    samples = config.repeats if repeats is None else repeats
    run_plan(make_plan(config), output, jobs=jobs, repeats=samples, load=config.load)
    return load(output)
