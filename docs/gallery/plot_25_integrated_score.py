"""
Integrated score
================

AlgoPerf's score: the area under the performance profile up to a ratio, one number a competitor.

Command line: ``optbench plot gallery.db --kind integrated_score``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
first_order = results.runs[results.runs["optimizer"] != "lbfgs"]
figure = optbench.plots.integrated_score(first_order, results.hits)
