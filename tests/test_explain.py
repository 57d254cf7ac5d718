"""Explanations: numbers against formulas worked apart, every optimizer against its kernel, the printed text itself."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import optbench
from optbench.cli import main
from optbench.explanations import Explanation, explain
from optbench.explanations._board import Board
from optbench.explanations._terms import named, record, unparsed
from optbench.methods import Optimizer
from optbench.registry import OPTIMIZERS, get_optimizer, list_optimizers, list_schedules
from optbench.types import Array

FIRST_ORDER = [name for name in list_optimizers() if isinstance(get_optimizer(name), Optimizer)]
AT = {"w": 1.0, "b": 2.0}


def sales() -> tuple[Array, Array]:
    """Spending, standardized, and sales, read apart from the package."""
    rows = np.loadtxt(Path(optbench.__file__).parent / "problems/data/sales.csv", delimiter=",", skiprows=1)
    x, y = rows.T
    return (x - x.mean()) / x.std(), y


def gradient(point: Array) -> Array:
    x, y = sales()
    error = point[0] * x + point[1] - y
    return np.array([2.0 * np.mean(error * x), 2.0 * np.mean(error)])


def path_of(update: Any, steps: int) -> Array:
    """Points of ``update(t, x, g, memory) -> x`` from (1, 2); `memory` is a dict that it may fill."""
    points, memory = [np.array([1.0, 2.0])], dict[str, Any]()
    for t in range(1, steps + 1):
        points.append(update(t, points[-1], gradient(points[-1]), memory))
    return np.array(points)


def gd(t: int, x: Array, g: Array, memory: dict[str, Any]) -> Array:
    return np.asarray(x - 0.1 * g)


def heavy_ball(t: int, x: Array, g: Array, memory: dict[str, Any]) -> Array:
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return np.asarray(x - 0.1 * memory["v"])


def look_ahead(t: int, x: Array, g: Array, memory: dict[str, Any]) -> Array:
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return np.asarray(x - 0.1 * (g + 0.9 * memory["v"]))


def root_mean_square(t: int, x: Array, g: Array, memory: dict[str, Any]) -> Array:
    memory["v"] = 0.99 * memory.get("v", 0.0) + 0.01 * g**2
    return np.asarray(x - 0.1 * g / (np.sqrt(memory["v"]) + 1e-8))


def moments(t: int, g: Array, memory: dict[str, Any], eps: float) -> Array:
    """Kingma & Ba, Algorithm 1, with its corrections as they stand there."""
    memory["m"] = 0.9 * memory.get("m", 0.0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0.0) + 0.001 * g**2
    return np.asarray((memory["m"] / (1.0 - 0.9**t)) / (np.sqrt(memory["v"] / (1.0 - 0.999**t)) + eps))


def adam(t: int, x: Array, g: Array, memory: dict[str, Any]) -> Array:
    return np.asarray(x - 0.1 * moments(t, g, memory, 1e-8))


def lamb(t: int, x: Array, g: Array, memory: dict[str, Any]) -> Array:
    u = moments(t, g, memory, 1e-6)
    return np.asarray(x - 0.1 * np.abs(x) / np.abs(u) * u)  # w and b are groups of their own


@pytest.mark.parametrize(
    ("optimizer", "update"),
    [
        ("gd", gd),
        ("momentum", heavy_ball),
        ("nesterov", look_ahead),
        ("rmsprop", root_mean_square),
        ("adam", adam),
        ("lamb", lamb),
    ],
)
def test_steps_are_those_of_the_papers(optimizer: str, update: Any) -> None:
    e = explain("linear_regression", AT, optimizer, lr=0.1, steps=4)
    np.testing.assert_allclose(e.points, path_of(update, 4), rtol=1e-10)
    for step in e.steps:
        np.testing.assert_allclose([step.worked[0], step.worked[1]], step.x_next, rtol=1e-12)


def test_regression_against_numpy() -> None:
    x, y = sales()
    e = explain("linear_regression", AT, "gd", lr=0.1)
    error = x + 2.0 - y
    assert e.names == ("w", "b")
    assert e.residuals is not None
    np.testing.assert_allclose(e.residuals, error, rtol=1e-12)
    assert math.isclose(e.fun, np.mean(error**2), rel_tol=1e-12)
    np.testing.assert_allclose(e.grad, gradient(np.array([1.0, 2.0])), rtol=1e-12)
    text = e.text
    assert f"= {np.mean(error**2):.6g}" in text
    assert f"dJ/dw = 2/m * sum (w x_i + b - y_i) x_i = 2/40 * ({np.sum(error * x):.6g}) = {e.grad[0]:.6g}" in text
    assert f"dJ/db = 2/m * sum (w x_i + b - y_i) = 2/40 * ({np.sum(error):.6g}) = {e.grad[1]:.6g}" in text
    assert f"w <- w - lr * dJ/dw = 1 - 0.1 * ({e.grad[0]:.6g}) = {1 - 0.1 * e.grad[0]:.6g}" in text
    assert "it fell by" in text


def test_ridge_and_logistic_partials_with_the_penalty() -> None:
    ridge = explain({"name": "ridge", "data": "sales", "alpha": 0.5}, [3.0, 2.0], "gd", lr=0.1)
    assert "+ 2 alpha w" in ridge.text
    assert "+ 1 * 3 = " in ridge.text
    logistic = explain("logistic_regression", [0.5, -0.5, 1.0], "gd", lr=0.1)
    p = logistic.problem
    z = logistic.x[:2] @ p.data.X + 1.0
    share = 1.0 / (1.0 + np.exp(-z)) - (p.data.y + 1.0) / 2.0
    assert logistic.residuals is not None
    np.testing.assert_allclose(logistic.residuals, share, atol=1e-14)
    expected = p.data.X[1] @ share / len(z) - 0.01 * 0.5
    assert f"= {expected:.6g}" in logistic.text


def value_of(text: str) -> float:
    """The value of one printed expression."""
    names = {"sqrt": math.sqrt, "cos": math.cos, "pi": math.pi, "sign": np.sign, "abs": abs, "max": max, "min": min}
    return float(
        eval(text.replace("^", "**"), {"__builtins__": {}}, {**names, "float": float, "copysign": math.copysign})
    )


def joined(text: str) -> list[str]:
    """Printed formulas, those over several lines made one."""
    made: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("= ") and made:
            made[-1] += " " + stripped
        else:
            made.append(stripped)
    return made


def check_lines(text: str) -> int:
    """Recompute every printed formula from its own printed numbers; how many there were."""
    checked = 0
    for line in joined(text):
        found = re.match(r"^(\S+) +(=|<-) (.+?)(?: +\[since.*\])?$", line)
        if not found or " = " not in found[3]:
            continue
        *_, numbers, value = found[3].split(" = ")
        if not re.search(r"[*/+^(]| - ", numbers) or re.search(
            r"[a-z_]+\b(?<!sqrt)(?<!cos)(?<!pi)(?<!sign)(?<!max)(?<!min)(?<!abs)(?<!e)", numbers
        ):
            continue
        inner = [abs(float(n)) for n in re.findall(r"\d+\.?\d*(?:e[-+]\d+)?", numbers)]
        slack = 2e-5 * max(abs(float(value)), *(n for n in inner if n < 1e5))
        assert math.isclose(value_of(numbers), float(value), rel_tol=1e-4, abs_tol=slack), line
        checked += 1
    return checked


@pytest.mark.parametrize("optimizer", FIRST_ORDER)
def test_every_optimizer_agrees_with_its_kernel_and_with_its_own_text(optimizer: str) -> None:
    options: dict[str, Any] = {
        "lr": 0.05,
        "clip": {"norm": 3.0},
        "schedule": {"name": "cosine", "T_max": 5},
        "steps": 3,
    }
    for problem in ("linear_regression", "rosenbrock"):
        e = explain(problem, [0.9, 2.0], optimizer, **options)
        assert len(e.steps) == 3
        for step in e.steps:
            for i, value in step.worked.items():
                assert math.isclose(value, step.x_next[i], rel_tol=1e-12, abs_tol=1e-14), (optimizer, step.t, i)
        assert check_lines(e.text) >= 6
        assert max(map(len, e.text.splitlines())) <= 98


@pytest.mark.parametrize("params", [{"amsgrad": True}, {"weight_decay": 0.3, "decay_bias": False}])
def test_variants_and_spared_biases(params: dict[str, Any]) -> None:
    e = explain("linear_regression", AT, "adam", lr=0.1, params=params, steps=3)
    for step in e.steps:
        np.testing.assert_allclose(list(step.worked.values()), step.x_next, rtol=1e-12)


@pytest.mark.parametrize("schedule", list_schedules())
def test_the_learning_rate_is_the_one_of_the_run(schedule: str) -> None:
    e = explain("linear_regression", AT, "gd", lr=0.1, schedule={"name": schedule, "warmup": 2}, steps=5, max_iter=8)
    expected = optbench.minimize(
        e.problem, "gd", lr=0.1, schedule={"name": schedule, "warmup": 2}, max_iter=8, x0=[1.0, 2.0], targets=()
    ).trace["lr"]
    for step in e.steps:
        assert step.lr == expected[step.t - 1]
        rates = [line.value for line in step.rate if line.name == "lr"]
        assert all(math.isclose(rate, step.lr, rel_tol=1e-14) for rate in rates)
        assert rates or schedule in ("constant", "reduce_on_plateau", "multistep")
    assert "warmup_start" in e.text


def test_clipping() -> None:
    norm = explain("linear_regression", AT, "gd", lr=0.1, clip={"norm": 1.0})
    np.testing.assert_allclose(np.linalg.norm(norm.points[1] - norm.points[0]), 0.1, rtol=1e-6)
    assert "c     = limit / (||g|| + 1e-06) = 1 / (338.144 + 1e-06) = 0.00295732" in norm.text
    value = explain("linear_regression", AT, "gd", lr=0.1, clip={"value": 0.5})
    np.testing.assert_allclose(value.points[1], [1.05, 2.05], rtol=1e-12)
    assert "dJ/dw within [-0.5, 0.5]" in value.text
    small = explain("rosenbrock", [1.0, 1.001], "gd", lr=0.1, clip={"norm": 5.0})
    assert "c     = 1" in small.text


def test_a_function_is_worked_out_statement_by_statement() -> None:
    text = explain("rosenbrock", {"x": -1.2, "y": 1.0}).text
    assert "a         = x2 - x1 * x1 = 1 - (-1.2) * (-1.2) = -0.44" in text
    assert "df/dx1    = -400 * a * x1 - 2 * b = -400 * (-0.44) * (-1.2) - 2 * 2.2 = -215.6" in text
    assert "Eigenvalues 23.633 and 1506.37" in text
    least_squares = explain("beale", [1.0, 2.0]).text
    assert "r3        = 2.625 - x1 * (1 - power_2) = 2.625 - 1 * (1 - 8) = 9.625" in least_squares
    assert "dr3/dx2   = x1 * (2 + 1) * power = 1 * (2 + 1) * 4 = 12" in least_squares  # the power before
    assert "saddle" in least_squares
    assert "..." in explain({"name": "quadratic", "n": 40}).text


def test_constraints() -> None:
    e = explain("circle_on_line")
    assert "c1(x) = x1 + b * x2 - c = 2 + 2 * (-1) - 5 = -5   [must be 0: violated]" in e.text
    assert "(d, lambda) = (-1, 3, -2)" in e.text
    np.testing.assert_allclose(e.points[-1], [1.0, 2.0], atol=1e-12)
    there = explain("hs071", optbench.get_problem("hs071").x_opt)
    assert "[the largest of these: this is a solution]" in there.text
    multipliers = re.search(r"lambda = \((.*)\)", there.text)
    assert multipliers is not None
    certified = optbench.get_problem("hs071").multipliers
    assert certified is not None
    assert math.isclose(float(multipliers[1].split(", ")[0]), certified[0], rel_tol=1e-5)


def test_methods_with_a_search_tell_where_they_went() -> None:
    e = explain("rosenbrock", None, "newton")
    assert "x1 <- x1 + step length * d = -1.2 + 1 * 0.0247191 = -1.17528" in e.text


def test_a_run_that_ends_says_so() -> None:
    e = explain("rosenbrock", [5.0, 5.0], "gd", lr=10.0, steps=20)
    assert len(e.steps) < 20
    assert "No further step: the objective or the point is no longer finite." in e.text


def test_a_user_s_own_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPTIMIZERS, "_items", dict(OPTIMIZERS._items))
    monkeypatch.setattr(OPTIMIZERS, "_modules", dict(OPTIMIZERS._modules))

    @optbench.optimizer(lr=0.1, name="signed")
    def signed(x, g, state, c):  # type: ignore[no-untyped-def]
        lr, _ = c
        return x - lr * (1.0 if g > 0 else -1.0 if g < 0 else 0.0), state

    text = explain("linear_regression", AT, "signed").text
    assert "w <- w - lr * (-1) = 1 - 0.1 * (-1) = 1.1   [since dJ/dw < 0]" in text


def test_a_board_closes_what_it_cannot_open() -> None:
    board = Board()
    made = board.call(math.hypot, named("a", 3.0), named("b", 4.0))
    assert (made.value, unparsed(made.code), unparsed(made.numbers)) == (5.0, "hypot(a, b)", "hypot(3, 4)")
    assert not board.lines

    def searched(x, params):  # type: ignore[no-untyped-def]
        length = 1.0
        while length < x:
            length *= params.beta1
        return length - x

    adam = get_optimizer("adam")
    out = board.call(searched, named("x", 3.0), record(adam.params(beta1=2.0), fixed=True))
    assert (unparsed(out.code), out.value) == ("length - x", 1.0)
    assert [(line.name, line.value) for line in board.lines] == [("length", 4.0)]


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("w=1,c=2", "unknown parameter of linear_regression: 'c'. Known: w, b"),
        ("1", "a point of linear_regression takes all 2 parameters, as w=1,b=2 or 1,2, not 1"),
        ("w=1", "b is missing"),
        ("w=1,w=2", "w is given twice"),
        ("w=1,2", "a point of linear_regression takes names for all numbers or for none"),
        ("w=a,b=1", "a point of linear_regression takes numbers, as w=1,b=2 or 1,2, not 'a'"),
        ([1.0, math.nan], "takes finite numbers"),
        ({"w": "x", "b": 1}, "takes numbers"),
    ],
)
def test_points_that_are_none(at: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        explain("linear_regression", at)


@pytest.mark.parametrize("at", ["x1=1,x2=2", "x=1,y=2", "x0=1,x1=2", "x_1=1,x_2=2", "1,2", [1, 2]])
def test_names_of_a_function_s_parameters(at: Any) -> None:
    assert explain("rosenbrock", at).x.tolist() == [1.0, 2.0]


def test_names_with_commas_and_brackets() -> None:
    e = explain({"name": "ridge", "data": "synthetic", "n_features": 2}, "w[x1]=1,w[x2]=-2,b=0.5")
    assert e.x.tolist() == [1.0, -2.0, 0.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps takes a whole number between 1 and 50"),
        ({"steps": 3, "max_iter": 2}, "max_iter = 2 ends the run before step 3"),
        ({"optimizer": "lagrange_newton"}, "the problem has no constraints"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        explain("linear_regression", AT, **options)


def test_command(tmp_path: Path) -> None:
    run, figure = CliRunner(), tmp_path / "e.png"
    done = run.invoke(main, ["explain", "linear_regression", "--at", "w=1,b=2", "-O", "adam:lr=0.1", "-o", str(figure)])
    assert done.exit_code == 0, done.output
    assert figure.read_bytes()[:4] == b"\x89PNG"
    assert done.output == explain("linear_regression", AT, "adam", lr=0.1).text + f"\n\nplot:    {figure}\n"
    points = tmp_path / "points.csv"
    points.write_text("x,y\n0,1\n1,3\n2,5\n")
    text = f"linear_regression:data={points},target=y,standardize=false"
    own = run.invoke(main, ["explain", text, "--at", "2,1", "--no-plot"])
    assert own.exit_code == 0, own.output
    assert "It is zero: the point is stationary." in own.output


def test_command_checks_before_it_prints(tmp_path: Path) -> None:
    run = CliRunner()
    for options in (["-o", str(tmp_path / "no" / "e.png")], ["-o", "e.bmp"], ["--no-plot", "-o", "e.png"]):
        done = run.invoke(main, ["explain", "linear_regression", *options])
        assert done.exit_code == 2
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1


def test_figure_of_an_explanation() -> None:
    e = explain("linear_regression", AT)
    assert isinstance(e, Explanation)
    assert len(e.figure().axes) == 3  # both spaces and the bar
    assert len(explain("circle_on_line").figure().axes) == 2
    with pytest.raises(ValueError, match="one parameter"):
        explain({"name": "quadratic", "n": 1}).figure()
