r"""Autoencoder: a fully connected network that gives back its input through a narrow layer.

J(x) = (1 / (m d)) sum_{i=1}^m ||z_i - u_i||^2 + (alpha/2) sum_l ||W_l||^2,  x = (W_1, b_1, ..., W_L, b_L),

z_i the output of `mlp` for the d features u_i. These are standardized unless asked otherwise, so that J = 1 for W = 0.
Everything else is as in `mlp`.

Source: Hinton & Salakhutdinov (2006), Science 313, 504-507; breast cancer data: Street, Wolberg & Mangasarian (1993),
Proc. SPIE 1905, 861-870. The minimum is not known; see `mlp` for the frozen losses.
"""

from __future__ import annotations

import math
from typing import NamedTuple, get_args

from optbench.problems._data import WHOLE, DataSet, Split, load
from optbench.problems._frozen import frozen_losses
from optbench.problems._network import backward, forward, mean_square
from optbench.problems.mlp import Activation, check_numbers, groups, layer_units, one_of, room, start
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import problem
from optbench.types import Problem


class Data(NamedTuple):
    """Features, shape (d, m); work array; units of every layer; penalty; activation."""

    X: Matrix
    work: Scratch
    sizes: Vector
    alpha: float
    activation: Activation


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = mean_square(forward(x, data), data.X)
    return f + 0.5 * data.alpha * backward(x, g, data)


def measure(x, out, data):
    """Loss without penalty into ``out[0]``, NaN into ``out[1]``."""
    out[0], out[1] = mean_square(forward(x, data), data.X), math.nan


@problem(source="Hinton & Salakhutdinov 2006", tags=("nonconvex", "finite-sum", "network", "regression", "data"))
def autoencoder(
    data: str = "breast_cancer",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    units: int = 8,
    layers: int = 1,
    hidden: list[int] | None = None,
    activation: str = "tanh",
    alpha: float = 1e-4,
    init: str = "glorot",
    instance: int = 0,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Autoencoder with `layers` hidden layers of `units` units, or the hidden layers `hidden`, a list.

    All settings are those of `mlp`; the column `target` is left out of the features and not used. Of a CSV file
    without a `target` all numeric columns are features.
    """
    one_of("autoencoder", "activation", activation, get_args(Activation))
    one_of("autoencoder", "init", init, ("glorot", "he"))
    check_numbers("autoencoder", alpha, instance)
    inner = layer_units("autoencoder", units, layers, hidden)
    loaded = load(data, target, features, standardize=standardize, kind="none", split=Split(validation, split_seed))
    sizes = [loaded.X.shape[1], *inner, loaded.X.shape[1]]
    key = {"data": data, "features": list(loaded.feature_names), "hidden": inner, "standardize": standardize}
    key |= {"activation": activation, "alpha": float(alpha), "validation": validation, "split_seed": split_seed}
    x0, bounds = start(sizes, init, instance)

    def record(part: DataSet) -> Data:
        return Data(part.columns, room(sizes, part.y.size), sizes, float(alpha), activation)

    return Problem(
        fun_grad,
        x0,
        data=record(loaded),
        bounds=bounds,
        samples=("X", "work"),
        groups=groups(sizes),
        validation=loaded.held_out and record(loaded.held_out),
        measure=measure,
        frozen=frozen_losses("autoencoder", key),
    )
