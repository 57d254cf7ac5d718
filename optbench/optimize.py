"""One run from Python: `minimize`, and the sequence of learning rates of a schedule."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench import harness, kernels
from optbench.outcome import DEFAULT_TARGETS, Result, Status
from optbench.records import Empty, encode, pack
from optbench.registry import get_problem, unknown
from optbench.schedules._warmup import warmup_target, warmup_value
from optbench.single import make_run, schedule_of
from optbench.types import Array, Problem

if TYPE_CHECKING:
    import pandas as pd

RECORDS = ("all", "log")
LARGEST_TRACE = 2**31  # bytes of recorded points beyond which record="all" is refused


@dataclass(frozen=True)
class OptimizeResult:
    """What `minimize` returns, under SciPy's names.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The last point.
    fun : float
        Objective at `x`, evaluated again after the run.
    jac : ndarray, shape (n,)
        Gradient at `x`.
    nit, nfev, njev, nhev, nfact : int
        Steps taken; evaluations of the objective, the gradient and the Hessian; factorisations of a matrix.
    status : str
        ``converged``, ``budget``, ``stalled``, ``diverged``, ``timeout`` or ``error``.
    message : str
        The reason, as a sentence.
    success : bool
        Whether the status is ``converged``.
    hits : dict of float to int or None
        For every target tau the first iteration t with f(x_t) - f_opt <= tau (f(x_0) - f_opt); None: there was none.
    multipliers, kkt : ndarray, shape (m,), or None, and float
        For a constrained problem: Lagrange multipliers of the last point and its KKT residual, which the targets are
        about there: hits are the first iterations with a residual of at most tau.
    samples, epochs : int and float
        For a sum over samples: how many the steps have seen, and how many passes through the data that makes.
    val_loss, val_accuracy : float
        Loss without penalty, and share of right answers, on held-out samples at `x`; NaN where there are none.
    trace : pandas.DataFrame
        Columns ``f``, ``grad_norm`` (Euclidean, before clipping) and ``lr``, indexed by ``iteration``; 0 is the start.
        On mini-batches f and its gradient are of all samples. ``epoch`` for a sum over samples, ``val_loss`` and
        ``val_accuracy`` where samples are held out.
        With ``record="all"`` it has every iteration, and ``trace.attrs["x"]`` the points, shape (nit + 1, n).
    """

    x: Array
    fun: float
    jac: Array
    nit: int
    nfev: int
    njev: int
    status: Status
    message: str
    hits: dict[float, int | None]
    columns: dict[str, Array]
    nhev: int = 0
    nfact: int = 0
    multipliers: Array | None = None
    kkt: float = math.nan
    samples: int = 0
    epochs: float = 0.0
    val_loss: float = math.nan
    val_accuracy: float = math.nan

    @property
    def success(self) -> bool:
        """Whether the run converged."""
        return self.status == "converged"

    @functools.cached_property
    def trace(self) -> pd.DataFrame:
        """The recorded iterations."""
        import pandas as pd

        index = pd.Index(self.columns["iteration"].astype(np.int64), name="iteration")
        frame = pd.DataFrame({name: column for name, column in self.columns.items() if column.ndim == 1}, index=index)
        frame = frame.drop(columns="iteration")
        for name in ("x", "multipliers"):
            if name in self.columns:
                frame.attrs[name] = self.columns[name]
        return frame

    def __repr__(self) -> str:
        names = ["message", "success", "status", "fun", "x", "jac", "nit", "nfev", "njev", "nhev", "nfact", "hits"]
        names += ["multipliers", "kkt"] if self.multipliers is not None else []
        names += ["samples", "epochs"] if self.samples else []
        names += ["val_loss", "val_accuracy"] if "val_loss" in self.columns else []
        return "\n".join(f"{name:>8}: {getattr(self, name)}" for name in names)


def minimize(
    problem: str | Problem,
    optimizer: str = "adam",
    *,
    lr: float | None = None,
    params: Mapping[str, Any] | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    clip: Mapping[str, float] | None = None,
    batch_size: int | None = None,
    order: str | None = None,
    drop_last: bool = False,
    epochs: float | None = None,
    max_iter: int = 10_000,
    seed: int = 0,
    x0: ArrayLike | None = None,
    record: str = "all",
    targets: Sequence[float] = DEFAULT_TARGETS,
    gtol: float | None = None,
    time_limit: float | None = None,
    backend: str = "cpu",
    dtype: str = "float64",
) -> OptimizeResult:
    """Minimize a problem with one optimizer and one learning-rate schedule, in one compiled run.

    Parameters
    ----------
    problem : str or Problem
        A registered name (with its default settings) or a problem from `get_problem`.
    optimizer : str
        A registered name; see `list_optimizers`.
    lr : float, optional
        Learning rate; default: the optimizer's.
    params : mapping, optional
        Hyperparameters by name; default: the optimizer's.
    schedule : str or mapping, optional
        A registered name, or ``{"name": ..., settings...}``, with ``"warmup": steps`` (and ``"warmup_start"``, the
        first fraction of lr, 1/3) for a linear warm-up around it. Default: constant.
    clip : mapping, optional
        ``{"norm": limit}`` or ``{"value": limit}``: gradient clipping.
    batch_size : int, optional
        Samples a step sees, for a problem that is a sum over samples. None: all of them. Otherwise targets and
        gradient tolerance are judged on the whole objective, at about 20 iterations a decade.
    order : {"shuffle", "replacement", "sequential"}, optional
        How mini-batches are drawn: from a new permutation every epoch (the default), every sample independently, in
        the order of the data.
    drop_last : bool
        Leave out the last mini-batch of an epoch where it is short.
    epochs : float, optional
        Budget in passes through the samples, in place of `max_iter`; an iteration of a method with a search counts as
        one.
    max_iter : int
        Budget of steps.
    seed : int
        0: the standard start; otherwise a start drawn from the problem's bounds, the same for every optimizer. It
        also decides the mini-batches, which are the same for every optimizer.
    x0 : array_like, shape (n,), optional
        A start of your own, in place of that.
    record : {"all", "log"}
        Trace every iteration and its point, or about 20 iterations a decade, without points. On mini-batches every row
        costs an evaluation of all samples, which `time_limit` counts: "log" then is much faster.
    targets : sequence of float
        Accuracies tau in (0, 1), relative to f(x0) - f_opt; the run ends when all are met. Empty: it never stops early.
    gtol : float, optional
        Also end as converged when the largest gradient entry is at most this.
    time_limit : float, optional
        Seconds of run time after which the run ends as ``timeout``.
    backend : {"cpu", "cuda"}
        Where it runs. "cuda" takes first-order optimizers: small problems by one thread of the GPU, from 65 536
        variables on by all of them (see `ensemble` for many runs at a time).
    dtype : {"float64", "float32"}
        Of the arithmetic on a GPU. `fun` and `jac` are evaluated in float64.

    Returns
    -------
    OptimizeResult

    Raises
    ------
    UnknownName
        A name or key that is not known; the message lists the known ones and the nearest match.
    ValueError
        A value that is out of range or of the wrong kind or shape; there is no GPU, or what is asked for stays on the
        CPU.

    Examples
    --------
    >>> r = minimize("rosenbrock", optimizer="adam", lr=1e-2, schedule="cosine")
    >>> r.status, r.nit
    ('converged', 5002)
    """
    made = get_problem(problem) if isinstance(problem, str) else problem
    if record not in RECORDS:
        raise unknown("record", record, RECORDS)
    for name, value in (("gtol", gtol), ("time_limit", time_limit)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
            raise ValueError(f"{name} takes a number above 0, not {value!r}")
    if epochs is not None and not made.n_samples:
        raise ValueError(f"epochs does not apply: {made.name} is not a sum over samples")
    run = make_run(
        made,
        optimizer=optimizer,
        lr=lr,
        params=params,
        schedule=schedule,
        clip=clip,
        batch_size=batch_size,
        order=order,
        drop_last=drop_last,
        epochs=epochs,
        seed=seed,
        max_iter=max_iter,
        targets=targets,
        backend=backend,
        dtype=dtype,
    )
    if record == "all" and 8 * made.n * (run.max_iter + 1) > LARGEST_TRACE:
        raise ValueError(f"record='all' would keep {run.max_iter + 1} points of {made.n} numbers: use record='log'")
    start = None if x0 is None else _start(made, x0)
    options: dict[str, Any] = {"record": record, "gtol": gtol or 0.0}
    if run.backend == "cuda":
        from optbench.cuda.runs import cohort_of, results_of

        starts = (harness.start_of(made, run.seed) if start is None else start)[None]
        (result,) = results_of([run], cohort_of([run], made, starts, **options), time_limit or math.inf)
    else:
        prepared = harness.prepare(run, made, start, **options)
        result = harness.judge(prepared, prepared.run(time_limit or math.inf), run.targets)
    if made.n_samples:
        batching, iterations = harness.batching_of(run, made), result.trace["iteration"]
        result.trace["epoch"] = iterations * (result.epochs / max(result.nit, 1))
        if batching.size:
            result.trace["epoch"] = np.array([batching.epochs(int(t), made.n_samples) for t in iterations])
    return _public(result)


def _start(problem: Problem, x0: ArrayLike) -> Array:
    start = np.ascontiguousarray(x0, dtype=np.float64)
    if start.shape != (problem.n,):
        raise ValueError(f"x0 must have shape ({problem.n},), not {start.shape}")
    if not np.isfinite(start).all():
        raise ValueError("x0 must be finite")
    return start


def _public(r: Result) -> OptimizeResult:
    return OptimizeResult(
        r.x,
        r.fun,
        r.jac,
        r.nit,
        r.nfev,
        r.njev,
        r.status,
        r.message,
        r.hits,
        r.trace,
        r.nhev,
        r.nfact,
        r.multipliers,
        r.kkt,
        r.samples,
        r.epochs,
        r.val_loss,
        r.val_accuracy,
    )


def schedule_values(
    schedule: str | Mapping[str, Any] | None,
    lr: float = 1.0,
    n_steps: int = 100,
    *,
    metric: ArrayLike | None = None,
) -> Array:
    """Learning rates that a schedule gives at steps 0, 1, ..., n_steps - 1.

    Parameters
    ----------
    schedule : str, mapping or None
        As in `minimize`.
    lr : float
        The optimizer's learning rate.
    n_steps : int
        Number of steps, also the budget that defaults relative to a budget refer to.
    metric : array_like, shape (n_steps,), optional
        Objective at each step, for a schedule that observes it (reduce_on_plateau): entry t is seen after step t.

    Returns
    -------
    ndarray, shape (n_steps,)

    Raises
    ------
    UnknownName, ValueError
        As in `minimize`; `metric` is missing, superfluous or of another shape.
    """
    if isinstance(n_steps, bool) or not isinstance(n_steps, (int, np.integer)) or n_steps < 1:
        raise ValueError(f"n_steps takes a whole number of at least 1, not {n_steps!r}")
    if not (isinstance(lr, (int, float)) and math.isfinite(lr) and lr > 0):
        raise ValueError(f"lr takes a number above 0, not {lr!r}")
    item, params, warmup, start = schedule_of(schedule, int(n_steps))
    settings = encode(params)
    packed = pack(settings)
    values = np.empty(n_steps)
    warm = min(warmup, n_steps)
    peak = warmup_target(item, lr, settings)
    values[:warm] = [warmup_value(t, peak, warmup, start) for t in range(warm)]
    kernel = kernels.schedule(item)
    if item.state is Empty:
        if metric is not None:
            raise ValueError(f"schedule {item.name!r} does not observe a metric")
        kernel(values[warm:].ctypes.data, 0, n_steps - warm, lr, packed.ctypes.data)
        return values
    seen = np.empty(0) if metric is None else np.asarray(metric, dtype=np.float64)
    if seen.shape != (n_steps,):
        raise ValueError(f"schedule {item.name!r} needs metric, shape ({n_steps},), not {seen.shape}")
    memory, rate = pack(encode(item.state())), lr
    for t in range(warm, n_steps):
        values[t] = rate
        rate = kernel(seen[t], rate, packed.ctypes.data, memory.ctypes.data)
    return values
