"""
Parameter space
===============

Contours of the objective with the paths of optimizers, and at a chosen point the gradient with its numbers and one
step.

Command line: ``optbench plot gallery.db --kind parameter_space``.
"""

import optbench

problem = optbench.get_problem("rosenbrock")
paths = {
    "gd": optbench.minimize(problem, "gd", lr=1e-3, max_iter=20_000),
    "momentum": optbench.minimize(problem, "momentum", lr=1e-3, max_iter=20_000),
    "adam": optbench.minimize(problem, "adam", lr=1e-1, max_iter=20_000),
}
figure = optbench.plots.parameter_space(problem, paths)

# %%
# The gradient at a point, with the step that gradient descent takes from there:

problem = optbench.get_problem("linear_regression", data="sales", target="sales")
figure = optbench.plots.parameter_space(problem, at="w=1,b=2", step="gd", lr=0.1)
