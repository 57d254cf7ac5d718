"""Trajectories of torch's and optax's optimizers on parameter groups: the reference of ``tests/test_groups.py``.

``python tests/reference/make_groups.py`` (needs torch, jax and optax) writes ``groups.json.gz`` beside this file. The
parameters are a matrix of weights, its biases, and the same of a second layer, of a small convex quadratic; weight
decay leaves the biases out where a case says so (torch: a parameter group with weight_decay=0; optax: a mask). LAMB
and LARS take a trust ratio of every array.
"""

from __future__ import annotations

import gzip
import json
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
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

STEPS = 100
GROUPS = [("W1", 12, False), ("b1", 3, True), ("W2", 40, False), ("b2", 5, True)]
SIZES = [size for _, size, _ in GROUPS]
N = sum(SIZES)

TORCH: dict[str, tuple[Any, float, dict[str, Any]]] = {
    "gd": (torch.optim.SGD, 5e-3, {"weight_decay": 0.2}),
    "sgd": (torch.optim.SGD, 3e-3, {"momentum": 0.8, "weight_decay": 0.3, "nesterov": True}),
    "adam": (torch.optim.Adam, 0.02, {"weight_decay": 0.3}),
    "adamw": (torch.optim.AdamW, 0.02, {"weight_decay": 0.5}),
    "nadam": (torch.optim.NAdam, 0.02, {"weight_decay": 0.3}),
    "asgd": (torch.optim.ASGD, 5e-3, {"weight_decay": 0.3, "lambd": 0.05}),
}
OPTAX: dict[str, tuple[Any, str, float, dict[str, Any]]] = {
    "lamb": (optax.lamb, "mask", 0.004, {"weight_decay": 0.3, "eps": 1e-3}),
    "lars": (optax.lars, "weight_decay_mask", 2.0, {"weight_decay": 0.2}),
    "lion": (optax.lion, "mask", 0.01, {"weight_decay": 0.5}),
}


def data() -> dict[str, np.ndarray]:
    """Start, curvatures and minimizer."""
    rng = np.random.default_rng(11)
    return {"x0": rng.standard_normal(N), "a": np.geomspace(1.0, 30.0, N), "b": 3.0 * rng.standard_normal(N)}


def run_torch(name: str, decay_bias: bool, values: dict[str, np.ndarray]) -> np.ndarray:
    """Points, shape (STEPS, N)."""
    make, lr, options = TORCH[name]
    cuts = np.cumsum(SIZES)[:-1]
    arrays = [torch.tensor(part, requires_grad=True) for part in np.split(values["x0"], cuts)]
    groups: list[dict[str, Any]] = []
    for array, (_, _, bias) in zip(arrays, GROUPS, strict=True):
        decay = 0.0 if bias and not decay_bias else options["weight_decay"]
        groups.append({"params": [array], "weight_decay": decay})
    method = make(groups, lr=lr, **options)
    a, b = torch.tensor(values["a"]), torch.tensor(values["b"])
    points = []
    for _ in range(STEPS):
        method.zero_grad()
        torch.autograd.backward((0.5 * a * (torch.cat(arrays) - b) ** 2).sum())
        method.step()
        points.append(torch.cat(arrays).detach().numpy().copy())
    return np.array(points)


def run_optax(name: str, decay_bias: bool, values: dict[str, np.ndarray]) -> np.ndarray:
    """Points, shape (STEPS, N)."""
    make, mask, lr, options = OPTAX[name]
    given = {"b1" if key == "beta1" else key: value for key, value in options.items()}
    method = make(lr, **given, **{mask: [decay_bias or not bias for _, _, bias in GROUPS]})
    a, b = jnp.array(values["a"]), jnp.array(values["b"])

    def loss(parts: Any) -> Any:
        return 0.5 * jnp.sum(a * (jnp.concatenate(parts) - b) ** 2)

    def step(carry: Any, _: Any) -> Any:
        parts, state = carry
        updates, state = method.update(jax.grad(loss)(parts), state, parts)
        parts = optax.apply_updates(parts, updates)
        return (parts, state), jnp.concatenate(parts)

    parts = jnp.split(jnp.array(values["x0"]), np.cumsum(SIZES)[:-1])
    return np.asarray(jax.lax.scan(step, (parts, method.init(parts)), length=STEPS)[1])


def main() -> None:
    """Write the file."""
    values, rows = data(), []
    for name in [*TORCH, *OPTAX]:
        for decay_bias in (True, False):
            run = run_torch if name in TORCH else run_optax
            lr, options = TORCH[name][1:] if name in TORCH else OPTAX[name][2:]
            points = run(name, decay_bias, values)
            kept = {str(t): points[t - 1].tolist() for t in (1, 2, 5, 20, STEPS)}
            rows.append({"optimizer": name, "lr": lr, "params": options, "decay_bias": decay_bias, "x": kept})
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    versions |= {"jax": jax.__version__, "optax": optax.__version__, "numpy": np.__version__}
    content = {
        "versions": versions,
        "groups": GROUPS,
        "data": {key: value.tolist() for key, value in values.items()},
        "cases": rows,
    }
    text = json.dumps(content).encode()
    Path(__file__).with_name("groups.json.gz").write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
