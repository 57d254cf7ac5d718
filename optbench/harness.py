"""From a Run to a Result: build, compile, run, judge; and the clock.

A run's numbers depend on what the run is, never on when or where it runs. The counting pass may use several processes;
the timing pass (`measure`) has the machine for itself, in one process.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optbench import devices, evaluation, footprint, kernels
from optbench.jit import Kernel
from optbench.loops import descent, lagrangian
from optbench.loops import first_order as fo
from optbench.loops.batches import Batching
from optbench.loops.constrained_runs import makers
from optbench.loops.constrained_runs import prepared as make_ready
from optbench.loops.prepared import SLICE, Method, Outcome, Prepared
from optbench.methods import Lagrangian
from optbench.outcome import Result, Run, Status
from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES
from optbench.types import Array, Problem

RULES = "2"  # raise it when the start of a run or its judgement changes: recorded results are then out of date
KEPT, LARGE = 64, 1 << 26  # problems that are kept; bytes of one that is not kept when another is made
_MADE: dict[tuple[str, tuple[tuple[str, Any], ...]], Problem] = {}
BLOCK = 100e-6  # shortest block, in seconds, that is timed
LONGEST = 5.0  # seconds that all timed repeats of one run may take together, but for the first
SLACK = 1e-12  # by how much, relative to the gap, a re-evaluated objective may miss the target it was said to meet

TIMEOUT: tuple[Status, str] = ("timeout", "the time limit has passed")
ENDS: dict[int, tuple[Status, str]] = {
    fo.CONVERGED: ("converged", "every target was met"),
    fo.SMALL_GRADIENT: ("converged", "the largest gradient entry is at most gtol"),
    fo.BUDGET: ("budget", "the iteration budget is spent"),
    fo.STALLED: ("stalled", f"the point has not moved for {fo.STALL} steps"),
    descent.SEARCH_FAILED: ("stalled", "the search found no lower point: rounding level, or no descent left"),
    lagrangian.FAILED: ("stalled", "the method can go no further from this point"),
    lagrangian.FAILED + lagrangian.DEPENDENT: (
        "stalled",
        "the gradients of the constraints are linearly dependent here",
    ),
    lagrangian.FAILED + lagrangian.INFEASIBLE: (
        "stalled",
        "the constraints seem infeasible: their violation is stationary",
    ),
    lagrangian.FAILED + lagrangian.UNBOUNDED: ("diverged", "the Lagrangian is unbounded below"),
    fo.DIVERGED: ("diverged", "the objective or the point is no longer finite"),
}


def problem_of(name: str, settings: tuple[tuple[str, Any], ...]) -> Problem:
    """The problem of a run; the last few are kept, of large ones the last."""
    key = name, settings
    if key not in _MADE:
        for other, made in list(_MADE.items()):
            if len(_MADE) >= KEPT or footprint.of_problem(made).total > LARGE:
                del _MADE[other]
        _MADE[key] = PROBLEMS.get(name)(**{key: list(v) if isinstance(v, tuple) else v for key, v in settings})
    _MADE[key] = _MADE.pop(key)  # the last used stands last
    return _MADE[key]


def forget_problems() -> None:
    """Have every problem made anew: its file or its definition may have changed."""
    _MADE.clear()


def start_of(problem: Problem, seed: int) -> Array:
    """Start of a run: the standard one for seed 0, else uniform in the problem's bounds.

    Every optimizer starts from the same points.
    """
    if seed == 0:
        return problem.x0
    state = int.from_bytes(_stream("start", problem, seed)[:16], "little")
    low, high = problem.bounds.T
    start: Array = np.random.Generator(np.random.PCG64(state)).uniform(low, high)
    return start


def _stream(purpose: str, problem: Problem, seed: int) -> bytes:
    """Seed of a random stream, 32 bytes: a hash of its purpose, the problem with its settings, a user's data, the seed.

    Of data it takes the bytes of the file, wherever that lies; never what is computed from them, whose last bits may
    differ between processors.
    """
    settings = sorted((key, str(value)) for key, value in problem.settings.items() if key != "data")
    data = problem.settings.get("data", "")
    if isinstance(data, str) and Path(data).is_file():
        data = _file_hash(data, Path(data).stat().st_mtime_ns)
    text = json.dumps([purpose, problem.name, problem.n, settings, str(data), seed])
    return hashlib.sha256(text.encode()).digest()


@functools.lru_cache(maxsize=16)
def _file_hash(path: str, changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def batching_of(run: Run, problem: Problem) -> Batching:
    """How the run draws mini-batches; the stream does not depend on the optimizer, nor on the size of a batch."""
    if not run.batch_size:
        return Batching()
    stream = int.from_bytes(_stream("batches", problem, run.seed)[:8], "little", signed=True)
    return Batching(run.batch_size, run.batch_order, run.drop_last, stream)


def method_of(run: Run, problem: Problem, record: str = "log", gtol: float = 0.0) -> Method:
    """The run's optimizer, schedule, clipping and mini-batches, with their settings as records."""
    optimizer, schedule = OPTIMIZERS.get(run.optimizer), SCHEDULES.get(run.schedule)
    return Method(
        optimizer=optimizer,
        params=optimizer.params(**dict(run.params)),
        lr=run.lr,
        schedule=schedule,
        schedule_params=schedule.params(**dict(run.schedule_params)),
        warmup=run.warmup,
        warmup_start=run.warmup_start,
        clip=(run.clip, run.clip_at),
        max_iter=run.max_iter,
        gtol=gtol,
        record=record,
        batching=batching_of(run, problem),
        decay_bias=run.decay_bias,
    )


