"""Write networks.npz and networks.json: losses, gradients and 25 steps of Adam of networks, by PyTorch in float64.

``python tests/reference/make_networks.py`` reads scikit-learn's data and standardizes them on its own: nothing of
optbench takes part. Every case has a point x drawn from [-0.5, 0.5]^n, with it the loss with penalty, its gradient, the
loss without penalty, the share of right answers and the point after 25 full-batch steps of ``torch.optim.Adam``.
"""

from __future__ import annotations

import itertools
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn import datasets

HERE = Path(__file__).parent
STEPS, LR = 25, 0.01
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "gelu": torch.nn.functional.gelu,
}


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Problems and their settings."""
    made: list[tuple[str, dict[str, Any]]] = []
    for data, activation, hidden in itertools.product(("wine", "diabetes"), ACTIVATIONS, ([7], [6, 5], [5, 4, 3])):
        made.append(("mlp", {"data": data, "activation": activation, "hidden": hidden, "alpha": 0.01}))
    made += [("mlp", {"data": data, "hidden": [], "alpha": 0.0}) for data in ("iris", "diabetes")]
    made += [("mlp", {"data": "iris", "loss": "mse", "hidden": [8], "standardize": False})]
    made += [("softmax_regression", {"data": data, "alpha": 0.1}) for data in ("iris", "breast_cancer")]
    made += [("autoencoder", {"data": "breast_cancer", "hidden": hidden}) for hidden in ([3], [5, 2, 5])]
    return made


def standard(values: Any) -> Any:
    """Mean 0 and standard deviation 1 in every column."""
    return (values - values.mean(axis=0)) / values.std(axis=0)


def data_of(name: str, settings: dict[str, Any]) -> tuple[Any, Any, bool]:
    """Features, targets, and whether they are classes."""
    kind = settings["data"]
    bunch = getattr(datasets, f"load_{kind}")(**({"scaled": False} if kind == "diabetes" else {}))
    plain = not settings.get("standardize", True)
    features = torch.tensor(bunch.data if plain else standard(bunch.data))
    if name == "autoencoder":
        return features, features, False
    if kind == "diabetes" or settings.get("loss") == "mse":
        goal = bunch.target.astype(float)
        return features, torch.tensor(goal if plain else standard(goal))[:, None], False
    return features, torch.tensor(bunch.target), True


def evaluate(
    x: Any, sizes: list[int], activation: str, features: Any, goal: Any, classes: bool
) -> tuple[Any, Any, Any]:
    """Loss without penalty, sum of the squared weights, outputs."""
    at, a, squares = 0, features, torch.zeros(())
    for layer, (d, n) in enumerate(itertools.pairwise(sizes), 1):
        weights, biases = x[at : at + n * d].reshape(n, d), x[at + n * d : at + n * (d + 1)]
        at += n * (d + 1)
        a, squares = torch.nn.functional.linear(a, weights, biases), squares + (weights**2).sum()
        if layer < len(sizes) - 1:
            a = ACTIVATIONS[activation](a)
    loss = torch.nn.functional.cross_entropy if classes else torch.nn.functional.mse_loss
    return loss(a, goal), squares, a


def record(seed: int, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Arrays of one case."""
    features, goal, classes = data_of(name, settings)
    outputs = int(goal.max()) + 1 if classes else goal.shape[1]
    sizes = [features.shape[1], *settings.get("hidden", []), outputs]
    alpha, activation = settings.get("alpha", 1e-4), settings.get("activation", "tanh")
    n = sum(k * (d + 1) for d, k in itertools.pairwise(sizes))
    start = np.random.default_rng(seed).uniform(-0.5, 0.5, n)
    x = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=LR)
    first: tuple[Any, ...] = ()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss, squares, out = evaluate(x, sizes, activation, features, goal, classes)
        f = loss + 0.5 * alpha * squares
        f.backward()
        assert x.grad is not None
        right = (out.argmax(dim=1) == goal).double().mean().item() if classes else np.nan
        first = first or (f.item(), x.grad.numpy().copy(), loss.item(), right)
        optimizer.step()
    f, g, loss, right = first
    return {"x": start, "g": g, "adam": x.detach().numpy(), "f": f, "loss": loss, "accuracy": right}


def main() -> None:
    """Write the files."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    arrays: dict[str, Any] = {}
    listed = []
    for seed, (name, settings) in enumerate(cases()):
        listed.append({"problem": name, "settings": settings})
        arrays |= {f"{seed}-{key}": value for key, value in record(seed, name, settings).items()}
    np.savez_compressed(HERE / "networks.npz", **arrays)
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
    report = {"versions": versions | {"scikit-learn": sklearn.__version__}, "steps": STEPS, "lr": LR, "cases": listed}
    (HERE / "networks.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
