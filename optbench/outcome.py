"""What a run is and what it gave: Run, Result."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Status = Literal["converged", "budget", "stalled", "diverged", "timeout", "error", "crashed"]
STATUSES: tuple[Status, ...] = get_args(Status)
DEFAULT_TARGETS: tuple[float, ...] = tuple(10.0**-k for k in range(1, 9))
ORDERS = ("shuffle", "replacement", "sequential")
BACKENDS = ("cpu", "cuda")
BACKEND = ("backend", "device", "dtype")  # fields of a run


@dataclass(frozen=True)
class Run:
    """What one run is: names and numbers only, so that it hashes, prints, pickles and travels.

    The settings are tuples of (key, value) pairs, complete: defaults are written out, so that a later change of a
    default is another run. `backend` is ``"cpu"``, or ``"cuda"`` with the name of the `device` and the `dtype` of its
    arithmetic.
    """

    problem: str
    settings: tuple[tuple[str, Any], ...]
    optimizer: str
    params: tuple[tuple[str, Any], ...]
    lr: float
    schedule: str
    schedule_params: tuple[tuple[str, Any], ...]
    warmup: int
    warmup_start: float
    clip: str
    clip_at: float
    batch_size: int
    batch_order: str
    drop_last: bool
    decay_bias: bool
    seed: int
    max_iter: int
    time_limit: float
    targets: tuple[float, ...]
    backend: str = "cpu"
    device: str = "cpu"
    dtype: str = "float64"

    @functools.cached_property
    def key(self) -> str:
        """Content hash: the run's id in the results."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.backend == "cpu":  # the keys of before there was another
            values = {name: value for name, value in values.items() if name not in BACKEND}
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass
class Result:
    """What one run gave.

    Attributes
    ----------
    x, jac : ndarray, shape (n,)
        The last point and the gradient there, re-evaluated outside the loop.
    fun : float
        f at `x`, re-evaluated.
    nit, nfev, njev, nhev, nfact : int
        Steps; evaluations of the function, the gradient and the Hessian; factorisations of a matrix.
    status : str
        One of `STATUSES`.
    message : str
        Why the run ended, as a sentence.
    hits : dict of float to int or None
        For every target the first iteration that met it.
    trace : dict of str to ndarray
        ``iteration``, ``f``, ``grad_norm``, ``lr``, all shape (k,), and ``x``, shape (k, n), when points were recorded.
    samples, epochs : int and float
        Samples that the steps have seen, and how many passes through all samples that makes; 0 for no finite sum.
    val_loss, val_accuracy : float
        On held-out samples at `x`, NaN where there are none; `trace` then has columns of these names, shape (k,).
    seconds : list of float
        Wall times of the repeats, in seconds a run.
    multipliers, kkt : ndarray, shape (m,), and float
        For a constrained problem: multipliers of the last point and its KKT residual, evaluated again; `trace` then has
        ``kkt``, shape (k,), and ``multipliers``, shape (k, m).
    compile_seconds : float
        Time to compile or load the kernels that this run was the first to need.
    transfer_seconds : float
        Time to move memory to a GPU and back, NaN without one: of all runs that were moved together, in the first.
    """

    x: Array
    jac: Array
    fun: float
    f0: float
    nit: int
    nfev: int
    njev: int
    status: Status
    message: str
    hits: dict[float, int | None]
    trace: dict[str, Array]
    nhev: int = 0
    nfact: int = 0
    multipliers: Array | None = None
    kkt: float = float("nan")
    samples: int = 0
    epochs: float = 0.0
    val_loss: float = float("nan")
    val_accuracy: float = float("nan")
    seconds: list[float] = field(default_factory=list)
    compile_seconds: float = 0.0
    transfer_seconds: float = float("nan")

    @property
    def success(self) -> bool:
        """Whether the run converged: every target met, or the gradient below `gtol`."""
        return self.status == "converged"
