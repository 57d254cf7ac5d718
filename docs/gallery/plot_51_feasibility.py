"""
Feasibility against stationarity
================================

The path of every method through the two parts of the KKT residual: whether it first becomes feasible or first
stationary.

Command line: ``optbench plot lagrange.db --kind feasibility``.
"""

import tempfile
from pathlib import Path

import optbench

results = optbench.run(
    {
        "problems": ["hs071", "circle_on_line"],
        "optimizers": ["lagrange_newton", "augmented_lagrangian", "quadratic_penalty", "gradient_descent_ascent"],
        "budget": {"max_iter": 1_000},
    },
    Path(tempfile.mkdtemp()) / "lagrange.db",
    repeats=1,
)
figure = optbench.plots.feasibility(results.runs)
