"""The records of methods: Optimizer, Descent, Lagrangian, Schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from optbench.records import Empty

NO_CONSTRAINTS = "it knows nothing of constraints: a Lagrangian method does"


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

    def refuses(self, offers: frozenset[str]) -> str | None:
        """Why the method cannot run on a problem that offers this (`Problem.offers`), or None."""
        return NO_CONSTRAINTS if "constraints" in offers else None

    def search_of(self, params: Any) -> str:
        """The search: none, the schedule sets the step."""
        return "none"


@dataclass(frozen=True)
class Descent:
    """A method that finds its own step length: a direction, and a line search or a trust region.

    Attributes
    ----------
    name : str
    direction : callable
        ``direction(t, at, d, memory, params) -> step``: writes the direction at x_t into `d`, shape (n,), and returns
        the first step length to try; with a trust region the full step within ``at.radius``, and the reduction of f
        that its model predicts (not above 0: it gives up). t = 0 starts afresh. `at` is `kernels.At`. `d` holds
        the direction before.
    params : NamedTuple class
        Hyperparameters with defaults. A choice ``line_search`` selects among 'wolfe', 'armijo' and 'none'; with 'none'
        the schedule sets the step.
    memory : callable
        ``memory(n, m, params) -> record`` of arrays that live from step to step (m: number of residuals).
    needs : str
        What it is made from: 'gradient', 'hessian' or 'jacobian' (residuals and their Jacobian).
    search : str
        'wolfe', 'armijo', 'nonmonotone' or 'trust'; `params.line_search`, where there is one, goes before.
    curvature : float
        Fraction of the initial slope that the Wolfe conditions allow to remain.
    lr : float
        Default step length without a search.
    doc, source : str
    """

    name: str
    direction: Callable[..., float]
    params: type
    memory: Callable[..., Any]
    needs: str = "gradient"
    search: str = "wolfe"
    curvature: float = 0.9
    lr: float = 1.0
    doc: str = ""
    source: str = ""

    def search_of(self, params: Any) -> str:
        """The search that these hyperparameters ask for: 'wolfe', 'armijo', 'nonmonotone', 'trust' or 'none'."""
        return str(getattr(params, "line_search", self.search))

    def refuses(self, offers: frozenset[str]) -> str | None:
        """Why the method cannot run on a problem that offers this (`Problem.offers`), or None."""
        if "constraints" in offers:
            return NO_CONSTRAINTS
        if self.needs == "hessian" and "hessian" not in offers:
            return "it needs the Hessian, which the problem does not have"
        if self.needs == "jacobian" and "residuals" not in offers:
            return "it needs residuals, and the problem is not a sum of their squares"
        return None


@dataclass(frozen=True)
class Lagrangian:
    """A method for constrained problems that moves point and multipliers.

    Attributes
    ----------
    name : str
    iterate : callable
        ``iterate(t, at, evaluate, inner, memory, params) -> step``: one iteration t = 0, 1, ... It writes the next
        point into ``at.x`` and multipliers into ``at.lam``; returns a step length for the trace, or a value that is not
        above 0 when it can go no further. `at` is `kernels.LagrangianAt`; ``evaluate(at, x, g, c, jac) -> f``
        evaluates objective and constraints at `x`; ``inner(at, x, penalty, tolerance)`` lets the inner optimizer work
        on the augmented Lagrangian with ``at.lam``, from `x` and into `x` (`inner` "minimize": until the largest entry
        of its gradient is at most `tolerance` or its budget is spent; "step": one step).
    params : NamedTuple class
        Hyperparameters with defaults.
    memory : callable
        ``memory(n, m, params) -> record`` of arrays that live from iteration to iteration.
    inner : str
        'none', 'minimize' or 'step': what the inner optimizer, any of the registry, is for. The hyperparameters
        ``inner`` (a name) and ``inner_iter`` choose it; the run's learning rate and schedule are its own.
    hessian : bool
        Whether ``at.h`` is to hold the Hessian of the Lagrangian.
    lr : float
        Default learning rate of the inner optimizer, where there is one.
    doc, source : str
    """

    name: str
    iterate: Callable[..., float]
    params: type
    memory: Callable[..., Any]
    inner: str = "none"
    hessian: bool = False
    lr: float = 1e-2
    doc: str = ""
    source: str = ""

    def search_of(self, params: Any) -> str:
        """The search: none for an inner optimizer that takes its step from the schedule."""
        return "none" if self.inner != "none" else "merit"

    def refuses(self, offers: frozenset[str]) -> str | None:
        """Why the method cannot run on a problem that offers this (`Problem.offers`), or None."""
        if "constraints" not in offers:
            return "the problem has no constraints"
        if self.hessian and "hessian" not in offers:
            return "it needs the Hessian of the Lagrangian, which the problem does not have"
        return None


AnyMethod = Optimizer | Descent | Lagrangian


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
