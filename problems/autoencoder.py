r"""Autoencoder: a fully connected network that gives back its input through a narrow layer.

J(x) = (1 / (m d)) sum_{i=1}^m ||z_i - u_i||^2 + (alpha/2) sum_l ||W_l||^2,  x = (W_1, b_1, ..., W_L, b_L),

z_i the output of `mlp` for the d features u_i. These are standardized unless asked otherwise, so that J = 1 for W = 0.
Everything else is as in `mlp`.

Source: Hinton & Salakhutdinov (2006), Science 313, 504-507; breast cancer data: Street, Wolberg & Mangasarian (1993),
Proc. SPIE 1905, 861-870. The minimum is not known; see `mlp` for the frozen losses.
"""

from __future__ import annotations

import numpy as np

from optbench.problems._data import WHOLE, Split, load
from optbench.problems._frozen import frozen_losses
from optbench.problems.mlp import (
    Activation,
    Init,
    check,
    first_point,
    fun_grad,
    groups,
    layer_units,
    measure,
    record,
    resolved,
)
from optbench.registry import problem
from optbench.types import Problem


@problem(source="Hinton & Salakhutdinov 2006", tags=("nonconvex", "finite-sum", "network", "regression", "data"))
def autoencoder(
    data: str = "breast_cancer",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    units: int = 8,
    layers: int = 1,
    hidden: list[int] | None = None,
    activation: Activation = "tanh",
    alpha: float = 1e-4,
    init: Init = "glorot",
    instance: int = 0,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Autoencoder with `layers` hidden layers of `units` units, or the hidden layers `hidden`, a list.

    All settings are those of `mlp`; the column `target` is left out of the features and not used. Of a CSV file
    without a `target` all numeric columns are features.
    """
    settings = dict(locals())
    check("autoencoder", activation, init, alpha, instance)
    inner = layer_units("autoencoder", units, layers, hidden)
    split = Split(validation, split_seed)
    loaded = load(data, target, features, standardize=standardize, kind="none", split=split)
    sizes = [loaded.X.shape[1], *inner, loaded.X.shape[1]]
    x0, bounds = first_point(sizes, init, instance)

    train, held = (
        part and record(part, np.empty((0, 1)), sizes, alpha, activation, "mse") for part in (loaded, loaded.held_out)
    )
    settings = resolved(settings, loaded, inner)
    made = Problem(
        fun_grad,
        x0,
        data=train,
        bounds=bounds,
        samples=("X", "work"),
        groups=groups(sizes),
        validation=held,
        measure=measure,
        frozen=frozen_losses("autoencoder", settings),
    )
    made.resolved = settings
    return made
