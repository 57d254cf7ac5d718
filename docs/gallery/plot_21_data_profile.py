"""
Data profile
============

Moré and Wild (2009): the share of problems and starts solved within a number of evaluations, in units of n + 1,
whatever the others need.

Command line: ``optbench plot gallery.db --kind data_profile``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
figure = optbench.plots.data_profile(results.runs, results.hits)
