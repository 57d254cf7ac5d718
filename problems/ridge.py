r"""Ridge regression: the mean square of the residuals with a penalty on the weights.

J(w, b) = (1/m) sum_{i=1}^m (w . u_i + b - y_i)^2 + alpha ||w||^2,  no factor 1/2;  x = (w_1, ..., w_d, b),  n = d + 1.

The bias b is not penalized. The mean, not the sum, stands before the penalty: scikit-learn's ``Ridge(alpha=a)`` has the
same minimizer for a = m alpha. Data as in `linear_regression`; the penalty acts on the weights of the features as the
problem sees them (standardized unless asked otherwise). Strongly convex for alpha > 0; the minimum is the least-squares
solution of the system with d more rows sqrt(m alpha) I.

Source: Hoerl & Kennard (1970), Technometrics 12, 55-67. Start: 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optbench.problems._data import WHOLE, Split, load
from optbench.problems._linear import box, weights_and_bias
from optbench.problems._sources import SYNTHETIC, Synthetic
from optbench.problems.linear_regression import fun_grad as mean_square
from optbench.problems.linear_regression import hess as mean_square_hess
from optbench.problems.linear_regression import least_squares, measure
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import problem
from optbench.types import Problem


class Data(NamedTuple):
    """Features, shape (d, m), one row a feature; target, shape (m,); room for m residuals; penalty."""

    X: Matrix
    y: Vector
    r: Scratch
    alpha: float


def fun_grad(x, g, data):
    """Value; gradient into `g`."""
    f = mean_square(x, g, data)
    penalty = 0.0
    for j in range(data.X.shape[0]):
        penalty += x[j] * x[j]
        g[j] += 2.0 * data.alpha * x[j]
    return f + data.alpha * penalty


def hess(x, h, data):
    """Hessian into `h`."""
    mean_square_hess(x, h, data)
    for j in range(data.X.shape[0]):
        h[j, j] += 2.0 * data.alpha


@problem(source="Hoerl & Kennard 1970", tags=("convex", "finite-sum", "least-squares", "data"))
def ridge(
    data: str = "diabetes",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    alpha: float = 0.1,
    n_samples: int = SYNTHETIC.n_samples,
    n_features: int = SYNTHETIC.n_features,
    noise: float = SYNTHETIC.noise,
    cond: float = SYNTHETIC.cond,
    instance: int = SYNTHETIC.instance,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Ridge regression J(w, b) = mean (X w + b - y)^2 + alpha ||w||^2, the bias not penalized; x = (w, b).

    `alpha` is at least 0. The other settings are those of `linear_regression`.
    """
    if not 0.0 <= alpha < math.inf:
        raise ValueError(f"problem 'ridge': alpha must be at least 0 and finite, not {alpha}")
    settings = Synthetic(n_samples, n_features, noise, cond, instance)
    split = Split(validation, split_seed)
    loaded = load(data, target, features, standardize=standardize, synthetic=settings, split=split)
    held = loaded.held_out
    x_opt, f_opt = least_squares(loaded, float(alpha))
    return Problem(
        fun_grad,
        np.zeros(x_opt.size),
        hess=hess,
        data=Data(loaded.columns, loaded.y, np.zeros(loaded.y.size), float(alpha)),
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=box(loaded, x_opt, float(loaded.y.std())),
        samples=("X", "y", "r"),
        groups=weights_and_bias(x_opt.size - 1),
        validation=held and Data(held.columns, held.y, np.zeros(held.y.size), float(alpha)),
        measure=measure,
    )
