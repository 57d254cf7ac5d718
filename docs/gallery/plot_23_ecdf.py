"""
Runtime distribution
====================

As in COCO: the share of all pairs of a problem and a target that are met within a cost.

Command line: ``optbench plot gallery.db --kind ecdf``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
figure = optbench.plots.ecdf(results.runs, results.hits)
