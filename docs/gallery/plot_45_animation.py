"""
Animation
=========

The paths of several optimizers through parameter space as a film: GIF, or MP4 where ffmpeg is installed.

Command line: ``optbench animate results.db``.
"""

import optbench

problem = optbench.get_problem("beale")
paths = {
    "gd": optbench.minimize(problem, "gd", lr=1e-2, max_iter=400),
    "momentum": optbench.minimize(problem, "momentum", lr=1e-3, max_iter=400),
    "adam": optbench.minimize(problem, "adam", lr=1e-1, max_iter=400),
}
film = optbench.plots.animation(problem, paths, frames=40, fps=8)
