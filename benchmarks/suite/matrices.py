"""From a matrix to a results file and back: plan, runs, records; and the memory that it takes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from .common import known, problem, run_once


def matrix(seeds: int) -> dict[str, Any]:
    """Short runs of one optimizer, so many."""
    problems = [{"name": "rosenbrock", "seeds": seeds}]
    return {"problems": problems, "optimizers": ["gd"], "budget": {"max_iter": 100}}


class Plan:
    """Configurations to lists of runs."""

    def setup(self) -> None:
        """Import, and plan once."""
        with known():
            from optbench.config import parse_config, quick_config
            from optbench.plan import make_plan
        self.parse, self.quick, self.plan = parse_config, quick_config, make_plan
        self.time_quick_matrix()

    def time_quick_matrix(self) -> None:
        """The built-in matrix: read, checked, planned."""
        self.plan(self.quick())

    def time_5000_runs(self) -> None:
        """A plan of 5000 runs."""
        self.plan(self.parse(matrix(5000)))


class Matrix:
    """1000 runs in this process, with their results file."""

    rounds = 1
    repeat = 3
    number = 1
    warmup_time = 0

    def setup(self) -> None:
        """Run them once, which compiles or loads."""
        import optbench

        self.run, self.load = optbench.run, optbench.load
        self.folder = Path(tempfile.mkdtemp())
        self.done = self.folder / "done.db"
        with known():
            self.run(matrix(1000), self.done, repeats=0)

    def teardown(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.folder)

    def time_run(self) -> None:
        """Everything: plan, 100 steps each, records, tables. `setup` gives every sample a folder of its own."""
        self.run(matrix(1000), self.folder / "new.db", repeats=0)

    def time_resume(self) -> None:
        """The same with nothing left to do."""
        self.run(matrix(1000), self.done, repeats=0)

    def time_load(self) -> None:
        """Tables of all runs, hits and traces."""
        found = self.load(self.done)
        assert len(found.runs) == 1000
        assert len(found.hits)
        assert len(found.traces)


class Store:
    """The results file alone."""

    rounds = 1
    repeat = 5
    number = 1
    warmup_time = 0

    def setup(self) -> None:
        """Make 2000 entries with one result, and a new file."""
        with known():
            from optbench.config import parse_config
            from optbench.harness import execute
            from optbench.plan import make_plan
            from optbench.store import Entry, Store
        runs = make_plan(parse_config(matrix(2000))).runs
        result = execute(runs[0])
        self.entries = [Entry(run, result, "code", 2) for run in runs]
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder / "new.db")
        self.invocation = self.store.begin("benchmark", {})

    def teardown(self) -> None:
        """Remove the file."""
        self.store.close()
        shutil.rmtree(self.folder)

    def time_add_many(self) -> None:
        """2000 runs with hits and traces in one transaction."""
        self.store.add_many(self.entries, self.invocation)

    def time_add(self) -> None:
        """200 runs in a transaction each: durable one by one."""
        for entry in self.entries[:200]:
            self.store.add_many([entry], self.invocation)


class Memory:
    """Peak memory of a process that does one thing."""

    def peakmem_import(self) -> None:
        """The package with its registry."""
        import optbench

        optbench.list_problems()

    def peakmem_run(self) -> None:
        """A run whose kernels are in the cache."""
        run_once(problem("rosenbrock"), "adam", max_iter=1000)

    def peakmem_large(self) -> None:
        """Adam with a million parameters, 8 MB an array."""
        run_once(problem("quadratic", n=1_000_000), "adam", max_iter=5)
