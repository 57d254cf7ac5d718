"""Linear, ridge and logistic regression: kernels against formulas and differences, minima against other solvers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from optbench.problems._data import DataSet, load
from optbench.problems._sources import Synthetic
from optbench.problems._vector import exp_neg, log1p_unit
from optbench.registry import get_problem
from optbench.types import Problem

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "linear": ("linear_regression", {}),
    "linear-raw": ("linear_regression", {"standardize": False}),
    "linear-sales": ("linear_regression", {"data": "sales"}),
    "linear-synthetic": ("linear_regression", {"data": "synthetic", "cond": 1e4, "n_samples": 61, "n_features": 7}),
    "ridge": ("ridge", {}),
    "ridge-raw": ("ridge", {"standardize": False, "alpha": 2.0}),
    "ridge-synthetic": ("ridge", {"data": "synthetic", "instance": 3}),
    "logistic": ("logistic_regression", {}),
    "logistic-raw": ("logistic_regression", {"standardize": False}),
    "logistic-synthetic": ("logistic_regression", {"data": "synthetic", "alpha": 1e-4}),
}


@pytest.fixture(params=SETTINGS)
def case(request: pytest.FixtureRequest) -> tuple[Problem, DataSet]:
    """Make a problem and the data set behind it."""
    name, settings = SETTINGS[request.param]
    return make(name, **settings)


def make(name: str, **settings: Any) -> tuple[Problem, DataSet]:
    """Make a problem and the data set behind it."""
    problem = get_problem(name, **settings)
    used = {key: problem.settings[key] for key in ("data", "target", "features", "standardize")}
    synthetic = Synthetic(*(problem.settings[key] for key in Synthetic._fields))
    return problem, load(**used, synthetic=synthetic, kind="signs" if name == "logistic_regression" else "numbers")


def reference(problem: Problem, data: DataSet, x: Any) -> tuple[float, Any, Any]:
    """Value, gradient and Hessian in array form, from the formulas."""
    u = np.column_stack([(data.X - data.center) / data.scale, np.ones(data.y.size)])
    alpha, weights, m = problem.settings.get("alpha", 0.0), np.append(x[:-1], 0.0), data.y.size
    ridge = np.diag(np.append(np.ones(x.size - 1), 0.0))
    if problem.name == "logistic_regression":
        margin = data.y * (u @ x)
        loss, other = np.logaddexp(0.0, -margin), np.logaddexp(0.0, margin)
        g = u.T @ (-data.y * np.exp(-other)) / m + alpha * weights
        h = (u.T * (np.exp(-loss - other) / m)) @ u + alpha * ridge
        return float(np.mean(loss) + alpha / 2 * weights @ weights), g, h
    r = u @ x - data.y
    f = r @ r / m + alpha * weights @ weights
    return float(f), 2 / m * u.T @ r + 2 * alpha * weights, 2 / m * u.T @ u + 2 * alpha * ridge


def minimum(problem: Problem) -> tuple[NDArray[np.float64], float]:
    """Return the minimizer and the minimum."""
    assert problem.x_opt is not None
    assert problem.f_opt is not None
    return problem.x_opt, problem.f_opt


def points(problem: Problem) -> list[Any]:
    """Three points of the region for plots."""
    low, high = problem.bounds.T
    return list(np.random.default_rng(0).uniform(low, high, (3, problem.n)))


# ---------------------------------------------------------------------------------------------------- kernels


def test_kernels_equal_closed_form(case: tuple[Problem, DataSet]) -> None:
    problem, data = case
    for x in points(problem):
        f, g, h = reference(problem, data, x)
        assert_allclose(problem.fun(x), f, rtol=1e-12)
        assert_allclose(problem.grad(x), g, rtol=1e-9, atol=1e-12 * np.abs(g).max())
        assert_allclose(problem.hess(x), h, rtol=1e-9, atol=1e-13 * np.abs(h).max())


@pytest.mark.parametrize("name", ["linear_regression", "ridge", "logistic_regression"])
def test_derivatives_equal_central_differences(name: str) -> None:
    problem = get_problem(name, data="synthetic", n_features=4)
    step = 1e-4
    for x in points(problem):
        shifts = step * np.eye(problem.n)
        slopes = [(problem.fun(x + e) - problem.fun(x - e)) / (2 * step) for e in shifts]
        curves = [(problem.grad(x + e) - problem.grad(x - e)) / (2 * step) for e in shifts]
        assert_allclose(problem.grad(x), slopes, rtol=1e-7, atol=1e-8)
        assert_allclose(problem.hess(x), curves, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["linear_regression", "ridge", "logistic_regression"])
def test_kernel_equals_its_plain_python_form(name: str) -> None:
    problem = get_problem(name, data="synthetic", n_samples=30, n_features=3)
    x, g, h = points(problem)[0], np.empty(4), np.zeros((4, 4))
    assert problem.hess_fun is not None
    assert problem.fun_grad is not None
    assert_allclose(problem.fun(x), problem.fun_grad(x, g, problem.data), rtol=1e-14)
    assert_allclose(problem.grad(x), g, rtol=1e-12, atol=1e-14)
    problem.hess_fun(x, h, problem.data)
    assert_allclose(problem.hess(x), h, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["linear_regression", "ridge", "logistic_regression"])
def test_mean_over_equal_batches_is_the_whole(name: str) -> None:
    problem = get_problem(name, data="synthetic", n_samples=120)
    x = points(problem)[1]
    parts = [problem.batch(np.arange(start, start + 30)).fun_and_grad(x) for start in range(0, 120, 30)]
    assert_allclose(np.mean([f for f, _ in parts]), problem.fun(x), rtol=1e-13)
    assert_allclose(np.mean([g for _, g in parts], axis=0), problem.grad(x), rtol=1e-12, atol=1e-13)


def test_logistic_is_finite_and_exact_far_out() -> None:
    problem = get_problem("logistic_regression")
    direction = np.append(np.zeros(problem.n - 1), 1.0)
    y = problem.data.y
    for b in (-1e6, -800.0, 800.0, 1e6):
        f, g = problem.fun_and_grad(b * direction)
        assert_allclose(f, np.mean(np.where(y * b < 0, abs(b), 0.0)), rtol=1e-13)
        assert_allclose(g[-1], np.mean(np.where(y * b < 0, -y, 0.0)), rtol=1e-13)
    assert np.isnan(problem.fun(np.nan * direction))


def test_vector_and_logarithm_are_exact_to_rounding() -> None:
    from mpmath import mp

    exp: Callable[[float], float] = exp_neg
    log1p: Callable[[float], float] = log1p_unit
    for a in [0.0, *np.geomspace(1e-18, 708.0, 500)]:
        e = float(exp(a))
        with mp.workdps(30):
            exact, log = mp.exp(-mp.mpf(a)), mp.log1p(mp.mpf(e))
            assert abs(e / exact - 1) <= 3e-16 * max(1.0, a)
            assert abs(log1p(e) / log - 1) <= 1e-15


# ----------------------------------------------------------------------------------------------------- minima


def test_gradient_vanishes_at_the_minimum(case: tuple[Problem, DataSet]) -> None:
    problem, _ = case
    x_opt, f_opt = minimum(problem)
    f, g = problem.fun_and_grad(x_opt)
    assert_allclose(f, f_opt, rtol=1e-13)
    # The error in f that this gradient leaves, f - f* <= g . H^-1 g / 2 (exact for the quadratics), is below rounding.
    h = problem.hess(x_opt)
    root = np.sqrt(np.diag(h))
    gap = (g / root) @ np.linalg.solve(h / np.outer(root, root), g / root)
    assert abs(gap) <= 1e-18 * f_opt
    assert np.abs(g / root).max() <= 1e-14 * np.abs(problem.grad(problem.x0) / root).max()


def test_minimum_is_below_all_around_it(case: tuple[Problem, DataSet]) -> None:
    problem, _ = case
    x_opt, f_opt = minimum(problem)
    assert np.all(problem.bounds[:, 0] < np.minimum(x_opt, problem.x0))
    assert np.all(problem.bounds[:, 1] > np.maximum(x_opt, problem.x0))
    for x in points(problem):
        for t in (1e-3, 1.0):
            assert problem.fun(x_opt + t * (x - x_opt)) > f_opt


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("data", ["diabetes", "sales"])
def test_linear_minimum_equals_scikit_learn(data: str, standardize: bool) -> None:
    from sklearn.linear_model import LinearRegression

    problem, loaded = make("linear_regression", data=data, standardize=standardize)
    x_opt, f_opt = minimum(problem)
    u = (loaded.X - loaded.center) / loaded.scale
    model = LinearRegression().fit(u, loaded.y)
    assert_allclose(f_opt, np.mean((model.predict(u) - loaded.y) ** 2), rtol=1e-12)
    assert_allclose(x_opt, np.append(model.coef_, model.intercept_), rtol=1e-9)
    whole = np.column_stack([u, np.ones(loaded.y.size)])
    assert_allclose(f_opt, np.linalg.lstsq(whole, loaded.y)[1] / loaded.y.size, rtol=1e-12)


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 10.0])
def test_ridge_minimum_equals_scikit_learn(alpha: float) -> None:
    from sklearn.linear_model import Ridge

    problem, loaded = make("ridge", alpha=alpha)
    x_opt, f_opt = minimum(problem)
    u = (loaded.X - loaded.center) / loaded.scale
    model = Ridge(alpha=alpha * loaded.y.size, solver="svd").fit(u, loaded.y)
    f = np.mean((model.predict(u) - loaded.y) ** 2) + alpha * model.coef_ @ model.coef_
    assert_allclose(f_opt, f, rtol=1e-12)
    assert_allclose(x_opt, np.append(model.coef_, model.intercept_), rtol=1e-10)


@pytest.mark.parametrize("key", [key for key in SETTINGS if key.startswith("logistic")])
def test_logistic_minimum_equals_trust_region(key: str) -> None:
    from scipy.optimize import minimize

    problem, data = make(*SETTINGS[key][:1], **SETTINGS[key][1])
    _, f_opt = minimum(problem)
    # In units in which the Hessian at the start is the identity; the formulas are those of `reference`.
    root = np.linalg.cholesky(np.linalg.inv(reference(problem, data, problem.x0)[2]))
    found = minimize(
        lambda v: reference(problem, data, root @ v)[0],
        np.zeros(problem.n),
        jac=lambda v: root.T @ reference(problem, data, root @ v)[1],
        hess=lambda v: root.T @ reference(problem, data, root @ v)[2] @ root,
        method="trust-exact",
        options={"gtol": 1e-9, "maxiter": 1000},
    )
    curvature = np.linalg.eigvalsh(found.hess)[0]
    assert found.jac @ found.jac / (2 * curvature) < 1e-14 * found.fun
    assert_allclose(f_opt, found.fun, rtol=1e-12)


def test_logistic_minimum_equals_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    problem, data = make("logistic_regression")
    x_opt, f_opt = minimum(problem)
    u = (data.X - data.center) / data.scale
    model = LogisticRegression(C=1 / (data.y.size * 1e-2), solver="newton-cholesky", tol=1e-10).fit(u, data.y)
    x = np.append(model.coef_, model.intercept_)
    assert_allclose(f_opt, reference(problem, data, x)[0], rtol=1e-12)
    assert_allclose(x_opt, x, rtol=1e-6)


@pytest.mark.parametrize(("name", "rtol"), [("linear_regression", 1e-9), ("logistic_regression", 1e-6)])
def test_minimum_in_forty_digits(name: str, rtol: float) -> None:
    from mpmath import mp

    problem = get_problem(name, data="synthetic", n_samples=40, n_features=3, noise=1.0)
    x_opt, f_opt = minimum(problem)
    columns = [*problem.data.X, np.ones(40)]
    with mp.workdps(40):
        u = mp.matrix(np.column_stack(columns).tolist())
        y, x = mp.matrix(problem.data.y.tolist()), mp.matrix(x_opt.tolist())
        if name == "linear_regression":
            x = mp.lu_solve(u.T * u, u.T * y)
            best = mp.fsum(value**2 for value in u * x - y) / 40
        else:
            alpha = mp.mpf(problem.data.alpha)
            for _ in range(2):
                p = [1 / (1 + mp.exp(s * z)) for s, z in zip(y, u * x, strict=True)]
                penalty = mp.diag([alpha, alpha, alpha, 0])
                g = u.T * mp.matrix([-s * q / 40 for s, q in zip(y, p, strict=True)]) + penalty * x
                x -= mp.lu_solve(u.T * mp.diag([q * (1 - q) / 40 for q in p]) * u + penalty, g)
            loss = mp.fsum(mp.log1p(mp.exp(-s * z)) for s, z in zip(y, u * x, strict=True)) / 40
            best = loss + alpha / 2 * mp.fsum(x[j] ** 2 for j in range(3))
        assert abs(f_opt / best - 1) < 1e-14
    assert_allclose(x_opt, np.array([float(value) for value in x]), rtol=rtol)


def test_standardizing_changes_the_variables_not_the_fit() -> None:
    for settings in ({}, {"data": "breast_cancer"}):  # type: dict[str, Any]
        problem, data = make("linear_regression", **settings)
        raw = get_problem("linear_regression", standardize=False, **settings)
        (x_scaled, f_scaled), (x_raw, f_raw) = minimum(problem), minimum(raw)
        assert np.ptp(np.log10(raw.data.X.std(axis=1))) > 1
        u = (data.X - data.center) / data.scale
        assert_allclose(f_raw, f_scaled, rtol=1e-12)
        assert_allclose(data.X @ x_raw[:-1] + x_raw[-1], u @ x_scaled[:-1] + x_scaled[-1], rtol=1e-9)


def test_dependent_features_give_the_shortest_solution(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    a, y = rng.standard_normal(30), rng.standard_normal(30)
    path = tmp_path / "table.csv"
    path.write_text("a,b,c,y\n" + "".join(f"{s},{2 * s + 1},7,{t}\n" for s, t in zip(a, y, strict=True)))
    problem = get_problem("linear_regression", data=str(path), target="y", standardize=False)
    one = get_problem("linear_regression", data=str(path), target="y", features=["a"])
    (x_opt, f_opt), (x_one, f_one) = minimum(problem), minimum(one)
    assert_allclose(f_opt, f_one, rtol=1e-12)
    assert_allclose(problem.fun(x_opt), f_opt, rtol=1e-12)
    # In units of their standard deviations both copies carry half; the constant column carries nothing.
    half = x_one[0] / 2
    assert_allclose(x_opt[:3] * [a.std(), 2 * a.std(), 1.0], [half, half, 0.0], rtol=1e-10, atol=1e-14)
