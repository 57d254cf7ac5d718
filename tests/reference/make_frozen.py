"""Write problems/data/frozen.json: losses that targets are relative to where no minimum is known.

``python tests/reference/make_frozen.py`` takes about a quarter of an hour on one core. For every configuration below:
L-BFGS-B (SciPy, 20 corrections) from ten starts, the seeds 0 to 9 of the start, until 5000 iterations or until it
cannot go on; `best` is the lowest loss of the ten, `start` the median of the ten starts' losses. For matrices, whose
seed decides the matrix as well, the starts are the problem's own and nine drawn in the same way. Losses are those of
the whole training set with the penalty, rounded to 12 digits. Tests compare the compiled functions with PyTorch.
"""

from __future__ import annotations

import itertools
import json
import platform
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from optbench.registry import get_problem

STARTS, ITERATIONS = 10, 5000
DATA = ("wine", "iris", "digits", "breast_cancer", "diabetes")
OUT = Path(__file__).parents[2] / "problems" / "data" / "frozen.json"


def configurations() -> list[tuple[str, dict[str, Any]]]:
    """Problems and what differs from their defaults."""
    made: list[tuple[str, dict[str, Any]]] = []
    for data, validation in itertools.product(DATA, (0.0, 0.2)):
        made.append(("mlp", {"data": data, "validation": validation}))
    for units, layers in itertools.product((16, 32, 64), (1, 2, 3)):
        if (units, layers) != (32, 1):
            made.append(("mlp", {"data": "digits", "units": units, "layers": layers}))
    made += [("mlp", {"data": "digits", "activation": name}) for name in ("relu", "sigmoid", "gelu")]
    made += [("autoencoder", {}), ("autoencoder", {"data": "digits", "units": 16})]
    made += [("matrix_factorization", {"observed": share}) for share in (0.8, 0.5)]
    return made


def starts(name: str, settings: dict[str, Any]) -> list[Any]:
    """Ten starting points."""
    problem = get_problem(name, **settings)
    if name != "matrix_factorization":
        return [get_problem(name, **settings, instance=seed).x0 for seed in range(STARTS)]
    spread = 0.5 * problem.settings["r"] ** -0.25
    return [problem.x0, *(spread * np.random.default_rng(seed).standard_normal(problem.n) for seed in range(1, STARTS))]


def losses(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Entry of one configuration."""
    problem = get_problem(name, **settings)
    options = {"maxiter": ITERATIONS, "maxfun": 10 * ITERATIONS, "maxcor": 20, "ftol": 0.0, "gtol": 1e-12}
    points = starts(name, settings)
    ends = [minimize(problem.fun_and_grad, x, jac=True, method="L-BFGS-B", options=options) for x in points]
    return {
        "problem": name,
        "settings": settings_of(problem.settings),
        "n": problem.n,
        "n_samples": problem.n_samples,
        "start": float(f"{median(problem.fun(x) for x in points):.12g}"),
        "best": float(f"{min(end.fun for end in ends):.12g}"),
        "ends": [float(f"{end.fun:.4g}") for end in ends],
        "iterations": [int(end.nit) for end in ends],
    }


def settings_of(settings: dict[str, Any]) -> dict[str, Any]:
    """All settings, as JSON has them."""
    return json.loads(json.dumps(settings))  # type: ignore[no-any-return]


def main() -> None:
    """Write the file."""
    entries = []
    with threadpool_limits(1):
        for name, settings in configurations():
            entries.append(losses(name, settings))
            entry = entries[-1]
            print(name, settings, entry["start"], entry["best"], entry["ends"], file=sys.stderr, flush=True)
    versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    protocol = (
        f"L-BFGS-B of SciPy, 20 corrections, at most {ITERATIONS} iterations, from {STARTS} starts; best: the lowest "
        "loss of all; start: the median loss of the starts; ends and iterations: of every start"
    )
    report = {"versions": versions | {"scikit-learn": sklearn.__version__}, "protocol": protocol, "losses": entries}
    OUT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
