"""Softmax regression, matrix factorization, noisy quadratic; held-out samples of all problems with data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from optbench import evaluation
from optbench.problems._data import Split, load
from optbench.records import Matrix, Scratch, Vector
from optbench.registry import get_problem, list_problems
from optbench.types import Array, Problem


def certified(problem: Problem) -> tuple[Array, float]:
    """Minimizer and minimum."""
    assert problem.x_opt is not None
    assert problem.f_opt is not None
    return problem.x_opt, problem.f_opt


# ------------------------------------------------------------------------------------------------ every finite sum

FINITE_SUMS = [name for name in list_problems() if get_problem(name).samples]


def test_every_finite_sum_says_so() -> None:
    assert [name for name in list_problems() if "finite-sum" in get_problem(name).tags] == FINITE_SUMS


@pytest.mark.parametrize("name", FINITE_SUMS)
def test_batches_make_the_whole_and_groups_cover_x(name: str) -> None:
    problem = get_problem(name)
    assert sum(group.size for group in problem.groups) == problem.n
    assert all(group.size > 0 for group in problem.groups)
    assert len({group.name for group in problem.groups}) == len(problem.groups)
    assert any(group.bias for group in problem.groups) == ("data" in problem.tags)
    rng, m = np.random.default_rng(0), problem.n_samples
    x, order = problem.x0 + 0.1 * rng.standard_normal(problem.n), rng.permutation(m)
    parts = [order[:1], order[1:8], order[8:]]
    values = [problem.batch(part).fun_and_grad(x) for part in parts]
    shares = np.array([part.size / m for part in parts])
    f, g = problem.fun_and_grad(x)
    assert shares @ [value for value, _ in values] == pytest.approx(f, rel=1e-11)
    assert_allclose(shares @ [gradient for _, gradient in values], g, rtol=1e-9, atol=1e-11 * np.abs(g).max())


class Sums(NamedTuple):
    """Five samples, room for two numbers of each and for one, and what is no array."""

    X: Matrix
    y: Vector
    work: Scratch
    r: Scratch
    alpha: float


SUMS = Sums(np.ones((2, 5)), np.ones(5), np.ones(10), np.ones(5), 1.0)


def mean(x: Any, g: Any, data: Any) -> float:
    g[0] = 0.0
    return float(data.y[0])


def parts(x: Any, r: Any, jac: Any, data: Any) -> None:
    r[0] = jac[0, 0] = data.y[0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"samples": ("X", "z")}, "samples must name arrays of the data record, not 'z'"),
        ({"samples": ("X", "alpha")}, "samples must name arrays of the data record, not 'alpha'"),
        ({"data": SUMS._replace(X=np.ones((5, 2)))}, "samples must be arrays with one number of samples"),
        ({"data": SUMS._replace(y=np.ones(4))}, "samples must be arrays with one number of samples"),
        ({"data": SUMS._replace(work=np.ones(9))}, "samples must be arrays with one number of samples"),
        ({"data": SUMS._replace(X=np.ones((2, 0)), y=np.ones(0))}, "samples, at least 1, as their last axis"),
        ({"samples": ("r",)}, "samples must be arrays with one number of samples"),
        ({"data": SUMS._replace(y=np.ones((2, 5)))}, "y takes a list of numbers, not array"),
        ({"residuals": parts, "m": 1}, "samples go with fun_grad alone, not with residuals or constraints"),
        ({"constraints": parts, "m": 1}, "samples go with fun_grad alone, not with residuals or constraints"),
    ],
)
def test_samples_that_are_none_are_refused(more: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"data": SUMS, "samples": ("X", "y", "work", "r"), **more}
    with pytest.raises(ValueError, match=message):
        Problem(mean, [0.0], **settings)


def test_scratch_of_one_number_a_sample_is_scratch() -> None:
    data = Problem(mean, [0.0], data=SUMS, samples=("work", "r", "X", "y")).batch([4, 1, 1]).data
    assert [np.shape(array) for array in data[:4]] == [(2, 3), (3,), (6,), (3,)]
    assert not data.work.any()
    assert not data.r.any()


# --------------------------------------------------------------------------------------------- softmax regression


@pytest.mark.parametrize("alpha", [1e-3, 0.1])
@pytest.mark.parametrize("data", ["iris", "wine"])
def test_softmax_minimum_is_scikit_learns(data: str, alpha: float) -> None:
    from sklearn.linear_model import LogisticRegression

    problem = get_problem("softmax_regression", data=data, alpha=alpha)
    x_opt, f_opt = certified(problem)
    u, y = problem.data.X.T, problem.data.Y[0]
    model = LogisticRegression(C=1 / (y.size * alpha), tol=1e-10, solver="newton-cholesky").fit(u, y)
    z = u @ model.coef_.T + model.intercept_
    loss = np.mean(np.logaddexp.reduce(z, axis=1) - z[np.arange(y.size), y.astype(int)])
    assert f_opt == pytest.approx(loss + alpha / 2 * np.sum(model.coef_**2), rel=1e-11)
    assert_allclose(x_opt[:-3], model.coef_.ravel(), rtol=1e-5, atol=1e-7)
    assert abs(x_opt[-3:].sum()) < 1e-12


@pytest.mark.parametrize("settings", [{}, {"data": "digits"}, {"data": "wine", "standardize": False, "alpha": 1e-3}])
def test_softmax_gradient_vanishes_at_the_minimum(settings: dict[str, Any]) -> None:
    problem = get_problem("softmax_regression", **settings)
    x_opt, f_opt = certified(problem)
    f, g = problem.fun_and_grad(x_opt)
    assert f == pytest.approx(f_opt, rel=1e-13)
    assert np.abs(g).max() <= 1e-12 * max(1.0, np.abs(problem.grad(problem.x0)).max())


def test_softmax_of_two_classes_is_logistic_regression() -> None:
    """With W = (-w/2, w/2) the penalty is half as large: alpha and 2 alpha."""
    one = certified(get_problem("logistic_regression", alpha=0.01))
    two = certified(get_problem("softmax_regression", data="breast_cancer", alpha=0.02))
    assert two[1] == pytest.approx(one[1], rel=1e-12)
    assert_allclose(two[0][30:60], one[0][:30] / 2, rtol=1e-8, atol=1e-12)


def test_softmax_needs_a_penalty_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,y\n1,r\n2,r\n3,g\n4,g\n5,b\n")
    for alpha, message in ((0.0, "alpha must be above 0 and finite, not 0"), (1e-300, "too small for a certified")):
        with pytest.raises(ValueError, match=message):
            get_problem("softmax_regression", data=str(path), target="y", alpha=alpha)
    path.write_text("a,y\n1,r\n2,r\n")
    with pytest.raises(ValueError, match="must hold 2 to 100 distinct values, but holds 1"):
        get_problem("softmax_regression", data=str(path), target="y")


# ------------------------------------------------------------------------------------------- matrix factorization


@pytest.mark.parametrize(
    "settings", [{}, {"r": 2, "alpha": 0.01}, {"r": 5, "noise": 0.5}, {"alpha": 0.0, "noise": 0.0}]
)
def test_no_start_ends_below_the_minimum_and_some_reach_it(settings: dict[str, Any]) -> None:
    problem = get_problem("matrix_factorization", rows=9, columns=7, **settings)
    x_opt, f_opt = certified(problem)
    assert problem.fun(x_opt) == pytest.approx(f_opt, rel=1e-12, abs=1e-15)
    assert np.abs(problem.grad(x_opt)).max() < 1e-14
    ends = []
    for seed in range(5):
        x0 = np.random.default_rng(seed).standard_normal(problem.n)
        options = {"maxiter": 3000, "maxfun": 9000, "gtol": 1e-11, "ftol": 0.0}
        ends.append(minimize(problem.fun_and_grad, x0, jac=True, method="L-BFGS-B", options=options).fun)
    assert min(ends) >= f_opt - 1e-14
    assert min(ends) == pytest.approx(f_opt, rel=1e-9, abs=1e-14)


def test_matrix_is_what_was_asked() -> None:
    data = get_problem("matrix_factorization", noise=0.0, cond=7.0, rank=3).data
    full = np.zeros((20, 15))
    full[data.row.astype(int), data.column.astype(int)] = data.value
    s = np.linalg.svd(full)[1]
    assert_allclose(s[:3] / s[0], [1, 7**-0.5, 1 / 7], rtol=1e-12)
    assert s[3] < 1e-12
    assert np.mean(full**2) == pytest.approx(1.0, rel=1e-12)


def test_entries_that_are_not_observed_are_held_out() -> None:
    whole, part = (get_problem("matrix_factorization", observed=share) for share in (1.0, 0.7))
    assert (part.n_samples, part.f_opt, whole.validation) == (210, None, None)
    assert part.validation.value.size == 90
    given, rest, both = (
        {(i, j): v for i, j, v in zip(d.row, d.column, d.value, strict=True)}
        for d in (part.data, part.validation, whole.data)
    )
    assert given | rest == both
    assert not given.keys() & rest.keys()
    u, v = np.split(part.x0, [60])
    product = u.reshape(20, 3) @ v.reshape(15, 3).T
    errors = [product[int(i), int(j)] - value for (i, j), value in rest.items()]
    assert evaluation.evaluate_measure(part, part.x0)[0] == pytest.approx(np.mean(np.square(errors)) / 2, rel=1e-12)


# ------------------------------------------------------------------------------------------------ noisy quadratic


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_gradients_have_the_covariance_asked_for(power: float) -> None:
    problem = get_problem("noisy_quadratic", n=6, cond=36.0, noise=0.3, power=power, n_samples=40)
    x_opt, _ = certified(problem)
    a = np.diag(problem.hess(x_opt))
    assert_allclose(a, np.arange(1, 7) ** -2.0, rtol=1e-12)
    g = np.array([problem.batch([i]).grad(x_opt) for i in range(40)])
    assert_allclose(g.mean(axis=0), 0.0, atol=1e-15)
    assert_allclose(g.T @ g / 40, np.diag(0.09 * a**power), rtol=1e-10, atol=1e-14)


def test_losses_of_samples_are_the_formulas() -> None:
    problem = get_problem("noisy_quadratic", n=4, n_samples=9)
    x, (x_opt, _) = np.array([1.0, -2.0, 0.5, 3.0]), certified(problem)
    a = np.diag(problem.hess(x))
    values = []
    for i in range(9):
        e = problem.data.e[:, i]
        values.append(0.5 * np.sum(a * (x - x_opt - e) ** 2) - 0.5 * np.sum(a * e * e))
        assert problem.batch([i]).fun(x) == pytest.approx(values[-1], rel=1e-11)
    assert problem.fun(x) == pytest.approx(np.mean(values), rel=1e-11)
    assert problem.fun(x) == pytest.approx(0.5 * np.sum(a * (x - x_opt) ** 2), rel=1e-12)


def test_settings_move_one_thing_at_a_time() -> None:
    base, noisier, other = (
        get_problem("noisy_quadratic", **given) for given in ({}, {"noise": 2.0, "cond": 1e4}, {"instance": 1})
    )
    assert_array_equal(certified(base)[0], certified(noisier)[0])
    assert np.all(certified(base)[0] != certified(other)[0])
    assert "ill-conditioned" in noisier.tags


@pytest.mark.parametrize("name", ["matrix_factorization", "noisy_quadratic"])
def test_mean_over_equal_batches_is_the_whole(name: str) -> None:
    problem = get_problem(name, **({"n_samples": 300} if name == "noisy_quadratic" else {}))
    x = problem.x0 + 0.3
    order = np.random.default_rng(0).permutation(300)
    f, g = problem.fun_and_grad(x)
    for size in (1, 60, 150):
        parts = [problem.batch(order[at : at + size]).fun_and_grad(x) for at in range(0, 300, size)]
        assert_allclose(np.mean([part[0] for part in parts]), f, rtol=1e-12)
        assert_allclose(np.mean([part[1] for part in parts], axis=0), g, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("noisy_quadratic", {"cond": 0.5}, "cond must be at least 1 and finite, not 0.5"),
        ("noisy_quadratic", {"n_samples": 21}, "n_samples must be at least 22 and finite, not 21"),
        ("noisy_quadratic", {"noise": -1.0}, "noise must be at least 0"),
        ("noisy_quadratic", {"power": float("nan")}, "power must be finite"),
        ("matrix_factorization", {"r": 16}, "r must be at least 1 and at most 15, not 16"),
        ("matrix_factorization", {"rank": 0}, "rank must be at least 1 and at most 15, not 0"),
        ("matrix_factorization", {"alpha": float("inf")}, "alpha must be at least 0, not inf"),
        ("matrix_factorization", {"observed": 0.0}, "observed must be above 0 and at most 1, not 0"),
    ],
)
def test_bad_setting_is_one_clear_error(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_problem(name, **settings)


# ------------------------------------------------------------------------------------------------ held-out samples


def test_every_class_is_held_out_alike_and_the_rest_standardized() -> None:
    whole, data = load("iris", kind="classes"), load("iris", kind="classes", split=Split(0.2, 3))
    held = data.held_out
    assert held is not None
    assert [int(np.sum(held.y == c)) for c in range(3)] == [10, 10, 10]
    assert sorted(map(tuple, np.concatenate([data.X, held.X]))) == sorted(map(tuple, whole.X))
    assert_allclose(data.columns.mean(axis=1), 0.0, atol=1e-14)
    assert_allclose(data.columns.std(axis=1), 1.0, rtol=1e-14)
    assert_array_equal(held.center, data.center)
    assert_array_equal(held.columns, ((held.X - data.X.mean(axis=0)) / data.X.std(axis=0)).T)


def test_split_is_drawn_with_its_seed() -> None:
    one, same, other = (load("diabetes", split=Split(0.25, seed)).held_out for seed in (0, 0, 1))
    assert one is not None
    assert other is not None
    assert one is same
    assert one.y.size == other.y.size == 110
    assert set(map(tuple, one.X)) != set(map(tuple, other.X))


def test_white_pixels_become_zero_and_other_constants_are_an_error(tmp_path: Path) -> None:
    digits = load("digits", kind="classes")
    constant = np.ptp(digits.X, axis=0) == 0.0
    assert constant.sum() == 3
    assert np.all(digits.columns[constant] == 0.0)
    assert_allclose(digits.columns[~constant].std(axis=1), 1.0, rtol=1e-12)
    path = tmp_path / "table.csv"
    path.write_text("a,b,y\n1,3,0\n2,3,1\n")
    with pytest.raises(ValueError, match="feature 'b' is 3 in every row and cannot be standardized"):
        get_problem("mlp", data=str(path), target="y")
    path.write_text("a,b,y\n" + "".join(f"{k},{int(k == 0)},{k % 2}\n" for k in range(40)))
    parts = [load(str(path), "y", split=Split(0.5, seed)) for seed in range(8)]
    scales = {float(part.scale[1]) for part in parts if part.held_out is not None and part.held_out.X[:, 1].any()}
    assert scales == {1.0}  # constant where nothing is held out


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("linear_regression", {}),
        ("ridge", {"alpha": 0.3}),
        ("logistic_regression", {}),
        ("softmax_regression", {}),
        ("mlp", {"data": "diabetes"}),
        ("autoencoder", {}),
    ],
)
def test_held_out_samples_are_measured_without_penalty(name: str, settings: dict[str, Any]) -> None:
    problem, whole = (get_problem(name, **settings, validation=share) for share in (0.25, 0.0))
    m = problem.n_samples
    held = problem.validation
    assert held.X.shape[1] + m == whole.n_samples
    x = problem.x0 + 0.1 * np.random.default_rng(0).standard_normal(problem.n)
    loss, accuracy = evaluation.evaluate_measure(problem, x)
    free = Problem(problem.fun_grad, x, data=held._replace(alpha=0.0) if hasattr(held, "alpha") else held)
    assert loss == pytest.approx(free.fun(x), rel=1e-12)
    if name == "logistic_regression":
        assert accuracy == np.mean(held.y * (x[:-1] @ held.X + x[-1]) > 0)
    elif name == "softmax_regression":
        z = x[:-3].reshape(3, -1) @ held.X + x[-3:, None]
        assert accuracy == np.mean(z.argmax(axis=0) == held.Y[0])
    else:
        assert np.isnan(accuracy)
    if problem.f_opt is not None:  # certified on what is left
        assert np.abs(problem.grad(certified(problem)[0])).max() <= 1e-11 * np.abs(problem.grad(problem.x0)).max()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation": 1.0}, "validation takes a share of the samples of at least 0 and below 1, not 1"),
        ({"validation": -0.1}, "validation takes a share"),
        ({"validation": 0.001}, "validation = 0.001 leaves no sample on one side"),
        ({"validation": 0.999}, "validation = 0.999 leaves no sample on one side"),
        ({"split_seed": -1}, "split_seed must be at least 0, not -1"),
    ],
)
def test_bad_split_is_one_clear_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_problem("mlp", **settings)
