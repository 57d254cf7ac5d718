"""
Sensitivity to the learning rate
================================

How wide the range of good learning rates is, of a tuning study on a grid of rates.

Command line: ``optbench tune ...``, and ``optbench plot tuning.db --kind lr_sensitivity`` for its file.
"""

import tempfile
from pathlib import Path

import optbench

results = optbench.tune(
    ["logistic_regression", {"name": "quadratic", "n": 20}],
    ["gd", "momentum", "rmsprop", "adam"],
    Path(tempfile.mkdtemp()) / "tuning.db",
    budget={"max_iter": 1_000},
)
figure = optbench.plots.lr_sensitivity(results.runs, results.hits, results.trials)
