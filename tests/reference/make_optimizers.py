"""Trajectories of torch's and optax's optimizers in float64: the reference of ``tests/test_optimizers.py``.

``python tests/reference/make_optimizers.py`` (needs torch, jax and optax) writes ``optimizers.json.gz`` beside this
file: versions, problem data, the libraries' own defaults, and for every case the settings under optbench's names, the
learning rates and the points after the steps `KEPT`. Gradients come from automatic differentiation of the formulas in
this file.

Near a minimum a fixed learning rate can make the iteration chaotic; two correct implementations then part ways. Such
a trajectory proves nothing, so a case's learning rates are halved until the trajectory is stable (`stable_run`).
"""

from __future__ import annotations

import gzip
import inspect
import json
import math
import platform
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

JAX_CONFIG: Any = jax.config
JAX_CONFIG.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)  # the counters and products that torch keeps are of the default type
torch.set_num_threads(1)

STEPS = 200
NUDGE, SPREAD = 1e-12, 1e-10  # a relative change of every learning rate; how far it may move any point
KEPT = (1, 2, 3, 4, 5, 6, 7, 10, 20, 50, 100, 150, 200)

# optbench's name -> (library's class, fixed arguments, learning rate on each problem)
TORCH: dict[str, tuple[Any, dict[str, Any], tuple[float, float, float]]] = {
    "gd": (torch.optim.SGD, {}, (1e-3, 8e-3, 0.1)),
    "sgd": (torch.optim.SGD, {}, (5e-4, 2e-3, 0.05)),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}, (3e-4, 2e-3, 0.05)),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, (3e-4, 2e-3, 0.05)),
    "rmsprop": (torch.optim.RMSprop, {}, (1e-2, 1e-2, 1e-2)),
    "adagrad": (torch.optim.Adagrad, {}, (0.1, 0.2, 0.1)),
    "adam": (torch.optim.Adam, {}, (0.02, 0.02, 0.02)),
    "adamw": (torch.optim.AdamW, {}, (0.02, 0.02, 0.02)),
    "adadelta": (torch.optim.Adadelta, {}, (1.0, 2.0, 1.0)),
    "adamax": (torch.optim.Adamax, {}, (0.02, 0.02, 0.02)),
    "nadam": (torch.optim.NAdam, {}, (0.02, 0.02, 0.02)),
    "radam": (torch.optim.RAdam, {}, (0.02, 0.005, 0.02)),
    "rprop": (torch.optim.Rprop, {}, (0.01, 0.01, 0.01)),
    "asgd": (torch.optim.ASGD, {}, (5e-4, 2e-3, 0.05)),
}
OPTAX: dict[str, tuple[Any, tuple[float, float, float]]] = {
    "lamb": (optax.lamb, (0.02, 0.02, 0.02)),
    "lars": (optax.lars, (2.0, 5.0, 5.0)),
    "lion": (optax.lion, (0.01, 0.01, 0.01)),
    "yogi": (optax.yogi, (0.02, 0.05, 0.02)),
    "adabelief": (optax.adabelief, (0.02, 0.02, 0.02)),
}

