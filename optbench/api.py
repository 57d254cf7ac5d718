"""A whole matrix from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from optbench.config import parse_config, quick_config
from optbench.matrices import find_config
from optbench.plan import make_plan
from optbench.store import Results, load
from optbench.tuning import run_matrix

TEST_SEEDS = 5  # of what is tuned: a winner on one seed says little


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
        A TOML file, the name of a matrix that comes with the package, the content of such a file as a mapping, or None
        for the built-in quick matrix. With ``[tuning]``, it is tuned first: see `tune`.
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
        config = find_config(os.fspath(matrix))
    samples = config.repeats if repeats is None else repeats
    run_matrix(config, make_plan(config), output, jobs=jobs, repeats=samples)
    return load(output)


def tune(
    problems: Any,
    optimizers: Any,
    output: str | os.PathLike[str] = "tuning.db",
    *,
    schedules: Any = ("constant",),
    clipping: Any = ("none",),
    batch_size: Any = ("full",),
    budget: Mapping[str, Any] | None = None,
    jobs: int = 0,
    repeats: int = 0,
    **tuning: Any,
) -> Results:
    """Tune every cell of a matrix with the same trials, then run the winners and the defaults on other seeds.

    Parameters
    ----------
    problems, optimizers, schedules, clipping, batch_size
        An entry of a matrix, or a sequence of such: a name, or a mapping with a name and settings.
    output : path-like
        Results file; the same call goes on with what it holds.
    budget : mapping, optional
        The table ``[budget]``: ``max_iter``, ``seeds`` (of the tests, 5 by default), ``targets`` and so
        on.
    jobs, repeats : int
        As in `run`; by default nothing is timed.
    **tuning
        The table ``[tuning]``: ``mode`` ("grid", "random", "quasi-random"), ``budgets``, ``parameters``, ``criterion``,
        ``target``, ``seeds``, ``search_seed``, ``ranges``; see `optbench.search.Tuning`.

    Returns
    -------
    Results
        ``trials`` says what each run was; `optbench.tuned.comparison` and the figures ``tuning_budget`` and
        ``lr_sensitivity`` take it.

    Raises
    ------
    ConfigError
        With everything that is wrong with the matrix.
    StoreError
        The results file cannot be used.
    """
    factors = {"problems": problems, "optimizers": optimizers, "schedules": schedules, "clipping": clipping}
    table = {key: _listed(entries) for key, entries in {**factors, "batch_size": batch_size}.items()}
    tests = {"seeds": TEST_SEEDS, **(budget or {})}
    return run({**table, "budget": tests, "tuning": tuning}, output, jobs=jobs, repeats=repeats)


def _listed(entries: Any) -> list[Any]:
    return [entries] if isinstance(entries, (str, int, Mapping)) else list(entries)
