"""Make the reference data of the schedules and of clipping from PyTorch, in float64.

Run ``python tests/reference/make_schedules.py`` (needs torch). Writes beside itself ``schedules.json`` (the cases,
and the settings that PyTorch has) with ``schedules.npz`` (the rates, and the metrics of the observing schedule), and
``clipping.json`` with ``clipping.npz``. A case's settings are optbench's; where optbench has a default that PyTorch
lacks, PyTorch is given the value that the default is documented to stand for.
"""

from __future__ import annotations

import inspect
import json
import math
import platform
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler

HERE = Path(__file__).resolve().parent
N_STEPS = 300
LR = 0.1

CLASSES = {
    "step": lr_scheduler.StepLR,
    "multistep": lr_scheduler.MultiStepLR,
    "exponential": lr_scheduler.ExponentialLR,
    "cosine": lr_scheduler.CosineAnnealingLR,
    "cosine_restarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "linear": lr_scheduler.LinearLR,
    "polynomial": lr_scheduler.PolynomialLR,
    "cyclic": lr_scheduler.CyclicLR,
    "one_cycle": lr_scheduler.OneCycleLR,
    "reduce_on_plateau": lr_scheduler.ReduceLROnPlateau,
}

# What optbench's defaults stand for where PyTorch has none, in a run of N_STEPS with rate LR.
FILLED: dict[str, dict[str, Any]] = {
    "step": {"step_size": 100},
    "multistep": {"milestones": [150, 225]},
    "exponential": {"gamma": 0.999},
    "cosine": {"T_max": 300},
    "cosine_restarts": {"T_0": 75},
    "cyclic": {"base_lr": LR / 10, "max_lr": LR},
    "one_cycle": {"max_lr": LR, "total_steps": 300},
}
UNUSED = {"cyclic": {"cycle_momentum": False}, "one_cycle": {"cycle_momentum": False}}

# name: settings of each case; the empty one is all defaults.
CASES: dict[str, list[dict[str, Any]]] = {
    "constant": [{}],
    "step": [{}, {"step_size": 30, "gamma": 0.5}, {"step_size": 1, "gamma": 0.97}, {"step_size": 400}],
    "multistep": [
        {},
        {"milestones": [30, 80, 200]},
        {"milestones": [200, 30, 80, 80], "gamma": 0.3},
        {"milestones": [0, 10]},
        {"milestones": [500]},
    ],
    "exponential": [{}, {"gamma": 0.9}, {"gamma": 1.01}, {"gamma": 0.5}],
    "cosine": [
        {},
        {"T_max": 100},
        {"T_max": 37, "eta_min": 1e-3},
        {"T_max": 1},
        {"T_max": 2, "eta_min": 0.2},
        {"T_max": 1000},
    ],
    "cosine_restarts": [
        {},
        {"T_0": 10, "T_mult": 2},
        {"T_0": 50, "eta_min": 1e-3},
        {"T_0": 1, "T_mult": 3, "eta_min": 1e-5},
        {"T_0": 7},
        {"T_0": 500},
    ],
    "linear": [
        {},
        {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 250},
        {"start_factor": 0.01, "end_factor": 0.7, "total_iters": 299},
        {"total_iters": 1},
        {"total_iters": 1000},
    ],
    "polynomial": [
        {},
        {"total_iters": 300},
        {"total_iters": 200, "power": 2.0},
        {"total_iters": 299, "power": 0.5},
        {"total_iters": 1000, "power": 3.7},
        {"total_iters": 50, "power": 0.0},
    ],
    "cyclic": [
        {},
        {"base_lr": 1e-3, "max_lr": 0.3, "step_size_up": 20},
        {"base_lr": 0.0, "max_lr": 0.05, "step_size_up": 13, "step_size_down": 29},
        {"step_size_up": 10, "mode": "triangular2"},
        {"step_size_up": 1, "step_size_down": 2, "mode": "triangular2"},
        {"step_size_up": 25, "step_size_down": 5, "mode": "exp_range", "gamma": 0.99},
        {"step_size_up": 12, "step_size_down": 0},
        {"base_lr": 0.2, "max_lr": 0.01, "step_size_up": 40},
    ],
    "one_cycle": [
        {},
        {"max_lr": 0.5, "total_steps": 301},
        {"anneal_strategy": "linear"},
        {"three_phase": True},
        {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.25, "total_steps": 317},
        {"three_phase": True, "pct_start": 0.8},
        {"pct_start": 0.05, "div_factor": 10.0, "final_div_factor": 100.0},
        {"pct_start": 0.0},
        {"pct_start": 1.0},
        {"total_steps": 1000},
    ],
    "inverse_sqrt": [{}, {"timescale": 100}, {"timescale": 1}],
    "trapezoidal": [
        {},
        {"rise": 2, "fall": 150},
        {"total_steps": 280, "rise": 50, "fall": 20},
        {"rise": 200, "fall": 2},
    ],
}

