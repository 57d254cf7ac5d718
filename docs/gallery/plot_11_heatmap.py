"""
Heat map
========

Optimizers against schedules: median iterations to an accuracy in every cell, the best in bold; where too few runs got
there, how many did. The last panel puts all problems together.

Command line: ``optbench plot gallery.db --kind heatmap``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
first_order = results.runs[results.runs["optimizer"] != "lbfgs"]
figure = optbench.plots.heatmap(first_order, results.hits)
