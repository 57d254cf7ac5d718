"""Least-squares problems: More, Garbow & Hillstrom's, and NIST's data sets, against formulas in high precision.

What the registry's contracts in test_problems.py check in compiled form is checked here in plain Python: residuals,
Jacobians and second derivatives against the formulas, and the minimizers by Newton's method on them.
"""

from __future__ import annotations

import functools
import itertools
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from optbench.problems.nist._strd import read
from optbench.records import encode
from optbench.registry import PROBLEMS, get_problem, list_problems
from optbench.types import Array, Problem

REFERENCE = Path(__file__).parent / "reference"
MGH = runpy.run_path(str(REFERENCE / "mgh_formulas.py"))
NIST = runpy.run_path(str(REFERENCE / "nist_formulas.py"))
EPS = float(np.finfo(np.float64).eps)
Residuals = Callable[[Any, int], list[Any]]

SIZES: dict[str, list[dict[str, Any]]] = {
    "brown_almost_linear": [{"n": 2}, {"n": 5}],
    "broyden_banded": [{"n": 1}, {"n": 7}],
    "broyden_tridiagonal": [{"n": 1}, {"n": 5}],
    "chebyquad": [{"n": n} for n in (*range(1, 8), 9, 10)],
    "discrete_boundary_value": [{"n": 1}, {"n": 6}],
    "discrete_integral_equation": [{"n": 1}, {"n": 6}],
    "extended_rosenbrock": [{"n": 6}],
    "linear_full_rank": [{"n": 5, "m": 5}],
    "linear_rank_1": [{"n": 5, "m": 5}],
    "linear_rank_1_zero": [{"n": 3, "m": 3}],
    "penalty_1": [{"n": 1}, {"n": 10}],
    "penalty_2": [{"n": 10}],
    "powell_singular": [{"n": 8}],
    "trigonometric": [{"n": 3}],
    "variably_dimensioned": [{"n": 3}],
    "watson": [{"n": 9}, {"n": 12}],
}
CASES = [(name, settings) for name in MGH["RESIDUALS"] for settings in ({}, *SIZES.get(name, []))]
CASES += [(f"nist_{name.lower()}", {}) for name in NIST["MODELS"]]
every_case = pytest.mark.parametrize(
    ("name", "settings"), CASES, ids=["-".join([n, *(f"{k}{v}" for k, v in s.items())]) for n, s in CASES]
)
every_data_set = pytest.mark.parametrize("name", list(NIST["MODELS"]))


@functools.cache
def formulas() -> dict[str, Residuals]:
    """Residuals by the problem's name; the tables of data are read with 40 digits."""
    with mp.workdps(40):
        return {**MGH["RESIDUALS"], **{f"nist_{name.lower()}": NIST["residuals"](name) for name in NIST["MODELS"]}}


def exact(name: str, problem: Problem, x: Array) -> tuple[Array, Array, Array]:
    """Residuals (m,), Jacobian (m, n) and their Hessians (m, n, n) at x, as mpmath numbers."""
    reference = NIST if name.startswith("nist_") else MGH
    jets = reference["JETS"]["jets_of"](formulas()[name], [float(t) for t in x], problem.m)
    return np.array([j.v for j in jets]), np.array([j.g for j in jets]), np.array([j.h for j in jets])


def plain(problem: Problem, x: Array) -> tuple[Array, Array]:
    """Residuals and Jacobian at x from the uncompiled function, which has to write every entry."""
    assert problem.residuals is not None
    r, jac = np.full(problem.m, np.nan), np.full((problem.m, problem.n), np.nan)
    problem.residuals(x, r, jac, encode(problem.data))
    return r, jac


def bent(problem: Problem, x: Array, w: Array, base: Array) -> Array:
    """`base` and the weighted Hessians of the residuals at x, from the uncompiled function."""
    assert problem.curvature is not None
    h = base.copy()
    problem.curvature(x, w, h, encode(problem.data))
    return h


def points(problem: Problem) -> list[Array]:
    """A point of the box that is neither the start nor a minimizer, and for small problems the start."""
    low, high = problem.bounds.T
    assert problem.x_opt is not None
    spot = np.random.Generator(np.random.PCG64(3)).uniform(low, high)
    between = 0.8 * problem.x_opt + 0.1 * problem.x0 + 0.1 * spot
    return [between] if problem.m * problem.n**2 > 2000 else [between, problem.x0]


