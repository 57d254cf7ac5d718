"""Certify the solutions of the Hock-Schittkowski problems and print the literals that the problem files hold.

For every problem: SciPy's SLSQP from 41 starts, and from x* as the problem holds it, finds candidates; the best (of
equal ones the nearest to the standard start) names the active constraints; Newton's method on the KKT system of those,
in 50 digits, with derivatives taken numerically from the formulas of `hs_formulas.py`, gives x* and the multipliers.
Then feasibility, stationarity of the Lagrangian, complementarity, signs, independence of the active gradients, and the
curvature of the Lagrangian on the tangent space are verified, and x*, f* and the multipliers are printed as the doubles
next to them.

Where a minimum is degenerate (the curvature on the tangent space is singular) Newton's method would only creep; there
x* = (1, ..., 1) of the problems in `EXACT` is verified as it is: f is a sum of even powers and vanishes there.

Run: python tests/reference/hs_certify.py [name ...] > tests/reference/hs_certified.txt
"""

from __future__ import annotations

import runpy
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import scipy
from scipy.optimize import minimize

from optbench import get_problem

FORMULAS = runpy.run_path(str(Path(__file__).parent / "hs_formulas.py"))
BOOK, rows = FORMULAS["BOOK"], FORMULAS["rows"]
DIGITS = 50
EXACT = {"hs026", "hs046", "hs049"}
STARTS = 40


def differences(function: Any, point: list[Any]) -> list[Any]:
    """Gradient of a scalar function."""
    n = len(point)
    return [mp.diff(function, tuple(point), tuple(int(i == k) for k in range(n))) for i in range(n)]


def curvature(function: Any, point: list[Any]) -> Any:
    """Hessian of a scalar function."""
    n = len(point)
    h = mp.matrix(n, n)
    for i in range(n):
        for j in range(i + 1):
            order = tuple(int(i == k) + int(j == k) for k in range(n))
            h[i, j] = h[j, i] = mp.diff(function, tuple(point), order)
    return h


def lagrangian(name: str, active: Iterable[int], weights: list[Any]) -> Callable[..., Any]:
    """Objective plus the weighted active constraints, a function of n numbers."""

    def function(*x: Any) -> Any:
        f, c, _ = rows(name, list(x))
        return f + sum(w * c[i] for w, i in zip(weights, active, strict=True))

    return function


def candidates(name: str) -> list[Any]:
    """End points of SLSQP, feasible to 1e-7, best first: from the standard start and from points around it."""
    problem = get_problem(name)
    rng = np.random.Generator(np.random.PCG64(int(name[2:])))
    spread = np.maximum(1.0, np.abs(problem.x0))
    starts = [problem.x0, *(problem.x0 + spread * rng.standard_normal((STARTS, problem.n)))]
    if problem.x_opt is not None:
        starts.append(problem.x_opt)

    def parts(x: Any, which: int, side: slice, sign: float) -> Any:
        return sign * problem.constraint(x)[which][side]

    rules = []
    for kind, side, sign in (("eq", slice(None, problem.m_eq), 1.0), ("ineq", slice(problem.m_eq, None), -1.0)):
        if side == slice(None, 0) or (problem.m == problem.m_eq and kind == "ineq"):
            continue
        rules.append(
            {
                "type": kind,
                "fun": lambda x, side=side, sign=sign: parts(x, 0, side, sign),
                "jac": lambda x, side=side, sign=sign: parts(x, 1, side, sign),
            }
        )
    found = []
    for start in starts:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            r = minimize(
                problem.fun_and_grad,
                start,
                jac=True,
                method="SLSQP",
                constraints=rules,
                options={"ftol": 1e-15, "maxiter": 500},
            )
        c, _ = problem.constraint(r.x)
        violation = max([0.0, *np.abs(c[: problem.m_eq]), *c[problem.m_eq :]])
        if np.isfinite(r.fun) and violation < 1e-7:
            found.append((r.fun, r.x))
    return sorted(found, key=lambda pair: pair[0])


