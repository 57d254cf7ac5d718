"""
Data space
==========

The points of a data set and the model's line as it moves along a run.

Command line: ``optbench plot gallery.db --kind data_space``.
"""

import optbench

problem = optbench.get_problem("linear_regression", data="sales", target="sales")
run = optbench.minimize(problem, "gd", lr=0.05, max_iter=200)
figure = optbench.plots.data_space(problem, {"gd": run})