def levels_of(problem: Problem, f0: Array, targets: Sequence[float]) -> Array:
    """Objective values that meet the targets, descending, for starts of value f0, (k,): (k, m); m = 0: none known."""
    if problem.reference is None:
        return np.empty((f0.size, 0))
    best, start = problem.reference, f0 if problem.frozen is None else np.full(f0.size, problem.frozen.start)
    wanted = np.array(sorted(targets, reverse=True), dtype=np.float64)
    return np.ascontiguousarray(best + wanted * (start - best)[:, None])


def thresholds(f0: float, problem: Problem, targets: Sequence[float]) -> Array:
    """Objective values that meet the targets, descending; none where no minimum is known or f0 is not finite."""
    return levels_of(problem, np.array([f0]), targets)[0] if math.isfinite(f0) else np.empty(0)


def size_of(run: Run, problem: Problem | None = None) -> int:
    """Bytes that the run takes besides its problem."""
    made, method = problem or problem_of(run.problem, run.settings), OPTIMIZERS.get(run.optimizer)
    own = footprint.of_run(method, method.params(**dict(run.params)), made.n, made.m, run.batch_size > 0)
    return own + (footprint.of_problem(made).total if run.batch_size else 0)  # mini-batches lay the data out anew


def prepare(run: Run, problem: Problem | None = None, x0: Array | None = None, **options: Any) -> Prepared:
    """Kernels and memory of a run; compiles what is not compiled yet."""
    problem = problem or problem_of(run.problem, run.settings)
    footprint.check(f"{run.optimizer} on {run.problem} with n = {problem.n}", size_of(run, problem))
    start = start_of(problem, run.seed) if x0 is None else x0
    levels = np.array(sorted(run.targets, reverse=True), dtype=np.float64)  # of the KKT residual
    if problem.constraints is None:
        levels = thresholds(evaluation.evaluate(problem, start)[0], problem, run.targets)
    return make_ready(problem, method_of(run, problem, **options), start, levels)


def makers_of(run: Run) -> tuple[Callable[[], Kernel], ...]:
    """What compiles or loads each of the kernels that a run needs; runs nothing of the problem."""
    problem = problem_of(run.problem, run.settings)
    return makers(problem, method_of(run, problem))


def code_of(run: Run) -> str:
    """Fingerprint of the code and data behind a run: a recorded result with another one is out of date."""
    method, params = OPTIMIZERS.get(run.optimizer), dict(run.params)
    inner = OPTIMIZERS.get(params["inner"]) if isinstance(method, Lagrangian) and method.inner != "none" else None
    problem, schedule = problem_of(run.problem, run.settings), SCHEDULES.get(run.schedule)
    there = devices.source_hash() if run.backend == "cuda" else ""
    return RULES + kernels.code_of(problem, method, method.params(**params), schedule, inner) + there


def execute(run: Run) -> Result:
    """Do a run and judge it. A failure of any kind is a Result with its reason, never an exception."""
    try:
        prepared = prepare(run)
        return judge(prepared, prepared.run(run.time_limit), run.targets)
    except Exception as error:
        return failed("error", f"{type(error).__name__}: {error}", run.targets)


def failed(status: Status, message: str, targets: Sequence[float]) -> Result:
    """The result of a run that gave nothing."""
    nothing = np.empty(0)
    hits: dict[float, int | None] = dict.fromkeys(sorted(targets, reverse=True))
    return Result(nothing, nothing, math.nan, math.nan, 0, 0, 0, status, message, hits, {})


