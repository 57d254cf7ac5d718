"""
Critical differences
====================

Mean ranks over the problems, after Friedman's test, with bars that join those that cannot be told apart. Eight
problems are few: the figure says so by its long bars.

Command line: ``optbench plot gallery.db --kind critical_difference``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
figure = optbench.plots.critical_difference(results.runs, results.hits)
