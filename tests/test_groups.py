"""Parameter groups: trust ratios of each group and weight decay without biases, against torch and optax.

The reference is ``reference/groups.json.gz``, made by ``reference/make_groups.py``.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import optbench
from optbench.loops import large
from optbench.records import Vector
from optbench.types import Group, Problem

REFERENCE = json.loads(gzip.decompress((Path(__file__).parent / "reference" / "groups.json.gz").read_bytes()))
DATA = {key: np.array(value) for key, value in REFERENCE["data"].items()}
GROUPS = tuple(Group(*group) for group in REFERENCE["groups"])
ALL = [pytest.param(case, id=f"{case['optimizer']}-{case['decay_bias']}") for case in REFERENCE["cases"]]


class Data(NamedTuple):
    """Curvatures and minimizer."""

    a: Vector
    b: Vector


def fun_grad(x: Any, g: Any, data: Any) -> float:
    f = 0.0
    for i in range(x.size):
        g[i] = data.a[i] * (x[i] - data.b[i])
        f += 0.5 * g[i] * (x[i] - data.b[i])
    return f


def layers(groups: tuple[Group, ...] = GROUPS) -> Problem:
    return Problem(fun_grad, DATA["x0"], data=Data(DATA["a"], DATA["b"]), groups=groups)


def points(problem: Problem, case: dict[str, Any], steps: int, **options: Any) -> Any:
    params = {**case["params"], "decay_bias": case["decay_bias"]}
    made = optbench.minimize(
        problem, optimizer=case["optimizer"], lr=case["lr"], params=params, max_iter=steps, record="all", **options
    )
    return made.trace.attrs["x"]


@pytest.mark.parametrize("case", ALL)
def test_groups_walk_the_reference(case: dict[str, Any]) -> None:
    walked = points(layers(), case, max(map(int, case["x"])))
    for t, x in case["x"].items():
        np.testing.assert_allclose(walked[int(t)], x, rtol=1e-10, atol=1e-12)


def test_reference_tells_spared_biases_apart() -> None:
    pairs = zip(REFERENCE["cases"][::2], REFERENCE["cases"][1::2], strict=True)
    for decayed, spared in pairs:
        difference = np.abs(np.array(decayed["x"]["20"]) - spared["x"]["20"])
        assert difference[[12, 13, 14, -1]].min() > 1e-5, decayed["optimizer"]


def test_cut_keeps_to_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optbench.parallel.PIECE", 4)
    assert large.cut([9, 4, 1]) == ([0, 4, 8, 9, 13, 14], [0, 0, 0, 1, 2])


@pytest.mark.parametrize("clip", [{"norm": 5.0}, {"value": 0.5}])
def test_clipping_takes_the_whole_gradient(clip: dict[str, float]) -> None:
    """A decay of biases that is not there: the run in pieces must be the ordinary one."""
    case = {"optimizer": "sgd", "lr": 1e-2, "params": {"momentum": 0.5, "weight_decay": 1e-300}, "decay_bias": False}
    ordinary = points(layers(), {**case, "decay_bias": True}, 30, clip=clip)
    np.testing.assert_allclose(points(layers(), case, 30, clip=clip), ordinary, rtol=1e-13)
