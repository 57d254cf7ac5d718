"""
Sweep of two settings
=====================

Learning rate against momentum. On a quadratic both have optimal values that are known in closed form; far from them
the method diverges or crawls.

Command line: ``optbench sweep ...`` with two ``--vary``, and ``optbench plot sweep.db --kind sweep_map`` for its file.
"""

import tempfile
from pathlib import Path

import optbench

sweep = optbench.sweep(
    {"name": "quadratic", "n": 20, "cond": 100},
    "momentum",
    {"lr": "1e-4..0.1:log:13", "momentum": [0, 0.5, 0.8, 0.9, 0.95, 0.99]},
    max_iter=2_000,
    output=Path(tempfile.mkdtemp()) / "sweep.db",
    repeats=1,
)
figure = sweep.plot()
