"""
Decision boundary
=================

The classes that a model predicts over two features, with the samples that it gets wrong.

Command line: ``optbench plot gallery.db --kind decision_boundary``.
"""

import optbench

problem = optbench.get_problem("logistic_regression", features=["mean radius", "mean texture"])
run = optbench.minimize(problem, "lbfgs")
figure = optbench.plots.decision_boundary(problem, run.x)
