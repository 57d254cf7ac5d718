"""What the suites share: the names they measure, and how a commit says that it does not have one.

The names stand here, not in the registry of whatever commit is installed: asv finds the parameters once, at the first
commit of a run, and asks every other commit for them by their place in the list. ``tests/test_asv.py`` compares with
the registry. Nothing here imports optbench before it is used: processes that read recorded values start at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FIRST_ORDER = (
    "adabelief", "adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "gd", "lamb", "lars", "lion", "momentum",
    "nadam", "nesterov", "radam", "rmsprop", "rprop", "sgd", "yogi",
)  # fmt: skip
DESCENT = (
    "barzilai_borwein", "bfgs", "gauss_newton", "lbfgs", "levenberg_marquardt", "newton", "nonlinear_cg",
    "trust_newton",
)  # fmt: skip
LAGRANGIAN = ("augmented_lagrangian", "gradient_descent_ascent", "lagrange_newton", "quadratic_penalty")
SCHEDULES = (
    "constant", "cosine", "cosine_restarts", "cyclic", "exponential", "inverse_sqrt", "linear", "multistep",
    "one_cycle", "polynomial", "reduce_on_plateau", "step", "trapezoidal",
)  # fmt: skip
# Of the collections (hs..., nist_..., More, Garbow and Hillstrom) a few; all other problems.
PROBLEMS = (
    "ackley", "autoencoder", "beale", "bohachevsky", "booth", "branin", "brown_badly_scaled", "broyden_tridiagonal",
    "circle_on_line", "constrained_qp", "dixon_price", "easom", "goldstein_price", "griewank", "gulf",
    "helical_valley", "himmelblau", "hs071", "hs100", "levy", "linear_regression", "logistic_regression",
    "matrix_factorization", "matyas", "mccormick", "michalewicz", "mlp", "nist_gauss1", "nist_thurber",
    "noisy_quadratic", "osborne_2", "powell_singular", "quadratic", "rastrigin", "rectangle_in_ellipse", "ridge",
    "rosenbrock", "schwefel", "six_hump_camel", "softmax_regression", "sphere", "styblinski_tang", "sum_squares",
    "three_hump_camel", "trigonometric", "wood", "zakharov",
)  # fmt: skip


@contextmanager
def known() -> Iterator[None]:
    """Within: a name or a setting that this commit does not know makes a benchmark not applicable, not a failure."""
    try:
        yield
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        raise NotImplementedError(str(error)) from error


def problem(name: str, **settings: Any) -> Any:
    """A problem, if this commit has it. Raises NotImplementedError."""
    import optbench

    with known():
        return optbench.get_problem(name, **settings)


def run_once(problem: Any, optimizer: str, **options: Any) -> Any:
    """Result of a run, if this commit has all that it takes, which compiles or loads what it needs.

    Raises NotImplementedError.
    """
    import optbench

    with known():
        return optbench.minimize(problem, optimizer, **{"record": "log", **options})
