"""Problem: a function to minimize, its minimum, its data, and what goes with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench import evaluation
from optbench.records import Empty, count_samples, cut_samples

Array = NDArray[np.float64]


class Group(NamedTuple):
    """Parameters that belong together, a layer's weights or its biases: what LAMB and LARS take one trust ratio of."""

    name: str
    size: int
    bias: bool = False


class Phase(NamedTuple):
    """One phase of an objective that several threads can work on.

    ``function(x, g, first, last, data) -> f``: what the coordinates first, ..., last - 1 contribute; it writes their
    entries of `g`, and no other number that a piece reads. All pieces of a phase are done before the next one starts.
    With `over` "all" it is called once, for all coordinates.
    """

    function: Callable[..., float]
    over: Literal["coordinates", "all"] = "coordinates"


class Frozen(NamedTuple):
    """Losses, kept in the repository, that stand for those of the start and of the minimum where none is known.

    A target tau then is the loss ``best + tau (start - best)``, whatever a run starts from and whoever takes part.
    """

    start: float
    best: float


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
    samples : tuple of str
        Finite sum, f = mean over samples + what does not depend on them: the fields of `data` whose last axis counts
        the samples. Vectors, (m,), and matrices, (k, m), are cut to a mini-batch; of a `Scratch`, (k m,), k B remain.
        ValueError for what is no such array, and where there are residuals or constraints.
    groups : sequence of Group
        Parameter groups, in the order of x. Default: one.
    validation : NamedTuple, optional
        Held-out samples: another record of the class of `data`.
    measure : callable, optional
        ``measure(x, out, data)``: writes the loss without penalty into ``out[0]``, the share of samples that are
        classified right (NaN where there are no classes) into ``out[1]``.
    frozen : Frozen, optional
        Where `f_opt` is not known: what targets are relative to.
    phases : sequence of Phase
        `fun_grad` once more, in phases over pieces of x, for several threads; the contributions of all add up to f.
    tags : tuple of str
        For example ``("nonconvex", "multimodal")``.
    name, settings, doc, source
        Filled in by the registry from the factory that made the problem.
    resolved : dict
        For a factory to fill in that can be asked for one problem in several ways: what becomes `settings` then.
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
        samples: tuple[str, ...] = (),
        groups: Sequence[Group] = (),
        validation: Any = None,
        measure: Callable[..., None] | None = None,
        frozen: Frozen | None = None,
        phases: Sequence[Phase] = (),
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
        self.bounds: Array = np.broadcast_to(
            _frozen(bounds), (self.n, 2)
        )  # two numbers where they are the same for all
        self.samples, self.validation, self.measure, self.frozen = samples, validation, measure, frozen
        if samples and self.m:
            raise ValueError("samples go with fun_grad alone, not with residuals or constraints")
        self.n_samples = count_samples(data, samples)
        self.groups = tuple(groups) or (Group("x", self.n),)
        if sum(group.size for group in self.groups) != self.n:
            raise ValueError(f"groups must have {self.n} parameters in all, not {self.groups}")
        self.phases = tuple(phases)
        self.tags = tags
        self.name = getattr(fun_grad or residuals, "__name__", "problem")
        self.settings: dict[str, Any] = {}
        self.resolved: dict[str, Any] = {}
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
    def reference(self) -> float | None:
        """Value that targets and gaps refer to: the minimum, or the best loss frozen in its place."""
        return self.frozen.best if self.frozen else self.f_opt

    @property
    def offers(self) -> frozenset[str]:
        """What there is besides f and its gradient: 'hessian', 'residuals', 'constraints'."""
        parts = {"hessian": self.has_hess, "residuals": self.residuals, "constraints": self.constraints}
        return frozenset(name for name, part in parts.items() if part)

    def batch(self, indices: ArrayLike) -> Problem:
        """The problem on some of its samples, shape (B,): same function, data cut to them, minimum unknown.

        Raises
        ------
        NotImplementedError
            The problem is not a sum over samples.
        ValueError
            An index is out of range, or there is none.
        """
        if not self.samples:
            raise NotImplementedError(f"problem {self.name!r} is not a sum over samples")
        chosen = np.asarray(indices)
        if chosen.ndim != 1 or not chosen.size or chosen.dtype.kind not in "iu":
            raise ValueError(f"indices takes whole numbers, shape (B,), not {indices!r}")
        if chosen.min() < 0 or chosen.max() >= self.n_samples:
            raise ValueError(f"indices must lie between 0 and {self.n_samples - 1}")
        made = Problem(
            self.fun_grad,
            self.x0,
            hess=self.hess_fun,
            data=self.data._replace(**cut_samples(self.data, self.samples, chosen)),
            bounds=self.bounds,
            samples=self.samples,
            groups=self.groups,
            measure=self.measure,
            tags=self.tags,
        )
        made.name, made.settings, made.doc, made.source = self.name, self.settings, self.doc, self.source
        return made

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
