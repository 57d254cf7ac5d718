"""Directions of the methods with a search of their own: plain Python against compiled, and what each must satisfy."""

from __future__ import annotations

import math
import pkgutil
from typing import Any

import numpy as np
import pytest

import optbench
import optbench.optimizers
from optbench import kernels
from optbench.methods import Descent
from optbench.optimizers import _linear_algebra, _modified_cholesky
from optbench.records import Empty, encode, pack
from optbench.registry import get_optimizer
from optbench.types import Array

STEMS = sorted(m.name for m in pkgutil.iter_modules(optbench.optimizers.__path__) if not m.name.startswith("_"))
METHODS = [name for name in STEMS if isinstance(get_optimizer(name), Descent)]
N, M = 6, 9
dense: Any = _linear_algebra
modified: Any = _modified_cholesky


def matrix(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    """Symmetric, shape (n, n), with eigenvalues evenly from low to high."""
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    a = (q * np.linspace(low, high, n)) @ q.T
    return np.asarray(0.5 * (a + a.T))


class Direction:
    """A method's direction on arrays of its own, as plain Python or compiled."""

    def __init__(self, name: str, compiled: bool, n: int = N, m: int = M, **settings: Any) -> None:
        method = get_optimizer(name)
        assert isinstance(method, Descent)
        self.method, self.compiled = method, compiled
        self.params = encode(method.params(**settings))
        self.memory, self.d = method.memory(n, m, self.params), np.zeros(n)
        sizes = {"h": (n, n), "r": (m,), "jac": (m, n), "radius": (1,), "factorisations": (1,)}
        self.at = kernels.At(*(np.zeros(sizes.get(field, (n,))) for field in kernels.At._fields))
        self.at.radius[0] = 1.0

    def __call__(self, t: int, **arrays: Any) -> float:
        """Put the arrays into place, then make the direction of step t, which `d` holds."""
        for name, value in arrays.items():
            getattr(self.at, name)[...] = value
        if not self.compiled:
            return float(self.method.direction(t, self.at, self.d, self.memory, self.params))
        parts = [pack(item) for item in (self.at, self.memory, self.params)]
        frame = np.array([parts[0].ctypes.data, self.d.ctypes.data, self.d.size, *(p.ctypes.data for p in parts[1:])])
        return float(kernels.direction(self.method, self.memory)(frame.ctypes.data, t))


def points(rng: np.random.Generator, count: int) -> list[dict[str, Array]]:
    """What a run on a least-squares problem that is nearly linear would hand over."""
    jac, x, seen = rng.standard_normal((M, N)), rng.standard_normal(N), []
    last = {"x_last": np.zeros(N), "g_last": np.zeros(N)}
    for _ in range(count):
        r = jac @ x - 1.0 + 0.01 * np.sin(np.arange(M))
        g = 2.0 * jac.T @ r
        seen.append({"x": x, "g": g, "r": r, "jac": jac, "h": 2.0 * jac.T @ jac - 3.0 * np.eye(N), **last})
        last = {"x_last": x, "g_last": g}
        x = x - 0.02 * g + 0.01 * rng.standard_normal(N)
    return seen


@pytest.mark.parametrize("name", METHODS)
def test_kernel_equals_its_plain_python_form(name: str) -> None:
    plain, kernel = Direction(name, False), Direction(name, True)
    for t, arrays in enumerate(points(np.random.default_rng(11), 6)):
        first, second = plain(t, **arrays), kernel(t, **arrays)
        assert second == pytest.approx(first, rel=1e-8)
        np.testing.assert_allclose(kernel.d, plain.d, rtol=1e-8, atol=1e-10)
        assert kernel.at.radius[0] == pytest.approx(plain.at.radius[0], rel=1e-8)
        assert kernel.at.factorisations[0] == plain.at.factorisations[0]
        assert plain.at.g @ plain.d < 0.0


# ------------------------------------------------------------------------------------------------------ algebra


@pytest.mark.parametrize("spectrum", [(1e-6, 1.0), (-1.0, 1.0), (-3.0, -1.0), (0.0, 1.0)])
def test_modified_cholesky(spectrum: tuple[float, float]) -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 7):
        a = matrix(rng, n, *spectrum)
        factor, order, added, work, x = np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        modified.factorise(a, factor, order, added)
        p = order.astype(int)
        lower = np.tril(factor, -1) + np.eye(n)
        product = (lower * np.diagonal(factor)) @ lower.T
        np.testing.assert_allclose(product, (a + np.diag(added))[np.ix_(p, p)], atol=1e-12)
        assert (np.diagonal(factor) > 0.0).all()
        assert (added >= -1e-15).all()
        if spectrum[0] > 0.0:
            assert np.abs(added).max() <= 1e-15
        b = rng.standard_normal(n)
        modified.solve(factor, order, work, b, x)
        scale = np.abs(x).max() * np.abs(a + np.diag(added)).max()
        np.testing.assert_allclose((a + np.diag(added)) @ x, b, atol=1e-13 * max(1.0, scale))


