"""What the benchmarks share: the C compiler, torch and JAX where they are installed, interleaved rounds."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

# -O3 -march=native, square roots without errno, and the sums reordered, as optbench's are.
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd")


def compile_c(source: Path, folder: str, optional: Sequence[str] = ()) -> tuple[ctypes.CDLL, bool]:
    """Compile a C file, with the `optional` arguments where that works; the library, and whether it did.

    Prints compiler and flags. Exits with 2 and a sentence when there is no compiler.
    """
    compiler = os.environ.get("CC", "gcc")
    if shutil.which(compiler) is None:
        print(f"no C compiler: {compiler!r} is not found; install gcc or set CC", file=sys.stderr)
        raise SystemExit(2)
    library = str(Path(folder) / f"{source.stem}.so")
    command = [compiler, *FLAGS, "-shared", "-fPIC", str(source), "-o", library]
    worked = bool(optional) and subprocess.run([*command, *optional, "-lm"], capture_output=True).returncode == 0
    if not worked:
        subprocess.run([*command, "-lm"], check=True)
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    print(f"C: {version}; {' '.join(FLAGS)}")
    return ctypes.CDLL(library), worked


def torch_or_none(threads: int = 1) -> Any:
    """Import torch for that many threads and float64; None where it is missing."""
    try:
        import torch
    except ImportError:
        print("torch: not installed")
        return None
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float64)
    print(f"torch {torch.__version__}, {threads} thread{'s' if threads > 1 else ''}")
    return torch


def jax_or_none() -> Any:
    """Import JAX for float64 on the CPU; None where it is missing."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        import jax
    except ImportError:
        print("jax: not installed")
        return None
    jax.config.update("jax_enable_x64", True)
    print(f"jax {jax.__version__}")
    return jax


def rounds(takers: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """A sample of every competitor in each of the interleaved rounds, whose order turns."""
    samples: dict[str, list[float]] = {who: [] for who in takers}
    order = list(takers)
    for _ in range(repeats):
        for who in order:
            samples[who].append(takers[who]())
        order.reverse()
    return samples


def ratio(samples: dict[str, list[float]], who: str, other: str) -> float:
    """Median over the rounds of the quotient: another process slows a round down, not one side."""
    return median(a / b for a, b in zip(samples[who], samples[other], strict=True))
