"""The model behind a problem on data: its samples, their names, and what the model predicts.

A problem is a function of its parameters; a reader of its data wants the columns' names and the predictions of one
point. Predictions are written once more here, in NumPy, because the kernels compute no more of them than f needs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optbench.problems._data import DataSet, Kind, Split, load
from optbench.problems._sources import Synthetic
from optbench.registry import get_problem
from optbench.types import Array, Problem

ROWS = 4096  # inputs of a network that are worked on at a time

# Data of one or two features, which can be drawn, for problems whose default data have more.
SMALL_DATA: dict[str, dict[str, Any]] = {
    "linear_regression": {"data": "sales"},
    "ridge": {"data": "sales"},
    "logistic_regression": {"features": ["mean radius", "mean texture"]},
    "softmax_regression": {"data": "iris", "features": ["petal length (cm)", "petal width (cm)"]},
    "mlp": {"data": "iris", "features": ["petal length (cm)", "petal width (cm)"], "hidden": [4]},
}


@dataclass(frozen=True, eq=False)
class Model:
    """What a problem on data says about them.

    Attributes
    ----------
    problem : Problem
    X : ndarray, shape (m, d)
        Inputs as the problem sees them, standardized where it asks for that.
    y : ndarray, shape (m,)
        Targets as the problem sees them; for classes 0, 1, ...
    feature_names : tuple of str, length d
    target_name : str
    labels : tuple of str
        Names of the classes; empty for a numeric target.
    standardized : bool
        Whether the features are shifted and scaled to mean 0 and standard deviation 1.
    outputs : callable
        ``outputs(x, inputs)``: predictions of the parameters `x`, shape (n,), for `inputs`, shape (k, d): numbers,
        shape (k,), or the probability of every class, shape (k, number of classes).
    """

    problem: Problem
    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_name: str
    labels: tuple[str, ...]
    standardized: bool
    outputs: Callable[[ArrayLike, ArrayLike], Array]

    @property
    def is_line(self) -> bool:
        """Whether the model is a curve over one feature."""
        return not self.labels and len(self.feature_names) == 1

    @property
    def is_boundary(self) -> bool:
        """Whether the model parts a plane of two features into classes."""
        return bool(self.labels) and len(self.feature_names) == 2

    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters, length n: w and b, or w[feature] and b, with the class or the layer before them."""
        if "sizes" not in self.problem.record._fields:  # type: ignore[attr-defined]
            names = self.feature_names
            return (*(["w"] if len(names) == 1 else [f"w[{name}]" for name in names]), "b")
        sizes = [int(units) for units in self.problem.data.sizes]
        if len(sizes) == 2:
            weights = [f"w[{label},{name}]" for label in self.labels for name in self.feature_names]
            return (*weights, *(f"b[{label}]" for label in self.labels))
        made: list[str] = []
        for layer, (d, n) in enumerate(itertools.pairwise(sizes), 1):
            made += [f"w{layer}[{i},{j}]" for i in range(1, n + 1) for j in range(1, d + 1)]
            made += [f"b{layer}[{i}]" for i in range(1, n + 1)]
        return tuple(made)


def small_problem(problem: str | Mapping[str, Any] | Problem) -> Problem:
    """A problem by its name, on the `SMALL_DATA` where it has any; by ``{"name": ..., settings}``; or as it is.

    Raises
    ------
    UnknownName, ValueError
        As in `optbench.get_problem`; a mapping without a name.
    """
    if isinstance(problem, Problem):
        return problem
    if isinstance(problem, str):
        return get_problem(problem, **SMALL_DATA.get(problem, {}))
    settings = dict(problem)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise ValueError(f"a problem is a name or a mapping with a name, not {problem!r}")
    return get_problem(name, **settings)


def model_of(problem: Problem) -> Model | None:
    """The model of a problem on data; None for a problem that has none, or whose model is not known here."""
    if problem.name not in _OUTPUTS or problem.settings.get("data", "wide") == "wide":
        return None
    kind, outputs = _OUTPUTS[problem.name]
    if problem.settings.get("loss") == "mse":
        kind = "numbers"
    names = _data_set(problem, kind)
    seen = problem.data
    y = seen.Y[0] if "Y" in seen._fields else (seen.y + 1.0) / 2.0 if kind == "signs" else seen.y
    standardized = bool(problem.settings.get("standardize"))
    return Model(
        problem,
        seen.X.T,
        y,
        names.feature_names,
        names.target_name,
        names.labels,
        standardized,
        lambda x, inputs: outputs(problem, np.asarray(x, dtype=np.float64), np.asarray(inputs, dtype=np.float64)),
    )


def _data_set(problem: Problem, kind: Kind) -> DataSet:
    """The data set that the problem was made of, which `load` keeps."""
    given: Mapping[str, Any] = problem.settings
    synthetic = Synthetic(**{key: given[key] for key in Synthetic._fields if key in given and key != "instance"})
    if "n_samples" in given:
        synthetic = synthetic._replace(instance=given["instance"])  # of a network it is the seed of the start
    features = given.get("features")
    return load(
        given["data"],
        given.get("target", ""),
        None if features is None else list(features),
        standardize=given.get("standardize", True),
        synthetic=synthetic,
        kind=kind,
        split=Split(given.get("validation", 0.0), given.get("split_seed", 0)),
    )


def _linear(problem: Problem, x: Array, inputs: Array) -> Array:
    return np.asarray(inputs @ x[:-1] + x[-1])


def _logistic(problem: Problem, x: Array, inputs: Array) -> Array:
    from scipy.special import expit

    z = _linear(problem, x, inputs)
    return np.column_stack([expit(-z), expit(z)])


def _network(problem: Problem, x: Array, inputs: Array) -> Array:
    from scipy.special import softmax

    parts = [_forward(problem, x, inputs[k : k + ROWS]) for k in range(0, len(inputs), ROWS)]
    z = np.concatenate(parts)
    return z[:, 0] if problem.settings.get("loss") == "mse" else np.asarray(softmax(z, axis=1))


def _forward(problem: Problem, x: Array, inputs: Array) -> Array:
    """Outputs of the last layer, shape (k, units); x = (W_1, b_1, W_2, b_2, ...), W_l row by row."""
    from scipy.special import expit, ndtr

    activations: dict[str, Callable[[Array], Array]] = {
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0.0),
        "sigmoid": expit,
        "gelu": lambda z: z * ndtr(z),
    }
    a, at = inputs, 0
    sizes = [int(units) for units in problem.data.sizes]
    for layer, (d, n) in enumerate(itertools.pairwise(sizes), 1):
        weights, bias = x[at : at + n * d].reshape(n, d), x[at + n * d : at + n * (d + 1)]
        a = a @ weights.T + bias
        if layer < len(sizes) - 1:
            a = activations[problem.data.activation](a)
        at += n * (d + 1)
    return a


# What the target of a problem is, and its predictions.
_OUTPUTS: dict[str, tuple[Kind, Callable[[Problem, Array, Array], Array]]] = {
    "linear_regression": ("numbers", _linear),
    "ridge": ("numbers", _linear),
    "logistic_regression": ("signs", _logistic),
    "softmax_regression": ("classes", _network),
    "mlp": ("classes", _network),
}
