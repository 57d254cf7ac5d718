"""The first-order driver: one call runs a whole run, or the part of it that fits into one time slice.

An iteration evaluates f and the gradient at x_t, then steps. Only two comparisons stand between: `f` must lie inside
(next, LIMIT), else a target was met or the run diverged; and t must not be an event (a trace row, the end of a block of
learning rates, of the slice or of the budget). All else happens at events.
"""
