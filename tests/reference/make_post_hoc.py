"""Reference p-values of comparisons of many on many: `python tests/reference/make_post_hoc.py` writes post_hoc.json.

From scikit-posthocs (Nemenyi after Friedman, Wilcoxon with Holm's correction) and SciPy (Friedman), which it uses.
Needs `pip install scikit-posthocs`; the versions are recorded.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scikit_posthocs
import scipy.stats

CASES = {"untied": (12, 5, False), "tied": (9, 4, True), "three": (20, 3, False)}


def main() -> None:
    """Costs of k competitors on N problems and the p-values of all pairs, upper triangle by rows."""
    rng = np.random.default_rng(20)
    made: dict[str, Any] = {}
    for name, (problems, count, tied) in CASES.items():
        costs = np.exp(rng.normal(3.0, 1.0, (problems, 1)) + rng.normal(np.linspace(0, 1.5, count), 0.7)[None, :])
        costs = costs * np.exp(rng.normal(0.0, 0.6, costs.shape))
        costs = np.ceil(costs / 10.0) * 10.0 if tied else np.round(1e4 * costs)
        upper = np.triu_indices(count, 1)
        case = {"costs": costs.tolist(), "friedman": list(scipy.stats.friedmanchisquare(*costs.T))}
        case["nemenyi"] = scikit_posthocs.posthoc_nemenyi_friedman(costs).to_numpy()[upper].tolist()
        if not tied:  # with ties SciPy's test is not exact
            logs = np.log(costs).T
            pairs = scikit_posthocs.posthoc_wilcoxon(logs, method="exact", p_adjust="holm")
            case["wilcoxon_holm"] = pairs.to_numpy()[upper].tolist()
        made[name] = case
    versions = {name: version(name) for name in ("scikit-posthocs", "scipy", "numpy")}
    path = Path(__file__).with_name("post_hoc.json")
    path.write_text(json.dumps({"versions": versions, "cases": made}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
