"""Time of a step, of an evaluation, of the loop around them, and of whole runs.

All in one thread, in CPU time: what other processes do meanwhile counts little.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .common import DESCENT, FIRST_ORDER, LAGRANGIAN, PROBLEMS, problem, run_once

# So small that no run converges or diverges while it is timed.
RATE = 1e-7
RATES = {"adabelief": 1e-13, "adadelta": 1e-3, "lars": 1e-4}

STEPS = 50_000  # of cheap problems
FEWER = {
    **dict.fromkeys(("autoencoder", "mlp"), 250),
    **dict.fromkeys(("gulf", "logistic_regression", "matrix_factorization", "nist_gauss1", "softmax_regression"), 2500),
    **dict.fromkeys(("circle_on_line", "constrained_qp", "hs071", "hs100", "linear_regression", "nist_thurber"), 5000),
    **dict.fromkeys(("noisy_quadratic", "osborne_2", "rectangle_in_ellipse", "ridge", "trigonometric"), 5000),
}


def timed(made: Any, optimizer: str, steps: int, **options: Any) -> dict[str, Any]:
    """Arguments of a run of so many steps, which has been done once; none may end earlier."""
    given = {"lr": RATES.get(optimizer, RATE), "max_iter": steps, "targets": (), "record": "log", **options}
    result = run_once(made, optimizer, **given)
    if result.nit != steps:
        raise RuntimeError(f"{optimizer} on {made.name} stopped after {result.nit} of {steps} steps: {result.message}")
    return given


class FirstOrder:
    """Steps of first-order methods, gradient and update."""

    timer = time.process_time
    params = (FIRST_ORDER, ("rosenbrock n=2", "quadratic n=100", "batches of 32"))
    param_names = ("optimizer", "problem")

    def setup(self, optimizer: str, case: str) -> None:
        """Compile or load, and run once."""
        import optbench

        options: dict[str, Any] = {}
        if case == "rosenbrock n=2":
            self.problem, steps = problem("rosenbrock"), 200_000
        elif case == "quadratic n=100":
            self.problem, steps = problem("quadratic", n=100, rotated=False), 100_000
            options["x0"] = np.full(100, 5.0)  # every coordinate outside the minimizers' box
        else:
            self.problem, steps = problem("linear_regression"), 50_000
            options["batch_size"] = 32
        self.minimize = optbench.minimize
        self.options = timed(self.problem, optimizer, steps, **options)

    def time_steps(self, optimizer: str, case: str) -> None:
        """200 000 steps of the valley, 100 000 of the quadratic, 50 000 on batches."""
        self.minimize(self.problem, optimizer, **self.options)

    time_steps.pretty_name = "first-order steps"  # type: ignore[attr-defined]


class Evaluation:
    """Evaluations, through steps of the plainest method: gradient descent, or descent-ascent under constraints."""

    timer = time.process_time
    params = (PROBLEMS,)
    param_names = ("problem",)
    rounds = 1

    def setup(self, name: str) -> None:
        """Compile or load, and run once."""
        import optbench

        self.problem, self.minimize = problem(name), optbench.minimize
        self.method = "gd"
        try:
            run_once(self.problem, self.method, max_iter=1)
        except NotImplementedError:
            self.method = "gradient_descent_ascent"
        self.options = timed(self.problem, self.method, FEWER.get(name, STEPS), lr=1e-12)

    def time_evaluations(self, name: str) -> None:
        """Evaluations of the objective, its gradient and the constraints: 50 000, of costly problems fewer."""
        self.minimize(self.problem, self.method, **self.options)


class Loop:
    """What a run costs besides its steps and evaluations."""

    timer = time.process_time

    def setup(self) -> None:
        """Compile or load."""
        import optbench

        self.problem, self.minimize = problem("sphere", n=1), optbench.minimize
        self.one = timed(self.problem, "gd", 1, lr=1e-7)
        self.many = timed(self.problem, "gd", 500_000, lr=1e-7)

    def time_call(self) -> None:
        """One call of minimize with one step."""
        self.minimize(self.problem, "gd", **self.one)

    def time_loop(self) -> None:
        """500 000 steps on x^2: the loop, since there is hardly anything else."""
        self.minimize(self.problem, "gd", **self.many)


class Solve:
    """Whole runs of methods with a search, and of those for constraints."""

    timer = time.process_time
    params = ((*DESCENT, *LAGRANGIAN),)
    param_names = ("optimizer",)

    def setup(self, optimizer: str) -> None:
        """Compile or load, and run once."""
        import optbench

        constrained = optimizer in LAGRANGIAN
        self.problem = problem("hs071") if constrained else problem("extended_rosenbrock", n=100)
        self.minimize = optbench.minimize
        self.options: dict[str, Any] = {"max_iter": 1000, "record": "log"}
        run_once(self.problem, optimizer, **self.options)

    def time_solve(self, optimizer: str) -> None:
        """To 1e-8, or 1000 iterations: Rosenbrock's function with n = 100, or problem 71 of Hock and Schittkowski."""
        self.minimize(self.problem, optimizer, **self.options)
