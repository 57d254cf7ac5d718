r"""Multilayer perceptron: a fully connected network with a linear last layer, for classes or numbers.

a_0 = u,  a_l = s(W_l a_{l-1} + b_l) for the hidden layers l = 1, ..., L-1,  z = W_L a_{L-1} + b_L,

J(x) = (1/m) sum_{i=1}^m loss(z_i, y_i) + (alpha/2) sum_l ||W_l||^2,  x = (W_1, b_1, ..., W_L, b_L), W_l row by row,

with loss(z, y) = log sum_c exp(z_c) - z_y for classes ("cross_entropy") and the mean over the outputs of (z - y)^2 for
numbers ("mse"), as PyTorch's CrossEntropyLoss and MSELoss. s is tanh, ReLU (slope 0 at 0), the logistic function or
GELU, z Phi(z) with the normal distribution's Phi (not its approximation by tanh). Biases are not penalized. Features
and a numeric target are standardized unless asked otherwise. The start is drawn with the seed `instance`: weights
evenly from [-r, r], r^2 = 6 / (n_{l-1} + n_l) (Glorot) or 6 / n_{l-1} (He); biases are 0.

Source: Rumelhart, Hinton & Williams (1986), Nature 323, 533-536; Glorot & Bengio (2010), AISTATS 9, 249-256; He, Zhang,
Ren & Sun (2015), ICCV, 1026-1034; Hendrycks & Gimpel (2016), arXiv:1606.08415, for GELU. The minimum is not known; for
the configurations in ``data/frozen.json`` targets are relative to the losses frozen there, which also says how
`tests/reference/make_frozen.py` found them.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from optbench.problems._data import WHOLE, Array, DataSet, Kind, Split, load
from optbench.problems._frozen import frozen_losses
from optbench.problems._network import TILE, backward, cross_entropy, forward, hits, penalty, spare, squares
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import problem, unknown
from optbench.types import Group, Problem

Activation = Literal["tanh", "relu", "sigmoid", "gelu"]
Loss = Literal["cross_entropy", "mse"]
Init = Literal["glorot", "he"]
KINDS: dict[str, Kind] = {"auto": "auto", "cross_entropy": "classes", "mse": "numbers"}


class Data(NamedTuple):
    """Features, shape (d, m); targets, (1, m), or, where these are the features, (0, 1); room; layers' units."""

    X: Matrix
    Y: Matrix
    work: Scratch
    sizes: Vector
    alpha: float
    activation: Activation
    loss: Loss


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f, m = penalty(x, g, data), data.X.shape[1]
    for start in range(0, m, TILE):
        end = min(start + TILE, m)
        f += part_loss(forward(x, data, start, end), data, start, end)
        backward(x, g, data, start, end)
    return f


def part_loss(out, data, start, end):
    """What the samples from `start` to `end` add to the loss; the outputs' gradients take their place."""
    if data.loss == 0:
        peak, sums = spare(data, end - start)
        return cross_entropy(out, data.Y[0, start:end], 1.0 / data.X.shape[1], peak, sums)
    goal = data.Y if data.Y.shape[0] > 0 else data.X
    return squares(out, goal, 1.0 / goal.size, start)


def measure(x, out, data):
    """Loss without penalty into ``out[0]``, share of the classes predicted right, or NaN, into ``out[1]``."""
    f, right, m = 0.0, 0, data.X.shape[1]
    for start in range(0, m, TILE):
        end = min(start + TILE, m)
        z = forward(x, data, start, end)
        if data.loss == 0:
            right += hits(z, data.Y[0, start:end])
        f += part_loss(z, data, start, end)
    out[0], out[1] = f, right / m if data.loss == 0 else math.nan


def check(name: str, activation: str, init: str, alpha: float, instance: int) -> None:
    """Raise ValueError for an unknown activation or start, a penalty below 0, a negative seed."""
    one_of(name, "activation", activation, get_args(Activation))
    one_of(name, "init", init, get_args(Init))
    if not 0.0 <= alpha < math.inf:
        raise ValueError(f"problem {name!r}: alpha must be at least 0 and finite, not {alpha}")
    if instance < 0:
        raise ValueError(f"problem {name!r}: instance must be at least 0, not {instance}")


def layer_units(name: str, units: int, layers: int, hidden: list[int] | None) -> list[int]:
    """Units of the hidden layers: `hidden`, else `layers` times `units`. Raises ValueError for what is none."""
    chosen = [units] * layers if hidden is None else hidden
    whole = isinstance(chosen, (list, tuple)) and all(
        isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in chosen
    )
    if not whole or units < 1 or layers < 0:
        raise ValueError(
            f"problem {name!r}: hidden takes a list of numbers of units of at least 1, layers at least 0 and "
            f"units at least 1, not hidden = {hidden!r}, layers = {layers!r}, units = {units!r}"
        )
    return list(chosen)


