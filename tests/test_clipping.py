"""Clipping: PyTorch's numbers from the plain loops, the compiled ones and the public function."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from optbench import jit
from optbench.clipping import clip, clip_norm, clip_value
from optbench.types import Array

REFERENCE = Path(__file__).parent / "reference"
CASES: list[dict[str, Any]] = json.loads((REFERENCE / "clipping.json").read_text(encoding="utf-8"))["cases"]
KERNELS: dict[str, Callable[..., Any]] = {"norm": clip_norm, "value": clip_value}
TOLERANCE = 1e-14


@functools.cache
def reference() -> dict[str, Array]:
    """Gradients before under ``g-<i>``, after under a case's id, norms under ``before-<id>``."""
    with np.load(REFERENCE / "clipping.npz") as data:
        return {key: data[key] for key in data.files}


@functools.cache
def lowered(kind: str) -> Callable[..., Any]:
    """The compiled loop."""
    part = jit.lower(KERNELS[kind], jit.SUM_MATH)
    return njit(lambda g, limit: part(g, limit))  # type: ignore[no-any-return]


def check(got: Array, case: dict[str, Any]) -> None:
    """Equal to PyTorch's result, NaN, infinity and the sign of zero included."""
    expected = reference()[case["id"]]
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=0.0)
    np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_clip_is_pytorchs(case: dict[str, Any]) -> None:
    g = reference()[case["g"]]
    kept = g.copy()
    check(clip(g, **{case["kind"]: case["limit"]}), case)
    np.testing.assert_array_equal(g, kept)


@pytest.mark.parametrize("form", ["plain", "compiled"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_kernels_are_pytorchs(case: dict[str, Any], form: str) -> None:
    g = reference()[case["g"]].copy()
    kernel = lowered(case["kind"]) if form == "compiled" else KERNELS[case["kind"]]
    flat = g.reshape(-1)
    with np.errstate(all="ignore"):  # NumPy scalars warn in the plain form
        result = kernel(flat, case["limit"])
    check(g, case)
    if case["kind"] == "norm":
        np.testing.assert_allclose(result, reference()[f"before-{case['id']}"], rtol=TOLERANCE)


def test_clip_takes_any_shape_and_kind() -> None:
    assert clip(3, value=2).shape == ()
    assert clip(np.float32(3), norm=1.5).dtype == np.float64
    assert clip([], norm=1.0).shape == (0,)
    np.testing.assert_array_equal(clip([[2, -3], [0, 1]], value=1.0), [[1.0, -1.0], [0.0, 1.0]])
    transposed = np.arange(6.0).reshape(2, 3).T
    assert np.linalg.norm(clip(transposed, norm=1.0)) == pytest.approx(1.0, rel=1e-6)
    np.testing.assert_array_equal(clip(transposed[::2], value=9.0), transposed[::2])


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), True, "1"])
@pytest.mark.parametrize("kind", ["norm", "value"])
def test_clip_refuses_a_limit_that_is_not_positive(kind: str, limit: Any) -> None:
    with pytest.raises(ValueError, match=f"{kind} takes a positive number, not"):
        clip([1.0], **{kind: limit})


def test_clip_takes_exactly_one_limit() -> None:
    with pytest.raises(ValueError, match="exactly one of norm and value"):
        clip([1.0])
    with pytest.raises(ValueError, match="exactly one of norm and value"):
        clip([1.0], norm=1.0, value=1.0)
