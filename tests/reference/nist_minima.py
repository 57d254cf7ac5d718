"""Make problems/nist/data/minima.json: NIST's certified parameters, refined by Newton's method in 50 digits.

Run ``python tests/reference/nist_minima.py`` in the repository's root.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import mpmath as mp

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write the file."""
    mp.mp.dps = 50
    nist = runpy.run_path(str(HERE / "nist_formulas.py"))
    minima = {}
    for name in sorted(nist["MODELS"]):
        best = nist["certificate"](name)[2]
        point, f = nist["JETS"]["newton"](nist["residuals"](name), best, len(nist["table"](name)), steps=12)
        minima[name] = {"x_opt": [float(t) for t in point], "f_opt": float(f)}
        print(
            name, mp.nstr(max(abs(a / b - 1) for a, b in zip(point, best, strict=True)), 3), mp.nstr(f, 15), flush=True
        )
    made = {"made_by": "tests/reference/nist_minima.py", "mpmath": mp.__version__, "digits": mp.mp.dps}
    text = json.dumps({**made, "minima": minima}, indent=1)
    (nist["FOLDER"] / "minima.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
