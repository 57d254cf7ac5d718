"""Problems: contracts over the registry, and the analytic ones against textbook formulas in high precision."""

from __future__ import annotations

import functools
import itertools
import math
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from optbench.harness import start_of
from optbench.records import encode
from optbench.registry import PROBLEMS, ProblemFactory, UnknownName, get_problem, list_problems
from optbench.types import Array, Problem

FORMULAS: dict[str, Callable[[Any, Any], Any]] = runpy.run_path(
    str(Path(__file__).parent / "reference" / "problems_formulas.py")
)["FORMULAS"]
EPS = float(np.finfo(np.float64).eps)
SIZES = (1, 2, 5, 8)
# Problems of badly scaled variables: test_least_squares.py has all that are given by residuals; hs112 takes logarithms
# of numbers that the steps of the differences are not small against.
CHECKED_ELSEWHERE = {"hs112", *(name for name in list_problems() if get_problem(name).residuals is not None)}
EXTRA: dict[str, list[dict[str, Any]]] = {
    "quadratic": [
        {"n": 6, "rotated": True, "cond": 1e6, "spectrum": "geometric"},
        {"n": 5, "spectrum": "geometric", "instance": 3},
    ]
}


def takes(name: str, n: int) -> bool:
    try:
        return get_problem(name, n=n).n == n
    except ValueError:
        return False


def cases() -> Iterator[Any]:
    for name in list_problems():
        variants: list[dict[str, Any]] = [{}, *EXTRA.get(name, [])]
        if "scalable" in PROBLEMS.get(name).tags:
            variants += [{"n": n} for n in SIZES if takes(name, n)]
        for settings in variants:
            label = ",".join((name, *(f"{key}={value}" for key, value in settings.items())))
            yield pytest.param(name, tuple(settings.items()), id=label)


ALL = list(cases())
CASES = [case for case in ALL if "constrained" not in PROBLEMS.get(case.values[0]).tags]  # others: test_constrained.py
ANALYTIC = [case for case in CASES if case.values[0] in FORMULAS]
SEPARABLE = [case for case in CASES if "separable" in PROBLEMS.get(case.values[0]).tags]
every_case = pytest.mark.parametrize(("name", "settings"), CASES)
constrained_too = pytest.mark.parametrize(("name", "settings"), ALL)
every_formula = pytest.mark.parametrize(("name", "settings"), ANALYTIC)


@functools.cache
def made(name: str, settings: tuple[tuple[str, Any], ...]) -> Problem:
    return get_problem(name, **dict(settings))


def minimum(problem: Problem) -> tuple[Array, float]:
    """All minimizers, shape (k, n), and the minimum; skips a problem that names none."""
    if problem.minimizers is None or problem.f_opt is None:
        pytest.skip("no known minimum")
    return problem.minimizers, problem.f_opt


def samples(problem: Problem, count: int, seed: int = 0) -> Array:
    """Points drawn evenly from the box, shape (count, n)."""
    low, high = problem.bounds.T
    return np.random.Generator(np.random.PCG64(seed)).uniform(low, high, (count, problem.n))


def close_to_minimum(problem: Problem, size: float, seed: int = 1) -> Array:
    """One point at a relative distance `size` of every minimizer, shape (k, n)."""
    points, _ = minimum(problem)
    noise = np.random.Generator(np.random.PCG64(seed)).uniform(0.5, 1.0, points.shape)
    return points + size * noise * np.where(points == 0.0, 1.0, np.abs(points))


def test_points(problem: Problem) -> Array:
    near = [] if problem.minimizers is None else list(close_to_minimum(problem, 0.02))
    return np.array([problem.x0, *samples(problem, 2), *near])


test_points.__test__ = False  # type: ignore[attr-defined]


def exact(name: str, problem: Problem) -> Callable[..., Any]:
    return lambda *x: FORMULAS[name](list(x), problem.data)


def exact_grad(f: Callable[..., Any], x: Any) -> list[Any]:
    n = len(x)
    return [mp.diff(f, tuple(x), tuple(int(i == k) for k in range(n))) for i in range(n)]


def exact_hess(f: Callable[..., Any], x: Any) -> Array:
    n = len(x)
    h = np.empty((n, n))
    for i, j in itertools.combinations_with_replacement(range(n), 2):
        order = tuple(int(i == k) + int(j == k) for k in range(n))
        h[i, j] = h[j, i] = float(mp.diff(f, tuple(x), order))
    return h