def test_modified_cholesky_of_zeros_is_the_identity() -> None:
    factor, order, added = np.zeros((3, 3)), np.zeros(3), np.zeros(3)
    modified.factorise(np.zeros((3, 3)), factor, order, added)
    np.testing.assert_array_equal(added, np.ones(3))


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (9, 4)])
def test_householder_solves_least_squares(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal(shape), rng.standard_normal(shape[0])
    r, x = a.copy(), b.copy()
    dense.householder(r, x)
    triangle = np.triu(r[: shape[1]])
    np.testing.assert_allclose(triangle.T @ triangle, a.T @ a, atol=1e-12)
    solution = x[: shape[1]].copy()
    dense.solve_upper(r, solution)
    np.testing.assert_allclose(solution, np.linalg.lstsq(a, b)[0], rtol=1e-10)
    transposed = rng.standard_normal(shape[1])
    expected = np.linalg.solve(triangle.T, transposed)
    dense.solve_upper_transposed(r, transposed)
    np.testing.assert_allclose(transposed, expected, rtol=1e-9)


def test_cholesky_says_where_and_by_how_much_it_failed() -> None:
    a, factor = np.diag([4.0, 1.0, -2.0, 5.0]), np.zeros((4, 4))
    assert dense.cholesky(a, 0.5, factor) == (2, 1.5)
    assert dense.cholesky(a, 2.5, factor) == (4, 0.0)
    np.testing.assert_allclose(np.tril(factor) @ np.tril(factor).T, a + 2.5 * np.eye(4), rtol=1e-14)


# ----------------------------------------------------------------------------------------------------- conditions


def best_in_ball(h: Array, g: Array, radius: float) -> float:
    """The least value of g'd + d'h d / 2 over the ball, by bisection over the shift of the eigenvalues."""
    values, q = np.linalg.eigh(h)
    c = q.T @ g

    def step(lam: float) -> Array:
        return np.asarray(-c / (values + lam))

    low = max(0.0, -values[0]) + 1e-13
    d = step(low)
    if np.linalg.norm(d) > radius:
        high = low + np.linalg.norm(g) / radius
        for _ in range(200):
            mid = 0.5 * (low + high)
            low, high = (mid, high) if np.linalg.norm(step(mid)) > radius else (low, mid)
        d = step(high)
    elif values[0] < 0.0:  # the hard case: fill up along the lowest eigenvector
        d[0] += math.copysign(math.sqrt(radius**2 - d[1:] @ d[1:]) - abs(d[0]), d[0])
    return float(c @ d + 0.5 * values @ d**2)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("radius", [1e-3, 0.5, 10.0, 1e4])
@pytest.mark.parametrize("spectrum", [(0.5, 9.0), (-2.0, 5.0), (-7.0, -1.0)])
def test_trust_region_step_is_nearly_the_best(spectrum: tuple[float, float], radius: float, hard: bool) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        h, g = matrix(rng, N, *spectrum), rng.standard_normal(N)
        if hard:
            lowest = np.linalg.eigh(h)[1][:, 0]
            g -= lowest * (lowest @ g)
        direction = Direction("trust_newton", False, radius=radius)
        reduction = direction(0, h=h, g=g)
        assert np.linalg.norm(direction.d) == pytest.approx(direction.at.radius[0])
        assert np.linalg.norm(direction.d) <= 1.1 * radius * (1.0 + 1e-12)
        assert reduction >= 0.8 * -best_in_ball(h, g, radius)
        assert direction.at.factorisations[0] <= 15


@pytest.mark.parametrize("factor", [1e-4, 1e-2, 1.0, 100.0])
@pytest.mark.parametrize("rank", [N, N - 2])
def test_levenberg_marquardt_solves_its_scaled_problem(rank: int, factor: float) -> None:
    rng = np.random.default_rng(4)
    jac = rng.standard_normal((M, rank)) @ rng.standard_normal((rank, N)) * np.logspace(-3, 3, N)
    r, x = rng.standard_normal(M), rng.standard_normal(N)
    direction = Direction("levenberg_marquardt", False, factor=factor)
    reduction = direction(0, jac=jac, r=r, x=x, g=2.0 * jac.T @ r)
    scale, lam, d = direction.memory.scale, direction.memory.state[1], direction.d
    np.testing.assert_allclose(scale, np.linalg.norm(jac, axis=0), rtol=1e-12)
    radius, size = factor * np.linalg.norm(scale * x), np.linalg.norm(scale * d)
    assert size == pytest.approx(direction.at.radius[0])
    assert size <= 1.1 * radius * (1.0 + 1e-12)
    assert lam <= 1e-6 or size >= 0.9 * radius
    residual = (jac.T @ jac + lam * np.diag(scale**2)) @ d + jac.T @ r
    assert np.abs(residual / scale).max() <= 1e-9 * np.linalg.norm(r)
    assert reduction == pytest.approx(r @ r - np.sum((r + jac @ d) ** 2), rel=1e-6)


def test_gauss_newton_is_the_least_squares_step_and_safe_without_rank() -> None:
    rng = np.random.default_rng(5)
    jac, r = rng.standard_normal((M, N)) * np.logspace(-4, 4, N), rng.standard_normal(M)
    direction = Direction("gauss_newton", False)
    assert direction(0, jac=jac, r=r, g=2.0 * jac.T @ r) == 1.0
    np.testing.assert_allclose(direction.d, -np.linalg.lstsq(jac, r)[0], rtol=1e-9)
    assert direction.memory.added[0] == 0.0
    jac[:, 3] = jac[:, 1]
    direction(1, jac=jac, r=r, g=2.0 * jac.T @ r)
    assert 0.0 < direction.memory.added[0] <= 1e-8
    assert direction.at.factorisations[0] >= 3.0
    best = np.sum((r - jac @ np.linalg.lstsq(jac, r)[0]) ** 2)
    assert np.sum((r + jac @ direction.d) ** 2) == pytest.approx(best, rel=1e-6)


def test_bfgs_satisfies_the_secant_equation() -> None:
    direction = Direction("bfgs", False)
    for t, arrays in enumerate(points(np.random.default_rng(6), 4)):
        direction(t, **arrays)
        if t > 0:
            s, y = arrays["x"] - arrays["x_last"], arrays["g"] - arrays["g_last"]
            inverse = direction.memory.inverse
            np.testing.assert_allclose(inverse @ y, s, rtol=1e-9)
            np.testing.assert_allclose(inverse, inverse.T, atol=1e-12)
            assert np.linalg.eigvalsh(inverse).min() > 0.0


def test_lbfgs_with_all_pairs_is_bfgs_without_scaling_again() -> None:
    """Both are the same update as long as H_0 is: with one pair."""
    short, full = Direction("lbfgs", False), Direction("bfgs", False)
    first, second = points(np.random.default_rng(7), 2)
    for direction in (short, full):
        direction(0, **first)
        direction(1, **second)
    np.testing.assert_allclose(short.d, full.d, rtol=1e-10)


def test_nonlinear_cg_promises_the_last_change_again_and_restarts() -> None:
    direction = Direction("nonlinear_cg", False)
    g_last, d_last = np.array([3.0, 0.0, 0.0, 0.0, 0.0, 0.0]), np.array([-3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    direction.d[:] = d_last
    g = np.array([0.0, 2.0, 1.0, 0.0, 0.0, 0.0])
    x = 0.5 * d_last
    step = direction(1, x=x, x_last=np.zeros(N), g=g, g_last=g_last)
    beta = g @ (g - g_last) / (g_last @ g_last)
    np.testing.assert_allclose(direction.d, beta * d_last - g)
    assert step == pytest.approx(g_last @ x / (g @ direction.d))
    direction(2, x=x, g=g_last + g, g_last=g_last)  # gradients far from orthogonal
    np.testing.assert_allclose(direction.d, -(g_last + g))


def test_methods_without_memory_have_none() -> None:
    for name in ("nonlinear_cg", "barzilai_borwein"):
        method = get_optimizer(name)
        assert isinstance(method, Descent)
        assert method.memory(3, 0, method.params()) == Empty()


@pytest.mark.parametrize("formula", ["alternating", "bb1", "bb2"])
def test_barzilai_borwein_takes_its_steps(formula: str) -> None:
    """Where the search takes the first trial, the trace holds s's / s'y or s'y / y'y."""
    problem = optbench.get_problem("quadratic", n=4, cond=5.0)
    r = optbench.minimize(problem, "barzilai_borwein", params={"formula": formula}, targets=(), gtol=1e-8)
    x, steps = r.trace.attrs["x"], r.trace["lr"].to_numpy()
    assert r.nfev == r.nit + 1
    for t in range(1, 6):
        s = x[t] - x[t - 1]
        y = problem.grad(x[t]) - problem.grad(x[t - 1])
        long = formula == "bb1" or (formula == "alternating" and t % 2 == 1)
        assert steps[t] == pytest.approx(s @ s / (s @ y) if long else s @ y / (y @ y), rel=1e-9)
