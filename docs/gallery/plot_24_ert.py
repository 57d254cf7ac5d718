"""
Expected running time
=====================

The expected cost to every target when failed runs start again.

Command line: ``optbench plot gallery.db --kind ert``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
few = results.runs[results.runs["problem"].isin(["rosenbrock", "beale", "himmelblau"])]
figure = optbench.plots.ert(few, results.hits)
