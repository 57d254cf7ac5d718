"""Constrained problems: the certificate of every solution, and derivatives against the book's formulas."""

from __future__ import annotations

import functools
import math
import re
import runpy
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numpy.typing import NDArray

from optbench.records import encode
from optbench.registry import PROBLEMS, get_problem, list_problems
from optbench.types import Array, Problem

REFERENCE = Path(__file__).parent / "reference"
BOOK = runpy.run_path(str(REFERENCE / "hs_formulas.py"))
NAMES = [name for name in list_problems() if "constrained" in PROBLEMS.get(name).tags]
HOCK_SCHITTKOWSKI = [name for name in NAMES if name.startswith("hs")]
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in NAMES),
    ("constrained_qp", {"n": 30, "m_eq": 8, "m_ineq": 20, "cond": 1e6, "instance": 2}),
    ("constrained_qp", {"n": 6, "m_eq": 0, "m_ineq": 4}),
    ("constrained_qp", {"n": 5, "m_eq": 5, "m_ineq": 2}),
    ("circle_on_line", {"a": -3.0, "b": 0.0, "c": 2.0}),
    ("rectangle_in_ellipse", {"a": 0.5, "b": 4.0}),
]
CASES = [
    pytest.param(name, tuple(settings.items()), id=",".join((name, *(f"{k}={v}" for k, v in settings.items()))))
    for name, settings in VARIANTS
]
every_case = pytest.mark.parametrize(("name", "settings"), CASES)


@functools.cache
def made(name: str, settings: tuple[tuple[str, Any], ...] = ()) -> Problem:
    return get_problem(name, **dict(settings))


def solution(problem: Problem) -> tuple[Array, float, Array]:
    """Minimizer, minimum and multipliers: every constrained problem has them."""
    assert problem.x_opt is not None
    assert problem.f_opt is not None
    assert problem.multipliers is not None
    return problem.x_opt, problem.f_opt, problem.multipliers


def active(problem: Problem) -> NDArray[np.bool_]:
    """Which constraints hold with equality at x_opt, shape (m,)."""
    x = solution(problem)[0]
    c, jac = problem.constraint(x)
    return np.asarray(np.abs(c) <= 1e-9 * np.maximum(1.0, np.abs(jac) @ np.abs(x)), dtype=np.bool_)


def points(problem: Problem) -> Array:
    """The start and two points of the box, shape (3, n)."""
    low, high = problem.bounds.T
    rng = np.random.Generator(np.random.PCG64(3))
    return np.array([problem.x0, *rng.uniform(low, high, (2, problem.n))])


def null_space(jac: Array) -> Array:
    """Orthonormal basis of what the rows map to 0, shape (n, n - rank)."""
    _, s, v = np.linalg.svd(jac)
    return np.asarray(v[int(np.sum(s > 1e-12 * s[0])) if s.size else 0 :].T)


# ---------------------------------------------------------------------------------------------- the certificate


def test_published_point_of_problem_47_is_no_minimum() -> None:
    """(1, 1, 1, 1, 1) is stationary; a feasible point next to it, along -(1, 1, -1, -3, -1), has f < 0."""
    problem = made("hs047")
    ones = np.ones(5)
    assert np.all(problem.grad(ones) == 0.0)
    assert np.all(problem.constraint(ones)[0] == 0.0)
    lower = restored(problem, ones - 1e-2 * np.array([1.0, 1.0, -1.0, -3.0, -1.0]))
    assert lower is not None
    assert np.max(np.abs(problem.constraint(lower)[0])) <= 1e-15
    assert np.max(np.abs(lower - ones)) < 0.04
    assert problem.fun(lower) < -1e-6


def test_the_collection_is_complete() -> None:
    assert sorted(BOOK["BOOK"]) == HOCK_SCHITTKOWSKI
    assert [name for name in list_problems() if made(name).constraints is not None] == NAMES


