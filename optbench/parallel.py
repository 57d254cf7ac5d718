"""Large problems: from which size on, in which pieces and by how many threads they are worked on."""

from __future__ import annotations

import os

THRESHOLD = 1 << 16  # coordinates from which several threads pay
PIECE = 1 << 14  # coordinates of a piece, whatever the number of threads: a few arrays of it fit in a core's cache
VARIABLE = "OPTBENCH_THREADS"


def cores() -> int:
    """Physical cores that this process may use, at least 1."""
    import psutil

    usable = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))


def threads() -> int:
    """Threads that work on a large problem: ``OPTBENCH_THREADS``, else one for every core.

    Raises
    ------
    ValueError
        The variable is not a whole number of at least 1.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        return cores()
    if not given.isdecimal() or not 1 <= int(given) <= MOST:
        raise ValueError(f"{VARIABLE} takes a whole number from 1 to {MOST}, not {given!r}")
    return int(given)


MOST = 1024
