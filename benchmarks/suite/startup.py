"""What comes before the first step: import, compilation, cached code. Every sample is a fresh process."""

from __future__ import annotations

from typing import Any

from .common import problem, run_once

# Everything that a first run imports is there before the clock starts: what is left is optbench's own.
IMPORTS = """
import os, numba, numpy, pandas, scipy.optimize, llvmlite.binding
{place}
import optbench
made = optbench.get_problem({name!r})
"""
EMPTY = """
import atexit, shutil, tempfile
os.environ["OPTBENCH_CACHE_DIR"] = tempfile.mkdtemp()
atexit.register(shutil.rmtree, os.environ["OPTBENCH_CACHE_DIR"], ignore_errors=True)
"""
RUN = "optbench.minimize(made, {optimizer!r}, max_iter=1, record='log', **{options!r})"
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "adam on rosenbrock": ("rosenbrock", "adam", {}),
    "adam on mlp, batches": ("mlp", "adam", {"batch_size": 32}),
    "lbfgs on rosenbrock": ("rosenbrock", "lbfgs", {}),
    "augmented_lagrangian on hs071": ("hs071", "augmented_lagrangian", {}),
}


class _Fresh:
    """Samples that are processes: no warm-up, one call each."""

    number = 1
    rounds = 1
    repeat = 3
    warmup_time = 0
    min_run_count = 1
    timeout = 300


class FirstRun(_Fresh):
    """The first run of a process."""

    params = (tuple(CASES),)
    param_names = ("run",)

    def setup(self, case: str) -> None:
        """Skip what this commit does not have; the cache of this commit then holds what the case needs."""
        name, optimizer, options = CASES[case]
        run_once(problem(name), optimizer, max_iter=1, **options)

    def timeraw_compile(self, case: str) -> tuple[str, str]:
        """Cold: every kernel is compiled, into an empty cache."""
        name, optimizer, options = CASES[case]
        return RUN.format(optimizer=optimizer, options=options), IMPORTS.format(place=EMPTY, name=name)

    def timeraw_load(self, case: str) -> tuple[str, str]:
        """Warm: every kernel is loaded from the cache."""
        name, optimizer, options = CASES[case]
        return RUN.format(optimizer=optimizer, options=options), IMPORTS.format(place="", name=name)


class Import(_Fresh):
    """Time until the package can be used."""

    repeat = 7

    def timeraw_package(self) -> str:
        """The package, with the registry: every optimizer, problem and schedule is known."""
        return "import optbench; optbench.list_problems(); optbench.list_optimizers(); optbench.list_schedules()"

    def timeraw_command_line(self) -> str:
        """The command line, up to its help."""
        return "import optbench.cli"

    def timeraw_plots(self) -> str:
        """The figures."""
        return "import optbench; optbench.plots.KINDS"
