"""
One model is one point
======================

Every line over the data is one point of the parameter space.

Command line: ``optbench plot --kind one_model``, which needs no results file.
"""

import optbench

problem = optbench.get_problem("linear_regression", data="sales", target="sales")
figure = optbench.plots.one_model(problem)
