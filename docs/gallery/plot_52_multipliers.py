"""
Multipliers
===========

Lagrange multipliers over the iterations, with the certified ones as dashed lines.

Command line: ``optbench plot lagrange.db --kind multipliers``.
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
figure = optbench.plots.multipliers(results.runs)
