"""
Performance profile
===================

Dolan and Moré (2002): the share of problems and starts that an optimizer solves at a cost of at most tau times that
of the best. The value at tau = 1 is how often it wins, the value at the right how often it gets there at all.

Command line: ``optbench plot gallery.db --kind performance_profile``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
first_order = results.runs[results.runs["optimizer"] != "lbfgs"]
figure = optbench.plots.performance_profile(first_order, results.hits)
