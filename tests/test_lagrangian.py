"""Lagrangian methods: solutions, multipliers, the trace's KKT residual, order, repeats, and how hopeless runs end."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
import pytest

import optbench
from optbench import Problem, evaluation, harness
from optbench.constrained._box import solve_box
from optbench.constrained._dense import orthogonalise
from optbench.records import Scratch
from optbench.single import make_run
from optbench.types import Array

minimize_in_box: Any = solve_box  # kernels carry no annotations
factor_rows: Any = orthogonalise

# --------------------------------------------------------------------------------------- problems made for the tests


class Calls(NamedTuple):
    """Evaluations so far, (1,)."""

    number: Scratch


def counting(x, g, data):  # type: ignore[no-untyped-def]
    data.number[0] += 1.0
    g[0], g[1] = 2.0 * x[0], 2.0 * x[1]
    return x[0] ** 2 + x[1] ** 2


def bowl(x, g, data):  # type: ignore[no-untyped-def]
    g[0], g[1] = 2.0 * x[0], 2.0 * x[1]
    return x[0] ** 2 + x[1] ** 2


def bowl_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] = h[1, 1] = 2.0


def slope(x, g, data):  # type: ignore[no-untyped-def]
    g[0], g[1] = 1.0, 0.0
    return x[0]


def flat_hess(x, h, data):  # type: ignore[no-untyped-def]
    pass


def flat(x, w, h, data):  # type: ignore[no-untyped-def]
    pass


def line(x, c, jac, data):  # type: ignore[no-untyped-def]
    c[0] = x[0] + 2.0 * x[1] - 5.0
    jac[0, 0], jac[0, 1] = 1.0, 2.0


def apart(x, c, jac, data):  # type: ignore[no-untyped-def]
    """x_1 >= 1 and x_1 <= 0."""
    c[0], c[1] = 1.0 - x[0], x[0]
    jac[0, 0], jac[0, 1], jac[1, 0], jac[1, 1] = -1.0, 0.0, 1.0, 0.0


def no_root(x, c, jac, data):  # type: ignore[no-untyped-def]
    c[0] = x[0] ** 2 + 1.0
    jac[0, 0], jac[0, 1] = 2.0 * x[0], 0.0


def twice(x, c, jac, data):  # type: ignore[no-untyped-def]
    """The same line twice, the second scaled."""
    c[0], c[1] = x[0] + x[1] - 1.0, 2.0 * x[0] + 2.0 * x[1] - 2.0
    jac[0, 0], jac[0, 1], jac[1, 0], jac[1, 1] = 1.0, 1.0, 2.0, 2.0


def parallel(x, c, jac, data):  # type: ignore[no-untyped-def]
    """Two parallel lines."""
    c[0], c[1] = x[0] + x[1] - 1.0, 2.0 * x[0] + 2.0 * x[1] - 4.0
    jac[0, 0], jac[0, 1], jac[1, 0], jac[1, 1] = 1.0, 1.0, 2.0, 2.0


def double_root(x, c, jac, data):  # type: ignore[no-untyped-def]
    """x_1^2 = 0: feasible, with a gradient of zero there, so that no multiplier exists."""
    c[0] = x[0] ** 2
    jac[0, 0], jac[0, 1] = 2.0 * x[0], 0.0


def bend(x, w, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] += 2.0 * w[0]


def axis(x, c, jac, data):  # type: ignore[no-untyped-def]
    c[0] = x[1]
    jac[0, 0], jac[0, 1] = 0.0, 1.0


def made(
    constraints: Any, m: int, m_eq: int, fun: Any = bowl, hess: Any = bowl_hess, curvature: Any = flat, **more: Any
) -> Problem:
    return Problem(fun, [2.0, 1.0], hess=hess, constraints=constraints, curvature=curvature, m=m, m_eq=m_eq, **more)


HOPELESS = {
    "infeasible": (made(apart, 2, 0), "stalled", "infeasible"),
    "infeasible-curved": (made(no_root, 1, 1, curvature=bend), "stalled", "infeasible"),
    "parallel": (made(parallel, 2, 2), "stalled", "infeasible"),
    "unbounded": (made(axis, 1, 1, slope, flat_hess), "diverged", "unbounded"),
    "unbounded-inequality": (made(axis, 1, 0, slope, flat_hess), "diverged", "unbounded"),
    "dependent": (made(double_root, 1, 1, slope, flat_hess, bend), "stalled", "linearly dependent"),
}


# ------------------------------------------------------------------------------------------------- solutions

COSINE = {"name": "cosine", "T_max": 1000}
# method, settings, KKT residual to reach, how near the multipliers come
METHODS: dict[str, tuple[str, dict[str, Any], float, float]] = {
    "newton": ("lagrange_newton", {"max_iter": 200}, 1e-8, 1e-6),
    "augmented": ("augmented_lagrangian", {"max_iter": 100}, 1e-8, 1e-5),
    "augmented-adam": (
        "augmented_lagrangian",
        {"max_iter": 100, "lr": 1e-2, "schedule": COSINE, "params": {"inner": "adam"}},
        1e-6,
        1e-3,
    ),
    "descent-ascent": ("gradient_descent_ascent", {"max_iter": 50_000, "lr": 1e-2}, 1e-6, 1e-3),
    "descent-ascent-sgd": (
        "gradient_descent_ascent",
        {"max_iter": 50_000, "lr": 1e-2, "params": {"inner": "sgd", "dual_lr": 0.1}},
        1e-6,
        1e-3,
    ),
    "penalty": ("quadratic_penalty", {"max_iter": 20}, 1e-5, 1e-3),
}
EASY = ("circle_on_line", "rectangle_in_ellipse")
HARDER = ("constrained_qp", "hs006", "hs035", "hs071", "hs076")
CASES = [(how, name) for how in METHODS for name in EASY]
CASES += [(how, name) for how in ("newton", "augmented") for name in HARDER]


def solved(how: str, problem: str | Problem, **more: Any) -> Any:
    method, settings, target, _ = METHODS[how]
    return optbench.minimize(problem, method, **{"targets": (target,), **settings, **more})


def residual(problem: Problem, x: Array, lam: Array) -> float:
    c, jac = problem.constraint(x)
    eq, unequal, mu = c[: problem.m_eq], c[problem.m_eq :], lam[problem.m_eq :]
    parts = [problem.grad(x) + jac.T @ lam, eq, np.maximum(unequal, 0.0), mu * unequal, np.minimum(mu, 0.0)]
    return float(max(np.abs(part).max(initial=0.0) for part in parts))


@pytest.mark.parametrize(("how", "name"), CASES)
def test_solution_and_multipliers_are_the_certified_ones(how: str, name: str) -> None:
    problem = optbench.get_problem(name)
    r = solved(how, problem)
    assert r.status == "converged", r.message
    assert r.kkt <= METHODS[how][2]
    assert problem.x_opt is not None
    assert problem.multipliers is not None
    near = METHODS[how][3]
    np.testing.assert_allclose(r.x, problem.x_opt, rtol=near, atol=near)
    np.testing.assert_allclose(r.multipliers, problem.multipliers, rtol=near, atol=near)


@pytest.mark.parametrize("how", METHODS)
def test_the_trace_holds_f_and_the_kkt_residual_of_its_points(how: str) -> None:
    problem = optbench.get_problem("rectangle_in_ellipse")
    r = solved(how, problem, max_iter=30)
    points, multipliers = r.trace.attrs["x"], r.trace.attrs["multipliers"]
    assert len(points) == len(multipliers) == r.nit + 1
    wanted = [residual(problem, x, lam) for x, lam in zip(points, multipliers, strict=True)]
    np.testing.assert_allclose(r.trace["kkt"], wanted, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(r.trace["f"], [problem.fun(x) for x in points], rtol=1e-12)


@pytest.mark.parametrize("how", METHODS)
def test_a_repeat_gives_the_same_numbers(how: str) -> None:
    method, settings, target, _ = METHODS[how]
    run = make_run("hs071", optimizer=method, **{**settings, "max_iter": 40}, targets=(target,))
    prepared = harness.prepare(run)
    first = prepared.run()
    prepared.seconds(3)
    counted = prepared.counts()
    again = prepared.run()
    assert counted == first.counts == again.counts
    for name, column in first.trace.items():
        np.testing.assert_array_equal(column, again.trace[name], err_msg=name)


@pytest.mark.parametrize("name", ["rectangle_in_ellipse", "hs040", "hs060", "hs077", "hs078", "hs079"])
def test_lagrange_newton_converges_quadratically(name: str) -> None:
    """The order that the last three KKT residuals above rounding level show."""
    r = optbench.minimize(name, "lagrange_newton", targets=(1e-12,), max_iter=100)
    kkt = r.trace["kkt"].to_numpy()
    a, b, c = np.log(kkt[kkt > 1e-12][-3:])
    assert 1.9 < (c - b) / (b - a) < 2.2


def test_lagrange_newton_needs_one_step_for_equality_constrained_quadratics() -> None:
    r = optbench.minimize(
        optbench.get_problem("constrained_qp", n=20, m_eq=6, m_ineq=0), "lagrange_newton", targets=(1e-8,)
    )
    assert (r.status, r.nit) == ("converged", 2)  # the first only estimates multipliers


@pytest.mark.parametrize("settings", [{"n": 60, "m_eq": 10, "m_ineq": 40, "cond": 1e4}, {"n": 6, "m_eq": 6}])
def test_lagrange_newton_solves_larger_programs(settings: dict[str, Any]) -> None:
    problem = optbench.get_problem("constrained_qp", **settings)
    r = optbench.minimize(problem, "lagrange_newton", targets=(1e-8,), max_iter=50)
    assert r.status == "converged"
    assert r.multipliers is not None
    assert problem.multipliers is not None
    np.testing.assert_allclose(r.multipliers, problem.multipliers, rtol=1e-6, atol=1e-6)


def test_counts_are_recorded() -> None:
    newton, augmented, steps = (solved(how, "circle_on_line") for how in ("newton", "augmented", "descent-ascent"))
    assert newton.nhev == newton.nit == 2
    assert newton.nfact == newton.nit - 1
    assert newton.nfev == 2  # the start, and the end of the one step
    assert augmented.nhev == augmented.nfact == 0
    assert augmented.nfev > 2 * augmented.nit
    assert steps.nfev == 3 * steps.nit + 2  # before the step, after it, with the constraints; at the start


@pytest.mark.parametrize(
    ("method", "inner"),
    [(m, i) for m in ("augmented_lagrangian", "quadratic_penalty") for i in ("lbfgs", "adam")]
    + [("gradient_descent_ascent", "adam")],
)
def test_evaluations_of_the_inner_run_are_counted_one_by_one(method: str, inner: str) -> None:
    problem = made(line, 1, 1, counting, data=Calls(np.zeros(1)))
    run = make_run("circle_on_line", optimizer=method, params={"inner": inner}, max_iter=3)
    prepared = harness.prepare(run, problem)
    calls = ctypes.c_double.from_address(int(evaluation.data_words(problem)[0]))
    calls.value = 0.0
    assert prepared.run().counts.nfev == calls.value > 3


def test_a_learning_rate_schedule_reaches_the_inner_optimizer() -> None:
    constant, cosine = (
        optbench.minimize("circle_on_line", "augmented_lagrangian", params={"inner": "adam"}, schedule=s, max_iter=2)
        for s in ("constant", COSINE)
    )
    assert not np.array_equal(constant.x, cosine.x)


def test_the_penalty_method_needs_a_penalty_without_end() -> None:
    """Without multipliers the constraints are missed by lam / rho, and f* by half of that times lam."""
    problem = optbench.get_problem("circle_on_line")
    r = optbench.minimize(problem, "quadratic_penalty", params={"largest_penalty": 1e3}, targets=(), max_iter=20)
    assert problem.multipliers is not None
    assert r.nit == 4
    assert r.status == "stalled"
    assert abs(problem.constraint(r.x)[0][0]) == pytest.approx(abs(problem.multipliers[0]) / 1e3, rel=1e-2)
    inside = optbench.minimize(problem, "augmented_lagrangian", params={"largest_penalty": 1e3}, targets=(1e-8,))
    assert inside.status == "converged"


# ------------------------------------------------------------------------------------------- runs that cannot succeed


@pytest.mark.parametrize(
    ("how", "case"),
    [(how, case) for how in ("newton", "augmented", "penalty") for case in HOPELESS if case != "dependent"]
    + [("newton", "dependent")],  # the others do not factor the Jacobian
)
def test_a_hopeless_problem_ends_with_its_reason(how: str, case: str) -> None:
    problem, status, words = HOPELESS[case]
    r = solved(how, problem, targets=(1e-8,), max_iter=200)
    assert (r.status, words in r.message) == (status, True), (r.status, r.message)
    assert r.nit < 200


def test_a_dead_end_of_gradient_descent_ascent_is_not_taken_for_success() -> None:
    for case in ("infeasible", "unbounded"):
        r = solved("descent-ascent", HOPELESS[case][0], max_iter=5000)
        assert r.status in ("budget", "diverged", "stalled")


@pytest.mark.parametrize("how", ["newton", "augmented"])
def test_a_constraint_that_says_the_same_twice_is_solved(how: str) -> None:
    """Its multipliers are not unique; what they weigh together is."""
    r = solved(how, made(twice, 2, 2))
    assert r.status == "converged"
    np.testing.assert_allclose(r.x, 0.5, atol=1e-7)
    assert r.multipliers @ [1.0, 2.0] == pytest.approx(-1.0, abs=1e-6)


def test_an_inner_method_that_does_not_fit_is_one_clear_sentence() -> None:
    for method, inner, words in (
        ("gradient_descent_ascent", "lbfgs", "a first-order update, not 'lbfgs'"),
        ("augmented_lagrangian", "lagrange_newton", "a method without constraints, not 'lagrange_newton'"),
    ):
        with pytest.raises(ValueError, match=words):
            optbench.minimize("circle_on_line", method, params={"inner": inner})


# ------------------------------------------------------------------------------------------------- the parts, in Python


def test_the_box_program_meets_its_optimality_conditions() -> None:
    rng = np.random.default_rng(1)
    for m in (1, 3, 8):
        for bound in (0.3, 1e6):
            z = rng.standard_normal((m, m + 2))
            mat, b = z @ z.T, rng.standard_normal(m)
            lam, side = rng.standard_normal(m), np.zeros(m)
            minimize_in_box(mat, b, lam, side, np.zeros((m, m)), np.zeros(m), m // 2, bound)
            low = np.where(np.arange(m) < m // 2, -bound, 0.0)
            assert np.all((low <= lam) & (lam <= bound))
            slope_there = mat @ lam - b
            np.testing.assert_allclose(lam, np.clip(lam - slope_there, low, bound), atol=1e-8)


def test_dependent_rows_drop_out_of_the_factorisation() -> None:
    rng = np.random.default_rng(2)
    a = rng.standard_normal((5, 6))
    a[3] = a[0] - 2.0 * a[2]
    rows, order, q = a.copy(), np.arange(5.0), np.empty((6, 6))
    assert factor_rows(rows, order, 5, q, np.empty(6), 1e-10) == 4
    np.testing.assert_allclose(q.T @ q, np.eye(6), atol=1e-12)
    np.testing.assert_allclose(rows @ q.T, a[order.astype(int)], atol=1e-12)
    np.testing.assert_allclose(np.triu(rows, 1), 0.0, atol=1e-12)
