"""How methods with a search of their own end where there is nothing to find: a status and a message, never a loop."""

from __future__ import annotations

import math
import pkgutil
from typing import Any

import numpy as np
import pytest

import optbench
import optbench.optimizers
from optbench.loops import descent
from optbench.methods import Descent
from optbench.optimize import OptimizeResult
from optbench.registry import get_optimizer, get_problem
from optbench.types import Problem

STEMS = sorted(m.name for m in pkgutil.iter_modules(optbench.optimizers.__path__) if not m.name.startswith("_"))
METHODS = [name for name in STEMS if isinstance(get_optimizer(name), Descent)]
SQUARES = ["gauss_newton", "levenberg_marquardt"]
GENERAL = [name for name in METHODS if name not in SQUARES]
GTOL = 1e-8


def solve(problem: Problem | str, name: str, **options: Any) -> OptimizeResult:
    """A run to the gradient tolerance."""
    return optbench.minimize(problem, name, **{"targets": (), "gtol": GTOL, **options})


# ----------------------------------------------------------------------------------------------------- problems


def saddle(x, g, data):  # type: ignore[no-untyped-def]
    """x^2 - y^2 + y^4: a saddle at 0, minima of -1/4 at y^2 = 1/2."""
    g[0], g[1] = 2.0 * x[0], -2.0 * x[1] + 4.0 * x[1] ** 3
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4


def saddle_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0], h[1, 1] = 2.0, -2.0 + 12.0 * x[1] ** 2


def cubic(x, g, data):  # type: ignore[no-untyped-def]
    """-x^3: without a minimum, and with a negative Hessian on the way down."""
    g[0] = -3.0 * x[0] * x[0]
    return -(x[0] ** 3)


def cubic_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] = -6.0 * x[0]


def linear(x, g, data):  # type: ignore[no-untyped-def]
    """-x: without a minimum or curvature."""
    g[0] = -1.0
    return -x[0]


def zero_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] = 0.0


def flat(x, g, data):  # type: ignore[no-untyped-def]
    g[0] = 0.0
    return 1.0


def coarse(x, g, data):  # type: ignore[no-untyped-def]
    """A parabola on top of 1e9 whose gradient never gets small."""
    g[0] = 2.0 * (x[0] - 1.0) + 1e-3 * math.copysign(1.0, x[0] - 1.0)
    return 1e9 + (x[0] - 1.0) ** 2


def two_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] = 2.0


def broken(x, g, data):  # type: ignore[no-untyped-def]
    """Finite values, and gradients that are not numbers."""
    g[0] = math.nan
    return x[0] * x[0]


def uphill(x, g, data):  # type: ignore[no-untyped-def]
    """x^2 with a gradient of the wrong sign."""
    g[0] = -2.0 * x[0]
    return x[0] * x[0]


def barrier(x, g, data):  # type: ignore[no-untyped-def]
    """Barrier x - log x, not a number for x <= 0; minimum at 1."""
    g[0] = 1.0 - 1.0 / x[0]
    return x[0] - math.log(x[0]) if x[0] > 0.0 else math.nan


def barrier_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] = 1.0 / (x[0] * x[0])


def trench(x, g, data):  # type: ignore[no-untyped-def]
    """(x + y - 1)^2 / 2: its Hessian is singular everywhere."""
    g[0] = g[1] = x[0] + x[1] - 1.0
    return 0.5 * g[0] * g[0]


def ones_hess(x, h, data):  # type: ignore[no-untyped-def]
    h[0, 0] = h[0, 1] = h[1, 0] = h[1, 1] = 1.0


def repeated(x, r, jac, data):  # type: ignore[no-untyped-def]
    """Only x + y matters: J has rank 1."""
    s = x[0] + x[1]
    r[0], r[1], r[2] = s - 3.0, s * s - 9.0, 0.1
    jac[0, 0] = jac[0, 1] = 1.0
    jac[1, 0] = jac[1, 1] = 2.0 * s
    jac[2, 0] = jac[2, 1] = 0.0


def constants(x, r, jac, data):  # type: ignore[no-untyped-def]
    """Residuals that nothing changes."""
    r[0] = 1.0
    jac[0, 0] = jac[0, 1] = 0.0


def fewer(x, r, jac, data):  # type: ignore[no-untyped-def]
    """One residual of three variables."""
    r[0] = x[0] * x[0] + x[1] - x[2] - 4.0
    jac[0, 0], jac[0, 1], jac[0, 2] = 2.0 * x[0], 1.0, -1.0


# --------------------------------------------------------------------------------------------------------- ends


@pytest.mark.parametrize("name", GENERAL)
def test_saddle_is_left(name: str) -> None:
    r = solve(Problem(saddle, [1.0, 1e-3], hess=saddle_hess), name)
    assert r.status == "converged"
    assert r.fun == pytest.approx(-0.25, abs=1e-12)


