r"""Logistic regression with a penalty on the weights.

J(w, b) = (1/m) sum_{i=1}^m log(1 + exp(-s_i z_i)) + (alpha/2) ||w||^2,  z_i = w . u_i + b,  s_i = -1 or +1,

x = (w_1, ..., w_d, b), n = d + 1, u_i the i-th sample of d features (standardized unless asked otherwise). The bias b
is not penalized. scikit-learn's ``LogisticRegression(C=c)`` has the same minimizer for c = 1 / (m alpha). Of the two
values of the target, the first in sorted order is -1, the second +1 (breast cancer: malignant -1, benign +1). Strongly
convex for alpha > 0, which is required, for without a penalty separable data have no minimum. The minimum is found by
Newton's method, continued until the gradient is at rounding level.

Source: Cox (1958), J. R. Stat. Soc. B 20, 215-242; Hastie, Tibshirani & Friedman (2009), The Elements of Statistical
Learning, Section 4.4. Breast cancer data: Street, Wolberg & Mangasarian (1993), Proc. SPIE 1905, 861-870. Start: 0.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from optbench.parallel import span
from optbench.problems._data import WHOLE, Array, DataSet, Split, load
from optbench.problems._linear import (
    box,
    correlate_piece,
    gram,
    predict,
    predict_piece,
    predict_whole,
    room,
    weights_and_bias,
)
from optbench.problems._newton import minimize, solve_scaled
from optbench.problems._sources import SYNTHETIC, Synthetic
from optbench.problems._vector import exp_neg, log1p_unit
from optbench.problems._wide import Wide, wide
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import problem
from optbench.types import Phase, Problem


class Data(NamedTuple):
    """Features, shape (d, m), one row a feature; signs, shape (m,); room for m numbers a piece, written; penalty."""

    X: Matrix
    y: Vector
    r: Scratch
    alpha: float


def fun_grad(x, g, data):
    """Value; gradient into `g`. Only exp(-|z|) is taken, so nothing overflows."""
    predict(x, data)
    return mean_loss(data) + gradient(x, g, 0, x.size, data)


def mean_loss(data):
    """Mean loss for the predictions in ``data.r``, which its derivatives replace."""
    y, r = data.y, data.r
    total = 0.0
    for i in range(y.size):
        margin = y[i] * r[i]
        e = exp_neg(abs(margin))
        total += log1p_unit(e) - min(margin, 0.0)
        r[i] = -y[i] * (e if margin > 0.0 else 1.0) / (1.0 + e)
    return total / y.size


def gradient(x, g, first, last, data):
    """Some entries of the gradient, into `g`, from the derivatives; their part of the penalty."""
    correlate_piece(g, first, last, data, 1.0 / data.y.size)
    penalty = 0.0
    d = data.X.shape[0]
    for j in span(first, d if last > d else last):
        penalty += x[j] * x[j]
        g[j] += data.alpha * x[j]
    return 0.5 * data.alpha * penalty


def join(x, g, first, last, data):
    """Mean loss after `predict_piece`."""
    predict_whole(x, data)
    return mean_loss(data)


PHASES = (Phase(predict_piece), Phase(join, over="all"), Phase(gradient))


def measure(x, out, data):
    """Loss without penalty into ``out[0]``, share of the signs that are predicted right into ``out[1]``."""
    predict(x, data)
    total, right = 0.0, 0
    for i in range(data.y.size):
        margin = data.y[i] * data.r[i]
        total += log1p_unit(exp_neg(abs(margin))) - min(margin, 0.0)
        right += 1 if margin > 0.0 else 0
    out[0], out[1] = total / data.y.size, right / data.y.size


def hess(x, h, data):
    """Hessian into `h`."""
    predict(x, data)
    for i in range(data.y.size):
        e = exp_neg(abs(data.r[i]))
        data.r[i] = e / ((1.0 + e) * (1.0 + e))
    gram(h, data, 1.0 / data.y.size)
    for j in range(data.X.shape[0]):
        h[j, j] += data.alpha


class _Centred:
    """The same function of v = (w * scale, b + w . center): well conditioned whatever the features' units are."""

    def __init__(self, data: DataSet | Wide, alpha: float) -> None:
        rows, self.y = data.columns.T, data.y
        self.center, scale = rows.mean(axis=0), rows.std(axis=0)
        self.scale = np.where(scale > 0.0, scale, 1.0)
        self.u = np.column_stack([(rows - self.center) / self.scale, np.ones(self.y.size)])
        self.penalty = np.append(alpha / self.scale**2, 0.0)

    def value(self, v: Array) -> float:
        loss = np.logaddexp(0.0, -self.y * (self.u @ v))
        return math.fsum(loss) / self.y.size + 0.5 * math.fsum(self.penalty * v * v)

    def newton(self, v: Array) -> tuple[Array, float]:
        """Newton's step at `v` and what it lowers the quadratic model by, twice."""
        margin = self.y * (self.u @ v)
        e = np.exp(-np.abs(margin))
        g = self.u.T @ (-self.y * np.where(margin > 0.0, e, 1.0) / (1.0 + e)) / self.y.size + self.penalty * v
        h = (self.u.T * (e / (1.0 + e) ** 2 / self.y.size)) @ self.u + np.diag(self.penalty)
        return solve_scaled(h, g)

    def point(self, v: Array) -> Array:
        """(w, b) for `v`."""
        w = v[:-1] / self.scale
        return np.append(w, v[-1] - self.center @ w)


