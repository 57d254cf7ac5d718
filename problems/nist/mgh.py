r"""Three data sets that More, Garbow & Hillstrom (1981) use as well, with their models: problems 15, 10 and 17.

MGH09: `kowalik_osborne`. MGH10: `meyer`. MGH17: `osborne_1`. Start 2 is the standard start of the paper; start 1 is 100
times, or otherwise, further away.

Source: Kowalik & Osborne (1978), Methods for Unconstrained Optimization Problems; Meyer (1970), Theoretical and
Computational Aspects of Nonlinear Regression; Osborne (1972), Some Aspects of Nonlinear Least Squares Calculations.
"""

from __future__ import annotations

from optbench.problems.more_garbow_hillstrom import kowalik_osborne, meyer, osborne_1
from optbench.problems.nist._strd import SOURCE, TAGS, strd
from optbench.registry import problem
from optbench.types import Problem


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_mgh09(start: int = 1) -> Problem:
    """Kowalik and Osborne's enzyme reaction, from NIST's starts."""
    return strd("MGH09", start, (kowalik_osborne.residuals, kowalik_osborne.curvature))


@problem(source=SOURCE, tags=(*TAGS, "higher"))
def nist_mgh10(start: int = 1) -> Problem:
    """Meyer's thermistor, from NIST's starts."""
    return strd("MGH10", start, (meyer.residuals, meyer.curvature))


@problem(source=SOURCE, tags=(*TAGS, "average"))
def nist_mgh17(start: int = 1) -> Problem:
    """Osborne's sum of two exponentials and a constant, from NIST's starts."""
    return strd("MGH17", start, (osborne_1.residuals, osborne_1.curvature))
