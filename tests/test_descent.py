"""Methods with a search of their own: contracts, convergence and its order, counts beside SciPy's."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import itertools
import math
import os
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import optbench
import optbench.optimizers
from optbench import evaluation, harness
from optbench.loops.constrained_runs import prepared
from optbench.loops.prepared import Method
from optbench.methods import Descent
from optbench.optimize import OptimizeResult
from optbench.records import Scratch
from optbench.registry import SCHEDULES, get_optimizer, get_problem
from optbench.single import make_run
from optbench.types import Problem

STEMS = sorted(m.name for m in pkgutil.iter_modules(optbench.optimizers.__path__) if not m.name.startswith("_"))
METHODS = [name for name in STEMS if isinstance(get_optimizer(name), Descent)]
SQUARES = ["gauss_newton", "levenberg_marquardt"]
GENERAL = [name for name in METHODS if name not in SQUARES]
FACTORISING = ["newton", "trust_newton", *SQUARES]
GTOL = 1e-8


def method_of(name: str) -> Descent:
    method = get_optimizer(name)
    assert isinstance(method, Descent)
    return method


def solve(problem: Problem | str, name: str, **options: Any) -> OptimizeResult:
    """A run to the gradient tolerance."""
    return optbench.minimize(problem, name, **{"targets": (), "gtol": GTOL, **options})


# ------------------------------------------------------------------------------------------------- own problems


class Calls(NamedTuple):
    """Calls of the objective, the Hessian and the residuals, which count themselves."""

    calls: Scratch


def valley(x, g, data):  # type: ignore[no-untyped-def]
    data.calls[0] += 1.0
    a, b = x[1] - x[0] * x[0], 1.0 - x[0]
    g[0], g[1] = -400.0 * a * x[0] - 2.0 * b, 200.0 * a
    return 100.0 * a * a + b * b


def valley_hess(x, h, data):  # type: ignore[no-untyped-def]
    data.calls[1] += 1.0
    h[0, 0] = 1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0
    h[0, 1] = h[1, 0] = -400.0 * x[0]
    h[1, 1] = 200.0


def valley_residuals(x, r, jac, data):  # type: ignore[no-untyped-def]
    data.calls[2] += 1.0
    r[0], r[1] = 10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]
    jac[0, 0], jac[0, 1], jac[1, 0], jac[1, 1] = -20.0 * x[0], 10.0, -1.0, 0.0


def exponential(x, r, jac, data):  # type: ignore[no-untyped-def]
    """x_0 exp(x_1 t) through (t, 2 exp(-t)) and a bump: residuals that do not vanish."""
    for i in range(r.size):
        t = 0.5 * i
        e = math.exp(x[1] * t)
        r[i] = x[0] * e - 2.0 * math.exp(-t) - (0.05 if i % 2 else -0.05)
        jac[i, 0], jac[i, 1] = e, x[0] * t * e


def counting(kind: str) -> Problem:
    data = Calls(np.zeros(3))
    if kind == "residuals":
        return Problem(None, [-1.2, 1.0], residuals=valley_residuals, m=2, data=data, f_opt=0.0)
    return Problem(valley, [-1.2, 1.0], hess=valley_hess, data=data, f_opt=0.0)


# ---------------------------------------------------------------------------------------------------- contracts


@pytest.mark.parametrize("name", METHODS)
def test_file_registers_its_stem(name: str) -> None:
    importlib.import_module(f"optbench.optimizers.{name}")
    method = method_of(name)
    assert method.name == name
    assert method.direction.__module__ == f"optbench.optimizers.{name}"
    assert method.source
    assert method.doc
    assert method.lr == 1.0


def calls_of(problem: Problem) -> Any:
    """The counts, shape (3,), in the copy of the data that the kernels write to."""
    return np.ctypeslib.as_array((ctypes.c_double * 3).from_address(int(evaluation.data_words(problem)[0])))


@pytest.mark.parametrize("name", METHODS)
def test_evaluations_are_counted_where_they_happen(name: str) -> None:
    kind = "residuals" if method_of(name).needs == "jacobian" else "function"
    problem = counting(kind)
    ready = harness.prepare(make_run(problem, None, name, targets=()), problem, gtol=GTOL)
    calls = calls_of(problem)
    calls[:] = 0.0
    outcome = ready.run()
    assert outcome.counts.nfev == calls[2 if kind == "residuals" else 0] > outcome.nit
    assert outcome.counts.nhev == calls[1] == (outcome.nit if method_of(name).needs == "hessian" else 0)
    assert outcome.counts.nfact >= outcome.nit if name in FACTORISING else outcome.counts.nfact == 0
    assert outcome.nit > 5


@pytest.mark.parametrize("name", METHODS)
def test_repeats_for_the_clock_are_the_same_run(name: str) -> None:
    kind = "residuals" if method_of(name).needs == "jacobian" else "function"
    problem = counting(kind)
    ready = harness.prepare(make_run(problem, None, name, targets=()), problem, gtol=GTOL)
    first = ready.run()
    ready.seconds(3)
    assert ready.counts() == first.counts
    again = ready.run()
    np.testing.assert_array_equal(again.x, first.x)
    np.testing.assert_array_equal(again.trace["f"], first.trace["f"])


@pytest.mark.parametrize("name", FACTORISING)
def test_what_a_method_is_made_from_is_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match="needs residuals" if name in SQUARES else "needs the Hessian"):
        solve(Problem(valley, [1.0, 2.0], data=Calls(np.zeros(3))), name)


def test_second_process_compiles_nothing(tmp_path: Path) -> None:
    code = """
