"""Write ``problems/data/sales.csv``: 40 made-up months of a shop's advertising spending and sales, in thousand EUR.

Sales follow spending linearly, 60 + 4.5 per unit, with normal scatter of 12; both are rounded to 10 EUR. Run from
anywhere: ``python tests/reference/make_sales.py``. The numbers come from the standard library's Mersenne Twister, whose
`random` is the same in every Python version; the scatter is a sum of twelve uniform numbers.
"""

from __future__ import annotations

import random
from pathlib import Path

PATH = Path(__file__).resolve().parents[2] / "problems" / "data" / "sales.csv"


def rows(count: int = 40, seed: int = 20) -> list[tuple[float, float]]:
    """Spending and sales of each month, in thousand EUR."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        spending = round(5.0 + 40.0 * rng.random(), 2)
        scatter = sum(rng.random() for _ in range(12)) - 6.0
        made.append((spending, round(60.0 + 4.5 * spending + 12.0 * scatter, 2)))
    return made


def text() -> str:
    """Return the whole file."""
    return "spending,sales\n" + "".join(f"{spending:.2f},{sales:.2f}\n" for spending, sales in rows())


if __name__ == "__main__":
    PATH.write_text(text(), encoding="ascii", newline="\n")
