"""What a result was measured with: versions, machine, threads, clock."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from optbench import parallel

PACKAGES = ("optbench", "numba", "llvmlite", "numpy", "scipy", "pandas", "matplotlib", "scikit-learn")
HERE = Path(__file__).resolve().parent
VOLATILE = ("load_average", "noise", "clock_resolution")  # of the moment, not of the machine


def versions() -> dict[str, str]:
    """Version of every package that decides a result, without importing any; '-' where one is missing."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "-"
    return found


def commit(folder: Path = HERE) -> str | None:
    """Git commit of the sources in a folder, ``-dirty`` where tracked files differ; None outside a checkout of them."""
    command = ["git", "-C", str(folder)]
    try:
        # Installed packages often lie below some other project's checkout, where they are not tracked.
        for what in ("ls-files --error-unmatch __init__.py", "describe --always --dirty --abbrev=40 --exclude=*"):
            done = subprocess.run([*command, *what.split()], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def clock_resolution(samples: int = 200) -> float:
    """Smallest step of ``perf_counter_ns`` that this process sees, in seconds."""
    steps = []
    for _ in range(samples):
        start = now = time.perf_counter_ns()
        while now == start:
            now = time.perf_counter_ns()
        steps.append(now - start)
    return min(steps) * 1e-9


def noise(samples: int = 200) -> float:
    """Relative spread, (q90 - q10) / median, of a fixed piece of arithmetic: how quiet the machine is just now."""
    taken = []
    for _ in range(samples):
        start = time.perf_counter_ns()
        sum(range(10_000))
        taken.append(time.perf_counter_ns() - start)
    taken.sort()
    return (taken[int(0.9 * samples)] - taken[int(0.1 * samples)]) / median(taken)


def environment() -> dict[str, Any]:
    """The record that is kept with every invocation."""
    import llvmlite.binding as llvm
    import psutil

    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "versions": versions(),
        "commit": commit(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": llvm.get_host_cpu_name(),
        "cores": os.cpu_count(),
        "usable_cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else None,
        "memory_bytes": psutil.virtual_memory().total,
        "load_average": list(psutil.getloadavg()),
        "clock_resolution": clock_resolution(),
        "noise": noise(),
        "large_problem_threads": parallel.threads(),
        "threads": {key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")},
    }


def differences(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]
) -> dict[str, tuple[list[str], list[str]]]:
    """What differs between two sets of environment records, but for load and noise: all values of each set, by key.

    Keys of nested tables are joined by a dot, ``versions.numba``. What a record lacks is ``"unknown"``.
    """
    sides = [[dict(_flat(record)) for record in records] for records in (old, new)]
    keys = dict.fromkeys(key for side in sides for record in side for key in record)
    found = {key: tuple(sorted({record.get(key, "unknown") for record in side}) for side in sides) for key in keys}
    return {key: (first, second) for key, (first, second) in found.items() if first != second}


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif prefix or key not in VOLATILE:
            yield prefix + key, str(value)
