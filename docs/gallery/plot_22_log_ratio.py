"""
Log ratio of two optimizers
===========================

Problem by problem and start by start: who wins, how often, how far.

Command line: ``optbench plot gallery.db --kind log_ratio --a adam --b momentum``.
"""

import optbench

results = optbench.run("matrix.toml", "gallery.db")
figure = optbench.plots.log_ratio(results.runs, results.hits, a="adam", b="momentum")
