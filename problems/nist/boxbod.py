r"""Biochemical oxygen demand against time: y = b_1 (1 - exp(-b_2 t)), the model of Misra1a.

Source: Box, Hunter & Hunter (1978), Statistics for Experimenters, 483-487.
"""

from __future__ import annotations

from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.problems.nist.misra import FIT_A
from optbench.registry import problem
from optbench.types import Problem


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_boxbod(start: int = 1) -> Problem:
    """Box's biochemical oxygen demand: two parameters from six observations."""
    return strd("BoxBOD", start, FIT_A)