# Unusual settings; together they use every option. The last of each also runs with a changing learning rate.
UNUSUAL: dict[str, list[dict[str, Any]]] = {
    "gd": [{"weight_decay": 0.05}],
    "sgd": [
        {"dampening": 0.4, "weight_decay": 0.01},
        {"momentum": 0.8, "weight_decay": 0.02, "nesterov": True},
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
    ],
    "momentum": [{"momentum": 0.7, "dampening": 0.4, "weight_decay": 0.02}],
    "nesterov": [{"momentum": 0.6, "weight_decay": 0.02}],
    "rmsprop": [
        {"alpha": 0.9, "eps": 1e-3, "momentum": 0.5, "weight_decay": 0.01},
        {"alpha": 0.95, "eps": 1e-2, "centered": True},
        {"alpha": 0.95, "eps": 1e-2, "momentum": 0.6, "weight_decay": 0.02, "centered": True},
    ],
    "adagrad": [{"lr_decay": 0.02, "weight_decay": 0.01, "initial_accumulator_value": 0.3, "eps": 1e-4}],
    "adam": [
        {"beta1": 0.5, "beta2": 0.9, "amsgrad": True},
        {"beta1": 0.0, "beta2": 0.95, "eps": 1e-3},
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-2, "weight_decay": 0.05},
    ],
    "adamw": [
        {"beta1": 0.5, "beta2": 0.9, "weight_decay": 0.0, "amsgrad": True},
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-2, "weight_decay": 0.3},
    ],
    "adadelta": [{"rho": 0.8, "eps": 1e-3, "weight_decay": 0.02}],
    "adamax": [{"beta1": 0.7, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.02}],
    "nadam": [
        {"weight_decay": 0.02, "momentum_decay": 0.05},
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "radam": [
        {"beta2": 0.99, "weight_decay": 0.02},
        {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "rprop": [{"eta_minus": 0.4, "eta_plus": 1.3, "step_size_min": 1e-3, "step_size_max": 0.05}],
    "asgd": [
        {"lambd": 0.1, "alpha": 0.5, "t0": 20.0},
        {"lambd": 0.05, "alpha": 0.9, "t0": 3.0, "weight_decay": 0.02},
    ],
    "lamb": [{"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.05}],
    "lars": [
        {"momentum": 0.0, "weight_decay": 0.02},
        {"momentum": 0.7, "weight_decay": 0.05, "trust_coefficient": 0.002, "eps": 1e-2, "nesterov": True},
    ],
    "lion": [{"beta1": 0.7, "beta2": 0.9, "weight_decay": 0.1}],
    "yogi": [{"beta1": 0.8, "beta2": 0.95, "eps": 1e-2, "initial_accumulator_value": 0.01}],
    "adabelief": [
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-4, "eps_root": 1e-8},
        {"beta1": 0.8, "eps": 1e-8, "eps_root": 1e-10, "nesterov": True},
    ],
}

# The libraries' names where optbench has another: arguments that are pairs, and the beta's of optax.
PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}
BETAS = {"beta1": "b1", "beta2": "b2"}


# -------------------------------------------------------------------------------------------------- problems


def rosenbrock(xp: Any, x: Any, data: dict[str, Any]) -> Any:
    """Rosenbrock's valley."""
    return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def quadratic(xp: Any, x: Any, data: dict[str, Any]) -> Any:
    """Quadratic form x'Ax / 2 - b'x with A symmetric positive definite."""
    return 0.5 * x @ (data["a"] @ x) - data["b"] @ x


def network(xp: Any, x: Any, data: dict[str, Any]) -> Any:
    """Mean squared error of two tanh units: parameters (outer weight, inner weight, shift) of each; not convex."""
    hidden = xp.tanh(data["inputs"][:, None] * x[2:4] + x[4:6])
    return xp.mean((hidden @ x[0:2] - data["outputs"]) ** 2)


FUNCTIONS = (rosenbrock, quadratic, network)


def problem_data() -> dict[str, dict[str, np.ndarray]]:
    """Start and constants of each problem."""
    rng = np.random.default_rng(7)
    rotation, _ = np.linalg.qr(rng.standard_normal((10, 10)))
    a = rotation @ np.diag(np.geomspace(1.0, 100.0, 10)) @ rotation.T
    inputs = np.linspace(-2.0, 2.0, 12)
    outputs = np.sin(1.5 * inputs) + 0.3 * rng.standard_normal(12)
    return {
        "rosenbrock": {"x0": np.array([-1.2, 1.0])},
        "quadratic": {"x0": rng.standard_normal(10), "a": (a + a.T) / 2.0, "b": 10.0 * rng.standard_normal(10)},
        "network": {"x0": rng.standard_normal(6), "inputs": inputs, "outputs": outputs},
    }


# ---------------------------------------------------------------------------------------------------- running


def run_torch(case: dict[str, Any], function: Any, data: dict[str, np.ndarray]) -> tuple[np.ndarray, Any]:
    """Points, shape (STEPS, n), and the last average of asgd (else None)."""
    make, fixed, _ = TORCH[case["optimizer"]]
    options = {**fixed, **case["params"]}
    for pair, names in PAIRS.items():
        if any(name in options for name in names):
            defaults = inspect.signature(make).parameters[pair].default
            options[pair] = tuple(options.pop(name, default) for name, default in zip(names, defaults, strict=True))
    tensors = {key: torch.tensor(value) for key, value in data.items()}
    x = tensors["x0"].clone().requires_grad_()
    method = make([x], lr=case["lr"][0], **options)
    points = []
    for lr in case["lr"]:
        method.param_groups[0]["lr"] = lr
        method.zero_grad()
        function(torch, x, tensors).backward()
        method.step()
        points.append(x.detach().numpy().copy())
    average = method.state[x].get("ax") if case["optimizer"] == "asgd" else None
    return np.array(points), average


def make_optax(name: str, lr: Any, params: dict[str, Any]) -> Any:
    """Make the optax transformation for settings under optbench's names."""
    options = {BETAS.get(key, key): value for key, value in params.items()}
    if "initial_accumulator_value" in options:  # optax.yogi does not hand this one on
        return optax.chain(optax.scale_by_yogi(**options), optax.scale_by_learning_rate(lr))
    return OPTAX[name][0](lr, **options)


def run_optax(case: dict[str, Any], function: Any, data: dict[str, np.ndarray]) -> tuple[np.ndarray, Any]:
    """Points, shape (STEPS, n)."""
    rates = jnp.array(case["lr"])
    method = make_optax(case["optimizer"], lambda count: rates[count], case["params"])
    arrays = {key: jnp.array(value) for key, value in data.items()}
    cuts = case["groups"][1:-1]

    def loss(parts: Any) -> Any:
        return function(jnp, jnp.concatenate(parts), arrays)

    def step(carry: Any, _: Any) -> Any:
        parts, state = carry
        updates, state = method.update(jax.grad(loss)(parts), state, parts)
        parts = optax.apply_updates(parts, updates)
        return (parts, state), jnp.concatenate(parts)

    parts = jnp.split(arrays["x0"], cuts)
    return np.asarray(jax.lax.scan(step, (parts, method.init(parts)), length=STEPS)[1]), None


def stable_run(case: dict[str, Any], function: Any, data: dict[str, np.ndarray]) -> tuple[np.ndarray, Any]:
    """Run a case, with its learning rates halved in place until nudging them hardly moves the points."""
    run = run_torch if case["optimizer"] in TORCH else run_optax
    for _ in range(8):
        points, average = run(case, function, data)
        nudged, _ = run({**case, "lr": [lr * (1.0 + NUDGE) for lr in case["lr"]]}, function, data)
        spread = np.abs(nudged - points).max(axis=1) / np.abs(points).max(axis=1)
        if spread.max() <= SPREAD:
            return points, average
        case["lr"] = [lr / 2.0 for lr in case["lr"]]
    raise SystemExit(f"{case['id']}: chaotic with every learning rate tried")


def library_defaults(name: str) -> dict[str, Any]:
    """Defaults of the library's own constructor, under optbench's names."""
    make = TORCH[name][0] if name in TORCH else OPTAX[name][0]
    renamed = {theirs: ours for ours, theirs in BETAS.items()}
    found: dict[str, Any] = {}
    for key, parameter in inspect.signature(make).parameters.items():
        if key in PAIRS:
            found.update(zip(PAIRS[key], parameter.default, strict=True))
        elif isinstance(parameter.default, (bool, int, float)):
            found[renamed.get(key, key)] = parameter.default
    fixed = TORCH[name][1] if name in TORCH else {}
    return {key: value for key, value in found.items() if key not in fixed}


# ------------------------------------------------------------------------------------------------------ cases


def changing(lr: float) -> list[float]:
    """Make a learning rate that rises and falls."""
    return [lr * 0.995**t * (1.0 + 0.5 * math.sin(t / 9.0)) for t in range(STEPS)]


def cases(data: dict[str, dict[str, np.ndarray]]) -> list[dict[str, Any]]:
    """Every optimizer: default and unusual settings on each problem, and a changing learning rate."""
    made = []
    for name in [*TORCH, *OPTAX]:
        rates = TORCH[name][2] if name in TORCH else OPTAX[name][1]
        for (problem, values), rate in zip(data.items(), rates, strict=True):
            n = values["x0"].size
            base = {"optimizer": name, "problem": problem, "start": "x0", "groups": [0, n]}
            flat = [rate] * STEPS
            for k, params in enumerate([{}, *UNUSUAL[name]]):
                made.append({**base, "id": f"{name}-{problem}-{k}", "params": params, "lr": flat})
            moving = {**base, "params": UNUSUAL[name][-1], "lr": changing(rate)}
            made.append({**moving, "id": f"{name}-{problem}-changing"})
            if name in ("lamb", "lars"):
                made.append({**moving, "id": f"{name}-{problem}-groups", "groups": [0, n // 2, n]})
                if problem != "network":  # whose gradient vanishes at zero
                    made.append({**moving, "id": f"{name}-{problem}-zero", "start": "zero"})
    return made


def main() -> None:
    """Write the file."""
    data = problem_data()
    functions = dict(zip(data, FUNCTIONS, strict=True))
    rows = []
    for case in cases(data):
        values = dict(data[case["problem"]])
        if case["start"] == "zero":
            values["x0"] = np.zeros_like(values["x0"])
        points, average = stable_run(case, functions[case["problem"]], values)
        row = {**case, "x": [points[t - 1].tolist() for t in KEPT]}
        row["lr"] = case["lr"][0] if len(set(case["lr"])) == 1 else case["lr"]
        if average is not None:
            row["average"] = average.tolist()
        rows.append(row)
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    versions |= {"jax": jax.__version__, "optax": optax.__version__, "numpy": np.__version__}
    content = {
        "versions": versions,
        "kept": KEPT,
        "libraries": {**dict.fromkeys(TORCH, "torch"), **dict.fromkeys(OPTAX, "optax")},
        "defaults": {name: library_defaults(name) for name in [*TORCH, *OPTAX]},
        "problems": {name: {key: value.tolist() for key, value in values.items()} for name, values in data.items()},
        "cases": rows,
    }
    text = json.dumps(content).encode()
    Path(__file__).with_name("optimizers.json.gz").write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