# name, settings, warm-up steps, start factor
WARMED: list[tuple[str, dict[str, Any], int, float]] = [
    ("constant", {}, 10, 1 / 3),
    ("step", {"step_size": 30}, 20, 1 / 3),
    ("multistep", {"milestones": [0, 50, 100]}, 7, 0.1),
    ("exponential", {"gamma": 0.98}, 5, 1 / 3),
    ("cosine", {"T_max": 280}, 20, 0.01),
    ("cosine", {"T_max": 50, "eta_min": 1e-3}, 1, 0.5),
    ("cosine_restarts", {"T_0": 30, "T_mult": 2}, 33, 1 / 3),
    ("linear", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 100}, 12, 0.25),
    ("polynomial", {"total_iters": 270, "power": 2.0}, 30, 1 / 3),
    ("cyclic", {"step_size_up": 20}, 15, 1 / 3),
    ("one_cycle", {"total_steps": 270}, 30, 1 / 3),
    ("inverse_sqrt", {"timescale": 50}, 25, 1 / 3),
    ("step", {"step_size": 30}, 400, 0.2),
]

PLATEAU: list[tuple[dict[str, Any], str]] = [
    ({}, "decay"),
    ({}, "noisy"),
    ({"mode": "max"}, "rising"),
    ({"mode": "max", "threshold_mode": "abs", "threshold": 0.02, "patience": 3}, "rising"),
    ({"threshold_mode": "abs", "threshold": 0.01, "patience": 5, "factor": 0.5}, "noisy"),
    ({"threshold_mode": "rel", "threshold": 0.1, "patience": 0}, "decay"),
    ({"patience": 2, "cooldown": 15, "factor": 0.7}, "noisy"),
    ({"patience": 1, "cooldown": 1, "factor": 0.9, "eps": 1e-3}, "noisy"),
    ({"patience": 4, "min_lr": 0.02, "factor": 0.6}, "noisy"),
    ({"patience": 4, "min_lr": 0.2}, "noisy"),
    ({"patience": 3, "factor": 0.5, "eps": 0.0}, "broken"),
    ({"patience": 3, "factor": 0.5, "mode": "max", "threshold_mode": "abs"}, "broken"),
    ({"patience": 3, "factor": 0.5}, "negative"),
    ({"patience": 3, "factor": 0.5, "mode": "max"}, "negative"),
    ({"patience": 3, "threshold": 1.0}, "decay"),
    ({"patience": 3, "factor": 0.0, "cooldown": 400}, "flat"),
]


def metrics() -> dict[str, np.ndarray]:
    """Sequences of objectives, shape (N_STEPS,)."""
    rng = np.random.default_rng(20)
    t = np.arange(N_STEPS)
    decay = np.exp(-t / 40.0)
    broken = decay + 0.05 * rng.standard_normal(N_STEPS)
    broken[[0, 50, 51, 120]] = np.nan
    broken[[60, 61]] = np.inf
    broken[200] = -np.inf
    return {
        "decay": decay + 0.01,
        "noisy": decay + 0.3 * np.abs(rng.standard_normal(N_STEPS)),
        "rising": 1.0 - decay + 0.05 * rng.standard_normal(N_STEPS),
        "broken": broken,
        "negative": -1.0 + decay + 0.05 * rng.standard_normal(N_STEPS),
        "flat": np.ones(N_STEPS),
    }


def optimizer() -> torch.optim.Optimizer:
    """Something that holds a learning rate."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=LR)


def torch_settings(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings for PyTorch's class: negative ones are optbench's way to say None."""
    return {**FILLED.get(name, {}), **settings, **UNUSED.get(name, {})}


def build(name: str, settings: dict[str, Any], owner: torch.optim.Optimizer) -> Any:
    """PyTorch's scheduler; a function of the step where PyTorch has no class."""
    if name == "constant":
        return lr_scheduler.LambdaLR(owner, lambda t: 1.0)
    if name == "inverse_sqrt":
        scale = settings.get("timescale", 10_000)
        return lr_scheduler.LambdaLR(owner, lambda t: 1.0 / math.sqrt((t + scale) / scale))
    if name == "trapezoidal":
        return trapezoid(owner, **{"total_steps": N_STEPS, "rise": 30, "fall": 30, **settings})
    return CLASSES[name](owner, **torch_settings(name, settings))


def trapezoid(owner: torch.optim.Optimizer, total_steps: int, rise: int, fall: int) -> Any:
    """A rise, a constant stretch and a fall, each PyTorch's own, one after the other."""
    parts = [
        lr_scheduler.LinearLR(owner, start_factor=1 / rise, total_iters=rise - 1),
        lr_scheduler.ConstantLR(owner, factor=1.0),
        lr_scheduler.LinearLR(owner, start_factor=1.0, end_factor=0.0, total_iters=fall),
    ]
    return lr_scheduler.SequentialLR(owner, parts, [rise - 1, total_steps - fall])


