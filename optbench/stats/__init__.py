"""Statistics of results: tables in, tables out.

What is compared is the cost of a run to a target: iterations, epochs, evaluations or seconds until
f - f_opt <= target (f(x_0) - f_opt). A run that never met the target costs infinity, so a median is infinite when half
of the runs or more failed. The cost is NaN, not judged, where the problem's minimum is unknown or the run was not asked
for that target; such runs are compared by their final losses. Nothing here is drawn at random.
"""

from __future__ import annotations

from optbench.stats.cells import FACTORS, Cells, factors_of, labels, need, one_of, text
from optbench.stats.comparison import Measure, Tables, compare, overall
from optbench.stats.contest import By, Contest, contest, mean_ranks
from optbench.stats.costs import (
    FAILED,
    TARGETS,
    On,
    budget_costs,
    costs,
    final,
    judged,
    losses,
    pick_target,
    shown,
    spent,
    target_text,
)
from optbench.stats.diff import by_problem, changes, matched
from optbench.stats.ecdf import ecdf, ert
from optbench.stats.friedman import PostHoc, critical_difference, rank_differences
from optbench.stats.paired import Contrast, contrast, holm, sign_test, signed_rank, smallest_p
from optbench.stats.profiles import R_MAX, Per, data_profile, integrated_score, log_ratio, performance_profile
from optbench.stats.ranking import ranking
from optbench.stats.samples import median_interval, medians, quartiles, success_interval
from optbench.stats.summary import summary

__all__ = [
    "FACTORS",
    "FAILED",
    "R_MAX",
    "TARGETS",
    "By",
    "Cells",
    "Contest",
    "Contrast",
    "Measure",
    "On",
    "Per",
    "PostHoc",
    "Tables",
    "budget_costs",
    "by_problem",
    "changes",
    "compare",
    "contest",
    "contrast",
    "costs",
    "critical_difference",
    "data_profile",
    "ecdf",
    "ert",
    "factors_of",
    "final",
    "holm",
    "integrated_score",
    "judged",
    "labels",
    "log_ratio",
    "losses",
    "matched",
    "mean_ranks",
    "median_interval",
    "medians",
    "need",
    "one_of",
    "overall",
    "performance_profile",
    "pick_target",
    "quartiles",
    "rank_differences",
    "ranking",
    "shown",
    "sign_test",
    "signed_rank",
    "smallest_p",
    "spent",
    "success_interval",
    "summary",
    "target_text",
    "text",
]