def resolved(settings: dict[str, Any], loaded: DataSet, hidden: list[int], **other: str) -> dict[str, Any]:
    """Settings of a network, the same for all ways to ask for it: those that say nothing here are left out."""
    silent = {"units", "layers", "" if loaded.held_out else "split_seed"}
    kept = {key: value for key, value in settings.items() if key not in silent}
    return {**kept, "target": loaded.target_name, "hidden": hidden, **other}


def one_of(name: str, setting: str, value: str, known: tuple[str, ...]) -> None:
    """Raise UnknownName for a value that is not known."""
    if value not in known:
        raise unknown(f"{setting} of problem {name!r}:", value, known)


def first_point(sizes: list[int], init: str, instance: int) -> tuple[Array, Array]:
    """Random start, shape (n,), and the region it is drawn from, shape (n, 2), whose width biases have as well."""
    rng = np.random.default_rng(instance)
    x, r = [], []
    for d, n in itertools.pairwise(sizes):
        limit = math.sqrt(6.0 / (d + n if init == "glorot" else d))
        x += [rng.uniform(-limit, limit, n * d), np.zeros(n)]
        r.append(np.full(n * (d + 1), limit))
    reach = np.concatenate(r)
    return np.concatenate(x), np.column_stack([-reach, reach])


def groups(sizes: list[int]) -> list[Group]:
    """Parameter groups: weights and biases of every layer."""
    made = []
    for layer, (d, n) in enumerate(itertools.pairwise(sizes), 1):
        made += [Group(f"weights {layer}", n * d), Group(f"biases {layer}", n, bias=True)]
    return made


def room(sizes: list[int], m: int) -> Array:
    """Work array for m samples."""
    return np.zeros((2 * sum(sizes[1:-1]) + sizes[-1] + 2) * m)


def record(part: DataSet, y: Array, sizes: list[int], alpha: float, activation: Activation, loss: Loss) -> Data:
    """What the kernels read of a part of the data, with targets `y`."""
    units = np.array(sizes, dtype=np.float64)
    return Data(part.columns, y, room(sizes, part.y.size), units, float(alpha), activation, loss)


def targets(loaded: DataSet, part: DataSet, standardize: bool) -> Array:
    """Labels or numbers to predict, shape (1, m)."""
    if loaded.labels or not standardize:
        return part.y.reshape(1, -1)
    return np.asarray((part.y - loaded.y.mean()) / (loaded.y.std() or 1.0)).reshape(1, -1)


@problem(
    source="Rumelhart, Hinton & Williams 1986",
    tags=("nonconvex", "finite-sum", "network", "data"),
)
def mlp(
    data: str = "wine",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    units: int = 32,
    layers: int = 1,
    hidden: list[int] | None = None,
    activation: Activation = "tanh",
    loss: Literal["auto", "cross_entropy", "mse"] = "auto",
    alpha: float = 1e-4,
    init: Init = "glorot",
    instance: int = 0,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Multilayer perceptron with `layers` hidden layers of `units` units, or the hidden layers `hidden`, a list.

    `data` is "wine", "iris", "digits", "breast_cancer", "diabetes", "sales", "synthetic" or the path of a CSV file with
    the column `target`; `features` are the columns to predict from. `loss` is "cross_entropy", "mse" or "auto", which
    takes text and the classes of the built-in data for classes and all else for numbers. `activation` is "tanh",
    "relu", "sigmoid" or "gelu", `init` "glorot" or "he"; `instance` is the seed of the start. The share `validation`
    of the samples, of every class alike, drawn with the seed `split_seed`, is held out.
    """
    settings = dict(locals())
    one_of("mlp", "loss", loss, tuple(KINDS))
    check("mlp", activation, init, alpha, instance)
    inner = layer_units("mlp", units, layers, hidden)
    split = Split(validation, split_seed)
    loaded = load(data, target, features, standardize=standardize, kind=KINDS[loss], split=split)
    goal: Loss = "cross_entropy" if loaded.labels else "mse"
    sizes = [loaded.X.shape[1], *inner, len(loaded.labels) or 1]
    x0, bounds = first_point(sizes, init, instance)

    train, held = (
        part and record(part, targets(loaded, part, standardize), sizes, alpha, activation, goal)
        for part in (loaded, loaded.held_out)
    )
    settings = resolved(settings, loaded, inner, loss=goal)
    made = Problem(
        fun_grad,
        x0,
        data=train,
        bounds=bounds,
        samples=("X", "Y", "work"),
        groups=groups(sizes),
        validation=held,
        measure=measure,
        frozen=frozen_losses("mlp", settings),
        tags=("classification",) if loaded.labels else ("regression",),
    )
    made.resolved = settings
    return made