import optbench
from optbench import jit
r = optbench.minimize("beale", "trust_newton", targets=(), gtol=1e-8)
print(repr(r.fun), r.nit, sum(not kernel.cached for kernel in jit.loaded()), len(jit.loaded()))
"""
    env = {**os.environ, "OPTBENCH_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True).stdout.split()
        for _ in range(2)
    )
    assert first[2] == first[3] == "5"
    assert second == [*first[:2], "0", "5"]


# -------------------------------------------------------------------------------------------------- convergence

PROBLEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "rosenbrock-2": ("rosenbrock", {"n": 2}),
    "rosenbrock-10": ("rosenbrock", {"n": 10}),
    "rosenbrock-100": ("rosenbrock", {"n": 100}),
    "quadratic-50": ("quadratic", {"n": 50, "cond": 1e4, "rotated": True}),
    **{
        name: (name, {})
        for name in ("beale", "wood", "powell_singular", "helical_valley", "brown_badly_scaled", "trigonometric")
    },
}
# Gradients of 1e-3 and 1e-5 belong to coordinates of 1e6 and 1e-6 there: a step along them that lowers f is below one
# unit in the last place of the first.
ROUNDED = ("nonlinear_cg", "brown_badly_scaled")
# SciPy's counterpart, and how many times its evaluations may be needed.
PEERS = {
    "bfgs": ("BFGS", 2.0),
    "lbfgs": ("L-BFGS-B", 1.5),
    "newton": ("trust-exact", 3.0),
    "nonlinear_cg": ("CG", 4.0),
    "trust_newton": ("trust-exact", 2.0),
}
OPTIONS = {
    "BFGS": {"gtol": GTOL},
    "L-BFGS-B": {"gtol": GTOL, "ftol": 0.0, "maxiter": 5000, "maxfun": 5000},
    "CG": {"gtol": GTOL, "maxiter": 5000},
    "trust-exact": {"gtol": GTOL, "max_trust_radius": 1e10},
}


@pytest.mark.parametrize("case", PROBLEMS)
@pytest.mark.parametrize("name", GENERAL)
def test_reaches_a_stationary_point(name: str, case: str) -> None:
    problem = get_problem(PROBLEMS[case][0], **PROBLEMS[case][1])
    r = solve(problem, name, record="log")
    if (name, case) == ROUNDED:
        assert (r.status, r.fun < 1e-5) == ("stalled", True)
        return
    assert r.status == "converged"
    assert abs(r.jac).max() <= GTOL
    assert np.linalg.eigvalsh(problem.hess(r.x)).min() >= -1e-6 * np.abs(problem.hess(r.x)).max()  # and no saddle


@pytest.mark.parametrize("case", PROBLEMS)
@pytest.mark.parametrize("name", PEERS)
def test_evaluations_are_within_a_factor_of_scipy_s(name: str, case: str) -> None:
    from scipy import optimize

    problem = get_problem(PROBLEMS[case][0], **PROBLEMS[case][1])
    peer, factor = PEERS[name]
    hess = problem.hess if peer == "trust-exact" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = optimize.minimize(
            problem.fun_and_grad, problem.x0, jac=True, hess=hess, method=peer, options=OPTIONS[peer]
        )
    assert solve(problem, name, record="log").nfev <= factor * theirs.nfev + 2


@pytest.mark.parametrize("name", SQUARES)
@pytest.mark.parametrize("function", [valley_residuals, exponential])
def test_least_squares_beside_minpack(function: Any, name: str) -> None:
    from scipy import optimize

    if function is valley_residuals:
        problem = counting("residuals")
    else:
        problem = Problem(None, [1.0, -0.1], residuals=exponential, m=8)
    theirs = optimize.least_squares(
        lambda x: problem.residual(x)[0],
        problem.x0,
        lambda x: problem.residual(x)[1],
        method="lm",
        xtol=1e-13,
        ftol=1e-13,
        gtol=1e-13,
    )
    r = solve(problem, name)
    assert r.status == "converged"
    np.testing.assert_allclose(r.x, theirs.x, rtol=1e-7)
    assert r.nit <= 2 * theirs.nfev


@pytest.mark.parametrize("name", ["newton", "trust_newton"])
@pytest.mark.parametrize("case", ["beale", "himmelblau", "wood"])
def test_newton_converges_quadratically(case: str, name: str) -> None:
    """Order p and constant C of log e_{k+1} = p log e_k + log C, and e_{k+1} <= 100 e_k^2.

    C depends on the direction of the error, which a trust region turns: its order is read off the last step.
    """
    problem = get_problem(case)
    assert problem.minimizers is not None
    r = solve(problem, name, gtol=1e-13)
    nearest = min(problem.minimizers, key=lambda x: float(np.linalg.norm(x - r.x)))
    errors = np.linalg.norm(r.trace.attrs["x"] - nearest, axis=1)
    pairs = [(a, b) for a, b in itertools.pairwise(errors) if a < 0.1 and b > 1e-13]
    before, after = np.array(pairs).T
    assert len(pairs) >= 3
    assert np.log(after[-1]) / np.log(before[-1]) >= 1.9
    assert name == "trust_newton" or np.polyfit(np.log(before), np.log(after), 1)[0] >= 1.9
    assert (after / before**2).max() <= 100.0


@pytest.mark.parametrize("line_search", ["wolfe", "armijo", "none"])
@pytest.mark.parametrize("settings", [{"n": 1}, {"n": 30, "cond": 1e6, "rotated": True}, {"n": 100, "cond": 10.0}])
def test_newton_takes_one_step_on_a_convex_quadratic(settings: dict[str, Any], line_search: str) -> None:
    problem = get_problem("quadratic", **settings)
    r = solve(problem, "newton", params={"line_search": line_search}, gtol=1e-6)
    assert (r.status, r.nit, r.nfev, r.nhev, r.nfact) == ("converged", 1, 2, 1, 1)
    assert problem.x_opt is not None
    np.testing.assert_allclose(r.x, problem.x_opt, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["lbfgs", "bfgs", "nonlinear_cg"])
def test_exact_line_searches_end_a_quadratic_in_n_steps(name: str) -> None:
    n = 12
    problem = get_problem("quadratic", n=n, cond=100.0, rotated=True)
    method = dataclasses.replace(method_of(name), curvature=1e-6)
    params = method.params(**({"m": n} if name == "lbfgs" else {}))
    schedule = SCHEDULES.get("constant")
    outcome = prepared(
        problem, Method(method, params, 1.0, schedule, schedule.params(), gtol=1e-7), problem.x0, np.empty(0)
    ).run()
    assert np.abs(problem.grad(outcome.x)).max() <= 1e-7
    assert n - 2 <= outcome.nit <= n + 2


def test_schedule_sets_the_step_without_a_search() -> None:
    """A rate of 0 is a step like any other; evaluations are one a step."""
    schedule = {"name": "linear", "start_factor": 1.0, "end_factor": 0.0, "total_iters": 5}
    r = solve("beale", "newton", params={"line_search": "none"}, lr=0.5, schedule=schedule, max_iter=20)
    np.testing.assert_allclose(r.trace["lr"].to_numpy()[:6], [0.5, 0.4, 0.3, 0.2, 0.1, 0.0], atol=1e-15)
    assert (r.status, r.nit, r.nfev) == ("budget", 20, 21)
    np.testing.assert_array_equal(r.trace.attrs["x"][5], r.x)
