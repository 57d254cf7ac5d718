"""Line searches, as plain Python and compiled: the conditions that they promise, and functions that they must survive.

The six functions are those of More & Thuente (1994), ACM TOMS 20, 286-307, Section 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit

from optbench import jit
from optbench.loops import descent as driver
from optbench.loops import line_search
from optbench.loops.line_search import DECREASE, TRIALS

descent: Any = driver
wolfe: Any = line_search.wolfe
armijo: Any = line_search.armijo

STEPS = (1e-3, 1e-1, 1e1, 1e3)
CURVATURES = {1: 0.1, 2: 0.1, 3: 0.1, 4: 0.001, 5: 0.001, 6: 0.001}  # as in their tables

Phi = Callable[[Any, float], tuple[float, float]]


def more_thuente(k: Any, a: Any) -> Any:
    """Value and slope of function k = 1, ..., 6 at a >= 0."""
    if k == 1:
        return -a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0) ** 2
    if k == 2:
        b = a + 0.004
        return b**5 - 2.0 * b**4, 5.0 * b**4 - 8.0 * b**3
    if k == 3:
        b, waves = 0.01, 0.5 * 39.0 * math.pi
        f, d = (1.0 - a, -1.0) if a <= 1.0 - b else (a - 1.0, 1.0)
        if 1.0 - b < a < 1.0 + b:
            f, d = 0.5 * (a - 1.0) ** 2 / b + 0.5 * b, (a - 1.0) / b
        return f + (1.0 - b) / waves * math.sin(waves * a), d + (1.0 - b) * math.cos(waves * a)
    b, c = (0.001, 0.001) if k == 4 else (0.01, 0.001) if k == 5 else (0.001, 0.01)
    left, right = math.sqrt(1.0 + b * b) - b, math.sqrt(1.0 + c * c) - c
    near, far = math.sqrt((1.0 - a) ** 2 + c * c), math.sqrt(a * a + b * b)
    return left * near + right * far, left * (a - 1.0) / near + right * a / far


class Counted:
    """A function of one step length that keeps where it was evaluated; `trial` is the last place."""

    def __init__(self, phi: Callable[[float], tuple[float, float]]) -> None:
        self.phi, self.steps = phi, []  # type: ignore[var-annotated]

    def __call__(self, s: Any, a: float) -> tuple[float, float]:
        """Evaluate at step a."""
        self.steps.append(a)
        f, slope = self.phi(a)
        return np.float64(f), np.float64(slope)


def run(search: Any, phi: Counted, f0: float, slope0: float, step: float, last: float) -> tuple[float, float]:
    """A search in plain Python with the arithmetic of the compiled one: a division by zero gives no exception."""
    with np.errstate(all="ignore"):
        a, f = search(phi, None, np.float64(f0), np.float64(slope0), np.float64(step), last)
    return float(a), float(f)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("k", CURVATURES)
def test_strong_wolfe_conditions_hold(k: int, step: float) -> None:
    phi = Counted(lambda a: more_thuente(k, a))
    (f0, slope0), curvature = more_thuente(k, 0.0), CURVATURES[k]
    a, f = run(wolfe, phi, f0, slope0, step, curvature)
    value, slope = more_thuente(k, a)
    assert f == value <= f0 + DECREASE * a * slope0
    assert abs(slope) <= curvature * abs(slope0)
    assert phi.steps[-1] == a  # the trial arrays are at the step that is returned
    assert len(phi.steps) <= 15


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("k", CURVATURES)
def test_armijo_condition_holds(k: int, step: float) -> None:
    phi = Counted(lambda a: more_thuente(k, a))
    f0, slope0 = more_thuente(k, 0.0)
    a, f = run(armijo, phi, f0, slope0, step, f0)
    assert f == more_thuente(k, a)[0] <= f0 + DECREASE * a * slope0
    assert 0.0 < a <= step
    assert phi.steps[-1] == a


def test_compiled_form_takes_the_same_steps() -> None:
    more, wolfe_part, armijo_part = (jit.lower(part) for part in (more_thuente, wolfe, armijo))
    phi = jit.compiled(lambda k, a: more(k, a))
    search = njit(lambda k, f0, slope0, step, curvature: wolfe_part(phi, k, f0, slope0, step, curvature))
    back = njit(lambda k, f0, slope0, step, bound: armijo_part(phi, k, f0, slope0, step, bound))
    for k, curvature in CURVATURES.items():
        f0, slope0 = more_thuente(k, 0.0)
        for step in STEPS:
            expected = wolfe(more_thuente, k, f0, slope0, step, curvature)
            np.testing.assert_allclose(search(k, f0, slope0, step, curvature), expected, rtol=1e-6)
            expected = armijo(more_thuente, k, f0, slope0, step, f0)
            np.testing.assert_allclose(back(k, f0, slope0, step, f0), expected, rtol=1e-10)


# ------------------------------------------------------------------------------------------ functions to survive

UNDEFINED = {"nan": math.nan, "inf": math.inf}


def walled(outside: float, slope_outside: float) -> Callable[[float], tuple[float, float]]:
    """-2 a - log(1 - a), with its minimum at 1/2; not defined from 1 on."""
    return lambda a: (-2.0 * a - math.log1p(-a), -2.0 + 1.0 / (1.0 - a)) if a < 1.0 else (outside, slope_outside)


@pytest.mark.parametrize("search", ["wolfe", "armijo"])
@pytest.mark.parametrize("outside", UNDEFINED)
@pytest.mark.parametrize("step", [0.01, 0.999, 1.0, 7.0, 1e15])
def test_points_outside_the_domain_are_left(outside: str, search: str, step: float) -> None:
    phi = Counted(walled(UNDEFINED[outside], math.nan))
    a, f = run(wolfe, phi, 0.0, -1.0, step, 0.1) if search == "wolfe" else run(armijo, phi, 0.0, -1.0, step, 0.0)
    assert 0.0 < a < 1.0
    assert f == phi.phi(a)[0] <= -DECREASE * a
    if search == "wolfe":
        assert abs(phi.phi(a)[1]) <= 0.1


def test_finite_value_with_a_broken_slope_is_outside_too() -> None:
    phi = Counted(walled(-5.0, math.nan))
    assert run(wolfe, phi, 0.0, -1.0, 4.0, 0.1)[0] < 1.0


@pytest.mark.parametrize("search", [wolfe, armijo])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nothing_defined_beyond_the_start(search: Any, value: float) -> None:
    phi = Counted(lambda a: (value, value))
    assert run(search, phi, 1.0, -1.0, 1.0, 1.0 if search is armijo else 0.9) == (0.0, 1.0)
    assert len(phi.steps) <= TRIALS


@pytest.mark.parametrize("kind", [descent.WOLFE, descent.ARMIJO, descent.NONMONOTONE])
@pytest.mark.parametrize("slope", [0.0, 1.0, math.nan, -math.inf, math.inf])
def test_no_descent_no_evaluation(kind: int, slope: float) -> None:
    phi = Counted(lambda a: (-a, -1.0))
    history = np.zeros(descent.HISTORY)
    assert descent.search_line(phi, 0, kind, 0.9, history, 0, 3.0, slope, 1.0) == (0.0, 3.0)
    assert not phi.steps


@pytest.mark.parametrize("search", [wolfe, armijo])
def test_claimed_descent_that_is_none_fails(search: Any) -> None:
    """The slope at the start is wrong: f rises from there on."""
    phi = Counted(lambda a: (1.0 + a, 1.0))
    assert run(search, phi, 1.0, -1.0, 1.0, 1.0 if search is armijo else 0.9) == (0.0, 1.0)
    assert len(phi.steps) <= TRIALS


def test_no_lower_bound_ends_after_all_trials() -> None:
    phi = Counted(lambda a: (-a, -1.0))
    a, f = run(wolfe, phi, 0.0, -1.0, 1.0, 0.9)
    assert a == -f == phi.steps[-1] > 1e20
    assert len(phi.steps) == TRIALS


@pytest.mark.parametrize("search", [wolfe, armijo])
def test_minus_infinity_is_taken(search: Any) -> None:
    phi = Counted(lambda a: (-a, -1.0) if a < 1e3 else (-math.inf, math.nan))
    a, f = run(search, phi, 0.0, -1.0, 2e3, 0.0 if search is armijo else 0.9)
    assert (a, f) == (2e3, -math.inf)


@pytest.mark.parametrize("noise", [0.0, 2e-16, 1e-14])
def test_slopes_decide_where_f_is_all_rounding(noise: float) -> None:
    phi = Counted(lambda a: (1.0 + noise, 1e-9 * (a - 0.7)))
    a, _f = run(wolfe, phi, 1.0, -0.7e-9, 1.0, 0.9)
    assert a == 1.0
    b, _f = run(armijo, phi, 1.0, -0.7e-9, 1.0, 1.0)
    assert b == 1.0


def test_rounding_is_no_excuse_for_a_worse_slope() -> None:
    phi = Counted(lambda a: (1.0, 1e-9 * (a - 0.1)))
    a, _f = run(wolfe, phi, 1.0, -1e-10, 1.0, 0.9)
    assert abs(phi.phi(a)[1]) <= 0.9e-10


def test_step_that_changes_nothing_is_no_step() -> None:
    assert run(armijo, Counted(lambda a: (1.0, -1.0)), 1.0, -1.0, 1e-20, 1.0) == (0.0, 1.0)
    assert run(wolfe, Counted(lambda a: (1.0, -1.0)), 1.0, -1.0, 1e-20, 0.9) == (0.0, 1.0)


def test_without_a_wolfe_point_the_lowest_point_is_kept() -> None:
    """|a - 1/3|: slopes of -1 and 1 only, so the interval shrinks onto the kink."""
    phi = Counted(lambda a: (abs(a - 1.0 / 3.0), math.copysign(1.0, a - 1.0 / 3.0)))
    a, f = run(wolfe, phi, 1.0 / 3.0, -1.0, 1.0, 0.9)
    assert a == pytest.approx(1.0 / 3.0, abs=1e-6)
    assert phi.steps[-1] == a
    assert f == min(phi.phi(b)[0] for b in phi.steps)
    assert len(phi.steps) <= TRIALS + 1


def test_remembered_is_the_largest_of_the_last_ten() -> None:
    history = np.zeros(descent.HISTORY)
    values = np.random.default_rng(5).uniform(-2.0, -1.0, 40)
    for t, f in enumerate(values):
        assert descent.remembered(history, t, f) == values[max(0, t - descent.LOOK_BACK + 1) : t + 1].max()