def points_of(x: Array) -> list[Any]:
    return [mp.mpf(float(t)) for t in x]


# --------------------------------------------------------------------------------------------------- contracts


@constrained_too
def test_record_is_complete(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    assert problem.source
    assert problem.doc
    assert ("convex" in problem.tags) != ("nonconvex" in problem.tags)
    assert np.all(problem.bounds[:, 0] < problem.bounds[:, 1])
    minimizers, f_opt = minimum(problem)
    assert np.all(np.isfinite(minimizers))
    assert math.isfinite(f_opt)
    assert len(np.unique(minimizers, axis=0)) == len(minimizers)


@every_case
def test_minimizers_reach_f_opt_with_zero_gradient(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    minimizers, f_opt = minimum(problem)
    for x in minimizers:
        f, g = problem.fun_and_grad(x)
        assert f == pytest.approx(f_opt, rel=1e-12 if problem.residuals is None else 1e-11, abs=1e-12 * problem.n)
        if name in FORMULAS:  # what one rounding of every coordinate does to the gradient, and no more
            assert np.all(np.abs(g) <= 8.0 * EPS * (np.abs(problem.hess(x)) @ np.abs(x)) + EPS)
        else:
            assert np.max(np.abs(g)) <= 1e-8 * np.max(np.abs(problem.grad(problem.x0)))


@every_case
def test_start_is_inside_and_not_stationary(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    assert problem.x0.shape == (problem.n,)
    assert np.all((problem.bounds[:, 0] <= problem.x0) & (problem.x0 <= problem.bounds[:, 1]))
    f, g = problem.fun_and_grad(problem.x0)
    assert np.max(np.abs(g)) > 1e-3
    assert f - minimum(problem)[1] > 1e-3 * min(1.0, f)


@every_case
def test_nothing_in_the_box_is_lower(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    from scipy.optimize import minimize as scipy_minimize

    problem = made(name, settings)
    _, f_opt = minimum(problem)
    floor = f_opt - 1e-9 * max(1.0, abs(f_opt))
    points = samples(problem, 1000)
    values = np.array([problem.fun(x) for x in points])
    assert values.min() >= floor
    for x in (*points[np.argsort(values)[:3]], *close_to_minimum(problem, 1e-3)[:2]):
        start = np.clip(x, *problem.bounds.T)
        polished = scipy_minimize(
            problem.fun_and_grad, start, jac=True, method="L-BFGS-B", bounds=problem.bounds, options={"maxiter": 200}
        )
        assert polished.fun >= floor


@every_case
def test_hessian_is_symmetric_and_positive_at_minimizers(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    if not problem.has_hess:
        pytest.skip("no Hessian")
    everywhere = samples(problem, 5) if "convex" in problem.tags else np.empty((0, problem.n))
    for x in test_points(problem):
        h = problem.hess(x)
        np.testing.assert_array_equal(h, h.T)
    for x in (*minimum(problem)[0], *everywhere):
        eigenvalues = np.linalg.eigvalsh(problem.hess(x))
        assert eigenvalues[0] >= -1e-12 * max(eigenvalues[-1], 1.0)


@pytest.mark.parametrize(
    "name", sorted({n for n in (c.values[0] for c in CASES) if "nonconvex" in PROBLEMS.get(n).tags})
)
def test_nonconvex_problems_curve_downwards_somewhere(name: str) -> None:
    problem = made(name, ())
    x_opt = minimum(problem)[0][0]
    inside = (problem.x0, *samples(problem, 300), *close_to_minimum(problem, 0.3))
    behind = (x_opt - t * (problem.x0 - x_opt) for t in (0.1, 0.2, 0.5))
    outside = (x_opt + 10.0 * (x - x_opt) for x in samples(problem, 300))
    assert any(np.linalg.eigvalsh(problem.hess(x))[0] < 0.0 for x in itertools.chain(inside, behind, outside))


def plain_fun_grad(problem: Problem, x: Array, g: Array, data: Any) -> float:
    """Value, and gradient into `g`, from the uncompiled functions."""
    if problem.fun_grad is not None:
        return problem.fun_grad(x, g, data)
    assert problem.residuals is not None
    r, jac = np.full(problem.m, np.nan), np.full((problem.m, problem.n), np.nan)
    problem.residuals(x, r, jac, data)
    g[:] = 2.0 * jac.T @ r
    return float(r @ r)


@constrained_too
def test_compiled_equals_plain_python(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    data = encode(problem.data)
    for x in test_points(problem):
        f, g = problem.fun_and_grad(x)
        plain_g, plain_h = np.full(problem.n, np.nan), np.zeros((problem.n, problem.n))
        assert f == pytest.approx(plain_fun_grad(problem, x, plain_g, data), rel=1e-12, abs=1e-15)
        np.testing.assert_allclose(g, plain_g, rtol=1e-12, atol=1e-12 * np.max(np.abs(g)))
        if problem.hess_fun is not None:
            h = problem.hess(x)
            problem.hess_fun(x, plain_h, data)
            np.testing.assert_allclose(h, plain_h, rtol=1e-12, atol=1e-12 * np.max(np.abs(h)))
        elif problem.residuals is not None and problem.curvature is not None:
            r, jac = problem.residual(x)
            plain_h += 2.0 * jac.T @ jac
            problem.curvature(x, 2.0 * r, plain_h, data)
            h = problem.hess(x)
            np.testing.assert_allclose(h, plain_h, rtol=1e-11, atol=1e-11 * np.max(np.abs(h)))


@pytest.mark.parametrize(
    ("name", "settings"), [case for case in ALL if case not in ANALYTIC and case.values[0] not in CHECKED_ELSEWHERE]
)
def test_derivatives_against_central_differences(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    for x in test_points(problem):
        step = 1e-5 * np.maximum(1.0, np.abs(x))
        ends = [(x + s * e, x - s * e, 2.0 * s) for s, e in zip(step, np.eye(problem.n), strict=True)]
        g = np.array([(problem.fun(a) - problem.fun(b)) / width for a, b, width in ends])
        h = np.array([(problem.grad(a) - problem.grad(b)) / width for a, b, width in ends])
        scale = max(1.0, abs(problem.fun(x)))
        np.testing.assert_allclose(problem.grad(x), g, rtol=1e-5, atol=1e-5 * max(np.max(np.abs(g)), 1e-4 * scale))
        if problem.has_hess:
            np.testing.assert_allclose(problem.hess(x), h, rtol=1e-5, atol=1e-5 * np.max(np.abs(h)))


@pytest.mark.parametrize(("name", "settings"), SEPARABLE)
def test_separable_problems_are_lowest_along_every_axis(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    x_opt, f_opt = minimum(problem)
    h = problem.hess(samples(problem, 1)[0])
    np.testing.assert_array_equal(h, np.diag(np.diagonal(h)))
    for i, (low, high) in enumerate(problem.bounds):
        x = x_opt[0].copy()
        for t in np.linspace(low, high, 1001):
            x[i] = t
            assert problem.fun(x) >= f_opt - 1e-11 * max(1.0, abs(f_opt))


# ------------------------------------------------------------------------------- against formulas in high precision


@every_formula
def test_value_and_derivatives_against_the_formula(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    f = exact(name, problem)
    with mp.workdps(40):
        for x in test_points(problem):
            point = points_of(x)
            g = np.array([float(t) for t in exact_grad(f, point)])
            h = exact_hess(f, point)
            assert problem.fun(x) == pytest.approx(float(f(*point)), rel=1e-11, abs=1e-300)
            np.testing.assert_allclose(problem.grad(x), g, rtol=1e-10, atol=1e-13 * np.max(np.abs(g)) + 1e-300)
            np.testing.assert_allclose(problem.hess(x), h, rtol=1e-10, atol=1e-13 * np.max(np.abs(h)) + 1e-300)


@every_formula
def test_no_cancellation_near_the_minimum(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    """The gap f - f_opt keeps its digits where f_opt is 0, and the rounding of f_opt where it is not."""
    problem = made(name, settings)
    f_opt = minimum(problem)[1]
    for x in close_to_minimum(problem, 1e-6):
        with mp.workdps(40):
            expected = float(exact(name, problem)(*points_of(x)))
        rel, absolute = (1e-8, 0.0) if f_opt == 0.0 else (1e-13, 1e-12)
        assert problem.fun(x) == pytest.approx(expected, rel=rel, abs=absolute)


@every_formula
def test_minimizers_are_the_rounded_exact_ones(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    """Newton's method on the formula's gradient in 40 digits ends where x_opt and f_opt say, to the last bit or two."""
    problem = made(name, settings)
    f = exact(name, problem)
    minimizers, f_opt = minimum(problem)
    for x in minimizers:
        with mp.workdps(40):
            point = points_of(x)
            if "nonsmooth" not in problem.tags or np.any(x):  # a cone's tip has no gradient
                point = newton(f, point, problem.hess(x))
            assert float(f(*point)) == pytest.approx(f_opt, rel=4.0 * EPS, abs=1e-30)
            for given, certified in zip(x, point, strict=True):
                assert abs(given - certified) <= 2.0 * EPS * abs(certified)


def newton(f: Callable[..., Any], point: list[Any], h: Array) -> list[Any]:
    """Root of the gradient of `f`; the Hessian in float64 gains its 16 digits a step."""
    inverse = np.linalg.pinv(h)
    for _ in range(3):
        g = exact_grad(f, point)
        if max(abs(t) for t in g) < mp.mpf(10) ** -34:
            break
        step = [mp.fdot(zip(map(mp.mpf, map(float, row)), g, strict=True)) for row in inverse]
        point = [t - d for t, d in zip(point, step, strict=True)]
    return point


# ------------------------------------------------------------------------------------------------- known values

# Optima as Surjanovic & Bingham, Virtual Library of Simulation Experiments, print them, to the digits they print.
PUBLISHED = [
    ("six_hump_camel", {}, -1.0316, (0.0898, -0.7126)),
    ("mccormick", {}, -1.9133, (-0.54719, -1.54719)),
    ("goldstein_price", {}, 3.0, (0.0, -1.0)),
    ("easom", {}, -1.0, (math.pi, math.pi)),
    ("branin", {}, 0.397887, (-math.pi, 12.275)),
    ("beale", {}, 0.0, (3.0, 0.5)),
    ("styblinski_tang", {"n": 3}, -39.16599 * 3, (-2.903534,) * 3),
    ("schwefel", {"n": 3}, 0.0, (420.9687,) * 3),
    ("michalewicz", {"n": 2}, -1.8013, (2.20, 1.57)),
    ("michalewicz", {"n": 5}, -4.687658, None),
    ("michalewicz", {"n": 10}, -9.66015, None),
]


@pytest.mark.parametrize(("name", "settings", "f_opt", "x_opt"), PUBLISHED)
def test_published_optimum(name: str, settings: dict[str, Any], f_opt: float, x_opt: tuple[float, ...] | None) -> None:
    problem = get_problem(name, **settings)
    assert problem.f_opt == pytest.approx(f_opt, rel=5e-6, abs=1e-4)
    if x_opt is not None:
        np.testing.assert_allclose(minimum(problem)[0][0], x_opt, atol=6e-3)


@pytest.mark.parametrize("n", [2, 7])
def test_rosenbrock_is_scipys(n: int) -> None:
    from scipy.optimize import rosen, rosen_der, rosen_hess

    problem = get_problem("rosenbrock", n=n)
    for x in samples(problem, 5):
        assert problem.fun(x) == pytest.approx(rosen(x), rel=1e-13)
        np.testing.assert_allclose(problem.grad(x), rosen_der(x), rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(problem.hess(x), rosen_hess(x), rtol=1e-13)


# ------------------------------------------------------------------------------------------------ special points


def test_functions_are_defined_where_their_formulas_are_not() -> None:
    assert np.all(get_problem("ackley", n=3).grad(np.zeros(3)) == 0.0)
    assert np.all(get_problem("schwefel", n=2).hess(np.zeros(2)) == 0.0)
    valley = get_problem("helical_valley")
    for x in ((0.0, 1.0, 2.5), (0.0, -1.0, -2.5)):  # theta = 1/4 and -1/4: only x_3 is left
        f, g = valley.fun_and_grad(x)
        assert f == pytest.approx(6.25)
        np.testing.assert_allclose(g, (0.0, 0.0, 2.0 * x[2]), atol=1e-12)
    assert valley.fun((-1.0, -0.0, 5.0)) == pytest.approx(25.0)
    assert np.all(np.isfinite(valley.grad(np.zeros(3))))


def test_griewank_survives_a_vanishing_cosine() -> None:
    problem = get_problem("griewank", n=3)
    x = np.array([0.5 * math.pi, math.sqrt(2.0) * 0.5 * math.pi, 1.0])
    with mp.workdps(40):
        g = [float(t) for t in exact_grad(exact("griewank", problem), points_of(x))]
    np.testing.assert_allclose(problem.grad(x), g, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("i", range(1, 31))
def test_michalewicz_coordinate_is_the_best_of_a_fine_grid(i: int) -> None:
    problem = get_problem("michalewicz", n=30)
    t = np.linspace(0.0, math.pi, 200_001)
    values = np.sin(t) * np.sin(i * t**2 / math.pi) ** 20
    assert abs(t[np.argmax(values)] - minimum(problem)[0][0, i - 1]) <= 2.0 * (t[1] - t[0])


# ------------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize("spectrum", ["uniform", "geometric"])
@pytest.mark.parametrize("rotated", [False, True])
def test_quadratic_has_the_spectrum_asked_for(spectrum: str, rotated: bool) -> None:
    problem = get_problem("quadratic", n=12, cond=1e4, spectrum=spectrum, rotated=rotated)
    expected = np.linspace(1.0, 1e4, 12) if spectrum == "uniform" else 10.0 ** (4.0 * np.arange(12) / 11.0)
    np.testing.assert_allclose(np.linalg.eigvalsh(problem.hess(problem.x0)), expected, rtol=1e-10)
    off_diagonal = problem.hess(problem.x0)[~np.eye(12, dtype=bool)]
    assert np.all(off_diagonal != 0.0) if rotated else np.all(off_diagonal == 0.0)
    assert ("ill-conditioned" in problem.tags, "separable" in problem.tags) == (True, not rotated)


def test_quadratic_instance_decides_the_minimizer_and_nothing_else_does() -> None:
    one = minimum(get_problem("quadratic", n=4))[0]
    same = minimum(get_problem("quadratic", n=4, cond=7, spectrum="geometric", rotated=True))[0]
    other = minimum(get_problem("quadratic", n=4, instance=1))[0]
    np.testing.assert_array_equal(one, same)
    assert np.all(one != other)
    assert np.all((one != 0.0) & (np.abs(one) <= 4.0))


MADE = """
import sys, hashlib, numpy
from optbench.registry import get_problem, problem

@problem()
def late(n: int = 500):
    "BLAS of another library, which nobody has loaded before."
    from scipy.linalg import get_blas_funcs
    x = numpy.random.default_rng(0).standard_normal((n, n))
    made = get_problem("sphere", n=n)
    made.x0 = get_blas_funcs("gemm", (x,))(1.0, x, x)
    return made

assert "threadpoolctl" not in sys.modules and "scipy.linalg" not in sys.modules
arrays = get_problem("quadratic", n=500, rotated=True).data.matrix, get_problem("late").x0
print(*(hashlib.sha256(array.tobytes()).hexdigest() for array in arrays))
"""


def test_data_do_not_depend_on_the_number_of_threads() -> None:
    """Of a problem that uses NumPy, and of one that brings a BLAS library of its own."""
    found = {
        subprocess.run([sys.executable, "-c", MADE], capture_output=True, text=True, check=True, env=env).stdout
        for env in ({**os.environ, "OPENBLAS_NUM_THREADS": str(threads)} for threads in (1, 2))
    }
    assert len(found) == 1


def test_one_number_is_one_setting() -> None:
    whole, real = get_problem("quadratic", n=3, cond=7), get_problem("quadratic", n=3, cond=7.0)
    assert repr(whole) == repr(real)
    np.testing.assert_array_equal(start_of(whole, 1), start_of(real, 1))


def test_a_problem_of_a_problem_has_its_own_settings() -> None:
    def wider(units: int = 3) -> Problem:
        return get_problem("mlp", data="iris", units=2 * units)

    made = ProblemFactory("wider", wider, "", ())
    assert made(units=4).settings == {"units": 4}


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ridge", {"alpha": 10**400}, "problem 'ridge': alpha takes a number, not 1000"),
        ("rosenbrock", {"n": 1}, "problem 'rosenbrock': n must be at least 2, not 1"),
        ("powell_singular", {"n": 6}, "problem 'powell_singular': n must be a multiple of 4, not 6"),
        ("quadratic", {"cond": 0.5}, "problem 'quadratic': cond must be a finite number of at least 1, not 0.5"),
        ("quadratic", {"cond": math.inf}, "problem 'quadratic': cond must be a finite number of at least 1, not inf"),
        ("quadratic", {"spectrum": "flat"}, "spectrum must be 'uniform' or 'geometric', not 'flat'"),
        *((name, {"n": 0}, f"problem '{name}': n must be") for name in list_problems() if takes(name, 8)),
    ],
)
def test_a_bad_setting_is_one_clear_sentence(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        get_problem(name, **settings)


@pytest.mark.parametrize("name", ["beale", "wood", "branin"])
def test_a_problem_of_fixed_size_takes_no_n(name: str) -> None:
    with pytest.raises(UnknownName):
        get_problem(name, n=3)
