"""Figures against images in ``baseline``, with a tolerance that a moved label exceeds.

After a wanted change of a figure, look at the new images, which this writes, and commit them:

    OPTBENCH_BASELINES=write python -m pytest tests/test_image_baselines.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

import optbench
from optbench import plots

BASELINE = Path(__file__).parent / "baseline"
DPI = 80
TOLERANCE = 2.0  # root of the mean squared difference of the colours, 0 to 255
VERSION = BASELINE / "matplotlib.txt"  # that drew the images: another one sets and draws all texts a little differently
NAN = float("nan")
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
TARGETS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
BUDGET = 400
# By optimizer: the share of f that a step leaves on the first problem, which problem by problem comes nearer to 1.
RATES = {"adam": 0.9, "gd": 0.97, "momentum": 0.93, "lbfgs": 0.3}


def cells() -> list[dict[str, Any]]:
    """Runs of 4 optimizers on 3 problems from 3 starts: f falls by the same factor in every step."""
    made = []
    for k, problem in enumerate("abc"):
        for optimizer, first in RATES.items():
            for schedule in ("line_search",) if optimizer == "lbfgs" else ("constant", "cosine"):
                for seed in range(3):
                    rate = first ** (0.4**k / (1 + 0.3 * seed) * (0.8 if schedule == "cosine" else 1.0))
                    made.append(
                        {"problem": problem, "optimizer": optimizer, "schedule": schedule, "seed": seed, "rate": rate}
                    )
    return made


@pytest.fixture(scope="module")
def matrix(frames: Frames) -> SimpleNamespace:
    """Runs, hits and traces of `cells`."""
    rows, hits, traces = [], [], []
    for k, cell in enumerate(cells()):
        met = {tau: int(np.ceil(np.log(tau) / np.log(cell["rate"]))) for tau in TARGETS}
        nit = min(met[TARGETS[-1]], BUDGET)
        at = np.unique(np.append(np.round(np.geomspace(1, nit, 25)), [0, nit]))
        f = cell["rate"] ** at
        ends = {
            "nit": nit,
            "nfev": nit + 1,
            "fun": f[-1],
            "f0": 1.0,
            "max_iter": BUDGET,
            "kkt": NAN,
            "wall_median": 1e-6 * nit,
        }
        ends["status"] = "converged" if met[TARGETS[-1]] <= BUDGET else "budget"
        searched = {"params": "{}", "schedule": "constant"} if cell["optimizer"] == "lbfgs" else {}
        rows.append({**{name: value for name, value in cell.items() if name != "rate"}, **searched, **ends})
        hits.append({tau: step if step <= BUDGET else None for tau, step in met.items()})
        rates = 0.1 * (0.5 + 0.5 * np.cos(np.pi * at / BUDGET) if cell["schedule"] == "cosine" else np.ones(at.size))
        traces.append(
            pd.DataFrame({"run": f"r{k}", "iteration": at.astype(int), "f": f, "grad_norm": np.sqrt(f), "lr": rates})
        )
    runs, found = frames(rows, hits)
    return SimpleNamespace(runs=runs, hits=found, traces=pd.concat(traces, ignore_index=True))


def path(momentum: float) -> Any:
    """Points of 40 steps of gradient descent with momentum on himmelblau, shape (41, 2)."""
    problem, points, velocity = optbench.get_problem("himmelblau"), [np.array([-0.5, -1.0])], np.zeros(2)
    for _ in range(40):
        velocity = momentum * velocity - 0.01 * problem.grad(points[-1])
        points.append(points[-1] + velocity)
    return np.array(points)


DRAWN: dict[str, Callable[[SimpleNamespace], Figure]] = {
    "convergence": lambda m: plots.convergence(m.runs, m.traces, problem="b"),
    "heatmap": lambda m: plots.heatmap(m.runs, m.hits, target=1e-3),
    "target_bars": lambda m: plots.target_bars(m.runs, m.hits, problem="c", on="evaluations"),
    "traces": lambda m: plots.traces(m.runs, m.traces, problem="b", schedule="cosine"),
    "schedules": lambda m: plots.schedule_shapes(schedule=["cosine", "step", "reduce_on_plateau"]),
    "performance_profile": lambda m: plots.performance_profile(m.runs, m.hits),
    "ecdf": lambda m: plots.ecdf(m.runs, m.hits),
    "critical_difference": lambda m: plots.critical_difference(m.runs, m.hits),
    "parameter_space": lambda m: plots.parameter_space(
        "himmelblau", {"gd": path(0.0), "momentum": path(0.6)}, at=(1, 2)
    ),
}


def saved(figure: Figure, file: Path) -> Path:
    figure.savefig(file, dpi=DPI, metadata={"Software": None})
    return file


def minor() -> str:
    """The version of matplotlib, without the last number."""
    return ".".join(matplotlib.__version__.split(".")[:2])


@pytest.mark.parametrize("name", DRAWN)
def test_figure_is_the_one_that_was_looked_at(name: str, matrix: SimpleNamespace, tmp_path: Path) -> None:
    figure = DRAWN[name](matrix)
    if os.environ.get("OPTBENCH_BASELINES") == "write":
        saved(figure, BASELINE / f"{name}.png")
        VERSION.write_text(f"{minor()}\n")
        return
    if VERSION.read_text().strip() != minor():
        pytest.skip(f"the images are of matplotlib {VERSION.read_text().strip()}")
    drawn = saved(figure, tmp_path / f"{name}.png")
    difference = compare_images(str(BASELINE / f"{name}.png"), str(drawn), TOLERANCE)
    assert difference is None, f"{difference}; if it is wanted: see the docstring of this file"


@pytest.mark.parametrize("name", DRAWN)
def test_a_moved_label_exceeds_the_tolerance(name: str, matrix: SimpleNamespace, tmp_path: Path) -> None:
    figure = DRAWN[name](matrix)
    before = saved(figure, tmp_path / "before.png")
    ax = figure.axes[0]
    label = next((text for text in ax.texts if len(text.get_text()) > 1), ax.title)
    label.set_visible(False)
    figure.text(0.5, 0.5, label.get_text() or "label", fontsize=label.get_fontsize())
    after = saved(figure, tmp_path / "after.png")
    assert compare_images(str(before), str(after), TOLERANCE) is not None