def rates(name: str, settings: dict[str, Any], warmup: int = 0, start: float = 1 / 3) -> np.ndarray:
    """Learning rates of the first N_STEPS steps, fewer where PyTorch's schedule ends before."""
    owner = optimizer()
    scheduler = build(name, settings, owner)
    if warmup:
        first = lr_scheduler.LinearLR(owner, start_factor=start, total_iters=warmup)
        scheduler = lr_scheduler.SequentialLR(owner, [first, scheduler], [warmup])
    end = warmup + torch_settings(name, settings)["total_steps"] if name == "one_cycle" else N_STEPS
    return collect(owner, min(end, N_STEPS), lambda t: scheduler.step())


def plateau_rates(settings: dict[str, Any], metric: np.ndarray) -> np.ndarray:
    """Learning rates of N_STEPS steps where step t gives metric[t]."""
    owner = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(owner, **settings)
    return collect(owner, N_STEPS, lambda t: scheduler.step(metric[t]))


def collect(owner: torch.optim.Optimizer, count: int, advance: Callable[[int], None]) -> np.ndarray:
    """The rate at `count` steps, shape (count,)."""
    out = np.empty(count)
    for t in range(count):
        out[t] = owner.param_groups[0]["lr"]
        if t + 1 < count:
            owner.step()
            advance(t)
    return out


def signatures() -> dict[str, dict[str, Any]]:
    """Settings of PyTorch's schedulers and their defaults; "required" where there is none."""
    out = {}
    for name, cls in CLASSES.items():
        parameters = list(inspect.signature(cls).parameters.values())[1:]
        out[name] = {p.name: "required" if p.default is p.empty else p.default for p in parameters}
    return out


def schedules() -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """All cases, and their rates under ``<case id>``; metrics under ``metric-<name>``."""
    cases: list[dict[str, Any]] = []
    arrays = {f"metric-{key}": value for key, value in metrics().items()}

    def add(name: str, settings: dict[str, Any], values: np.ndarray, **more: Any) -> None:
        number = sum(case["name"] == name for case in cases)
        cases.append({"id": f"{name}-{number}", "name": name, "settings": settings, **more})
        arrays[cases[-1]["id"]] = values

    for name, variants in CASES.items():
        for settings in variants:
            add(name, settings, rates(name, settings))
    for name, settings, warmup, start in WARMED:
        add(name, settings, rates(name, settings, warmup, start), warmup=warmup, warmup_start=start)
    for settings, metric in PLATEAU:
        values = plateau_rates(settings, arrays[f"metric-{metric}"])
        add("reduce_on_plateau", settings, values, metric=metric)
    return cases, arrays


def gradients() -> list[np.ndarray]:
    """Gradients to clip: common, tiny, zero, matrix-shaped, long, huge, and not finite."""
    rng = np.random.default_rng(21)
    return [
        np.array([3.0, -4.0]),
        np.array([1e-9]),
        np.zeros(3),
        rng.standard_normal((5, 7)),
        1e3 * rng.standard_normal(1000),
        np.array([1e160, -1e150, 1.0]),
        np.array([np.inf, 2.0, -np.inf]),
        np.array([np.nan, 2.0, -0.0]),
        np.array([1e-170, -5e-324]),
    ]


def clipping() -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Every gradient clipped by norm and by value at several limits; ``g-<i>`` before, ``<case id>`` after."""
    cases: list[dict[str, Any]] = []
    arrays = {f"g-{i}": g for i, g in enumerate(gradients())}
    clippers: dict[str, Callable[..., Any]] = {
        "norm": torch.nn.utils.clip_grad_norm_,
        "value": torch.nn.utils.clip_grad_value_,
    }
    for i, g in enumerate(gradients()):
        for kind, function in clippers.items():
            for limit in (0.5, 5.0, 1e5, 1e-8, math.inf):
                parameter = torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64))
                parameter.grad = torch.from_numpy(g.copy())
                before = function([parameter], limit)
                case = {"id": f"{kind}-{i}-{limit:g}", "kind": kind, "g": f"g-{i}", "limit": limit}
                if before is not None:
                    arrays[f"before-{case['id']}"] = before.numpy()
                arrays[str(case["id"])] = parameter.grad.numpy()
                cases.append(case)
    return cases, arrays


def write(stem: str, arrays: dict[str, Any], record: dict[str, Any]) -> None:
    """Numbers to ``<stem>.npz``, the rest with the versions to ``<stem>.json``."""
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    text = json.dumps({"made_by": "tests/reference/make_schedules.py", "versions": versions, **record}, indent=1)
    (HERE / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    np.savez_compressed(HERE / f"{stem}.npz", **arrays)


def main() -> None:
    """Write all four files."""
    warnings.filterwarnings("ignore", message=".*epoch parameter in.*")
    torch.set_num_threads(1)
    cases, arrays = schedules()
    write("schedules", arrays, {"lr": LR, "n_steps": N_STEPS, "signatures": signatures(), "cases": cases})
    cases, arrays = clipping()
    write("clipping", arrays, {"cases": cases})


if __name__ == "__main__":
    main()
