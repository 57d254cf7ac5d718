"""What a result was measured with: versions, machine, threads, clock."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from statistics import median
from typing import Any

PACKAGES = ("optbench", "numba", "llvmlite", "numpy", "scipy", "pandas", "matplotlib", "scikit-learn")


def versions() -> dict[str, str]:
    """Version of every package that decides a result, without importing any; '-' where one is missing."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "-"
    return found


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
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": llvm.get_host_cpu_name(),
        "cores": os.cpu_count(),
        "usable_cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else None,
        "memory_bytes": psutil.virtual_memory().total,
        "load_average": list(psutil.getloadavg()),
        "clock_resolution": clock_resolution(),
        "noise": noise(),
        "threads": {key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")},
    }
