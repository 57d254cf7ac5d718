"""
Constraints
===========

Contours, the constraint, and the gradients at the solution, which are parallel there; with the paths of methods.

Command line: ``optbench plot gallery.db --kind constraint_space``.
"""

import optbench

problem = optbench.get_problem("circle_on_line")
paths = {
    "gradient_descent_ascent": optbench.minimize(problem, "gradient_descent_ascent", max_iter=2_000),
    "lagrange_newton": optbench.minimize(problem, "lagrange_newton"),
}
figure = optbench.plots.constraint_space(problem, paths)
