"""The records that every layer shares: Problem, Optimizer, Schedule, Run, Result."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench import kernels
from optbench.records import Empty

Array = NDArray[np.float64]
Status = Literal["converged", "budget", "stalled", "diverged", "timeout", "error", "crashed"]
STATUSES: tuple[Status, ...] = get_args(Status)
DEFAULT_TARGETS: tuple[float, ...] = tuple(10.0**-k for k in range(1, 9))


class Problem:
    """A function to minimize, with its start, its certified minimum and what plots need.

    Parameters
    ----------
    fun_grad : callable
        ``fun_grad(x, g, data) -> f``: a plain function that writes the gradient at `x`, shape (n,), into `g`, shape
        (n,), and returns f(x). `data` is the record below. It is compiled; it must not allocate, print or raise.
    x0 : array_like, shape (n,)
        Standard start.
    hess : callable, optional
        ``hess(x, h, data)``: writes the full symmetric Hessian into `h`, shape (n, n), which arrives filled with zeros.
    data : NamedTuple, optional
        What the functions need besides x (see `optbench.records`). Values travel as arguments: a new data set, size or
        condition number compiles nothing.
    x_opt : array_like, shape (n,) or (k, n), optional
        A global minimizer, or all k of them; `x_opt` then is the first and `minimizers` holds all.
    f_opt : float, optional
        The minimum.
    bounds : array_like, shape (2,) or (n, 2), optional
        Lower and upper end of the region that plots show and that random starts are drawn from. Not a constraint.
    tags : tuple of str
        For example ``("nonconvex", "multimodal")``.
    name, settings, doc, source
        Filled in by the registry from the factory that made the problem.
    """

    def __init__(
        self,
        fun_grad: Callable[..., float],
        x0: ArrayLike,
        *,
        hess: Callable[..., None] | None = None,
        data: Any = Empty(),  # noqa: B008  (a NamedTuple without fields is immutable)
        x_opt: ArrayLike | None = None,
        f_opt: float | None = None,
        bounds: ArrayLike = (-5.0, 5.0),
        tags: tuple[str, ...] = (),
    ) -> None:
        self.fun_grad = fun_grad
        self.hess_fun = hess
        self.x0 = _frozen(x0)
        if self.x0.ndim != 1 or self.x0.size == 0:
            raise ValueError(f"x0 must have shape (n,) with n >= 1, not {self.x0.shape}")
        self.n = self.x0.size
        self.data = data
        self.record: type = data.__class__
        minimizers = None if x_opt is None else np.atleast_2d(_frozen(x_opt))
        if minimizers is not None and minimizers.shape[1] != self.n:
            raise ValueError(f"x_opt must have shape ({self.n},) or (k, {self.n}), not {minimizers.shape}")
        self.minimizers: Array | None = minimizers
        self.x_opt: Array | None = None if minimizers is None else minimizers[0]
        self.f_opt = None if f_opt is None else float(f_opt)
        self.bounds = _frozen(np.broadcast_to(np.asarray(bounds, dtype=np.float64), (self.n, 2)))
        self.tags = tags
        self.name = getattr(fun_grad, "__name__", "problem")
        self.settings: dict[str, Any] = {}
        self.doc = ""
        self.source = ""

    def fun(self, x: ArrayLike) -> float:
        """Value at `x`, shape (n,). Raises ValueError for another shape."""
        return self._evaluate(x)[0]

    def grad(self, x: ArrayLike) -> Array:
        """Gradient at `x`, shape (n,): a new array of shape (n,). Raises ValueError for another shape."""
        return self._evaluate(x)[1]

    def fun_and_grad(self, x: ArrayLike) -> tuple[float, Array]:
        """Value and gradient at `x`, shape (n,), from one evaluation."""
        return self._evaluate(x)

    def hess(self, x: ArrayLike) -> Array:
        """Hessian at `x`, shape (n,): a new array of shape (n, n).

        Raises
        ------
        ValueError
            `x` has another shape.
        NotImplementedError
            The problem has no Hessian.
        """
        if self.hess_fun is None:
            raise NotImplementedError(f"problem {self.name!r} has no Hessian")
        return kernels.evaluate_hess(self, self._point(x))

    def _evaluate(self, x: ArrayLike) -> tuple[float, Array]:
        return kernels.evaluate(self, self._point(x))

    def _point(self, x: ArrayLike) -> Array:
        point = np.ascontiguousarray(x, dtype=np.float64)
        if point.shape != (self.n,):
            raise ValueError(f"{self.name}: x must have shape ({self.n},), not {point.shape}")
        return point

    def __repr__(self) -> str:
        settings = "".join(f", {key}={value!r}" for key, value in self.settings.items() if key != "n")
        return f"<Problem {self.name} n={self.n}{settings}>"


def _frozen(values: ArrayLike) -> Array:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Variant:
    """The form of an optimizer that one of its bool hyperparameters selects: another update with another state."""

    update: Callable[..., Any]
    state: type


@dataclass(frozen=True)
class Optimizer:
    """A first-order method as functions of one coordinate.

    Attributes
    ----------
    name : str
    update : callable
        ``update(x, g, state, c) -> (x, state)`` for one coordinate, all scalars; `state` is the `state` record, `c`
        what `constants` returned. With `scale` it returns ``(u, state)`` instead: a direction.
    constants : callable
        ``constants(t, lr, params) -> c`` once a step, t = 1, 2, ...; with a `shared` record
        ``constants(t, lr, params, shared) -> (c, shared)``.
    params, state, shared : NamedTuple classes
        Hyperparameters with defaults; state of one coordinate (floats, zero at the start); scalars that live from step
        to step, with their start values as defaults (running powers of beta).
    scale : callable or None
        ``scale(x_norm, u_norm, c) -> s`` for every parameter group: x becomes x - s u (LAMB), or what `finish` says.
    finish : callable or None
        ``finish(x, u, s, state, c) -> (x, state)`` of one coordinate, after `scale`, where x - s u is not all: a sum of
        scaled directions (LARS).
    init : callable or None
        ``init(params) -> state`` where the state of a coordinate does not start at zero.
    variants : mapping of str to Variant
        Under the name of a bool hyperparameter the form that replaces this one when it is true, for a form that needs
        more state (amsgrad).
    lr : float
        Default learning rate.
    doc, source : str
    """

    name: str
    update: Callable[..., Any]
    constants: Callable[..., Any]
    params: type = Empty
    state: type = Empty
    shared: type = Empty
    scale: Callable[..., float] | None = None
    finish: Callable[..., Any] | None = None
    init: Callable[..., Any] | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    lr: float = 1e-3
    doc: str = ""
    source: str = ""


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the step.

    Attributes
    ----------
    name : str
    value : callable
        ``value(t, lr, params) -> lr_t`` for t = 0, 1, ...; with a `state` record the schedule observes the objective
        instead: ``value(f, lr_t, params, state) -> (lr_t+1, state)``, called after step t with f(x_t).
    params, state : NamedTuple classes
        Settings with defaults; scalars that live from step to step with their start values as defaults.
    doc, source : str
    """

    name: str
    value: Callable[..., Any]
    params: type = Empty
    state: type = Empty
    doc: str = ""
    source: str = ""

    @property
    def observes(self) -> bool:
        """Whether the schedule depends on the observed objective."""
        return self.state is not Empty


@dataclass(frozen=True)
class Run:
    """What one run is: names and numbers only, so that it hashes, sorts, prints, pickles and travels.

    The settings are tuples of (key, value) pairs, complete: defaults are written out, so that a later change of a
    default is another run.
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
    seed: int
    max_iter: int
    time_limit: float
    targets: tuple[float, ...]

    @functools.cached_property
    def key(self) -> str:
        """Content hash: the run's id in the results."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
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
    nit, nfev, njev : int
        Steps, function and gradient evaluations.
    status : str
        One of `STATUSES`.
    message : str
        Why the run ended, as a sentence.
    hits : dict of float to int or None
        For every target the first iteration that met it.
    trace : dict of str to ndarray
        ``iteration``, ``f``, ``grad_norm``, ``lr``, all shape (k,), and ``x``, shape (k, n), when points were recorded.
    seconds : list of float
        Wall times of the repeats, in seconds a run.
    compile_seconds : float
        Time to compile or load the kernels that this run was the first to need.
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
    seconds: list[float] = field(default_factory=list)
    compile_seconds: float = 0.0

    @property
    def success(self) -> bool:
        """Whether the run converged: every target met, or the gradient below `gtol`."""
        return self.status == "converged"
