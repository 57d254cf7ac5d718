"""Figures of parameter space: what they draw is the problem's own numbers, whatever a path does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import optbench
from optbench import plots
from optbench.plots import _contours, _planes, _scene, _style
from optbench.plots._paths import Track, track_of
from optbench.plots._scene_text import gradient_text, step_text
from optbench.plots.animation import Animation, iterations_of
from optbench.plots.constraint_space import active
from optbench.plots.parameter_space import draw_gradient, parameter_space_of_runs
from optbench.points import point_at
from optbench.registry import list_problems
from optbench.store import Results
from optbench.trajectories import trajectories

FRAME = np.array([[-1.0, 1.0], [-1.0, 1.0]])
CONSTRAINED = [
    name for name in list_problems() if optbench.get_problem(name).constraints and optbench.get_problem(name).n == 2
]


@pytest.fixture(scope="module")
def sales() -> optbench.Problem:
    return optbench.get_problem("linear_regression", data="sales", features=["spending"], standardize=False)


@pytest.fixture(scope="module")
def rosenbrock() -> dict[str, Any]:
    settings: dict[str, Any] = {"adam": 0.02, "gd": 1e-3, "lbfgs": None}
    return {name: optbench.minimize("rosenbrock", name, lr=lr, max_iter=500) for name, lr in settings.items()}


def texts(figure: Figure, panel: int = 0) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts if text.get_text()]


def caption(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def lines(figure: Figure) -> dict[str, np.ndarray]:
    """Points of the paths by label."""
    return {
        str(line.get_label()): np.asarray(line.get_xydata())
        for line in figure.axes[0].lines
        if line.get_gid() == "path"
    }


# Planes and values on them


def test_field_is_the_function_at_every_node(sales: optbench.Problem) -> None:
    rng = np.random.default_rng(0)
    for problem in (optbench.get_problem("beale"), sales, optbench.get_problem("quadratic", n=10)):
        for plane in (
            _planes.coordinate_plane(problem),
            _planes.principal_plane([rng.normal(size=(9, problem.n))], problem.x0),
        ):
            field = _planes.field_of(problem, plane, np.array([[-2.0, 3.0], [0.5, 1.5]]), 31)
            for i, j in rng.integers(0, 31, size=(20, 2)):
                point = plane.points([[field.u[i], field.v[j]]])[0]
                assert field.f[j, i] == pytest.approx(problem.fun(point), rel=1e-14)


def test_contours_lie_where_the_function_has_their_levels() -> None:
    problem = optbench.get_problem("himmelblau")
    figure = Figure()
    ax = figure.add_subplot()
    drawn = plots.draw_contours(ax, problem, [[-5, 5], [-5, 5]])
    assert np.asarray(drawn.levels).tolist() == [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
    for level, path in zip(drawn.levels, ax.collections[1].get_paths(), strict=True):
        for x in np.asarray(path.vertices)[::20]:
            slope = float(np.linalg.norm(problem.grad(x)))
            assert abs(problem.fun(x) - level) <= 0.05 * slope + 1e-3  # a node away
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_xlabel()) == ((-5, 5), (-5, 5), "$x_{1}$")


def test_a_slice_goes_through_the_point_named() -> None:
    problem = optbench.get_problem("quadratic", n=5)
    at = np.arange(5.0)
    plane = _planes.plane_of(problem, "x2,x5", base=at)
    np.testing.assert_array_equal(plane.points([[1.0, 4.0]])[0], at)
    np.testing.assert_array_equal(plane.points([[-3.0, 7.0]])[0], [0, -3, 2, 3, 7])
    np.testing.assert_array_equal(plane.coordinates(at), [[1.0, 4.0]])
    figure = plots.parameter_space(problem, at=at, plane="x2,x5")
    assert "A slice in 5 dimensions, through x1 = 0, x3 = 2, x4 = 3." in caption(figure)


def test_principal_plane_is_that_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    paths = {
        name: optbench.minimize("logistic_regression", name, lr=0.1, max_iter=150).trace.attrs["x"]
        for name in ("adam", "gd")
    }
    plane = _planes.principal_plane(list(paths.values()), paths["gd"][-1])
    reference = PCA(n_components=2, svd_solver="full").fit(np.concatenate(list(paths.values())))
    np.testing.assert_allclose(plane.explained, reference.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.sum(plane.directions * reference.components_, axis=1)), 1.0, rtol=1e-10)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    moved = plane.coordinates(paths["adam"])
    np.testing.assert_allclose(moved, (paths["adam"] - paths["gd"][-1]) @ plane.directions.T)


def test_principal_plane_is_the_default_beyond_two_parameters_and_is_stated() -> None:
    problem = optbench.get_problem("quadratic", n=10)
    r = optbench.minimize(problem, "adam", lr=0.05, max_iter=300)
    figure = plots.parameter_space(problem, {"adam": r})
    one, two = _planes.principal_plane([r.trace.attrs["x"]], r.x).explained
    assert f"principal directions of the paths, with {100 * one:.3g} % and {100 * two:.3g} %" in caption(figure)
    assert f"({100 * one:.3g} %)" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize("given", ["w=1,b=2", {"w": 1.0, "b": 2.0}, [1.0, 2.0], "1, 2", "b=2, w=1.0"])
def test_points_by_name_and_by_number(sales: optbench.Problem, given: Any) -> None:
    np.testing.assert_array_equal(point_at(sales, given), [1.0, 2.0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"at": "x1=1,z=2"}, r"unknown parameter of rosenbrock: 'z'\. Known: x1, x2"),
        ({"at": "1,2,3"}, "a point of rosenbrock takes all 2 parameters, as x1=1,x2=2 or 1,2, not 3"),
        ({"at": "x1=one"}, "a point of rosenbrock takes numbers, as x1=1,x2=2 or 1,2, not 'one'"),
        ({"at": "1,nan"}, "finite numbers"),
        ({"at": "1,2", "step": "adm"}, "unknown optimizer 'adm'"),
        ({"step": "adam"}, "a step starts at a point"),
        ({"at": "1,2", "lr": 0.1}, "lr is that of a step"),
        ({"plane": "x1"}, "plane takes pca or two parameters, like x1,x2, not 'x1'"),
        ({"plane": "x1,x_1"}, "plane takes pca or two parameters"),
        ({"plane": "x1,x7"}, "unknown parameter of rosenbrock: 'x7'"),
        ({"plane": "pca"}, "the principal plane takes paths"),
        ({"bounds": "3"}, r"bounds of x1 and x2 are written like -2\.\.2,-1\.\.3, not '3'"),
        ({"bounds": "2..1,0..1"}, "bounds of x1 and x2"),
        ({"paths": {"adam": np.zeros((4, 3))}}, r"points of adam must have shape \(k, 2\), not \(4, 3\)"),
    ],
)
def test_bad_arguments_have_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        plots.parameter_space("rosenbrock", options.pop("paths", None), **options)


# The figure


def test_paths_are_the_points_of_minimize(rosenbrock: dict[str, Any]) -> None:
    figure = plots.parameter_space("rosenbrock", rosenbrock)
    drawn = lines(figure)
    assert list(drawn) == ["adam", "gd", "lbfgs"]
    for name, r in rosenbrock.items():
        points = r.trace.attrs["x"]
        np.testing.assert_allclose(drawn[name][[0, -1]], points[[0, -1]], rtol=1e-12)
        nearest = np.abs(points[:, None] - drawn[name][None]).max(axis=2)
        assert nearest.min(axis=0).max() < 1e-12  # every drawn point is one of the path
        assert nearest.min(axis=1).max() < 0.005  # and none of the path is far from those drawn
    assert {"adam", "gd", "lbfgs", "start", "minimum"} <= set(texts(figure))
    from_trace = plots.parameter_space("rosenbrock", {name: r.trace for name, r in rosenbrock.items()})
    np.testing.assert_array_equal(lines(from_trace)["adam"], drawn["adam"])


def test_levels_are_told_apart_and_exact() -> None:
    plane, problem = _planes.coordinate_plane(optbench.get_problem("booth")), optbench.get_problem("booth")
    figure, (ax,) = _style.panels(1, 3.0, 3.0)
    frame = np.array([[0.0, 1e-3], [0.0, 1e-3]])
    _contours.draw_field([ax], problem, _planes.field_of(problem, plane, frame, 41))
    told = [float(text.get_text()) for text in figure.axes[1].get_yticklabels()]
    np.testing.assert_allclose(told, figure.axes[1].get_yticks(), rtol=1e-7)
    assert len(set(told)) == len(told) > 3


def test_the_arrow_of_a_gradient_stays_in_the_frame() -> None:
    scene = _scene.scene_of("rosenbrock", at=(1.0, 2.0))  # at the edge of the problem's region, uphill beyond it
    plane, bounds = scene.plane, scene.bounds
    tip = _planes.tip_of(plane, bounds, np.array([1.0, 2.0]), scene.problem.grad(np.array([1.0, 2.0])))
    assert ((tip > bounds[:, 0]) & (tip < bounds[:, 1])).all()


def test_gradient_and_step_have_the_numbers_of_the_problem_and_the_kernel(sales: optbench.Problem) -> None:
    x = np.array([1.0, 2.0])
    g = sales.grad(x)
    figure = plots.parameter_space(sales, at="w=1,b=2", step="gd", lr=1e-4)
    assert f"$\\nabla J$(w=1, b=2)\n= ({g[0]:.4g}, {g[1]:.4g})" in texts(figure)
    after = x - 1e-4 * g
    assert f"step of gd, lr = 0.0001:\nto w={after[0]:.4g}, b={after[1]:.4g}" in texts(figure)
    step = _scene.step_from(sales, "adam", 0.5, x)
    assert step is not None
    np.testing.assert_allclose(step.after, x - 0.5 * np.sign(g), rtol=1e-9)  # Adam's first step: the sign
    assert "lr = 0.5" in step_text(sales, step)
    search = _scene.step_from(sales, "lbfgs", None, x)
    assert search is not None
    assert search.lr is None
    assert gradient_text(sales, np.array(sales.x_opt)).startswith(r"$\nabla J$(w=4.")


def test_the_arrow_of_the_gradient_points_uphill() -> None:
    problem = optbench.get_problem("beale")
    figure = Figure()
    ax = figure.add_subplot(xlim=(-4, 4), ylim=(-4, 4))
    x = np.array([1.0, -1.0])
    tip = draw_gradient(ax, problem, x)
    g = problem.grad(x)
    assert (tip - x) @ g / np.linalg.norm(tip - x) / np.linalg.norm(g) == pytest.approx(1.0)


def test_more_optimizers_than_one_panel_holds_have_a_panel_each() -> None:
    names = ["adam", "gd", "momentum", "nesterov", "rmsprop", "adagrad", "lbfgs"]
    paths = {name: optbench.minimize("beale", name, max_iter=50).trace for name in names}
    figure = plots.parameter_space("beale", paths)
    assert [name for panel in range(7) for name in texts(figure, panel) if name in names] == names
    assert len(plots.parameter_space("beale", {name: paths[name] for name in names[:6]}).axes) == 2  # and the bar


def test_several_starts_of_one_optimizer_have_one_label() -> None:
    paths = {"adam": [optbench.minimize("himmelblau", "adam", lr=0.1, seed=seed) for seed in range(3)]}
    figure = plots.parameter_space("himmelblau", paths)
    assert texts(figure).count("adam") == 1
    assert "starts" in texts(figure)


def test_values_that_are_not_finite_are_hatched() -> None:
    problem = optbench.get_problem("rosenbrock")
    field = _planes.field_of(problem, _planes.coordinate_plane(problem), np.array([[-1e160, 1e160], [-1, 1]]), 5)
    assert np.isnan(field.f).any()
    assert np.isfinite(field.f[:, 2]).all()
    plots.parameter_space(problem, bounds=np.array([[-1e160, 1e160], [-1.0, 1.0]]))
    with pytest.raises(ValueError, match="no finite value"):
        plots.parameter_space(problem, bounds=np.array([[1e200, 2e200], [-1.0, 1.0]]))


def test_levels_are_linear_within_two_decades_and_logarithmic_beyond() -> None:
    problem = optbench.get_problem("sphere", n=2)
    plane = _planes.coordinate_plane(problem)
    near, far = (_planes.field_of(problem, plane, np.array([[low, low + 1.0]] * 2), 21) for low in (3.0, -0.5))
    gap, levels, what = _contours.levels_of(problem, near)
    np.testing.assert_array_equal(gap, near.f)
    np.testing.assert_allclose(np.diff(levels), levels[1] - levels[0])
    assert what == "f, evenly spaced"
    gap, levels, what = _contours.levels_of(problem, far)
    assert what == "f - f*"
    assert {round(10.0 ** (math.log10(level) % 1.0)) for level in levels} <= {1, 2, 5, 10}


# What of a path is drawn


def test_a_path_that_leaves_is_cut_at_the_frame() -> None:
    track = track_of(np.array([[0.0, 0.0], [0.5, 0.0], [2.5, 1.0], [1e300, 1e300], [np.inf, 0.0]]), FRAME)
    assert track.leaves
    np.testing.assert_allclose(track.end, [1.0, 0.25])  # on the way from (0.5, 0) to (2.5, 1)
    assert np.abs(track.points).max() <= 3.0


def test_a_path_that_ends_as_no_number_has_a_cross_at_its_last_point() -> None:
    track = track_of(np.array([[0.0, 0.0], [0.5, 0.5], [np.nan, 0.0], [0.0, 0.0]]), FRAME)
    assert track.leaves
    np.testing.assert_array_equal(track.end, [0.5, 0.5])
    assert track_of(np.full((3, 2), np.nan), FRAME).leaves


def test_a_path_that_comes_back_does_not_leave() -> None:
    track = track_of(np.array([[0.0, 0.0], [1e9, 0.0], [0.25, 0.5]]), FRAME)
    assert not track.leaves
    np.testing.assert_allclose(track.end, [0.25, 0.5])
    assert np.abs(track.points).max() <= 3.0


def test_what_cannot_be_seen_is_not_drawn() -> None:
    t = np.linspace(0, 20, 300_000)
    spiral = np.column_stack([np.cos(t), np.sin(t)]) * np.exp(-t / 3)[:, None]
    track = track_of(spiral, FRAME)
    assert len(track.points) < 20_000
    np.testing.assert_allclose(track.points[[0, -1]], spiral[[0, -1]], atol=1e-12)
    still: Track = track_of(np.zeros((5, 2)), FRAME)
    assert len(still.points) == 2


def test_a_diverging_run_is_marked_and_stated() -> None:
    r = optbench.minimize("rosenbrock", "gd", lr=0.1, max_iter=50)
    assert r.status == "diverged"
    figure = plots.parameter_space("rosenbrock", {"gd": r})
    assert "Cross: leaves the frame" in caption(figure)
    assert any(line.get_marker() == "X" for line in figure.axes[0].lines)


# Surfaces, constraints, animations


def test_paths_lie_on_the_surface(rosenbrock: dict[str, Any]) -> None:
    figure = plots.surface("rosenbrock", {"adam": rosenbrock["adam"]})
    ax: Any = figure.axes[0]
    x, y, z = (np.asarray(values, dtype=float) for values in ax.lines[0].get_data_3d())
    f = np.array([optbench.get_problem("rosenbrock").fun(point) for point in zip(x, y, strict=True)])
    above = z > z.min() + 1e-9  # the lowest are cut
    np.testing.assert_allclose(10.0 ** z[above], f[above], rtol=1e-12)
    assert {"adam", "start"} <= {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("name", CONSTRAINED)
def test_gradients_at_the_solution_cancel_with_the_certified_multipliers(name: str) -> None:
    problem = optbench.get_problem(name)
    gradient, jac, holding = active(problem)
    assert problem.multipliers is not None
    assert set(np.flatnonzero(problem.multipliers)) <= set(holding)
    rest = gradient + problem.multipliers[holding] @ jac[holding]
    assert np.abs(rest).max() <= 1e-6 * max(1.0, np.abs(gradient).max())


def test_constraint_space_shows_the_numbers_of_the_theorem() -> None:
    r = optbench.minimize("circle_on_line", "lagrange_newton")
    figure = plots.constraint_space("circle_on_line", {"lagrange_newton": r})
    assert {r"$\nabla f$ = (2, 4)", r"$\nabla c_{1}$ = (1, 2)", "$c_{1}$ = 0", "lagrange_newton"} <= set(texts(figure))
    assert "There ∇f + λ1 ∇c1 = 0 with λ1\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}-2." in caption(figure)
    np.testing.assert_allclose(lines(figure)["lagrange_newton"], r.trace.attrs["x"][[0, -1]], rtol=1e-12)


def test_constraint_curves_are_where_the_constraints_vanish() -> None:
    problem = optbench.get_problem("rectangle_in_ellipse")
    figure = plots.constraint_space(problem)
    drawn: list[Any] = list(figure.axes[0].collections)
    heavy = [each for each in drawn if each.get_linewidths()[0] == 1.8]
    points = np.concatenate([path.vertices for each in heavy for path in each.get_paths()])
    assert np.abs([problem.constraint(point)[0][0] for point in points]).max() < 1e-3
    assert len(points) > 100


@pytest.mark.parametrize(("name", "has"), [("rosenbrock", "no constraints"), ("hs071", "4 parameters")])
def test_constraint_space_takes_constraints_of_two_parameters(name: str, has: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has {has}"):
        plots.constraint_space(name)


def test_animation_has_a_frame_for_every_iteration(tmp_path: Path, sales: optbench.Problem) -> None:
    r = optbench.minimize(sales, "gd", lr=1e-4, max_iter=6)
    film = plots.animation(sales, {"gd": r})
    assert film.iterations.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert film.data
    with Image.open(film.save(tmp_path / "film.gif")) as image:
        assert image.n_frames == 7  # type: ignore[attr-defined]
        first = np.asarray(image.convert("RGB")).copy()
        image.seek(3)
        assert (np.asarray(image.convert("RGB")) != first).any()


def test_frames_of_a_long_run_are_distinct_and_end_at_its_end() -> None:
    for last, frames in ((10**6, 100), (200, 40), (5, 100), (100, 2), (0, 3)):
        chosen = iterations_of(last, frames)
        assert (chosen[0], chosen[-1]) == (0, last)
        assert (np.diff(chosen) > 0).all()
        assert len(chosen) == min(last + 1, frames)


def test_animations_say_what_they_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {"gd": optbench.minimize("beale", "gd", max_iter=5)}
    film = plots.animation("beale", paths)
    assert isinstance(film, Animation)
    assert not film.data
    with pytest.raises(ValueError, match=r"saved as .gif, .mp4, not '.png'"):
        film.save(tmp_path / "film.png")
    with pytest.raises(ValueError, match="does not exist"):
        film.save(tmp_path / "nowhere" / "film.gif")
    monkeypatch.setattr("matplotlib.animation.FFMpegWriter.isAvailable", lambda: False)
    with pytest.raises(ValueError, match="an MP4 needs ffmpeg, which is not installed here"):
        film.save(tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="beale has no data space"):
        plots.animation("beale", paths, data=True)
    with pytest.raises(ValueError, match="an animation takes paths"):
        plots.animation("beale", {})
    with pytest.raises(ValueError, match="frames takes a whole number of at least 2"):
        plots.animation("beale", paths, frames=1)


# From results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    matrix = {
        "problems": ["beale", "circle_on_line"],
        "optimizers": ["adam", "gd", "lagrange_newton"],
        "schedules": ["constant", "cosine"],
        "budget": {"max_iter": 100, "seeds": [0, 3]},
    }
    return optbench.run(matrix, tmp_path_factory.mktemp("spaces") / "r.db", repeats=0)


def test_figures_from_results_show_the_recorded_runs(results: Results) -> None:
    runs = results.runs
    figure = plots.KINDS["parameter_space"](runs, results, problem="beale", seed=3)
    drawn = lines(figure)
    assert list(drawn) == ["adam", "gd"]
    adam = trajectories(runs[(runs["problem"] == "beale") & (runs["optimizer"] == "adam") & (runs["seed"] == 3)])
    ends = adam.groupby("run")[["x0", "x1"]].last().to_numpy()
    assert np.abs(ends - drawn["adam"][-1]).max(axis=1).min() < 1e-9
    every = parameter_space_of_runs(runs, problem="beale", every_seed=True)
    assert sum(line.get_gid() == "path" for line in every.axes[0].lines) == 4
    assert "lagrange_newton" in lines(plots.KINDS["constraint_space"](runs, results, problem="circle_on_line"))


def test_figures_from_results_are_of_one_problem(results: Results) -> None:
    with pytest.raises(
        ValueError, match="one problem is shown: choose it by problem, of beale n=2, circle_on_line n=2"
    ):
        parameter_space_of_runs(results.runs)
    with pytest.raises(ValueError, match="unknown problem 'bele'"):
        parameter_space_of_runs(results.runs, problem="bele")


def test_runs_without_points_are_left_out(results: Results) -> None:
    runs = results.runs[results.runs["problem"] == "beale"].copy()
    runs.loc[runs["optimizer"] == "adam", "status"] = "crashed"
    assert list(lines(parameter_space_of_runs(runs))) == ["gd"]
    runs["status"] = "error"
    with pytest.raises(ValueError, match="plot"):
        parameter_space_of_runs(runs)
