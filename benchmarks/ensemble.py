"""Time of a run and step in an ensemble: 10 000 runs of 1000 Adam steps on Rosenbrock n = 2, beside C and JAX.

``python benchmarks/ensemble.py [--members 10000] [--steps 1000] [--threads 2] [--repeats 9] [--no-jax]``

A sample is a whole call from Python, starts in, ends out: of `optbench.ensemble` (exact; in lanes; in lanes with a
learning rate for every run), of the C (``ensemble.c``, compiled on the fly: two pointers, one fused loop, vector
instructions by hand), whose runs the same number of threads share, and of JAX (vmap, jit, fori_loop). All must end at
the same points, which shows that they did the same work. Interleaved rounds in one process; medians, in nanoseconds a
run and step of wall time. Exit code 1 when the end points differ, 2 without a compiler.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from peers import compile_c, jax_or_none, ratio, rounds

import optbench
from optbench.environment import environment

RATE = 1e-7  # so small that no run converges, diverges or reaches denormal numbers while it is timed
SAME = 1e-9  # largest difference of the end points, relative to the way from the start
EXACT, LANES = 1.2, 2.0  # ratios to reach: exact over the C of two pointers, lanes over the C's lanes


def prepare_ours(x0s: Any, steps: int, threads: int, lanes: bool, mixed: bool) -> tuple[Callable[[], float], Any]:
    """A function that takes one sample, in seconds, and the end points."""
    problem = optbench.get_problem("rosenbrock", n=2)
    rates = np.linspace(RATE, 2 * RATE, len(x0s)) if mixed else RATE
    points = x0s[:1] if mixed else x0s

    def once() -> Any:
        return optbench.ensemble(
            problem, "adam", lr=rates, x0s=points, max_iter=steps, targets=(), threads=threads, lanes=lanes
        )

    ends = once()
    if (ends.nit != steps).any():
        raise SystemExit("ensemble.py: a run ended early")
    return timed(once), ends.x


def timed(once: Callable[[], Any]) -> Callable[[], float]:
    """A function that takes one sample: the faster of two calls, since another process may take a core in one."""

    def sample() -> float:
        spent = []
        for _ in range(2):
            begin = time.perf_counter_ns()
            once()
            spent.append(time.perf_counter_ns() - begin)
        return min(spent) * 1e-9

    return sample


def prepare_c(library: ctypes.CDLL, form: str, x0s: Any, steps: int, threads: int) -> tuple[Callable[[], float], Any]:
    """The same for a form of the C; ctypes lets other threads run."""
    run = getattr(library, form)
    run.restype = None
    functions = [ctypes.cast(getattr(library, name), ctypes.c_void_p) for name in ("rosenbrock", "adam")]
    points, bounds = np.empty_like(x0s), np.linspace(0, len(x0s), threads + 1).astype(int).tolist()

    def share(first: int, last: int) -> None:
        at = ctypes.c_void_p(points[first:last].ctypes.data)
        rest = (at, ctypes.c_long(last - first), ctypes.c_long(steps), ctypes.c_double(RATE))
        run(*(functions if form == "pointers" else []), *rest)

    def once() -> None:
        points[:] = x0s
        others = [threading.Thread(target=share, args=bounds[k : k + 2]) for k in range(1, threads)]
        for thread in others:
            thread.start()
        share(*bounds[:2])
        for thread in others:
            thread.join()

    once()
    return timed(once), points.copy()


def prepare_jax(jax: Any, x0s: Any, steps: int) -> tuple[Callable[[], float], Any]:
    """The same for JAX."""
    jnp = jax.numpy

    def rosenbrock(x: Any) -> Any:
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    def step(t: Any, state: Any) -> Any:
        x, m, v, b1, b2 = state
        g, b1, b2 = jax.grad(rosenbrock)(x), b1 * 0.9, b2 * 0.999
        m, v, root = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g, jnp.sqrt(1.0 - b2)
        return x - RATE * root / (1.0 - b1) * m / (jnp.sqrt(v) + 1e-8 * root), m, v, b1, b2

    def one(x: Any) -> Any:
        start = (x, jnp.zeros(2), jnp.zeros(2), 1.0, 1.0)
        return jax.lax.fori_loop(0, steps, step, start)[0]

    run = jax.jit(jax.vmap(one))
    points = jnp.asarray(x0s)
    ends = np.asarray(run(points))
    return timed(lambda: run(points).block_until_ready()), ends


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--no-jax", action="store_true")
    options = parser.parse_args()
    machine, steps, threads = environment(), options.steps, options.threads
    print(f"{machine['cpu']}; Python {machine['python']}, numba {machine['versions']['numba']}; {threads} threads")
    x0s = np.random.default_rng(0).uniform(-2.0, 2.0, (options.members, 2))
    made: dict[str, tuple[Callable[[], float], Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        library, _ = compile_c(Path(__file__).with_suffix(".c"), folder)
        jax = None if options.no_jax else jax_or_none()
        made["exact"] = prepare_ours(x0s, steps, threads, False, False)
        made["lanes"] = prepare_ours(x0s, steps, threads, True, False)
        made["lanes, own rates"] = prepare_ours(x0s, steps, threads, True, True)
        for form in ("pointers", "fused", "lanes"):
            made[f"C {form}"] = prepare_c(library, form, x0s, steps, threads)
        if jax:
            made["jax"] = prepare_jax(jax, x0s, steps)
        samples = rounds({who: sample for who, (sample, _) in made.items()}, options.repeats)
    return report(samples, {who: ends for who, (_, ends) in made.items()}, x0s, options.members * steps)


def report(samples: dict[str, list[float]], ends: dict[str, Any], x0s: Any, run_steps: int) -> int:
    """Print the table; 1 where an end point differs."""
    way, differs = float(np.linalg.norm(ends["exact"] - x0s)), False
    print(f"ns a run and step, median of {len(samples['exact'])} rounds\n")
    print(f"{'':18}{'ns':>8}{'/C pointers':>13}{'/C fused':>10}{'/C lanes':>10}{'difference':>12}")
    for who, values in samples.items():
        others = [ratio(samples, who, f"C {form}") for form in ("pointers", "fused", "lanes")]
        mark = "*" if (who == "exact" and others[0] > EXACT) or (who == "lanes" and others[2] > LANES) else " "
        apart = "-"
        if "own" not in who:
            difference = float(np.linalg.norm(ends[who] - ends["exact"])) / way
            differs |= not difference <= SAME
            apart = f"{difference:.1e}"
        row = f"{others[0]:13.3f}{others[1]:10.3f}{others[2]:10.2f}{apart:>12}{mark}"
        print(f"{who:18}{median(values) / run_steps * 1e9:8.2f}{row}", flush=True)
    if differs:
        print("ensemble.py: not all end at the same points", file=sys.stderr)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