def kkt_point(name: str, x: list[Any], active: list[int]) -> tuple[list[Any], list[Any]]:
    """Root of the KKT system of these constraints, by Newton's method from `x` and multipliers fitted to it."""
    n = len(x)

    def constraint(i: int) -> Any:
        return lambda *t: rows(name, list(t))[1][i]

    jac = mp.matrix([differences(constraint(i), x) for i in active]) if active else mp.matrix(0, n)
    gradient = mp.matrix(differences(lambda *t: rows(name, list(t))[0], x))
    weights = list(mp.lu_solve(jac.T, -gradient)) if active else []
    for _ in range(30):
        function, values = lagrangian(name, active, weights), rows(name, x)[1]
        residual = mp.matrix([*differences(function, x), *(values[i] for i in active)])
        size = mp.norm(residual, mp.inf)
        if size < mp.mpf(10) ** (10 - DIGITS):
            return x, weights
        matrix = mp.matrix(n + len(active), n + len(active))
        h = curvature(function, x)
        for i in range(n):
            for j in range(n):
                matrix[i, j] = h[i, j]
        for k, i in enumerate(active):
            for j, slope in enumerate(differences(constraint(i), x)):
                matrix[n + k, j] = matrix[j, n + k] = slope
        step = mp.lu_solve(matrix, -residual)
        x = [t + d for t, d in zip(x, step[:n], strict=True)]
        weights = [w + d for w, d in zip(weights, step[n:], strict=True)]
    raise ArithmeticError(f"{name}: Newton's method does not settle, residual {mp.nstr(size, 3)}")


def tangent_curvature(name: str, x: list[Any], active: list[int], weights: list[Any]) -> tuple[float, float]:
    """Smallest eigenvalue of the Lagrangian's Hessian on the tangent space, smallest singular value of the Jacobian."""
    h = np.array(curvature(lagrangian(name, active, weights), x).tolist(), dtype=float)
    if not active:
        return float(np.linalg.eigvalsh(h)[0]), np.inf
    jac = np.array([[float(s) for s in differences(lambda *t, i=i: rows(name, list(t))[1][i], x)] for i in active])
    _, s, v = np.linalg.svd(jac)
    basis = v[len(active) :].T
    lowest = float(np.linalg.eigvalsh(basis.T @ h @ basis)[0]) if basis.size else np.inf
    return lowest, float(s[-1])


def certify(name: str) -> None:
    """Find, verify and print the solution of one problem."""
    found = candidates(name)
    value = found[0][0]
    x0 = get_problem(name).x0
    best = [point for v, point in found if v <= value + 1e-7 * max(1.0, abs(value))]
    start = min(best, key=lambda point: np.linalg.norm(point - x0))
    x = [mp.mpf(float(t)) for t in start]
    values = rows(name, x)[1]
    count = rows(name, x)[2]
    active = [i for i, c in enumerate(values) if i < count or c > -1e-6]
    if name in EXACT:
        x, pulls = [mp.mpf(1)] * len(x), [mp.mpf(0)] * len(active)
    else:
        x, pulls = kkt_point(name, x, active)
    x = [mp.mpf(0) if abs(t) < mp.mpf(10) ** (10 - DIGITS) else t for t in x]
    pulls = [mp.mpf(0) if abs(w) < mp.mpf(10) ** (10 - DIGITS) else w for w in pulls]
    weights = [pulls[active.index(i)] if i in active else mp.mpf(0) for i in range(len(values))]
    f, c, _ = rows(name, x)
    f = mp.mpf(0) if abs(f) < mp.mpf(10) ** (10 - DIGITS) else f
    tiny = mp.mpf(10) ** (15 - DIGITS)
    slope = differences(lagrangian(name, range(len(weights)), weights), x)
    assert max(abs(s) for s in slope) < tiny, f"{name}: not stationary"
    assert all(abs(t) < tiny for t in c[:count]), f"{name}: equality violated"
    assert all(t < tiny for t in c[count:]), f"{name}: inequality violated"
    assert all(w >= 0 for w in weights[count:]), f"{name}: multiplier of the wrong sign"
    lowest, independent = tangent_curvature(name, x, active, pulls)
    assert independent > 1e-8, f"{name}: active gradients depend on each other"
    assert lowest > (1e-8 if name not in EXACT else -1e-12), f"{name}: curvature {lowest} on the tangent space"
    strict = min([float(w) for i, w in enumerate(weights) if i >= count and i in active], default=np.inf)
    others = sorted({round(float(v), 5) for v, _ in found if v > value + 1e-5 * max(1.0, abs(value))})
    print(f"{name}: active {active}, least active multiplier {strict:.3g}, curvature on the tangent {lowest:.3g}")
    print(f"  smallest singular value of the active Jacobian {independent:.3g}; SLSQP also ends at f = {others[:4]}")
    print(f"  x_opt=({', '.join(repr(float(t)) for t in x)})")
    print(f"  f_opt={float(f)!r}  # {mp.nstr(f, 30)}")
    print(f"  multipliers=({', '.join(repr(float(w)) for w in weights)})", flush=True)


def main() -> None:
    """Certify the problems named on the command line, or all."""
    versions = f"Python {sys.version.split()[0]}, mpmath {mp.__version__}, numpy {np.__version__}"
    print(f"# {versions}, scipy {scipy.__version__}; {DIGITS} digits")
    mp.mp.dps = DIGITS
    for name in sys.argv[1:] or BOOK:
        certify(name)


if __name__ == "__main__":
    main()
