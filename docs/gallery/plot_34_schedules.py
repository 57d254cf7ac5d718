"""
Shapes of schedules
===================

The learning rate against the step, one panel a schedule.

Command line: ``optbench plot --kind schedules``, which needs no results file.
"""

import optbench

figure = optbench.plots.schedule_shapes()