@every_case
def test_record_is_complete(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    x, f, multipliers = solution(problem)
    assert problem.source
    assert problem.doc
    assert ("convex" in problem.tags) != ("nonconvex" in problem.tags)
    assert np.all(problem.bounds[:, 0] < problem.bounds[:, 1])
    assert multipliers.shape == (problem.m,)
    assert problem.fun(x) == pytest.approx(f, rel=1e-13, abs=1e-13)


@every_case
def test_solution_is_a_kkt_point(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    """Feasible, stationary, complementary, of the right sign: each to 1e-9 of the terms that must cancel."""
    problem = made(name, settings)
    x, _, multipliers = solution(problem)
    (c, jac), g = problem.constraint(x), problem.grad(x)
    size = np.maximum(1.0, np.abs(jac) @ np.abs(x))
    assert np.all(np.abs(c[: problem.m_eq]) <= 1e-9 * size[: problem.m_eq])
    assert np.all(c[problem.m_eq :] <= 1e-9 * size[problem.m_eq :])
    terms = np.maximum(1.0, np.abs(g) + np.abs(jac).T @ np.abs(multipliers))
    assert np.all(np.abs(g + jac.T @ multipliers) <= 1e-9 * terms)
    assert np.all(np.abs(multipliers * c) <= 1e-9 * np.maximum(1.0, np.abs(multipliers)) * size)
    assert np.all(multipliers[problem.m_eq :] >= 0.0)
    assert np.all(multipliers[~active(problem)] == 0.0)


@every_case
def test_multipliers_are_unique_and_the_curvature_says_minimum(
    name: str, settings: tuple[tuple[str, Any], ...]
) -> None:
    """Active gradients independent; the Lagrangian curves up along every direction that they do not forbid."""
    problem = made(name, settings)
    x, _, multipliers = solution(problem)
    jac = problem.constraint(x)[1]
    rows = jac[active(problem)]
    if len(rows):
        singular = np.linalg.svd(rows / np.linalg.norm(rows, axis=1, keepdims=True), compute_uv=False)
        assert len(rows) <= problem.n
        assert singular[-1] > 1e-8
    held = (multipliers != 0.0) | (np.arange(problem.m) < problem.m_eq)
    basis = null_space(jac[held])
    h = problem.lagrangian_hess(x, multipliers)
    np.testing.assert_allclose(h, h.T, rtol=1e-13, atol=0.0)
    if basis.shape[1]:
        curvature = np.linalg.eigvalsh(basis.T @ h @ basis)
        if "degenerate" in problem.tags:
            assert abs(curvature[0]) <= 1e-12 * curvature[-1]
        else:
            assert curvature[0] > 1e-9 * max(1.0, curvature[-1])


def restored(problem: Problem, x: Array) -> Array | None:
    """A feasible point next to `x`, by Gauss-Newton steps onto what is violated; None where they lead nowhere."""
    for _ in range(30):
        c, jac = problem.constraint(x)
        wrong = (np.arange(problem.m) < problem.m_eq) | (c > 0.0)
        if not wrong.any() or np.max(np.abs(c[wrong])) <= 1e-13 * max(1.0, np.max(np.abs(jac))):
            return x
        x = x - np.linalg.lstsq(jac[wrong], c[wrong])[0]
    return None


@every_case
def test_nothing_feasible_nearby_is_lower(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    x, f, multipliers = solution(problem)
    rng = np.random.Generator(np.random.PCG64(5))
    seen = 0
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(10):
            y = restored(problem, x + size * np.where(x == 0.0, 1.0, np.abs(x)) * rng.uniform(-1.0, 1.0, problem.n))
            if y is None or np.linalg.norm(y - x) > 0.5 * max(1.0, float(np.linalg.norm(x))):
                continue
            seen += 1
            slack = 1e-12 * (max(1.0, abs(f)) + np.sum(np.abs(multipliers)) * np.max(np.abs(problem.constraint(y)[1])))
            assert problem.fun(y) >= f - slack
    assert seen >= 10


@pytest.mark.parametrize("name", NAMES)
def test_convexity_is_as_tagged(name: str) -> None:
    """Objective and inequalities curve up everywhere and equalities not at all; or one of them does something else."""
    problem = made(name)
    low, high = problem.bounds.T
    rng = np.random.Generator(np.random.PCG64(7))
    worst = 0.0
    for x in rng.uniform(low, high, (30, problem.n)):
        base = problem.hess(x)
        bends = [problem.lagrangian_hess(x, row) - base for row in np.eye(problem.m)]
        for sign, h in [
            (1.0, base),
            *((1.0, b) for b in bends),
            *((-1.0, b) for b in bends[: problem.m_eq]),
        ]:
            worst = min(worst, np.linalg.eigvalsh(sign * h)[0] / max(1e-300, np.max(np.abs(h))))
    assert (worst < -1e-6) == ("nonconvex" in problem.tags)


# -------------------------------------------------------------------------------------------- against the formulas


def differences(function: Any, x: list[Any]) -> Array:
    """Gradient by numeric differentiation in high precision, shape (n,)."""
    n = len(x)
    return np.array([float(mp.diff(function, tuple(x), tuple(int(i == k) for k in range(n)))) for i in range(n)])


def second_differences(function: Any, x: list[Any]) -> Array:
    n = len(x)
    h = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            order = tuple(int(i == k) + int(j == k) for k in range(n))
            h[i, j] = h[j, i] = float(mp.diff(function, tuple(x), order))
    return h


@pytest.mark.parametrize("name", HOCK_SCHITTKOWSKI)
def test_values_and_derivatives_against_the_formulas(name: str) -> None:
    problem, rows = made(name), BOOK["rows"]
    weights = np.random.Generator(np.random.PCG64(9)).uniform(0.5, 1.5, problem.m)

    def lagrangian(*t: Any) -> Any:
        f, c, _ = rows(name, list(t))
        return f + mp.fdot(zip(map(float, weights), c, strict=True))

    with mp.workdps(30):
        for x in points(problem)[:2]:
            point = [mp.mpf(float(t)) for t in x]
            f, c, count = rows(name, point)
            assert (len(c), count) == (problem.m, problem.m_eq)
            assert problem.fun(x) == pytest.approx(float(f), rel=1e-12, abs=1e-12)
            values, jac = problem.constraint(x)
            scale = 1.0 + np.abs(values) + np.abs(jac) @ np.abs(x)
            assert np.all(np.abs(values - np.array([float(t) for t in c])) <= 1e-13 * scale)
            exact = np.array([differences(lambda *t, i=i: rows(name, list(t))[1][i], point) for i in range(problem.m)])
            np.testing.assert_allclose(jac, exact, rtol=1e-12, atol=1e-12)
            g = differences(lambda *t: rows(name, list(t))[0], point)
            np.testing.assert_allclose(problem.grad(x), g, rtol=1e-11, atol=1e-12 * max(1.0, np.max(np.abs(g))))
            h = second_differences(lagrangian, point)
            mine = problem.lagrangian_hess(x, weights)
            np.testing.assert_allclose(mine, h, rtol=1e-11, atol=1e-12 * max(1.0, np.max(np.abs(h))))


@every_case
def test_compiled_equals_plain_python(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    assert problem.fun_grad is not None
    assert problem.hess_fun is not None
    assert problem.constraints is not None
    assert problem.curvature is not None
    data, weights = encode(problem.data), np.linspace(1.0, 2.0, problem.m)
    for x in points(problem):
        g, h = np.full(problem.n, np.nan), np.zeros((problem.n, problem.n))
        c, jac = np.full(problem.m, np.nan), np.full((problem.m, problem.n), np.nan)
        f = problem.fun_grad(x, g, data)
        problem.constraints(x, c, jac, data)
        problem.hess_fun(x, h, data)
        np.testing.assert_allclose(problem.hess(x), h, rtol=1e-12, atol=1e-12 * np.max(np.abs(h)))
        problem.curvature(x, weights, h, data)
        np.testing.assert_allclose(problem.fun(x), f, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(problem.grad(x), g, rtol=1e-12, atol=1e-12 * np.max(np.abs(g)))
        scale = 1.0 + np.abs(c) + np.abs(jac) @ np.abs(x)
        assert np.all(np.abs(problem.constraint(x)[0] - c) <= 1e-13 * scale)
        np.testing.assert_allclose(problem.constraint(x)[1], jac, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(problem.lagrangian_hess(x, weights), h, rtol=1e-12, atol=1e-12 * np.max(np.abs(h)))


def certified() -> Iterator[tuple[str, str, list[float]]]:
    """Problem, field and numbers of every literal that the certifying script printed."""
    name = ""
    for line in (REFERENCE / "hs_certified.txt").read_text(encoding="ascii").splitlines():
        name = line.split(":")[0] if line.startswith("hs") else name
        if found := re.match(r"  (x_opt|f_opt|multipliers)=\(?([^)#]*)\)?", line):
            yield name, found[1], [float(t) for t in found[2].split(",")]


def test_the_files_hold_what_was_certified() -> None:
    literals = list(certified())
    assert len(literals) == 3 * len(HOCK_SCHITTKOWSKI)
    for name, field, values in literals:
        np.testing.assert_array_equal(np.ravel(getattr(made(name), field)), values, err_msg=f"{name}.{field}")


# --------------------------------------------------------------------------------------------- independent solvers

# Where SLSQP fails from the standard start: of problem 47 it finds the stationary point that is no minimum, and problem
# 61 starts where the Jacobian has dependent rows.
STARTS = {"hs047": (0.5, 0.5, 1.0, 1.5, 1.5), "hs061": (1.0, -1.0, 1.0)}


def slsqp(problem: Problem, x0: Any) -> tuple[Array, float]:
    from scipy.optimize import minimize

    m_eq = problem.m_eq
    rules: list[dict[str, Any]] = []
    if m_eq:
        rules.append(
            {
                "type": "eq",
                "fun": lambda x: problem.constraint(x)[0][:m_eq],
                "jac": lambda x: problem.constraint(x)[1][:m_eq],
            }
        )
    if problem.m > m_eq:
        rules.append(
            {
                "type": "ineq",
                "fun": lambda x: -problem.constraint(x)[0][m_eq:],
                "jac": lambda x: -problem.constraint(x)[1][m_eq:],
            }
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        r = minimize(
            problem.fun_and_grad,
            x0,
            jac=True,
            method="SLSQP",
            constraints=rules,
            options={"ftol": 1e-14, "maxiter": 1000},
        )
    return r.x, r.fun


@every_case
def test_slsqp_ends_at_the_same_minimum(name: str, settings: tuple[tuple[str, Any], ...]) -> None:
    problem = made(name, settings)
    x, f = slsqp(problem, STARTS.get(name, problem.x0))
    c = problem.constraint(x)[0]
    assert max([0.0, *np.abs(c[: problem.m_eq]), *c[problem.m_eq :]]) <= 1e-6
    assert f == pytest.approx(solution(problem)[1], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("settings", [{}, {"n": 40, "m_eq": 0, "m_ineq": 30}, {"n": 12, "m_eq": 12, "m_ineq": 1}])
def test_quadratic_program_solves_its_kkt_system(settings: dict[str, int]) -> None:
    """The linear system of the active rows gives x* and the multipliers back."""
    problem = get_problem("constrained_qp", **settings)
    x, _, multipliers = solution(problem)
    rows = active(problem)
    a, count = problem.data.rows[rows], int(np.sum(rows))
    matrix = np.block([[problem.data.hessian, a.T], [a, np.zeros((count, count))]])
    both = np.linalg.solve(matrix, np.concatenate([-problem.data.linear, problem.data.right[rows]]))
    np.testing.assert_allclose(both[: problem.n], x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(both[problem.n :], multipliers[rows], rtol=1e-8, atol=1e-8)
    assert np.all(multipliers[problem.m_eq :][rows[problem.m_eq :]] > 0.0)


def test_quadratic_program_depends_on_what_it_says() -> None:
    one, steep, other = (get_problem("constrained_qp", **s) for s in ({}, {"cond": 1e4}, {"instance": 1}))
    np.testing.assert_array_equal(solution(one)[0], solution(steep)[0])
    np.testing.assert_array_equal(solution(one)[2], solution(steep)[2])
    np.testing.assert_array_equal(one.data.rows, steep.data.rows)
    assert np.all(solution(one)[0] != solution(other)[0])
    assert np.linalg.cond(steep.hess(steep.x0)) == pytest.approx(1e4, rel=1e-8)
    assert int(np.sum(active(one))) == 6


# ------------------------------------------------------------------------------------------------ the teaching ones


def test_circle_on_line_is_the_foot_of_the_perpendicular() -> None:
    problem = get_problem("circle_on_line", a=3.0, b=-1.0, c=2.0)
    along = np.array([1.0, 3.0])
    x, f, _ = solution(problem)
    assert x @ along == pytest.approx(0.0, abs=1e-15)
    assert min(problem.fun(x + t * along) for t in np.linspace(-1.0, 1.0, 201)) == pytest.approx(f, rel=1e-14)


def test_rectangle_in_ellipse_is_the_best_of_a_turn() -> None:
    problem = get_problem("rectangle_in_ellipse", a=3.0, b=0.5)
    t = np.linspace(0.0, 0.5 * math.pi, 1001)
    values = [problem.fun(x) for x in np.stack([3.0 * np.cos(t), 0.5 * np.sin(t)], axis=1)]
    assert min(values) == pytest.approx(solution(problem)[1], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "change", "step"), [("circle_on_line", "c", 1e-5), ("rectangle_in_ellipse", "", 1e-5)]
)
def test_multiplier_is_the_price_of_the_constraint(name: str, change: str, step: float) -> None:
    """Minus the multiplier is what a right side larger by one would add to f*."""
    base = get_problem(name)
    if change:
        moved = [get_problem(name, **{change: base.settings[change] + s}) for s in (step, -step)]
    else:  # (x / a)^2 + (y / b)^2 = 1 + s is the ellipse with both axes longer by sqrt(1 + s)
        longer = [math.sqrt(1.0 + s) for s in (step, -step)]
        moved = [get_problem(name, a=base.settings["a"] * t, b=base.settings["b"] * t) for t in longer]
    slope = (solution(moved[0])[1] - solution(moved[1])[1]) / (2.0 * step)
    assert slope == pytest.approx(-solution(base)[2][0], rel=1e-8)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("circle_on_line", {"a": 0.0, "b": 0.0}, "must be a line, not a=0.0, b=0.0"),
        ("rectangle_in_ellipse", {"b": 0.0}, "must be positive and finite, not 2.0 and 0.0"),
        ("constrained_qp", {"cond": 0.5}, "cond must be a finite number of at least 1, not 0.5"),
        ("constrained_qp", {"n": 2}, "0 <= m_eq <= n, not n=2, m_eq=3, m_ineq=5"),
        ("constrained_qp", {"m_eq": 0, "m_ineq": 0}, "at least one constraint"),
    ],
)
def test_a_bad_setting_is_one_clear_sentence(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        get_problem(name, **settings)
