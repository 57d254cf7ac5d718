"""`explain`: one point of a problem and the next steps of an optimizer, worked out with numbers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.explanations import _constraints, _cost, _function
from optbench.explanations._steps import Step, steps_of
from optbench.explanations._text import paragraph, point_text, shown_of, title
from optbench.explanations._writing import run_text, step_text
from optbench.models import Model, model_of, small_problem
from optbench.optimize import minimize
from optbench.outcome import Run
from optbench.points import parameter_names, point_at
from optbench.registry import get_optimizer
from optbench.single import make_run
from optbench.types import Array, Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 50  # steps that are explained at once
FIRST_RATE = 0.1  # of gradient descent on data where neither optimizer nor learning rate are chosen


@dataclass(frozen=True)
class Explanation:
    """A point of a problem and steps from there, worked out.

    Attributes
    ----------
    problem : Problem
    names : tuple of str
        Of the parameters.
    x : ndarray, shape (n,)
        The point.
    fun : float
    grad : ndarray, shape (n,)
    residuals : ndarray, shape (m,), or None
        Prediction minus target of every sample, for a linear model on data.
    run : Run
        The optimizer with complete settings.
    steps : tuple of Step
        What was done, with the lines that work it out; fewer than asked for where the run ended before.
    message : str
        How the run ended, where it ended before.
    text : str
        All of it in words, at most 98 characters a line.
    """

    problem: Problem
    names: tuple[str, ...]
    x: Array
    fun: float
    grad: Array
    residuals: Array | None
    run: Run
    steps: tuple[Step, ...]
    message: str = ""

    @property
    def points(self) -> Array:
        """The point and those after each step, shape (k + 1, n)."""
        return np.array([self.x, *(step.x_next for step in self.steps)])

    @functools.cached_property
    def text(self) -> str:
        """The explanation in words."""
        return "\n".join(_lines(self))

    def figure(self) -> Figure:
        """Data space and parameter space with the point and the steps.

        Raises
        ------
        ValueError
            The problem has one parameter.
        """
        from optbench.plots import both_spaces

        return both_spaces(self.problem, self.points, label=self.run.optimizer)

    def __str__(self) -> str:
        return self.text


def explain(
    problem: str | Mapping[str, Any] | Problem,
    at: str | Mapping[str, float] | ArrayLike | None = None,
    optimizer: str | None = None,
    *,
    lr: float | None = None,
    params: Mapping[str, Any] | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    clip: Mapping[str, float] | None = None,
    steps: int | None = None,
    max_iter: int | None = None,
) -> Explanation:
    """Work out an objective, its gradient and the next steps of an optimizer at one point, with all numbers.

    Parameters
    ----------
    problem : str, mapping or Problem
        A registered name, ``{"name": ..., settings}``, or a problem. Linear models and networks that are asked for by
        name alone come with data of one or two features (`optbench.models.SMALL_DATA`).
    at : str, mapping or array_like, optional
        ``"w=1,b=2"``, ``{"w": 1, "b": 2}`` or ``[1, 2]``. Default: the problem's start.
    optimizer : str, optional
        Default: gradient descent; under constraints lagrange_newton.
    lr, params, schedule, clip
        As in `optbench.minimize`. Where neither optimizer nor `lr` is given, gradient descent on data takes 0.1.
    steps : int, optional
        How many steps, at most 50. Default: 1; 2 of lagrange_newton, whose first one estimates the multipliers.
    max_iter : int, optional
        Length of the run that schedules refer to. Default: 100, or `steps` if that is more.

    Returns
    -------
    Explanation
        ``print`` it; `figure` draws it.

    Raises
    ------
    UnknownName, ValueError
        As in `optbench.minimize`; the point has unknown names or another count of numbers; `steps` is out of range.

    Examples
    --------
    >>> e = explain("linear_regression", at={"w": 1, "b": 2}, optimizer="gd", lr=0.1)
    >>> e.points.round(4).tolist()
    [[1.0, 2.0], [11.7207, 34.07]]
    """
    made = small_problem(problem)
    chosen = optimizer or ("lagrange_newton" if made.constraints else "gd")
    if steps is None:
        steps = 2 if chosen == "lagrange_newton" else 1
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST:
        raise ValueError(f"steps takes a whole number between 1 and {MOST}, not {steps!r}")
    x = np.array(made.x0) if at is None else point_at(made, at)
    if optimizer is None and lr is None and model_of(made) is not None:
        lr = FIRST_RATE
    budget = max(100, steps) if max_iter is None else max_iter
    if budget < steps:
        raise ValueError(f"max_iter = {budget} ends the run before step {steps}")
    options: dict[str, Any] = {"lr": lr, "params": params, "schedule": schedule, "clip": clip, "max_iter": budget}
    run = make_run(made, optimizer=chosen, targets=(), **options)
    refused = get_optimizer(chosen).refuses(made.offers)
    if refused:
        raise ValueError(f"{chosen} does not apply to {made.name}: {refused}")
    result = minimize(made, chosen, x0=x, targets=(), **options)
    names = parameter_names(made)
    done = steps_of(made, run, result, names, shown_of(made.n), steps)
    model, cost = model_of(made), _cost.cost_of(made)
    residuals = _cost.errors_of(model, x) if model is not None and cost is not None else None
    f, gradient = made.fun_and_grad(x)
    message = result.message if len(done) < steps else ""
    return Explanation(made, names, x, f, gradient, residuals, run, tuple(done), message)


def _lines(e: Explanation) -> list[str]:
    model = model_of(e.problem)
    lines = _head(e, model)
    cost = _cost.cost_of(e.problem)
    if model is not None and cost is not None:
        lines += _cost.describe(model, cost, e.x, e.names)
    else:
        if model is not None:
            lines += [*title("Data"), *_cost.samples_text(model)]
        lines += _function.function_text(e.problem, e.x, e.names)
    lines += _function.gradient_text(e.problem, e.x, e.names)
    lines += _function.hessian_text(e.problem, e.x)
    if e.problem.constraints is not None:
        lines += _constraints.constraints_text(e.problem, e.x, e.names)
    lines += run_text(e.problem, e.run)
    for step in e.steps:
        lines += step_text(e.problem, e.run, step, e.names)
    if e.message:
        lines += ["", *paragraph(f"No further step: {e.message}.")]
    return lines


def _head(e: Explanation, model: Model | None) -> list[str]:
    lines = paragraph(f"{e.problem.name} at {point_text(e.names, e.x)}")
    lines.append("=" * max(map(len, lines)))
    return [*lines, *_function.formula_of(e.problem)] if _cost.cost_of(e.problem) is None else lines