def test_every_problem_given_by_residuals_is_checked_here() -> None:
    checked = {name for name, _ in CASES}
    assert {name for name in list_problems() if get_problem(name).residuals is not None} <= checked
    assert len([name for name in checked if name.startswith("nist_")]) == 27


# ------------------------------------------------------------------------------------------ against the formulas


@every_case
def test_residuals_and_derivatives_against_the_formula(name: str, settings: dict[str, Any]) -> None:
    problem = get_problem(name, **settings)
    rng = np.random.Generator(np.random.PCG64(5))
    for x in points(problem):
        with mp.workdps(30):
            r, jac, hessians = (part.astype(np.float64) for part in exact(name, problem, x))
        w = rng.uniform(0.5, 1.5, problem.m)  # of one sign, so that sums do not cancel by the weights
        base = rng.normal(size=(problem.n, problem.n))
        base += base.T
        found_r, found_jac = plain(problem, x)
        h, size = np.tensordot(w, hessians, 1), np.tensordot(w, np.abs(hessians), 1)
        np.testing.assert_allclose(found_r, r, rtol=1e-11, atol=1e-13 * np.max(np.abs(r)))
        np.testing.assert_allclose(found_jac, jac, rtol=1e-12, atol=1e-13 * np.max(np.abs(jac)))
        found = bent(problem, x, w, base)
        np.testing.assert_array_equal(found, found.T)
        assert np.all(np.abs(found - base - h) <= 1e-12 * size + 4.0 * EPS * np.abs(base))


@every_case
def test_minimizers_are_the_rounded_exact_ones(name: str, settings: dict[str, Any]) -> None:
    """In 40 digits the Hessian is positive definite, Newton's step from x_opt is rounding, and f is f_opt."""
    problem = get_problem(name, **settings)
    assert problem.minimizers is not None
    assert problem.f_opt is not None
    for x in problem.minimizers if problem.n * problem.m < 100 else problem.minimizers[:1]:
        with mp.workdps(40):
            r, jac, hessians = exact(name, problem, x)
            g = 2 * (jac.T @ r)
            f = r @ r
            if "singular" not in problem.tags:
                h = 2 * (jac.T @ jac) + 2 * np.tensordot(r, hessians, 1)
                step = definite_solve(h, g)
                allowed = [3.0 * EPS * max(abs(t), mp.mpf(10) ** -25) for t in x]
                assert all(abs(s) <= a for s, a in zip(step, allowed, strict=True))
                f -= mp.fdot(g, step) / 2
            else:
                assert "convex" in problem.tags
                assert max(abs(t) for t in g) <= 4.0 * EPS * mp.norm([abs(t) for t in np.abs(jac).T @ np.abs(r)])
        assert float(f) == pytest.approx(problem.f_opt, rel=8.0 * EPS, abs=1e-40)


def definite_solve(h: Array, g: Array) -> list[Any]:
    """Solution of h s = g; raises ValueError unless h is positive definite, whatever the scales of the variables."""
    scale = [1 / mp.sqrt(h[i, i]) for i in range(len(g))]
    unit = mp.matrix([[h[i, j] * scale[i] * scale[j] for j in range(len(g))] for i in range(len(g))])
    mp.cholesky(unit)
    scaled = mp.lu_solve(unit, mp.matrix([t * s for t, s in zip(g, scale, strict=True)]))
    return [t * s for t, s in zip(scaled, scale, strict=True)]


@pytest.mark.parametrize("name", ["biggs_exp6", "osborne_1", "osborne_2", "box_3d", "brown_almost_linear"])
def test_all_minimizers_have_the_minimum(name: str) -> None:
    problem = get_problem(name)
    assert problem.minimizers is not None
    assert len(problem.minimizers) > 1
    for x in problem.minimizers:
        r, jac = plain(problem, x)
        assert r @ r == pytest.approx(problem.f_opt, rel=1e-12, abs=1e-25)
        assert np.all(np.abs(jac.T @ r) <= 1e-10 * np.abs(jac).T @ np.abs(r) + 1e-12)


# ------------------------------------------------------------------------------------- from the standard starts

LOCAL = {"freudenstein_roth": 48.98425367924002, "trigonometric": 2.795056121879456e-05}  # where that leads elsewhere
STARTS = [(name, settings) for name, settings in CASES if not settings]
STARTS += [(name, {"start": 2}) for name, _ in STARTS if name.startswith("nist_")]


