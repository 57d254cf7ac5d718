"""Models over data, and the figures of data space: what they draw, and what they refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import optbench
from optbench import plots
from optbench.cli import main
from optbench.models import SMALL_DATA, model_of, small_problem
from optbench.plots.data_space import draw_data, draw_model, draw_residuals
from optbench.types import Problem

PETALS = ["petal length (cm)", "petal width (cm)"]
NETWORKS: list[dict[str, Any]] = [
    {"hidden": [4], "activation": activation, "features": PETALS, "data": "iris", "alpha": 0.0}
    for activation in ("tanh", "relu", "sigmoid", "gelu")
]


def axes() -> Any:
    return Figure().add_subplot()


def problem(name: str, **settings: Any) -> Problem:
    return optbench.get_problem(name, **settings)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("linear_regression", {"data": "sales"}),
        ("linear_regression", {"data": "synthetic", "n_features": 3, "instance": 4, "validation": 0.25}),
        ("ridge", {"data": "sales", "alpha": 0.0, "standardize": False}),
        ("logistic_regression", {"alpha": 0.02}),
        ("softmax_regression", {"alpha": 0.02, "data": "breast_cancer", "features": ["mean radius", "mean texture"]}),
        ("mlp", {"data": "sales", "hidden": [3, 2], "alpha": 0.0}),
        *(("mlp", settings) for settings in NETWORKS),
    ],
)
def test_predictions_give_the_loss_of_the_kernel(name: str, settings: dict[str, Any]) -> None:
    p = problem(name, **settings)
    model = model_of(p)
    assert model is not None
    x = np.random.default_rng(1).normal(size=p.n)
    out = model.outputs(x, model.X)
    if model.labels:
        loss = float(np.mean(-np.log(out[np.arange(len(model.y)), model.y.astype(int)])))
    else:
        loss = float(np.mean((out - model.y) ** 2))
    biases = len(model.labels) if name == "softmax_regression" else 1
    penalty = 0.5 * float(p.settings.get("alpha", 0.0)) * float(np.sum(x[:-biases] ** 2))
    np.testing.assert_allclose(loss + penalty, p.fun(x), rtol=1e-9)


def test_names_of_parameters() -> None:
    def names(name: str, **settings: Any) -> tuple[str, ...]:
        model = model_of(problem(name, **settings))
        assert model is not None
        return model.parameter_names()

    assert names("linear_regression", data="sales") == ("w", "b")
    assert names("ridge", data="synthetic", n_features=2) == ("w[x1]", "w[x2]", "b")
    assert names("softmax_regression", data="iris", features=PETALS[:1])[-4:] == (
        "w[2,petal length (cm)]",
        "b[0]",
        "b[1]",
        "b[2]",
    )
    assert names("mlp", data="sales", hidden=[2]) == (
        "w1[1,1]",
        "w1[2,1]",
        "b1[1]",
        "b1[2]",
        "w2[1,1]",
        "w2[1,2]",
        "b2[1]",
    )


def test_problems_without_a_model() -> None:
    assert model_of(problem("rosenbrock")) is None
    assert model_of(problem("logistic_regression", data="wide", n_samples=4, n_features=8)) is None
    assert model_of(Problem(lambda x, g, data: 0.0, [0.0], data=())) is None


def test_small_problems() -> None:
    for name in SMALL_DATA:
        model = model_of(small_problem(name))
        assert model is not None
        assert model.is_line or model.is_boundary
    assert small_problem({"name": "ridge", "alpha": 2.0}).settings["alpha"] == 2.0
    with pytest.raises(ValueError, match="a mapping with a name"):
        small_problem({"alpha": 1.0})


def test_the_line_is_the_model_and_the_segments_are_the_residuals() -> None:
    p, ax = problem("linear_regression", data="sales"), axes()
    draw_data(ax, p)
    assert ax.get_xlabel() == "spending, standardized"
    limits = ax.get_xlim(), ax.get_ylim()
    (line,) = draw_model(ax, p, [3.0, 100.0], color="red")
    x, y = line.get_data()  # type: ignore[attr-defined]
    np.testing.assert_allclose(y, 3.0 * x + 100.0)
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    (drawn,) = draw_residuals(ax, p, [3.0, 100.0])
    assert isinstance(drawn, LineCollection)
    lengths = np.array([np.ptp(segment[:, 1]) for segment in drawn.get_segments()])
    np.testing.assert_allclose(lengths, np.abs(p.data.X[0] * 3.0 + 100.0 - p.data.y))


def test_the_boundary_is_where_the_probabilities_are_equal() -> None:
    p, ax = problem("logistic_regression", **SMALL_DATA["logistic_regression"]), axes()
    draw_data(ax, p)
    assert p.x_opt is not None
    (drawn,) = draw_model(ax, p, p.x_opt)
    points = drawn.get_paths()[0].vertices  # type: ignore[attr-defined]
    assert len(points) > 20
    np.testing.assert_allclose(points @ p.x_opt[:2] + p.x_opt[2], 0.0, atol=2e-2)
    assert draw_model(ax, p, [0.0, 0.0, 1.0]) == []  # one class everywhere


def test_data_space_along_runs() -> None:
    p = problem("linear_regression", data="sales")
    runs = {name: optbench.minimize(p, name, lr=0.1, max_iter=40) for name in ("gd", "momentum")}
    figure = plots.data_space(p, runs)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["gd", "momentum"]
    lines = figure.axes[0].get_lines()
    points = runs["gd"].trace.attrs["x"]
    x, y = lines[0].get_data()
    np.testing.assert_allclose(np.asarray(y), points[0, 0] * np.asarray(x) + points[0, 1])
    last = lines[len(lines) - 2].get_data()  # before the dashed one
    np.testing.assert_allclose(np.asarray(last[1]), points[-1, 0] * np.asarray(last[0]) + points[-1, 1])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "0" in texts
    assert str(len(points) - 1) in texts


def test_data_space_of_a_run_that_diverges() -> None:
    p = problem("linear_regression", data="sales")
    run = optbench.minimize(p, "gd", lr=50.0, max_iter=500)
    assert run.status == "diverged"
    figure = plots.data_space(p, {"gd": run})
    low, high = figure.axes[0].get_ylim()
    assert high - low < 2000.0
    assert plots.both_spaces(p, run.trace.attrs["x"][:3]).axes


def test_decision_boundary_marks_what_is_wrong() -> None:
    p = problem("softmax_regression", **SMALL_DATA["softmax_regression"])
    figure = plots.decision_boundary(p)
    model = model_of(p)
    assert model is not None
    assert p.x_opt is not None
    wrong = int((model.outputs(p.x_opt, model.X).argmax(axis=1) != model.y).sum())
    assert len(np.asarray(figure.axes[0].collections[-1].get_offsets())) == wrong  # the rings
    assert f"{wrong} wrong" in figure.axes[0].get_title(loc="left")
    assert len(plots.data_space(p, {"gd": optbench.minimize(p, "gd", lr=1.0, max_iter=9)}).axes) == 1


def test_one_model_is_one_point() -> None:
    figure = plots.one_model({"name": "linear_regression", "data": "sales"}, ["w=10,b=100", [50.0, 160.0]])
    left, right = figure.axes[:2]
    numbers = [text.get_text() for text in left.texts]
    assert numbers == ["1", "2"]
    places = {text.get_text(): text.get_position() for text in right.texts if text.get_text() in numbers}
    assert places == {"1": (10.0, 100.0), "2": (50.0, 160.0)}
    assert len(plots.one_model("ridge").axes[0].get_lines()) == 3


def test_both_spaces_of_many_parameters_and_of_none_with_data() -> None:
    p = problem("quadratic", n=5)
    path = optbench.minimize(p, "gd", lr=0.1, max_iter=3).trace.attrs["x"]
    assert len(plots.both_spaces(p, path).axes) == 2
    with pytest.raises(ValueError, match=re.escape("points must have shape (k, 5)")):
        plots.both_spaces(p, [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.data_space("rosenbrock", {}), "rosenbrock has no data and no model over them"),
        (lambda: plots.data_space("linear_regression", {}), "there is no run whose model could be drawn"),
        (
            lambda: plots.data_space(problem("linear_regression"), {}),
            "can be drawn with one feature, and it has 10 (age, sex, bmi, ...): choose with features=[...]",
        ),
        (lambda: plots.decision_boundary(problem("logistic_regression")), "can be drawn with two features"),
        (lambda: plots.decision_boundary("linear_regression"), "there is no boundary between classes"),
        (lambda: plots.decision_boundary("mlp"), "the minimum of mlp is not known: give the parameters x"),
        (lambda: plots.one_model("logistic_regression"), "takes a line with two parameters"),
        (lambda: plots.one_model("ridge", []), "points takes at least one pair"),
        (lambda: plots.one_model("ridge", [[1.0]]), "takes all 2 parameters, as w=1,b=2 or 1,2, not 1"),
        (lambda: draw_model(axes(), small_problem("ridge"), [1.0]), "x must have shape (2,), not (1,)"),
        (lambda: draw_residuals(axes(), small_problem("mlp"), [1.0]), "predicts classes: it has no residuals"),
    ],
)
def test_what_cannot_be_drawn(draw: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        draw()


def test_from_the_command_line(tmp_path: Path) -> None:
    run = CliRunner()
    results = tmp_path / "r.db"
    features = "features=['mean radius','mean texture']"
    for text, kinds in (
        ("linear_regression:data=sales", ["data_space"]),
        (f"logistic_regression:{features}", ["data_space", "decision_boundary"]),
    ):
        options = ["-O", "gd:lr=0.1", "-O", "adam:lr=0.1", "--max-iter", "20", "-o", str(results), "--no-plots"]
        assert run.invoke(main, ["run", "-p", text, *options]).exit_code == 0
        for kind in kinds:
            name = text.partition(":")[0]
            done = run.invoke(main, ["plot", str(results), "--kind", kind, "--where", f"problem={name}"])
            assert done.exit_code == 0, done.output
            assert (tmp_path / f"r-{kind}.png").read_bytes()[:4] == b"\x89PNG"
    target = tmp_path / "one.png"
    done = run.invoke(
        main,
        [
            "plot",
            "--kind",
            "one_model",
            "--problem",
            "ridge",
            "--points",
            "1,2",
            "--points",
            "w=3,b=4",
            "-o",
            str(target),
        ],
    )
    assert done.exit_code == 0, done.output
    assert target.exists()
