r"""Softmax regression: multinomial logistic regression with a penalty on the weights.

J(W, b) = (1/m) sum_{i=1}^m (log sum_{c=1}^K exp(z_ic) - z_{i, y_i}) + (alpha/2) ||W||^2,  z_i = W u_i + b,

x = (W row by row, b), W of shape (K, d), n = K (d + 1), u_i the i-th sample of d features (standardized unless asked
otherwise), y_i its class. Biases are not penalized. scikit-learn's ``LogisticRegression(C=c)`` for K > 2 classes has
the same W for c = 1 / (m alpha). Convex; adding a number to all biases changes nothing, so the minimizers are a line,
of which `x_opt` is the point whose biases sum to 0. The minimum is found by Newton's method, continued until the
gradient is at rounding level; alpha > 0 is required, for without a penalty separable data have none. Start: 0.

Source: Cox (1958), J. R. Stat. Soc. B 20, 215-242; Bishop (2006), Pattern Recognition and Machine Learning, Section
4.3.4. Wine data: Aeberhard, Coomans & de Vel (1994), Pattern Recognition 27, 1065-1077.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from optbench.problems._data import WHOLE, Array, DataSet, Split, load
from optbench.problems._linear import box
from optbench.problems._network import TILE, exponentials, forward, spare
from optbench.problems._newton import minimize, solve_scaled
from optbench.problems.mlp import fun_grad, groups, measure, record, targets
from optbench.registry import problem
from optbench.types import Problem


def hess(x, h, data):
    """Hessian into `h`: sums into one triangle of every pair of classes, then the rest by symmetry."""
    d, m = data.X.shape
    k = int(data.sizes[1])
    for start in range(0, m, TILE):
        end = min(start + TILE, m)
        out = forward(x, data, start, end)
        peak, sums = spare(data, end - start)
        exponentials(out, peak, sums)
        for c in range(k):
            for e in range(c + 1):
                for b in range(end - start):
                    share = out[e, b] / sums[b]
                    peak[b] = out[c, b] / sums[b] * ((1.0 - share if c == e else -share) / m)
                add_pair(h, data.X, peak, start, c, e, k)
    for c in range(k):
        for e in range(c + 1):
            for j in range(d):
                for i in range(j + 1):
                    value = h[c * d + j, e * d + i] + (data.alpha if c == e and i == j else 0.0)
                    h[c * d + j, e * d + i] = h[c * d + i, e * d + j] = value
                    h[e * d + i, c * d + j] = h[e * d + j, c * d + i] = value
                h[e * d + j, k * d + c] = h[c * d + j, k * d + e] = h[k * d + e, c * d + j] = h[k * d + c, e * d + j]
            h[k * d + e, k * d + c] = h[k * d + c, k * d + e]


def add_pair(h, features, weights, start, c, e, k):
    """Add the weighted sums of products of features that belong to the classes c and e."""
    d, m = features.shape[0], weights.size
    for j in range(d):
        row = features[j, start : start + m]
        for i in range(j + 1):
            other = features[i, start : start + m]
            total = 0.0
            for b in range(m):
                total += weights[b] * row[b] * other[b]
            h[c * d + j, e * d + i] += total
        total = 0.0
        for b in range(m):
            total += weights[b] * row[b]
        h[k * d + c, e * d + j] += total
    total = 0.0
    for b in range(m):
        total += weights[b]
    h[k * d + c, k * d + e] += total


class _Centred:
    """The same function of V = (W * scale, b + W center): well conditioned whatever the features' units are.

    The Hessian gets 1 where biases meet, which makes it regular and no step change the sum of the biases.
    """

    def __init__(self, data: DataSet, alpha: float) -> None:
        rows, self.y, self.k = data.columns.T, data.y.astype(np.intp), len(data.labels)
        self.center, scale = rows.mean(axis=0), rows.std(axis=0)
        self.scale = np.where(scale > 0.0, scale, 1.0)
        self.u = np.column_stack([(rows - self.center) / self.scale, np.ones(self.y.size)])
        self.penalty = np.append(alpha / self.scale**2, 0.0)

    def value(self, v: Array) -> float:
        weights = v.reshape(self.k, -1)
        z = self.u @ weights.T
        loss = np.logaddexp.reduce(z, axis=1) - z[np.arange(self.y.size), self.y]
        return math.fsum(loss) / self.y.size + 0.5 * math.fsum((self.penalty * weights**2).ravel())

    def newton(self, v: Array) -> tuple[Array, float]:
        weights = v.reshape(self.k, -1)
        z = self.u @ weights.T
        p = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
        wrong = p - np.eye(self.k)[self.y]
        g = wrong.T @ self.u / self.y.size + self.penalty * weights
        h = np.empty((self.k, weights.shape[1], self.k, weights.shape[1]))
        for c in range(self.k):
            for e in range(c + 1):
                factor = p[:, c] * ((1.0 if c == e else 0.0) - p[:, e]) / self.y.size
                h[c, :, e] = h[e, :, c] = (self.u.T * factor) @ self.u + (np.diag(self.penalty) if c == e else 0.0)
        h[:, -1, :, -1] += 1.0
        return solve_scaled(h.reshape(v.size, v.size), g.ravel())

    def point(self, v: Array) -> Array:
        """(W, b) for `v`, the biases with sum 0."""
        weights = v.reshape(self.k, -1)[:, :-1] / self.scale
        biases = v.reshape(self.k, -1)[:, -1] - weights @ self.center
        return np.append(weights, biases - biases.mean())


@functools.lru_cache(maxsize=16)
def minimum(data: DataSet, alpha: float) -> tuple[Array, float]:
    """Minimizer (W, b), shape (K (d + 1),), and minimum.

    Raises
    ------
    ValueError
        `alpha` is too small for the minimum to be found in double precision.
    """
    function = _Centred(data, alpha)
    v = minimize(function, np.zeros(function.k * function.penalty.size))
    if v is None:
        raise ValueError(
            f"problem 'softmax_regression': alpha = {alpha} is too small for a certified minimum on these data"
        )
    return function.point(v), function.value(v)


def region(data: DataSet, x_opt: Array) -> Array:
    """Region for plots and random starts, shape (n, 2): that of `box` for every class."""
    k = len(data.labels)
    weights, biases = x_opt[:-k].reshape(k, -1), x_opt[-k:]
    boxes = [box(data, np.append(w, b), 1.0) for w, b in zip(weights, biases, strict=True)]
    return np.concatenate([*(sides[:-1] for sides in boxes), *(sides[-1:] for sides in boxes)])


@problem(source="Cox 1958; Bishop 2006, Section 4.3.4", tags=("convex", "finite-sum", "classification", "data"))
def softmax_regression(
    data: str = "wine",
    target: str = "",
    features: list[str] | None = None,
    standardize: bool = True,
    alpha: float = 1e-2,
    validation: float = WHOLE.validation,
    split_seed: int = WHOLE.split_seed,
) -> Problem:
    """Softmax regression J(W, b) = mean (log sum exp z - z_y) + (alpha/2) ||W||^2, z = W u + b; x = (W, b).

    `data` is "wine", "iris", "digits", "breast_cancer", "synthetic" or the path of a CSV file with the column `target`,
    which holds 2 to 100 distinct values, numbers or text; `features` are the columns to predict from. `alpha` is above
    0. The share `validation` of the samples, of every class alike, drawn with the seed `split_seed`, is held out.
    """
    if not 0.0 < alpha < math.inf:
        raise ValueError(f"problem 'softmax_regression': alpha must be above 0 and finite, not {alpha}")
    split = Split(validation, split_seed)
    loaded = load(data, target, features, standardize=standardize, kind="classes", split=split)
    sizes = [loaded.X.shape[1], len(loaded.labels)]
    x_opt, f_opt = minimum(loaded, float(alpha))

    train, held = (
        part and record(part, targets(loaded, part, standardize), sizes, alpha, "tanh", "cross_entropy")
        for part in (loaded, loaded.held_out)
    )
    return Problem(
        fun_grad,
        np.zeros(x_opt.size),
        hess=hess,
        data=train,
        x_opt=x_opt,
        f_opt=f_opt,
        bounds=region(loaded, x_opt),
        samples=("X", "Y", "work"),
        groups=groups(sizes),
        validation=held,
        measure=measure,
    )
