"""
Surface
=======

The same as a landscape.

Command line: ``optbench plot gallery.db --kind surface``.
"""

import optbench

problem = optbench.get_problem("himmelblau")
paths = {
    "gd": optbench.minimize(problem, "gd", lr=1e-2, x0=[0.0, -4.5]),
    "adam": optbench.minimize(problem, "adam", lr=1e-1, x0=[0.0, -4.5]),
}
figure = optbench.plots.surface(problem, paths)