def levenberg_marquardt(problem: Problem, x0: Array) -> float:
    """The f that MINPACK's lmder reaches from x0."""
    from scipy.optimize import least_squares

    def residuals(x: Array) -> Array:
        try:
            return plain(problem, x)[0]
        except OverflowError:  # compiled, it is infinite
            return np.full(problem.m, 1e150)

    done = least_squares(
        residuals, x0, lambda x: plain(problem, x)[1], method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15,
        max_nfev=2000,
    )  # fmt: skip
    return float(2.0 * done.cost)


@pytest.mark.parametrize(("name", "settings"), STARTS, ids=[f"{n}-{s.get('start', 1)}" for n, s in STARTS])
def test_levenberg_marquardt_reaches_the_minimum(name: str, settings: dict[str, Any]) -> None:
    problem = get_problem(name, **settings)
    f_opt = pytest.approx(LOCAL.get(name, problem.f_opt), rel=1e-9, abs=1e-20)
    # SciPy's last bits depend on where its arrays lie, and on biggs_exp6 they decide where the path ends.
    near = (problem.x0 * (1.0 + 2.0**-52 * k) for k in range(20))
    assert any(levenberg_marquardt(problem, x0) == f_opt for x0 in near)


def test_standard_start_of_chebyquad_10_leads_to_a_local_minimum_only() -> None:
    problem = get_problem("chebyquad", n=10)
    assert problem.f_opt == pytest.approx(4.77271e-3, rel=1e-6)
    assert levenberg_marquardt(problem, problem.x0) == pytest.approx(6.50395e-3, rel=1e-6)  # the paper's value
    assert problem.x_opt is not None
    r, _ = plain(problem, 1.0 - problem.x_opt[::-1])
    assert r @ r == pytest.approx(problem.f_opt, rel=1e-12)


# Minima as More, Garbow & Hillstrom print them.
PUBLISHED: list[tuple[str, dict[str, Any], float]] = [
    ("jennrich_sampson", {}, 124.362),
    ("bard", {}, 8.21487e-3),
    ("gaussian", {}, 1.12793e-8),
    ("meyer", {}, 87.9458),
    ("kowalik_osborne", {}, 3.07505e-4),
    ("brown_dennis", {}, 85822.2),
    ("osborne_1", {}, 5.46489e-5),
    ("osborne_2", {}, 4.01377e-2),
    ("watson", {"n": 6}, 2.28767e-3),
    ("watson", {"n": 9}, 1.39976e-6),
    ("watson", {"n": 12}, 4.72238e-10),
    ("penalty_1", {"n": 4}, 2.24997e-5),
    ("penalty_1", {"n": 10}, 7.08765e-5),
    ("penalty_2", {"n": 4}, 9.37629e-6),
    ("penalty_2", {"n": 10}, 2.93660e-4),
    ("chebyquad", {"n": 8}, 3.51687e-3),
]


@pytest.mark.parametrize(("name", "settings", "f_opt"), PUBLISHED)
def test_published_minimum(name: str, settings: dict[str, Any], f_opt: float) -> None:
    assert get_problem(name, **settings).f_opt == pytest.approx(f_opt, rel=5e-6)


def test_gulf_plateau_is_no_minimum() -> None:
    """Points that are listed as local minima: the gradient is 0 in double precision along a whole curve."""
    problem = get_problem("gulf")
    x = np.array([99.89537833835886, 60.61453903025014, 9.16124389236433])
    r, jac = plain(problem, x)
    assert r @ r == pytest.approx(32.8345, rel=1e-6)
    h = bent(problem, x, 2.0 * r, 2.0 * jac.T @ jac)
    eigenvalues, vectors = np.linalg.eigh(h)
    assert abs(eigenvalues[0]) <= 1e-12 * eigenvalues[-1]
    for sign in (1.0, -1.0):
        moved = plain(problem, x + 1e-4 * sign * vectors[:, 0])[0]
        assert moved @ moved == pytest.approx(r @ r, rel=1e-12)


# ----------------------------------------------------------------------------------------- NIST's certificates


