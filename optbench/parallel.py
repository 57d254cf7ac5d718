"""Large problems: from which size on, in which pieces and by how many threads they are worked on."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
THRESHOLD = 1 << 16  # coordinates from which several threads pay
PIECE = 1 << 14  # coordinates of a piece, whatever the number of threads: a few arrays of it fit in a core's cache
MOST = 1024
INDICES = (1 << 32) - 1  # no index is beyond
VARIABLE = "OPTBENCH_THREADS"


def span(first, last):  # type: ignore[no-untyped-def]
    """``range(first, last)`` for compiled code, 0 <= first <= last < 2**32.

    So written, LLVM sees that no index is negative. Otherwise it tests each of them, since Python counts those from the
    end, and reads and writes number by number: five times slower.
    """
    start = first & INDICES
    return range(start, start + ((last - start) & INDICES))


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
        The variable is not a whole number from 1 to 1024.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        return cores()
    if not given.isdecimal() or not 1 <= int(given) <= MOST:
        raise ValueError(f"{VARIABLE} takes a whole number from 1 to {MOST}, not {given!r}")
    return int(given)


def set_threads(count: int | None) -> None:
    """Have large problems worked on by so many threads, in this process and those it starts; None: one for every core.

    The numbers that a run gives do not depend on it. Workers of `run` use one thread each whatever is set here; the
    timing pass uses them all.

    Raises
    ------
    ValueError
        `count` is not a whole number from 1 to 1024.
    """
    if count is None:
        os.environ.pop(VARIABLE, None)
    elif isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise ValueError(f"threads takes a whole number from 1 to {MOST}, not {count!r}")
    else:
        os.environ[VARIABLE] = str(count)


def with_one_thread(make: Callable[..., T], settings: Mapping[str, Any]) -> T:
    """Make a problem while BLAS has one thread: data and minima must not depend on how many there are.

    Where that has loaded another BLAS library, as nobody could have known, the problem is made again.
    """
    while True:
        libraries = _blas(len(sys.modules))
        with libraries.limit(limits=1):
            made = make(**settings)
        if len(_blas(len(sys.modules))) == len(libraries):
            return made


@functools.lru_cache(maxsize=1)
def _blas(modules: int) -> Any:
    """The BLAS libraries of this process, looked for where the number of loaded modules has changed."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
