"""The CUDA back end on this machine's GPU: every test of it, then its speed beside the CPU, JAX and its own limits.

``python benchmarks/gpu.py [--no-tests] [--quick] [--json FILE]``

1. ``pytest -m gpu tests/test_gpu.py``: every optimizer, schedule, clipping and problem against the CPU.
2. Ensembles: run-steps a second of Adam and gradient descent on Rosenbrock n = 2, on the GPU (launches, synchronised,
   without transfer), on two cores of this machine (`optbench.ensemble`, exact and in lanes), and of JAX (vmap, jit,
   fori_loop) on the same GPU. The arithmetic limit counts the instructions of the float unit that a run-step executes
   (Nsight Compute, ``ncu``, where it is there) against how many the device can issue at the clock it runs at.
3. Large problems: bytes that a step must move, each array read or written once, a second, against a device-to-device
   copy of this device.

Prints tables in Markdown. Exit code 1 when a test fails, 2 without a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import optbench
from optbench.devices import BackendError, facts, require

STEPS, MEMBERS = 1000, 1 << 20
CORES = 2
COPIES = 20  # between two looks at the clock
RATE = {"adam": 1e-7, "gd": 1e-12}  # so small that no run ends while it is timed
STREAMS = {  # arrays that evaluation and step of a problem and an optimizer must read or write, of n numbers each
    ("quadratic", "gd"): 4 + 3,  # x, centre, eigenvalues in, g out; x, g in, x out
    ("quadratic", "adam"): 4 + 7,  # the step: x, g, m, v in, x, m, v out
    ("rosenbrock", "adam"): 2 + 7,  # x in, g out
}
FLOAT_LANES = {"9.0": {"float64": 64, "float32": 128}, "8.0": {"float64": 32, "float32": 64}}  # a clock and SM


def starts(members: int) -> Any:
    """Starts of the ensemble, shape (members, 2)."""
    return np.random.default_rng(0).uniform(-2.0, 2.0, (members, 2))


def on_gpu(optimizer: str, dtype: str, members: int, repeats: int) -> dict[str, Any]:
    """Seconds of the kernels, transfer and compilation; the end points."""
    options: dict[str, Any] = {"lr": RATE[optimizer], "max_iter": STEPS, "targets": ()}
    done = [
        optbench.ensemble("rosenbrock", optimizer, x0s=starts(members), backend="cuda", dtype=dtype, **options)
        for _ in range(repeats)
    ]
    return {
        "seconds": median(each.seconds for each in done),
        "transfer": median(each.transfer_seconds for each in done),
        "compile": done[0].compile_seconds,
        "x": done[0].x,
    }


def on_cpu(optimizer: str, members: int, lanes: bool) -> dict[str, Any]:
    """The same on `CORES` cores."""
    options: dict[str, Any] = {"lr": RATE[optimizer], "max_iter": STEPS, "targets": (), "threads": CORES}
    done = [optbench.ensemble("rosenbrock", optimizer, x0s=starts(members), lanes=lanes, **options) for _ in range(3)]
    return {"seconds": median(each.seconds for each in done), "x": done[0].x}


def with_jax(members: int, repeats: int) -> dict[str, Any] | None:
    """Adam in JAX on the GPU, in float64; None where it is not there."""
    os.environ |= {"JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    try:
        import jax
        from ensemble import prepare_jax

        jax.config.update("jax_enable_x64", True)
        sample, ends = prepare_jax(jax, starts(members), STEPS)
        return {"seconds": median(sample() for _ in range(repeats)), "x": ends, "version": jax.__version__}
    except (ImportError, RuntimeError) as error:
        print(f"JAX: not on this GPU ({str(error).splitlines()[0]})")
        return None


def counted(dtype: str) -> float | None:
    """Instructions of the float unit that a run-step of Adam executes, counted by ncu; None without it."""
    tool = shutil.which("ncu")
    if tool is None:
        return None
    kind = {"float64": "d", "float32": "f"}[dtype]
    names = [f"smsp__sass_thread_inst_executed_op_{kind}{op}_pred_on.sum" for op in ("add", "mul", "fma")]
    code = (
        "import optbench, numpy as np; x = np.random.default_rng(0).uniform(-2, 2, (4096, 2)); "
        f"optbench.ensemble('rosenbrock', 'adam', x0s=x, lr={RATE['adam']}, max_iter={STEPS}, targets=(), "
        f"backend='cuda', dtype='{dtype}')"
    )
    command = [tool, "--csv", "--metrics", ",".join(names), "--kernel-name", "regex:kernel", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    pattern = rf'"smsp__sass_thread_inst_executed_op_{kind}(?:add|mul|fma)_pred_on\.sum","[^"]*","([\d.,]+)"'
    values = re.findall(pattern, done.stdout)
    if not values:
        print(f"ncu: counted nothing ({(done.stdout + done.stderr).strip().splitlines()[-1:]})")
        return None
    return sum(float(value.replace(",", "")) for value in values) / (4096 * STEPS)


def clock() -> float | None:
    """Largest clock of the multiprocessors, in Hz."""
    query = ["nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits"]
    try:
        return float(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]) * 1e6
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def limit(dtype: str, device: dict[str, Any], instructions: float | None) -> float | None:
    """Run-steps a second at which the float unit would be busy all the time."""
    lanes, hertz = FLOAT_LANES.get(device["compute_capability"], {}).get(dtype), clock()
    if not (instructions and lanes and hertz):
        return None
    return lanes * device["multiprocessors"] * hertz / instructions


def copy_bandwidth(cuda: Any, size: int = 1 << 30) -> float:
    """Bytes a second of a device-to-device copy, read and written."""
    source, target = (cuda.device_array(size // 8, np.float64) for _ in range(2))
    spent = []
    for _ in range(7):
        cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(COPIES):
            target.copy_to_device(source)
        cuda.synchronize()
        spent.append((time.perf_counter() - begin) / COPIES)
    return 2 * size / median(spent[1:])


def large(problem: str, optimizer: str, n: int, dtype: str, steps: int) -> dict[str, float]:
    """Seconds a step of one run with n variables, and its bytes a second."""
    from optbench.cuda.runs import cohort_of
    from optbench.single import make_run

    made = optbench.get_problem(problem, n=n)
    run = make_run(made, optimizer=optimizer, lr=1e-9, max_iter=steps, targets=(), backend="cuda", dtype=dtype)
    cohort = cohort_of([run], made, made.x0[None])
    cohort.run_on_device()
    seconds = median(cohort.time(3)) / steps
    moved = STREAMS[problem, optimizer] * n * np.dtype(dtype).itemsize
    return {"seconds": seconds, "bandwidth": moved / seconds}


def ensembles(device: dict[str, Any], quick: bool) -> list[dict[str, Any]]:
    """Print and return the table of ensembles."""
    members, repeats = MEMBERS // (16 if quick else 1), 3
    rows: list[dict[str, Any]] = []

    def add(who: str, what: str, count: int, found: dict[str, Any] | None, bound: float | None = None) -> None:
        if found:
            rate = count * STEPS / found["seconds"]
            rest = {key: found[key] for key in ("transfer", "compile") if key in found}
            rows.append({"who": who, "what": what, "runs": count, "run_steps": rate, "limit": bound, **rest})

    ends = {}
    for dtype in ("float64", "float32"):
        instructions = counted(dtype)
        bound = limit(dtype, device, instructions)
        print(f"Adam, {dtype}: instructions of the float unit a run-step: {instructions or 'not counted'}", flush=True)
        ends[dtype] = found = on_gpu("adam", dtype, members, repeats)
        add("optbench, GPU", f"Adam {dtype}", members, found, bound)
    add("optbench, GPU", "gradient descent float64", members, on_gpu("gd", "float64", members, repeats))
    few = members // 64
    exact = on_cpu("adam", few, False)
    add(f"optbench, {CORES} cores, exact", "Adam float64", few, exact)
    add(f"optbench, {CORES} cores, lanes", "Adam float64", few, on_cpu("adam", few, True))
    jax = with_jax(members, repeats)
    add("JAX vmap, GPU", "Adam float64", members, jax)
    print("\n| | | runs | run-steps a second | share of arithmetic limit | transfer | compile |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        share = f"{row['run_steps'] / row['limit']:.0%} of {row['limit']:.3g}" if row["limit"] else ""
        spent = " | ".join(f"{row[key]:.3g} s" if key in row else "" for key in ("transfer", "compile"))
        print(f"| {row['who']} | {row['what']} | {row['runs']} | {row['run_steps']:.3g} | {share} | {spent} |")
    few_same = few  # the same starts: rows of one generator
    apart = {"CPU": exact["x"]} | ({"JAX": jax["x"]} if jax else {})
    for who, x in apart.items():
        count = min(few_same, len(x))
        way = np.linalg.norm(ends["float64"]["x"][:count] - starts(members)[:count])
        difference = np.linalg.norm(ends["float64"]["x"][:count] - x[:count]) / way
        print(f"end points, GPU and {who}: relative difference {difference:.1e}")
    return rows


def bandwidths(cuda: Any, quick: bool) -> list[dict[str, Any]]:
    """Print and return the table of large problems."""
    copied = copy_bandwidth(cuda)
    print(f"\nDevice-to-device copy: {copied / 1e9:.0f} GB/s\n")
    print("| problem | optimizer | dtype | n | a step | GB/s | of the copy |\n|---|---|---|---|---|---|---|")
    rows = []
    for n in (10**6, 10**7) if quick else (10**6, 10**7, 10**8):
        for problem, optimizer in STREAMS if n < 10**8 else [("quadratic", "adam")]:
            both = (problem, optimizer) == ("quadratic", "adam") and n == 10**7
            for dtype in ("float64", "float32") if both else ("float64",):
                found = large(problem, optimizer, n, dtype, max(60, 4 * 10**9 // n))
                share = found["bandwidth"] / copied
                rows.append({"problem": problem, "optimizer": optimizer, "dtype": dtype, "n": n, **found})
                texts = (f"{found['seconds'] * 1e6:.1f} us", f"{found['bandwidth'] / 1e9:.0f}", f"{share:.2f}")
                print(f"| {problem} | {optimizer} | {dtype} | {n:.0e} | {' | '.join(texts)} |", flush=True)
    return rows


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do some work and say how long it took."""
    begin = time.perf_counter()
    found = work()
    print(f"\n({what}: {time.perf_counter() - begin:.0f} s)\n", flush=True)
    return found


def test() -> int:
    """Run the tests on the device, in several processes where pytest-xdist is installed."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-W", "ignore"]
    file = Path(__file__).resolve().parent.parent / "tests" / "test_gpu.py"
    try:
        import xdist  # noqa: F401

        command += ["-n", str(max(1, min(12, (os.cpu_count() or 2) - 2)))]
    except ImportError:
        pass
    return subprocess.run([*command, str(file)]).returncode


def main() -> int:
    """Test, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--quick", action="store_true", help="smaller ensembles and problems")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    try:
        cuda, device = require(), facts()
    except BackendError as error:
        print(f"gpu.py: {error}", file=sys.stderr)
        return 2
    print(", ".join(f"{key} {value}" for key, value in device.items()), flush=True)
    failed = 0 if options.no_tests else timed("tests", test)
    found: dict[str, Any] = {"device": device}
    if not options.no_speed:
        found["ensembles"] = timed("ensembles", lambda: ensembles(device, options.quick))
        found["large"] = timed("large problems", lambda: bandwidths(cuda, options.quick))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
