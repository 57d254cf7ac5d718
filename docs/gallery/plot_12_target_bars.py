"""
Cost to a target
================

Medians and quartiles of the cost to an accuracy, the fastest first.

Command line: ``optbench plot gallery.db --kind target_bars``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
few = results.runs[results.runs["problem"].isin(["rosenbrock", "himmelblau", "logistic_regression"])]
figure = optbench.plots.target_bars(few, results.hits)
