"""
Convergence
===========

How the gap to the minimum falls along a run: one panel a problem, one line an optimizer with the schedule that served
it best, the median over the starts and a band between the quartiles. A line ends in a dot where the median run
converged.

Command line: ``optbench plot gallery.db --kind convergence``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
few = results.runs[results.runs["problem"].isin(["rosenbrock", "himmelblau", "logistic_regression"])]
figure = optbench.plots.convergence(few, results.traces)

# %%
# The same runs against the clock; ``x="evaluations"`` and ``x="epochs"`` are the other costs.

figure = optbench.plots.convergence(few, results.traces, x="seconds")