@every_data_set
def test_file_is_read_as_nist_wrote_it(name: str) -> None:
    with mp.workdps(40):
        first, second, best, rss = NIST["certificate"](name)
        table = NIST["table"](name)
    found = read(name)
    np.testing.assert_array_equal(found.starts, [[float(t) for t in start] for start in (first, second)])
    np.testing.assert_array_equal(found.certified, [float(t) for t in best])
    np.testing.assert_array_equal(found.columns.T, [[float(t) for t in row] for row in table])
    assert found.rss == float(rss)
    head = "\n".join(NIST["lines_of"](name)[:60])
    assert re.search(rf"Number of Observations:\s+{len(table)}\s", head)
    (level,) = re.findall(r"(Lower|Average|Higher) Level", head, re.IGNORECASE)
    assert {tag for tag in PROBLEMS.get(f"nist_{name.lower()}").tags if tag in NIST["LEVELS"]} == {level.lower()}


@every_data_set
def test_minimum_agrees_with_the_certificate(name: str) -> None:
    problem, found = get_problem(f"nist_{name.lower()}", start=2), read(name)
    assert problem.x_opt is not None
    np.testing.assert_allclose(problem.x_opt, found.certified, rtol=6e-11)  # certified to 11 digits
    assert problem.f_opt == pytest.approx(found.rss, rel=6e-11)
    np.testing.assert_array_equal(problem.x0, found.starts[1])
    if name != "Lanczos1":  # its sum of squares is below rounding
        r, _ = plain(problem, problem.x_opt)
        assert r @ r == pytest.approx(problem.f_opt, rel=1e-9)


@pytest.mark.parametrize(("mgh", "nist"), [("kowalik_osborne", "mgh09"), ("meyer", "mgh10"), ("osborne_1", "mgh17")])
def test_nist_and_mgh_share_data(mgh: str, nist: str) -> None:
    one, other = get_problem(mgh), get_problem(f"nist_{nist}", start=2)
    assert one.x_opt is not None
    assert other.x_opt is not None
    np.testing.assert_allclose(one.x_opt, other.x_opt, rtol=4.0 * EPS)
    assert one.f_opt == pytest.approx(other.f_opt, rel=4.0 * EPS)


# ---------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("chebyquad", {"n": 11}, "problem 'chebyquad': n must be at least 1 and at most 10, not 11"),
        ("watson", {"n": 7}, "problem 'watson': n must be one of 6, 9, 12, not 7"),
        ("penalty_2", {"n": 5}, "problem 'penalty_2': n must be one of 4, 10, not 5"),
        ("brown_almost_linear", {"n": 1}, "problem 'brown_almost_linear': n must be at least 2, not 1"),
        ("extended_rosenbrock", {"n": 3}, "problem 'extended_rosenbrock': n must be even, not 3"),
        ("linear_full_rank", {"n": 9, "m": 8}, "problem 'linear_full_rank': m must be at least n = 9, not 8"),
        ("linear_rank_1", {"n": 9, "m": 8}, "problem 'linear_rank_1': m must be at least n = 9, not 8"),
        ("linear_rank_1_zero", {"n": 2}, "problem 'linear_rank_1_zero': n must be at least 3, not 2"),
        ("linear_rank_1_zero", {"n": 9, "m": 8}, "problem 'linear_rank_1_zero': m must be at least n = 9, not 8"),
        ("nist_misra1a", {"start": 3}, "problem 'nist_misra1a': start must be 1 or 2, not 3"),
    ],
)
def test_a_bad_setting_is_one_clear_sentence(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        get_problem(name, **settings)


@pytest.mark.parametrize("name", ["extended_rosenbrock", "powell_singular", "trigonometric"])
def test_both_forms_are_the_same_function(name: str) -> None:
    p = get_problem(name, n=8)
    assert p.fun_grad is not None
    forms = [p, Problem(None, p.x0, residuals=p.residuals, curvature=p.curvature, m=p.m, bounds=p.bounds)]
    low, high = forms[0].bounds.T
    for x in np.random.Generator(np.random.PCG64(7)).uniform(low, high, (3, 8)):
        (f, g), (plain_f, plain_g) = (form.fun_and_grad(x) for form in forms)
        assert f == pytest.approx(plain_f, rel=1e-12)
        np.testing.assert_allclose(g, plain_g, rtol=1e-11, atol=1e-11 * np.max(np.abs(g)))
        one, other = (form.hess(x) for form in forms)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11 * np.max(np.abs(one)))


def test_extended_rosenbrock_is_rosenbrock_for_two_variables() -> None:
    one, other = get_problem("extended_rosenbrock"), get_problem("rosenbrock")
    for x in itertools.product((-1.2, 0.7), (1.0, -0.3)):
        assert one.fun(x) == pytest.approx(other.fun(x), rel=1e-14)