def judge(prepared: Any, outcome: Outcome, targets: Sequence[float], slack: float = SLACK) -> Result:
    """Result of a run, its end point evaluated again outside the loop: a claim that does not hold is an error.

    `prepared` has the problem, the method and the thresholds; `slack` is how far, relative to the values in play, f may
    lie above the last of them.
    """
    problem = prepared.problem
    status, message = TIMEOUT if outcome.timed_out else ENDS[outcome.code]
    fun, jac = evaluation.evaluate(problem, outcome.x)
    batching, counts = prepared.method.batching, outcome.counts
    passes = outcome.nit if batching.size else max(0, counts.nfev - 1) + counts.nhev
    held_out = (math.nan, math.nan)
    if "val_loss" in outcome.trace:
        held_out = tuple(evaluation.evaluate_measure(problem, outcome.x).tolist())
    multipliers, kkt = None, math.nan
    if "multipliers" in outcome.trace:
        multipliers = outcome.trace["multipliers"][-1]
        kkt = kkt_of(problem, outcome.x, jac, multipliers)
    levels, wanted = prepared.thresholds, sorted(targets, reverse=True)
    met = [int(hit) if hit >= 0 else None for hit in outcome.hits] if levels.size else [None] * len(wanted)
    if status == "converged" and outcome.code == fo.CONVERGED:
        f0 = float(outcome.trace["f"][0])
        room = slack * max(abs(f0), abs(problem.reference or 0.0), abs(fun))
        name, claimed = ("f(x)", fun) if multipliers is None else ("the KKT residual", kkt)
        if not claimed <= levels[-1] + room:
            status, message = (
                "error",
                f"every target was said to be met, but {name} is {claimed!r}, above {levels[-1]!r}",
            )
    return Result(
        x=outcome.x,
        jac=jac,
        fun=fun,
        f0=float(outcome.trace["f"][0]),
        nit=outcome.nit,
        nfev=outcome.counts.nfev,
        njev=outcome.counts.nfev,
        nhev=outcome.counts.nhev,
        nfact=outcome.counts.nfact,
        status=status,
        message=message,
        hits=dict(zip(wanted, met, strict=True)),
        trace=outcome.trace,
        multipliers=multipliers,
        kkt=kkt,
        samples=batching.samples(passes, problem.n_samples),
        epochs=batching.epochs(passes, problem.n_samples),
        val_loss=held_out[0],
        val_accuracy=held_out[1],
    )


def kkt_of(problem: Problem, x: Array, g: Array, lam: Array) -> float:
    """KKT residual at x, shape (n,), with the gradient g of f and multipliers lam, shape (m,), on its own terms.

    The largest of: an entry of the gradient of the Lagrangian; the violation of a constraint; |lam_i c_i| of an
    inequality; a negative multiplier of one. Infinite where one of them is not a number.
    """
    c, jac = evaluation.evaluate_parts(problem, x)
    eq, unequal, mu = c[: problem.m_eq], c[problem.m_eq :], lam[problem.m_eq :]
    with np.errstate(all="ignore"):
        parts = (np.abs(g + lam @ jac), np.abs(eq), unequal, np.abs(mu * unequal), -mu)
    worst = float(np.max(np.concatenate([np.zeros(1), *parts])))
    return math.inf if math.isnan(worst) else worst


def measure(runs: Sequence[Run], repeats: int) -> Iterator[tuple[Run, list[float]]]:
    """Wall times of the runs, `repeats` samples each, in seconds a run.

    Runs that compete (same problem and start) are timed in turn, round by round, so that a disturbance hits all of
    them. A sample is a block of at least 0.1 ms. The first block warms up and is dropped. Runs that would take longer
    than 5 s for all repeats get fewer.
    """
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        groups.setdefault((run.problem, run.settings, run.seed), []).append(run)
    for group in groups.values():
        left = group
        while left:
            count = footprint.together(max(size_of(run) for run in left))
            yield from _measure_group(left[:count], repeats)
            left = left[count:]


def _measure_group(group: list[Run], repeats: int) -> Iterator[tuple[Run, list[float]]]:
    prepared = [prepare(run) for run in group]
    blocks, once = zip(*(_block(item) for item in prepared), strict=True)
    samples: list[list[float]] = [[] for _ in group]
    for turn in range(repeats):
        for k, item in enumerate(prepared):
            if turn == 0 or (turn + 1) * once[k] <= LONGEST:
                samples[k].append(item.seconds(blocks[k]) / max(1, blocks[k]))
    yield from zip(group, samples, strict=True)


def _block(item: Prepared) -> tuple[int, float]:
    """Repeats that make a block of at least `BLOCK` seconds, and what it takes; 0 for a run that needs slices."""
    item.seconds(0)
    item.for_the_clock()
    seconds = item.seconds(0)
    if seconds > SLICE:
        return 0, seconds
    count = 1
    while (seconds := item.seconds(count)) < BLOCK:
        count = max(2 * count, math.ceil(1.2 * count * BLOCK / max(seconds, 1e-9)))
    return count, seconds
