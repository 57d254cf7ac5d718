"""Many runs of one problem, optimizer and schedule in one call: seeds or starts, learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench import harness
from optbench.cohort import Cohort, single, start_of
from optbench.loops.lanes import refusal
from optbench.loops.members import COLUMNS, evaluate_all
from optbench.loops.prepared import Method
from optbench.methods import AnyMethod, Optimizer
from optbench.outcome import DEFAULT_TARGETS, Run
from optbench.registry import get_optimizer, get_problem
from optbench.single import make_run
from optbench.types import Array, Problem


@dataclass(frozen=True, repr=False)
class EnsembleResult:
    """What `ensemble` returns: arrays with a row a member, k of them, learning rate by learning rate.

    Attributes
    ----------
    x : ndarray, shape (k, n)
        Last points.
    fun, f0 : ndarray, shape (k,)
        Objective at `x`, evaluated again after the runs, and at the starts.
    nit : ndarray of int, shape (k,)
        Steps taken.
    status : ndarray of str, shape (k,)
        ``converged``, ``budget``, ``stalled``, ``diverged`` or ``error``, as in `optbench.minimize`.
    hits : ndarray of int, shape (k, len(targets))
        First iterations that met the targets; -1: there was none.
    targets : tuple of float
        Descending.
    lr, seed : ndarray, shape (k,)
        Learning rates; seeds, or numbers of the given starts.
    trace : dict of str to ndarray, or None
        With ``record=True``: ``iteration``, ``f``, ``grad_norm`` and ``lr``, shape (k, rows), at the iterations of a
        thinned trace, NaN behind the end of a run.
    seconds : float
        Wall time of all runs together, without what precedes and follows them.
    threads : int
        Threads that shared the members.
    lanes : bool
        Whether they ran side by side in vector instructions.
    device, dtype : str
        ``"cpu"`` or the name of the GPU; the floats it computed with.
    transfer_seconds, compile_seconds : float
        With a GPU: to move memory there and back; to compile the kernels.
    """

    x: Array
    fun: Array
    f0: Array
    nit: NDArray[np.int64]
    status: NDArray[np.str_]
    hits: NDArray[np.int64]
    targets: tuple[float, ...]
    lr: Array
    seed: NDArray[np.int64]
    trace: dict[str, Array] | None
    seconds: float
    threads: int
    lanes: bool
    device: str = "cpu"
    dtype: str = "float64"
    transfer_seconds: float = 0.0
    compile_seconds: float = 0.0

    @property
    def success(self) -> NDArray[np.bool_]:
        """Whether each member converged, shape (k,)."""
        return np.asarray(self.status == "converged")

    def __len__(self) -> int:
        return len(self.fun)

    def __repr__(self) -> str:
        names, counts = np.unique(self.status, return_counts=True)
        ends = ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))
        how = f"{self.threads} thread{'s' * (self.threads > 1)}{', lanes' * self.lanes}"
        how = how if self.device == "cpu" else f"{self.device}, {self.dtype}"
        return f"<EnsembleResult {len(self)} runs: {ends}; {self.nit.sum()} steps in {self.seconds:.3g} s, {how}>"


def ensemble(
    problem: str | Problem,
    optimizer: str = "adam",
    *,
    lr: float | Sequence[float] | Array | None = None,
    seeds: int | np.integer[Any] | Sequence[int] = 1,
    x0s: ArrayLike | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    clip: Mapping[str, float] | None = None,
    max_iter: int = 10_000,
    targets: Sequence[float] = DEFAULT_TARGETS,
    record: bool = False,
    threads: int | None = None,
    lanes: bool = False,
    batch_size: int | None = None,
    order: str | None = None,
    drop_last: bool = False,
    backend: str = "cpu",
    dtype: str = "float64",
) -> EnsembleResult:
    """Run every learning rate from every start, in compiled code and on all cores, or on a GPU.

    Each member's numbers are those of `optbench.minimize` with the same settings, bit for bit. With ``lanes=True`` the
    members run side by side in vector instructions, many times faster on small problems; rounding may then differ in
    the last digits, which a run that oscillates amplifies as it does any other difference.

    Parameters
    ----------
    problem : str or Problem
        A registered name (with its default settings) or a problem from `get_problem`.
    optimizer : str
        A first-order optimizer.
    lr : float or sequence of float, optional
        Learning rates; default: the optimizer's.
    seeds : int or sequence of int
        Seeds of the starts, as in `minimize`; a number stands for 0, 1, ..., seeds - 1.
    x0s : array_like, shape (s, n), optional
        Starts of your own, in the place of seeds.
    schedule, params, clip, max_iter, targets
        As in `minimize`.
    record : bool
        Keep a thinned trace of every member. Not with lanes.
    threads : int, optional
        Threads to use; default: one a core, but one in a worker process.
    lanes : bool
        For problems of at most 16 variables, optimizers that act on each coordinate alone, and schedules that do not
        observe the objective.
    batch_size, order, drop_last
        As in `minimize`, with ``backend="cuda"``: a seed decides a member's start and its mini-batches.
    backend : {"cpu", "cuda"}
        With "cuda" each member is done by a thread of the GPU.
    dtype : {"float64", "float32"}
        Of the arithmetic on a GPU; `fun` is evaluated in float64.

    Returns
    -------
    EnsembleResult
        Of k = (number of learning rates) x (number of starts) members; ``result.fun.reshape(n_lr, n_starts)``.

    Raises
    ------
    UnknownName
        A name or key that is not known.
    ValueError
        A value that is out of range or of the wrong kind or shape, or what cannot run in an ensemble or in lanes.

    Examples
    --------
    >>> r = ensemble("rosenbrock", "adam", lr=[1e-3, 1e-2], seeds=50, lanes=True)
    >>> r.fun.shape
    (100,)
    """
    made = get_problem(problem) if isinstance(problem, str) else problem
    starts, numbers = _starts(made, seeds, x0s)
    rates = _rates(get_optimizer(optimizer), lr)
    run = make_run(
        made,
        optimizer=optimizer,
        lr=float(rates[0]),
        params=params,
        schedule=schedule,
        clip=clip,
        max_iter=max_iter,
        targets=targets,
        batch_size=batch_size,
        order=order,
        drop_last=drop_last,
        backend=backend,
        dtype=dtype,
    )
    method = harness.method_of(run, made)
    if run.backend == "cuda":
        if lanes or threads is not None:
            raise ValueError("lanes and threads are the CPU's: leave them out with backend 'cuda'")
        return _on_device(run, made, (starts, numbers), rates, record)
    _refuse(made, method, lanes, record)
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads takes a whole number of at least 1, not {threads!r}")
    places = np.argsort(np.repeat(rates, len(starts)), kind="stable") if lanes else np.arange(rates.size * len(starts))
    points = np.ascontiguousarray(np.tile(starts, (rates.size, 1))[places])
    every = np.ascontiguousarray(np.repeat(rates, len(starts))[places])
    cohort = Cohort(made, method, points, every, run.targets, keep=record)
    if lanes:
        cohort.run_lanes(threads)
    else:
        cohort.run(threads)
    return _result(cohort, np.argsort(places), run.targets, np.tile(numbers, rates.size), lanes)


def _on_device(
    run: Run, problem: Problem, starts: tuple[Array, NDArray[np.int64]], rates: Array, record: bool
) -> EnsembleResult:
    from optbench.cuda.runs import SLACK, ensemble_of

    points, seeds = starts
    every, numbers = np.repeat(rates, len(points)), np.tile(seeds, rates.size)
    cohort = ensemble_of(run, problem, np.tile(points, (rates.size, 1)), every, numbers, record)
    done = _result(cohort, np.arange(every.size), run.targets, numbers, False, SLACK[run.dtype])
    return replace(
        done,
        device=run.device,
        dtype=run.dtype,
        transfer_seconds=cohort.transfer_seconds,
        compile_seconds=cohort.compile_seconds,
    )


def _starts(
    problem: Problem, seeds: int | np.integer[Any] | Sequence[int], x0s: ArrayLike | None
) -> tuple[Array, NDArray[np.int64]]:
    if x0s is None:
        wanted = range(seeds) if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool) else seeds
        numbers = np.array(wanted if isinstance(wanted, (Sequence, np.ndarray)) else [wanted])
        if numbers.ndim != 1 or not numbers.size or numbers.dtype.kind not in "iu" or numbers.min() < 0:
            raise ValueError(f"seeds takes whole numbers of at least 0, or how many, not {seeds!r}")
        return np.array([start_of(problem, seed) for seed in numbers.tolist()]), numbers
    if not (isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool) and seeds == 1):
        raise ValueError("an ensemble takes seeds or x0s, not both")
    starts = np.ascontiguousarray(x0s, dtype=np.float64)
    if starts.ndim != 2 or not len(starts) or starts.shape[1] != problem.n:
        raise ValueError(f"x0s must have shape (s, {problem.n}), not {starts.shape}")
    if not np.isfinite(starts).all():
        raise ValueError("x0s must be finite")
    return starts, np.arange(len(starts))


def _rates(optimizer: AnyMethod, lr: Any) -> Array:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"an ensemble takes a first-order optimizer, not {optimizer.name!r}: use minimize")
    rates = np.array([optimizer.lr] if lr is None else lr)
    if (
        rates.ndim > 1
        or not rates.size
        or rates.dtype.kind not in "iuf"
        or not (np.isfinite(rates) & (rates > 0)).all()
    ):
        raise ValueError(f"lr takes numbers above 0, not {lr!r}")
    return np.atleast_1d(rates.astype(np.float64))


def _refuse(problem: Problem, method: Method, lanes: bool, record: bool) -> None:
    """Raise ValueError for what cannot run in an ensemble, or not in lanes."""
    if method.batching.size:
        raise ValueError("mini-batches in an ensemble go with backend 'cuda': use minimize")
    if reason := single(problem, method):
        raise ValueError(f"an ensemble does not apply: {reason}")
    if lanes:
        reason = refusal(problem, method.optimizer, method.schedule.observes)
        reason = reason or ("they keep no trace: leave out record=True" if record else None)
        if reason:
            raise ValueError(f"lanes do not apply: {reason}")


def _result(
    cohort: Cohort,
    order: NDArray[np.intp],
    targets: Sequence[float],
    seeds: Any,
    lanes: bool,
    slack: float = harness.SLACK,
) -> EnsembleResult:
    """The ends in the order of the members, evaluated again outside the loops."""
    ends = {name: array[order] for name, array in cohort.arrays.items() if name not in COLUMNS}
    wanted, f0 = tuple(sorted(targets, reverse=True)), cohort.f0[order]
    hits = np.full((len(f0), len(wanted)), -1, dtype=np.int64)
    hits[:, : ends["hits"].shape[1]] = ends["hits"]
    fun = evaluate_all(cohort.problem, ends["points"])[0]
    status = np.array([harness.ENDS.get(code, ("", ""))[0] for code in range(int(ends["codes"].max()) + 1)])
    status = status[ends["codes"].astype(np.int64)]
    if wanted and ends["levels"].size:
        known = np.maximum(np.abs(f0), abs(cohort.problem.reference or 0.0))
        room = slack * np.maximum(known, np.abs(fun))
        missed = (status == "converged") & ~(fun <= ends["levels"][:, -1] + room)
        status = np.where(missed, "error", status)
    return EnsembleResult(
        x=ends["points"],
        fun=fun,
        f0=f0,
        nit=ends["steps"].astype(np.int64),
        status=status,
        hits=hits,
        targets=wanted,
        lr=ends["rates"],
        seed=seeds,
        trace=_trace(cohort),
        seconds=cohort.seconds,
        threads=cohort.threads,
        lanes=lanes,
    )


def _trace(cohort: Cohort) -> dict[str, Array] | None:
    if not cohort.keep:
        return None
    rows = cohort.arrays["rows"]
    longest = int(rows.max())
    beyond = np.arange(longest) >= rows[:, None]
    names = zip(("iteration", "f", "grad_norm", "lr"), COLUMNS, strict=True)
    return {name: np.where(beyond, np.nan, cohort.arrays[column][:, :longest]) for name, column in names}
