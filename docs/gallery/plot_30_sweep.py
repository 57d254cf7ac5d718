"""
Sweep of one setting
====================

What the learning rate does to three optimizers: the loss at the end and the iterations to an accuracy. Rings are the
best values, bars the values that need at most twice as many iterations.

Command line: ``optbench sweep ...``, and ``optbench plot sweep.db --kind sweep`` for its file.
"""

import tempfile
from pathlib import Path

import optbench

sweep = optbench.sweep(
    {"name": "quadratic", "n": 20, "cond": 100},
    ["gd", "momentum", "adam"],
    {"lr": "1e-5..10:log:19"},
    max_iter=5_000,
    output=Path(tempfile.mkdtemp()) / "sweep.db",
    repeats=1,
)
figure = sweep.plot()
