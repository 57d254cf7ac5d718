"""
Tuning budget
=============

What the best of k trials is expected to give, for every k: whether a lead comes from the method or from more tuning.

Command line: ``optbench tune ...``, and ``optbench plot tuning.db --kind tuning_budget`` for its file.
"""

import tempfile
from pathlib import Path

import optbench

results = optbench.tune(
    ["beale", "logistic_regression"],
    ["gd", "momentum", "adam"],
    Path(tempfile.mkdtemp()) / "tuning.db",
    mode="quasi-random",
    budgets=[10, 20],
    budget={"max_iter": 1_000},
)
figure = optbench.plots.tuning_budget(results.runs, results.hits, results.trials)
