"""The records that every layer shares: Problem, Run, Result."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench import evaluation
from optbench.records import Empty

Array = NDArray[np.float64]
Status = Literal["converged", "budget", "stalled", "diverged", "timeout", "error", "crashed"]
STATUSES: tuple[Status, ...] = get_args(Status)
DEFAULT_TARGETS: tuple[float, ...] = tuple(10.0**-k for k in range(1, 9))


class Problem:
    """A function to minimize, with its start, its certified minimum and what plots need.

    Parameters
    ----------
    fun_grad : callable or None
        ``fun_grad(x, g, data) -> f``: a plain function that writes the gradient at `x`, shape (n,), into `g`, shape
        (n,), and returns f(x). `data` is the record below. It is compiled; it must not allocate, print or raise.
        A least-squares problem may leave it, and `hess`, to its residuals.
    x0 : array_like, shape (n,)
        Standard start.
    hess : callable, optional
        ``hess(x, h, data)``: writes the full symmetric Hessian into `h`, shape (n, n), which arrives filled with zeros.
    residuals : callable, optional
        Least squares, f = sum of r_i^2: ``residuals(x, r, jac, data)`` writes r, shape (m,), and its Jacobian, shape
        (m, n), every entry. `curvature` then gives the second derivatives.
    constraints : callable, optional
        ``constraints(x, c, jac, data)`` writes the constraint functions c, shape (m,), equalities c_i = 0 first, then
        inequalities c_i <= 0, and their Jacobian, shape (m, n), every entry. `curvature` gives the second derivatives.
    curvature : callable, optional
        ``curvature(x, w, h, data)``: adds the sum of w_i times the Hessian of r_i (or of c_i), w of shape (m,), to the
        full symmetric matrix `h`, shape (n, n).
    m : int
        Number of residuals or constraints.
    m_eq : int
        How many of the constraints are equalities.
    multipliers : array_like, shape (m,), optional
        Certified Lagrange multipliers at `x_opt`, for L = f + sum of multipliers_i c_i: those of inequalities are >= 0.
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
        fun_grad: Callable[..., float] | None,
        x0: ArrayLike,
        *,
        hess: Callable[..., None] | None = None,
        residuals: Callable[..., None] | None = None,
        constraints: Callable[..., None] | None = None,
        curvature: Callable[..., None] | None = None,
        m: int = 0,
        m_eq: int = 0,
        multipliers: ArrayLike | None = None,
        data: Any = Empty(),  # noqa: B008  (a NamedTuple without fields is immutable)
        x_opt: ArrayLike | None = None,
        f_opt: float | None = None,
        bounds: ArrayLike = (-5.0, 5.0),
        tags: tuple[str, ...] = (),
    ) -> None:
        if fun_grad is None and residuals is None:
            raise ValueError("a problem takes fun_grad or residuals")
        if residuals is not None and constraints is not None:
            raise ValueError("a problem takes residuals or constraints, not both")
        if (m > 0) != (residuals is not None or constraints is not None) or not 0 <= m_eq <= m:
            raise ValueError(f"m must count the residuals or constraints, and m_eq some of them, not {m} and {m_eq}")
        self.fun_grad = fun_grad
        self.residuals = residuals
        self.constraints = constraints
        self.curvature = curvature
        self.m, self.m_eq = m, m_eq
        self.multipliers = None if multipliers is None else _frozen(multipliers)
        if self.multipliers is not None and self.multipliers.shape != (m,):
            raise ValueError(f"multipliers must have shape ({m},), not {self.multipliers.shape}")
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
        if self.f_opt is not None and not math.isfinite(self.f_opt):
            raise ValueError(f"f_opt must be finite, not {f_opt!r}: are the data too large?")
        self.bounds = _frozen(np.broadcast_to(np.asarray(bounds, dtype=np.float64), (self.n, 2)))
        self.tags = tags
        self.name = getattr(fun_grad or residuals, "__name__", "problem")
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
        if not self.has_hess:
            raise NotImplementedError(f"problem {self.name!r} has no Hessian")
        return evaluation.evaluate_hess(self, self._point(x))

    @property
    def has_hess(self) -> bool:
        """Whether the Hessian of the objective is known."""
        return self.hess_fun is not None or (self.residuals is not None and self.curvature is not None)

    @property
    def offers(self) -> frozenset[str]:
        """What there is besides f and its gradient: 'hessian', 'residuals', 'constraints'."""
        parts = {"hessian": self.has_hess, "residuals": self.residuals, "constraints": self.constraints}
        return frozenset(name for name, part in parts.items() if part)

    def residual(self, x: ArrayLike) -> tuple[Array, Array]:
        """Residuals at `x`, shape (m,), and their Jacobian, shape (m, n). Raises NotImplementedError without any."""
        if self.residuals is None:
            raise NotImplementedError(f"problem {self.name!r} is not given by residuals")
        return evaluation.evaluate_parts(self, self._point(x))

    def constraint(self, x: ArrayLike) -> tuple[Array, Array]:
        """Constraint functions at `x`, shape (m,), and their Jacobian, (m, n); NotImplementedError without any."""
        if self.constraints is None:
            raise NotImplementedError(f"problem {self.name!r} has no constraints")
        return evaluation.evaluate_parts(self, self._point(x))

    def lagrangian_hess(self, x: ArrayLike, multipliers: ArrayLike) -> Array:
        """Hessian of f + sum of multipliers_i c_i at `x`, shape (n, n). Raises NotImplementedError where unknown."""
        if self.constraints is None or self.hess_fun is None or self.curvature is None:
            raise NotImplementedError(f"problem {self.name!r} has no Hessian of a Lagrangian")
        weights = np.ascontiguousarray(multipliers, dtype=np.float64)
        if weights.shape != (self.m,):
            raise ValueError(f"{self.name}: multipliers must have shape ({self.m},), not {weights.shape}")
        return evaluation.evaluate_lagrangian_hess(self, self._point(x), weights)

    def _evaluate(self, x: ArrayLike) -> tuple[float, Array]:
        return evaluation.evaluate(self, self._point(x))

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
class Run:
    """What one run is: names and numbers only, so that it hashes, prints, pickles and travels.

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
    seconds : list of float
        Wall times of the repeats, in seconds a run.
    multipliers, kkt : ndarray, shape (m,), and float
        For a constrained problem: multipliers of the last point and its KKT residual, evaluated again; `trace` then has
        ``kkt``, shape (k,), and ``multipliers``, shape (k, m).
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
    nhev: int = 0
    nfact: int = 0
    multipliers: Array | None = None
    kkt: float = float("nan")
    seconds: list[float] = field(default_factory=list)
    compile_seconds: float = 0.0

    @property
    def success(self) -> bool:
        """Whether the run converged: every target met, or the gradient below `gtol`."""
        return self.status == "converged"