@pytest.mark.parametrize("start", [[1.0, 0.0], [0.0, 0.0]])
def test_trust_newton_leaves_a_saddle_without_a_slope_to_follow(start: list[float]) -> None:
    """The hard case: the gradient has nothing along the direction of negative curvature, or is zero."""
    problem = Problem(saddle, start, hess=saddle_hess, f_opt=-0.25)
    r = solve(problem, "trust_newton", targets=(1e-8,), gtol=None, max_iter=100)
    assert r.status == "converged"
    assert r.fun == pytest.approx(-0.25, abs=1e-7)


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize(("function", "hess"), [(cubic, cubic_hess), (linear, zero_hess)])
def test_no_minimum_is_divergence_or_the_budget(function: Any, hess: Any, name: str) -> None:
    r = solve(Problem(function, [1.0], hess=hess), name, max_iter=1000)
    assert r.status in ("diverged", "budget")
    assert r.fun < -1e3


@pytest.mark.parametrize("name", GENERAL)
def test_flat_function_is_stalled_at_once(name: str) -> None:
    r = solve(Problem(flat, [2.0], hess=zero_hess), name, gtol=None)
    assert (r.status, r.nit) == ("stalled", 0)
    assert r.nfev <= 2
    assert "no lower point" in r.message


@pytest.mark.parametrize("name", GENERAL)
def test_rounding_level_is_stalled_and_never_converged(name: str) -> None:
    r = solve(Problem(coarse, [3.0], hess=two_hess), name)
    assert r.status == "stalled"
    assert r.x[0] == pytest.approx(1.0, abs=1e-2)
    assert r.nit <= 2 * descent.PATIENCE


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("function", [broken, uphill])
def test_gradient_that_leads_nowhere_is_stalled(function: Any, name: str) -> None:
    r = solve(Problem(function, [2.0], hess=two_hess), name)
    assert r.status == "stalled"
    assert r.fun <= 4.0
    assert r.nfev <= 200


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("start", [1e-6, 30.0])
def test_edge_of_the_domain_is_respected(name: str, start: float) -> None:
    r = solve(Problem(barrier, [start], hess=barrier_hess), name)
    assert r.status == "converged"
    assert r.x[0] == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("name", METHODS)
def test_start_without_a_value_is_divergence(name: str) -> None:
    if name in SQUARES:
        r = solve(Problem(None, [math.nan, 1.0], residuals=repeated, m=3), name)
    else:
        r = solve(Problem(barrier, [-1.0], hess=barrier_hess), name)
    assert (r.status, r.nit, r.nfev) == ("diverged", 0, 1)


@pytest.mark.parametrize("name", ["newton", "trust_newton"])
def test_singular_hessian(name: str) -> None:
    r = solve(Problem(trench, [5.0, -3.0], hess=ones_hess), name)
    assert r.status == "converged"
    assert r.x.sum() == pytest.approx(1.0, abs=1e-7)
    assert np.abs(r.x).max() < 100.0


@pytest.mark.parametrize("name", SQUARES)
def test_jacobian_of_deficient_rank(name: str) -> None:
    r = solve(Problem(None, [5.0, -4.0], residuals=repeated, m=3), name)
    assert r.status == "converged"
    assert r.x.sum() == pytest.approx(3.0, abs=1e-8)
    assert np.abs(r.x).max() < 100.0


@pytest.mark.parametrize("name", SQUARES)
def test_fewer_residuals_than_variables(name: str) -> None:
    r = solve(Problem(None, [1.0, 1.0, 1.0], residuals=fewer, m=1), name)
    assert r.status == "converged"
    assert r.fun < 1e-16


@pytest.mark.parametrize("name", SQUARES)
def test_residuals_that_nothing_changes_are_stalled(name: str) -> None:
    r = solve(Problem(None, [1.0, 1.0], residuals=constants, m=1), name, gtol=None)
    assert (r.status, r.nit) == ("stalled", 0)


@pytest.mark.parametrize("name", ["newton", "lbfgs", "bfgs"])
def test_without_a_search_nothing_stops_divergence_but_its_status(name: str) -> None:
    params = {"line_search": "none"}
    r = solve(get_problem("rosenbrock"), name, params=params, lr=100.0, max_iter=2000)
    assert r.status == "diverged"


@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1e30, 1e150])
@pytest.mark.parametrize("name", ["newton", "trust_newton", "lbfgs", "bfgs", "nonlinear_cg", "barzilai_borwein"])
def test_scale_of_the_objective_breaks_nothing(name: str, scale: float) -> None:
    """Gradients whose squares overflow or vanish end with a status, and never above the start."""
    r = solve(scaled(scale), name, gtol=None, max_iter=300)
    assert r.status in ("stalled", "budget")
    assert r.fun <= 5.0 * scale


def scaled(scale: float) -> Problem:
    """A bowl of any height."""

    def bowl(x, g, data):  # type: ignore[no-untyped-def]
        g[0], g[1] = 2.0 * scale * x[0], 8.0 * scale * x[1]
        return scale * (x[0] * x[0] + 4.0 * x[1] * x[1])

    def hess(x, h, data):  # type: ignore[no-untyped-def]
        h[0, 0], h[1, 1] = 2.0 * scale, 8.0 * scale

    return Problem(bowl, [1.0, 1.0], hess=hess)
