"""
Gradient norm and learning rate
===============================

What the optimizer saw and what it was given, along the runs.

Command line: ``optbench plot gallery.db --kind traces``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
few = results.runs[results.runs["problem"].isin(["rosenbrock", "quadratic"])]
figure = optbench.plots.traces(few, results.traces, optimizer="momentum", by="schedule")
