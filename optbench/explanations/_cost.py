"""The cost of a linear model on data, worked out: the samples, what is wrong at each, J and its partial derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from optbench.explanations._terms import bracketed, number_text
from optbench.explanations._text import formula, paragraph, shown_of, table, title
from optbench.models import Model
from optbench.types import Array, Problem

ROWS = 6


class Cost(NamedTuple):
    """The cost of a linear model: each sample has an error e_i, and dJ/dw = factor * sum e_i x_i + penalty.

    `model` and `loss` are formulas; `penalty` is the factor of w_j in dJ/dw_j and `square` that of the
    squared weights in J. `losses` gives what each sample adds to m J from the errors and the target.
    """

    model: str
    loss: str
    factor: float
    penalty: float
    square: float
    losses: Callable[[Array, Array], Array]


def cost_of(problem: Problem) -> Cost | None:
    """The cost of the problem, if it is one of a linear model."""
    alpha = float(problem.settings.get("alpha", 0.0))
    if problem.name in ("linear_regression", "ridge"):
        return Cost("prediction_i = {z}", "e_i^2", 2.0, 2.0 * alpha, alpha, _squares)
    if problem.name == "logistic_regression":
        model = "p_i = 1 / (1 + exp(-({z}))), the probability of y_i = 1"
        loss = "-log(p_i where y_i = 1, 1 - p_i where y_i = 0)"
        return Cost(model, loss, 1.0, alpha, 0.5 * alpha, _entropy)
    return None


def _squares(errors: Array, y: Array) -> Array:
    return np.asarray(errors**2)


def _entropy(errors: Array, y: Array) -> Array:
    """Losses from p - y: 1 - p where y = 1 is -e, and p where y = 0 is e."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log1p(-np.abs(errors)))


def errors_of(model: Model, x: Array) -> Array:
    """Prediction minus target of every sample; for two classes the probability of the second stands for it."""
    outputs = model.outputs(x, model.X)
    return np.asarray((outputs[:, 1] if model.labels else outputs) - model.y)


def describe(model: Model, cost: Cost, x: Array, names: Sequence[str]) -> list[str]:
    """Model, data with errors, cost and partial derivatives, with the numbers put into the formulas."""
    problem, m = model.problem, len(model.y)
    errors = errors_of(model, x)
    losses = cost.losses(errors, model.y)
    return [
        *_data(model, cost),
        *_table(model, cost, errors, losses, x),
        *_objective(problem, cost, losses, x, names, m),
        *_partials(model, cost, errors, x, names),
    ]


def samples_text(model: Model) -> list[str]:
    """What the samples are, in a sentence."""
    features, target = model.feature_names, model.target_name
    scaled = ", standardized to mean 0 and standard deviation 1" if model.standardized else ""
    if model.labels and model.labels != tuple(map(str, range(len(model.labels)))):
        target += f" ({', '.join(f'y = {k}: {label}' for k, label in enumerate(model.labels))})"
    inputs = features[0] if len(features) == 1 else f"{len(features)} features"
    if len(features) == 2:
        inputs = " and ".join(features)
    data = model.problem.settings["data"]
    return paragraph(f"{len(model.y)} samples of data {data!r}: y is {target}, x is {inputs}{scaled}.", "  ")


def _data(model: Model, cost: Cost) -> list[str]:
    z = "w * x_i + b" if len(model.feature_names) == 1 else "sum_j w_j x_ij + b"
    return [*title("Model and data"), *samples_text(model), *formula(*cost.model.format(z=z).split(" = ", 1))]


def _table(model: Model, cost: Cost, errors: Array, losses: Array, x: Array) -> list[str]:
    m = len(errors)
    predicted = "p_i" if model.labels else "prediction_i"
    one = len(model.feature_names) == 1
    inputs = [model.X[:, 0]] if one else []
    products = [errors * model.X[:, 0]] if one else []
    loss = "loss_i" if model.labels else "e_i^2"
    names = [*["x_i"][: len(inputs)], "y_i", predicted, "e_i", loss, *["e_i x_i"][: len(products)]]
    columns = [*inputs, model.y, errors + model.y, errors, losses, *products]
    totals = [*[False] * len(inputs), False, False, True, True, *[True] * len(products)]
    lines = title("Residuals" if not model.labels else "Errors")
    if model.labels:
        lines += [*formula("e_i", "p_i - y_i"), *formula("loss_i", cost.loss)]
    else:
        lines += formula("e_i", "prediction_i - y_i", "w * x_i + b - y_i" if one else "sum_j w_j x_ij + b - y_i")
    if one and not model.labels:
        w, b = x
        numbers = f"{number_text(w)} * {bracketed(model.X[0, 0])} + {bracketed(b)} - {bracketed(model.y[0])}"
        lines += formula("e_1", numbers, number_text(errors[0]))
    return [*lines, "", *table(names, columns, totals, shown_of(m, ROWS))]


def _objective(problem: Problem, cost: Cost, losses: Array, x: Array, names: Sequence[str], m: int) -> list[str]:
    total, f = number_text(float(losses.sum())), problem.fun(x)
    loss = "loss_i" if cost.factor == 1.0 else "e_i^2"
    error = "(w x_i + b - y_i)^2" if x.size == 2 and loss == "e_i^2" else loss
    code, numbers = f"1/m * sum {error}", f"1/{m} * {total}"
    if cost.square:
        squares = number_text(float(x[:-1] @ x[:-1]))
        text = "alpha" if cost.factor == 2.0 else "alpha/2"
        code += f" + {text} * " + ("w^2" if x.size == 2 else "sum w_j^2")
        numbers += f" + {number_text(cost.square)} * {squares}"
    arguments = ", ".join(names) if len(names) <= 2 else "w, b"
    return [*title("Objective"), *formula(f"J({arguments})", code, numbers, number_text(f))]


def _partials(model: Model, cost: Cost, errors: Array, x: Array, names: Sequence[str]) -> list[str]:
    m, factor = len(errors), f"{cost.factor:g}/m"
    gradient = model.problem.grad(x)
    one = len(model.feature_names) == 1
    lines = title("Partial derivatives")
    d = x.size - 1
    kept = shown_of(x.size)
    for k, i in enumerate(kept):
        if k and i != kept[k - 1] + 1:
            lines.append("  ...")
        total = float(errors.sum() if i == d else errors @ model.X[:, i])
        error = "(w x_i + b - y_i)" if one and not model.labels else "e_i"
        code = f"{factor} * sum {error}" + ("" if i == d else " x_i" if one else f" x_i{i + 1}")
        numbers = f"{cost.factor:g}/{m} * {bracketed(total)}"
        if cost.penalty and i < d:
            weight = "2 alpha" if cost.factor == 2.0 else "alpha"
            code += f" + {weight} {'w' if one else f'w_{i + 1}'}"
            numbers += f" + {number_text(cost.penalty)} * {bracketed(float(x[i]))}"
        lines += formula(f"dJ/d{names[i]}", code, numbers, number_text(gradient[i]))
    return lines