def find_minimum(data: DataSet | Wide, alpha: float) -> tuple[Array, float]:
    """Minimizer (w, b), shape (d + 1,), and minimum.

    Raises
    ------
    ValueError
        `alpha` is too small for the minimum to be found in double precision.
    """
    function = _Centred(data, alpha)
    v = minimize(function, np.zeros(function.penalty.size))
    if v is None:
        raise ValueError(
            f"problem 'logistic_regression': alpha = {alpha} is too small for a certified minimum on these data"
        )
    return function.point(v), function.value(v)


minimum = functools.lru_cache(maxsize=16)(find_minimum)  # of data sets, which `load` keeps as well


def _wide(settings: Synthetic, alpha: float) -> Problem:
    """The problem on data that `wide` draws, its minimum found in the span of the samples."""
    data = wide(settings)
    v, _ = find_minimum(data, alpha)
    w = data.X @ (data.back @ v[:-1])
    losses = np.logaddexp(0.0, -data.y * (w @ data.X + v[-1]))
    x_opt, d = np.append(w, v[-1]), w.size
    return Problem(
        fun_grad,
        np.zeros(d + 1),
        hess=hess,
        data=Data(data.X, data.y, room(d + 1, data.y.size), alpha),
        x_opt=x_opt,
        f_opt=math.fsum(losses) / data.y.size + 0.5 * alpha * float(w @ w),
        bounds=(-2.0 / math.sqrt(d), 2.0 / math.sqrt(d)),
        samples=("X", "y", "r"),
        groups=weights_and_bias(d),
        phases=PHASES,
    )


@problem(
    source="Cox 1958; Hastie, Tibshirani & Friedman 2009, Section 4.4",
    tags=("convex", "finite-sum", "classification", "data"),
)
def logistic_regression(
    data: str = "breast_cancer",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    alpha: float = 1e-2,
    n_samples: int = SYNTHETIC.n_samples,
    n_features: int = SYNTHETIC.n_features,
    noise: float = SYNTHETIC.noise,
    cond: float = SYNTHETIC.cond,
    instance: int = SYNTHETIC.instance,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Logistic regression J(w, b) = mean log(1 + exp(-s (X w + b))) + (alpha/2) ||w||^2; x = (w, b).

    The bias b is not penalized; `alpha` is above 0. The target holds two distinct values, numbers or text: s = -1 for
    the first in sorted order, +1 for the second. The other settings are those of `linear_regression`; the label of
    synthetic data says whether the synthetic regression's target lies above its median. ``data = "wide"`` draws
    `n_samples` samples of up to millions of features; see ``problems/_wide.py``.
    """
    if not 0.0 < alpha < math.inf:
        raise ValueError(f"problem 'logistic_regression': alpha must be above 0 and finite, not {alpha}")
    settings = Synthetic(n_samples, n_features, noise, cond, instance)
    if data == "wide":
        rest = (target, features, standardize, noise, validation, split_seed)
        if rest != ("", None, True, SYNTHETIC.noise, *WHOLE):
            raise ValueError(
                'target, features, standardize, noise, validation and split_seed do not go with data = "wide"'
            )
        return _wide(settings, float(alpha))
    split = Split(validation, split_seed)
    loaded = load(data, target, features, standardize=standardize, synthetic=settings, kind="signs", split=split)
    held = loaded.held_out
    x_opt, f_opt = minimum(loaded, float(alpha))
    return Problem(
        fun_grad,
        np.zeros(x_opt.size),
        hess=hess,
        data=Data(loaded.columns, loaded.y, room(x_opt.size, loaded.y.size), float(alpha)),
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=box(loaded, x_opt, 1.0),
        samples=("X", "y", "r"),
        groups=weights_and_bias(x_opt.size - 1),
        phases=PHASES,
        validation=held and Data(held.columns, held.y, np.zeros(held.y.size), float(alpha)),
        measure=measure,
    )
