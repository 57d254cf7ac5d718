"""Schedules: the rates PyTorch gives, in plain Python and compiled; contracts over the registry."""

from __future__ import annotations

import functools
import inspect
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

import optbench
from optbench import jit, kernels
from optbench.methods import Schedule
from optbench.records import Budget, encode, fields, pack
from optbench.registry import get_schedule, list_schedules
from optbench.schedules._warmup import warmup_target, warmup_value
from optbench.types import Array

REFERENCE = Path(__file__).parent / "reference"
DATA = json.loads((REFERENCE / "schedules.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = DATA["cases"]
LR: float = DATA["lr"]
N_STEPS: int = DATA["n_steps"]
TOLERANCE = 1e-12

# Settings of PyTorch's schedulers that have no counterpart: where a schedule resumes, the momentum that some of them
# cycle too, other ways to say the same, and a user's function (here that is a schedule of one's own).
NO_COUNTERPART = {
    "last_epoch",
    "scale_fn",
    "scale_mode",
    "epochs",
    "steps_per_epoch",
    "cycle_momentum",
    "base_momentum",
    "max_momentum",
}
NOT_IN_TORCH = {"constant", "inverse_sqrt", "trapezoidal"}
OWN_SETTINGS = {"multistep": {"total_steps"}}
NEGATIVE_IS_NONE = {"step_size_down"}


@functools.cache
def reference() -> dict[str, Array]:
    """Rates under a case's id, metrics under ``metric-<name>``."""
    with np.load(REFERENCE / "schedules.npz") as data:
        return {key: data[key] for key in data.files}


def settings_of(item: Schedule, settings: dict[str, Any], n_steps: int = N_STEPS) -> Any:
    """The encoded settings, defaults that depend on the budget filled in."""
    made = item.params(**settings)
    return encode(type(made)(*(v.resolve(n_steps) if isinstance(v, Budget) else v for v in made)))


def plain(item: Schedule, params: Any, t0: int, count: int, lr: float) -> Array:
    """Rates at steps t0, ..., t0 + count - 1 from the plain function."""
    return np.array([item.value(t, lr, params) for t in range(t0, t0 + count)])


def compiled(item: Schedule, params: Any, t0: int, count: int, lr: float) -> Array:
    """The same from the compiled one."""
    out, words = np.empty(count), pack(params)
    kernels.schedule(item)(out.ctypes.data, t0, count, lr, words.ctypes.data)
    return out


def plain_observer(item: Schedule, params: Any, metric: Array, lr: float) -> Array:
    """Rates of an observing schedule, shape of `metric`, from the plain function."""
    state, out = encode(item.state()), [lr]
    for f in metric[:-1]:
        following, state = item.value(float(f), out[-1], params, state)
        out.append(following)
    return np.array(out)


def compiled_observer(item: Schedule, params: Any, metric: Array, lr: float) -> Array:
    """The same from the compiled one."""
    words, memory, out = pack(params), pack(encode(item.state())), [lr]
    advance = kernels.schedule(item)
    for f in metric[:-1]:
        out.append(advance(float(f), out[-1], words.ctypes.data, memory.ctypes.data))
    return np.array(out)


FILLS = {"plain": plain, "compiled": compiled}
OBSERVERS = {"plain": plain_observer, "compiled": compiled_observer}
PUBLIC: Callable[..., Array] | None = getattr(optbench, "schedule_values", None)
FORMS = [*FILLS, *(["public"] if PUBLIC else [])]


def rates(case: dict[str, Any], form: str, count: int) -> Array:
    """The rates of a reference case at its first `count` steps, shape (count,)."""
    metric = reference()[f"metric-{case['metric']}"][:count] if "metric" in case else None
    if form == "public" and PUBLIC:
        spec = {"name": case["name"], **case["settings"]}
        spec |= {key: case[key] for key in ("warmup", "warmup_start") if key in case}
        return PUBLIC(spec, lr=LR, n_steps=count, metric=metric)
    item = get_schedule(case["name"])
    params = settings_of(item, case["settings"])
    if metric is not None:
        return OBSERVERS[form](item, params, metric, LR)
    warmup = min(case.get("warmup", 0), count)
    peak = warmup_target(item, LR, params)
    risen = [warmup_value(t, peak, case["warmup"], case["warmup_start"]) for t in range(warmup)]
    return np.concatenate((risen, FILLS[form](item, params, 0, count - warmup, LR)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_rates_are_pytorchs(case: dict[str, Any], form: str) -> None:
    expected = reference()[case["id"]]
    got = rates(case, form, expected.size)
    assert expected.size >= N_STEPS - 30
    np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=1e-17)


def test_warmup_compiles() -> None:
    part = jit.lower(warmup_value)
    lowered = njit(lambda t, lr, steps, start: part(t, lr, steps, start))
    assert lowered(3, 0.1, 10, 0.25) == warmup_value(3, 0.1, 10, 0.25) == pytest.approx(0.1 * (0.25 + 0.75 * 0.3))
    assert warmup_value(0, 0.1, 10, 0.0) == 0.0


@pytest.mark.parametrize("name", list_schedules())
def test_contract(name: str) -> None:
    item = get_schedule(name)
    module = inspect.getmodule(item.value)
    assert module is not None
    assert module.__file__ is not None
    assert Path(module.__file__).stem == item.value.__name__ == name
    assert item.doc.strip()
    assert item.source.strip()
    assert all(field.default is not ... for field in fields(item.params)), "every schedule runs by its name alone"
    assert {} in [case["settings"] for case in CASES if case["name"] == name], "a reference case with all defaults"
    tried = {key for case in CASES if case["name"] == name for key in case["settings"]}
    assert {field.name for field in fields(item.params)} - OWN_SETTINGS.get(name, set()) <= tried


@pytest.mark.parametrize("name", sorted(set(list_schedules()) - NOT_IN_TORCH))
def test_settings_and_defaults_are_pytorchs(name: str) -> None:
    theirs = {key: value for key, value in DATA["signatures"][name].items() if key not in NO_COUNTERPART}
    if name == "one_cycle":
        theirs["total_steps"] = "required"  # there optional, beside epochs and steps_per_epoch
    ours = {field.name: field.default for field in fields(get_schedule(name).params)}
    assert set(ours) - OWN_SETTINGS.get(name, set()) == set(theirs)
    for key, value in theirs.items():
        if key in NEGATIVE_IS_NONE:
            assert (value, ours[key]) == (None, -1)
        elif value != "required":
            assert ours[key] == value, key


def test_no_pytorch_scheduler_is_forgotten() -> None:
    assert set(DATA["signatures"]) == set(list_schedules()) - NOT_IN_TORCH


@pytest.mark.parametrize("name", [name for name in list_schedules() if not get_schedule(name).observes])
def test_late_steps(name: str) -> None:
    item = get_schedule(name)
    for case in (case for case in CASES if case["name"] == name and case["settings"].get("gamma", 0.0) <= 1.0):
        params = settings_of(item, case["settings"])
        values = compiled(item, params, 10**7, 50, LR)
        assert np.isfinite(values).all()
        assert (values >= 0.0).all()
        np.testing.assert_allclose(values, plain(item, params, 10**7, 50, LR), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize(
    ("name", "settings", "period"),
    [
        ("cosine", {"T_max": 70, "eta_min": 1e-3}, 140),
        ("cosine_restarts", {"T_0": 70}, 70),
        ("cyclic", {"step_size_up": 30, "step_size_down": 11}, 41),
    ],
)
def test_periodic_schedules_repeat_exactly(name: str, settings: dict[str, Any], period: int) -> None:
    item = get_schedule(name)
    params = settings_of(item, settings)
    np.testing.assert_array_equal(
        compiled(item, params, period * 10**6, period, LR), compiled(item, params, 0, period, LR)
    )


def test_blocks_continue_each_other() -> None:
    item = get_schedule("one_cycle")
    params = settings_of(item, {})
    parts = [compiled(item, params, t0, 64, LR) for t0 in range(0, 256, 64)]
    np.testing.assert_array_equal(np.concatenate(parts), compiled(item, params, 0, 256, LR))


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
def test_one_cycle_keeps_its_last_rate(fill: Callable[..., Array]) -> None:
    item = get_schedule("one_cycle")
    for form in ("cos", "linear"):
        values = fill(item, settings_of(item, {"total_steps": 40, "anneal_strategy": form}), 0, 60, LR)
        assert values[39] == pytest.approx(LR / 25 / 1e4, rel=1e-12)
        assert (values[40:] == values[39]).all()
    short = fill(item, settings_of(item, {"total_steps": 10, "pct_start": 0.1}), 0, 10, LR)
    assert short[0] == LR  # a first phase of no length


def test_defaults_follow_the_budget() -> None:
    item = get_schedule("multistep")
    values = plain(item, settings_of(item, {}, n_steps=8), 0, 9, 1.0)
    np.testing.assert_allclose(values, [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01])
    item = get_schedule("step")
    assert plain(item, settings_of(item, {}, n_steps=90), 0, 90, 1.0)[[29, 30, 60]] == pytest.approx([1, 0.1, 0.01])


def test_warmup_leads_to_the_rate_that_pytorch_starts_from() -> None:
    for name in ("cyclic", "one_cycle"):
        item = get_schedule(name)
        params = settings_of(item, {"max_lr": 0.7})
        assert warmup_target(item, LR, params) == item.value(0, LR, params) != LR
    item = get_schedule("linear")
    assert warmup_target(item, LR, settings_of(item, {})) == LR
    assert math.isclose(item.value(0, LR, settings_of(item, {})), LR / 3)
