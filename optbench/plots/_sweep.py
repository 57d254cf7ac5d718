"""What the figures of a sweep share: which runs make a curve, how it looks, where its values stand and are labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench import stats
from optbench.labels import text_of
from optbench.plots import _style
from optbench.sweep_table import Scale, in_order, positions, scale_of, value_text
from optbench.swept import settings, short, varied
from optbench.types import Array
from optbench.vary import resolve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axis import Axis

MOST = 9  # curves or panels that can be told apart
_TICKS = 9  # values up to which every one is labelled
_LETTERS = 7  # of a value that is written without a power of ten
_UNSAID = {  # labels that go without saying
    "schedule": ("constant", "line_search", "trust_region", "merit_function"),
    "clip": ("none",),
    "batch": ("full",),
}


class Curve(NamedTuple):
    """Rows of the table that belong together, their common label (empty for the only one), and their look."""

    rows: pd.DataFrame
    label: str
    look: _style.Style


class Values(NamedTuple):
    """Values of a setting, ascending, their scale, and where they stand on it, shape (k,)."""

    key: str
    values: list[Any]
    scale: Scale
    at: Array

    def places(self, some: Sequence[Any]) -> Array:
        """Where some of the values stand."""
        known = dict(zip(self.values, self.at, strict=True))
        return np.array([known[value] for value in some])


def values_in(table: pd.DataFrame, key: str) -> Values:
    """The values of a setting in a table."""
    values = in_order(table[key])
    scale = scale_of(values)
    return Values(key, values, scale, positions(values, scale))


def settings_to_show(runs: pd.DataFrame, by: str | Sequence[str] | None, count: int) -> list[str]:
    """The settings to plot by: `by`, or else those that vary. Raises ValueError where these are not `count`."""
    given = [by] if isinstance(by, str) else by or []
    found = varied(runs) if by is None else short(runs, [resolve(key, settings(runs).columns) for key in given])
    if len(found) != count:
        wanted, got = "one setting" if count == 1 else f"{count} settings", ", ".join(found) or "none"
        raise ValueError(f"this figure takes {wanted}" + (f"; the runs vary {got}" if by is None else f", not {got}"))
    return found


def curves_of(table: pd.DataFrame) -> tuple[list[Curve], str]:
    """The curves of a table, and what they have in common as text: ``adam, cosine on rosenbrock n=2``."""
    parts = list(table.groupby(list(stats.FACTORS), sort=False))
    if len(parts) > MOST:
        raise ValueError(f"a figure shows at most {MOST} curves, not {len(parts)}: choose a part of the runs")
    cells = [dict(zip(stats.FACTORS, map(str, cell), strict=True)) for cell, _ in parts]
    searches = _UNSAID["schedule"][1:]
    telling = [name for name in stats.FACTORS if len({cell[name] for cell in cells} - {*searches}) > 1]
    labels = [", ".join(_said(cell, telling, searches)) for cell in cells]
    looks = _looks(cells, telling)
    if len(parts) == 1:
        looks = [_style.Style(looks[0].color, "-", "o")]
    made = [Curve(rows, label, look) for (_, rows), label, look in zip(parts, labels, looks, strict=True)]
    first = cells[0]
    rest = [name for name in ("optimizer", "schedule", "clip", "batch") if name not in telling]
    shared = _said(first, [name for name in rest if first[name] not in _UNSAID.get(name, ())])
    problem = [] if "problem" in telling else ["on " * bool(shared) + first["problem"]]
    return made, " ".join([", ".join(shared), *problem]).strip()


def _said(cell: dict[str, str], names: Sequence[str], unsaid: Sequence[str] = ()) -> list[str]:
    """Labels of factors as they are read, without some."""
    named = {"clip": "clip ", "batch": "batch "}
    return [named.get(name, "") + cell[name] for name in names if cell[name] not in unsaid]


def _looks(cells: list[dict[str, str]], telling: list[str]) -> list[_style.Style]:
    """The usual looks where the lines are different optimizers or schedules, else one after the other."""
    factor = telling[0] if telling else "optimizer"
    labels = [cell[factor] for cell in cells]
    if len(telling) < 2 and factor in _style.FACTORS and len({label.split(" ")[0] for label in labels}) == len(labels):
        looks = [_style.style_of(factor, label.split(" lr=")[0]) for label in labels]
        if len({look.color for look in looks}) == len(looks):
            return looks
    dashes = _style.DASHES
    return [
        _style.Style(colour, dashes[k % len(dashes)], marker)
        for k, (colour, marker, _) in enumerate(zip(_style.COLOURS, _style.MARKERS, cells, strict=False))
    ]


# ------------------------------------------------------------------------------------------------------------ axes


def value_texts(values: Sequence[Any]) -> list[str]:
    """Values on an axis: with powers of ten where some would be long without; ``none`` for a limit of infinity."""
    plain = [value_text(value) for value in values]
    if max(map(len, plain)) <= _LETTERS and not any("e" in text for text in plain):
        return plain
    return [
        _power(value) if isinstance(value, float) and not (1e-2 <= value < 1e5 or value in (0, np.inf)) else text
        for value, text in zip(values, plain, strict=True)
    ]


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def cost_text(value: float) -> str:
    """Text of iterations, epochs or a loss in a narrow cell."""
    if value >= 10 or value == 0:
        return _style.number_text(value)
    plain = f"{value:.2g}"
    return plain if len(plain) < 6 and "e" not in plain else _power(float(plain))


def budget_text(runs: pd.DataFrame) -> str:
    """What a run may take at most, to go on a sentence; empty where that differs."""
    if runs["max_iter"].nunique() == 1:
        return f"; at most {runs['max_iter'].iloc[0]} iterations"
    epochs = np.ceil(runs["epochs"].max())
    return f"; at most {epochs:.0f} epochs" if runs["batch_size"].nunique() > 1 else ""


def goal_text(table: pd.DataFrame) -> str:
    """What the target asks for, with the target."""
    return str(table.attrs["goal"]).format(target=stats.target_text(table.attrs["target"]))


def ticks(axis: Axis, values: Values, room: int = _TICKS) -> None:
    """Ticks at the values where they are few or side by side, else where such a scale has them."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    axis.set_minor_locator(NullLocator())
    first, last = values.at[0] - 1e-9, values.at[-1] + 1e-9
    if values.scale == "ordinal" or len(values.values) <= room:
        keep, least = [0], (last - first) / (room + 1)
        for k, place in enumerate(values.at):
            if place - values.at[keep[-1]] >= least:
                keep.append(k)
        axis.set_ticks(values.at[keep], value_texts([values.values[k] for k in keep]))
        return
    if values.scale == "linear":
        axis.set_major_locator(MaxNLocator(room - 2, integer=all(isinstance(v, int) for v in values.values)))
        return
    decades = range(int(np.floor(first)), int(np.ceil(last)) + 1)
    whole = [k for k in decades if first <= k <= last]
    if values.scale == "reverse_log":
        nice = [1 - part * 10.0**-k for k in decades for part in ((1.0, 0.5) if k == 0 or last - first < 3 else (1.0,))]
        nice = [float(f"{value:.9g}") for value in nice]
        made = {float(positions([value], "reverse_log")[0]): text_of(value) for value in nice}
    elif last - first < 3:
        made = {k + np.log10(m): text_of(float(f"{m * 10.0**k:.1g}")) for k in decades for m in (1, 2, 5)}
    else:
        made = {float(k): f"$10^{{{k}}}$" for k in whole[:: -(-len(whole) // room)]}
        axis.set_minor_locator(
            FixedLocator([at for k in decades for m in range(1, 10) if first <= (at := k + np.log10(m)) <= last])
        )
    made = {place: text for place, text in made.items() if first <= place <= last}
    axis.set_ticks(list(made), list(made.values()))


def steps(values: Values) -> Array:
    """Ends of the values' own stretches of the axis: half way to their neighbours, shape (k + 1,)."""
    between = (values.at[1:] + values.at[:-1]) / 2
    pad = 0.04 * (values.at[-1] - values.at[0]) or 0.5
    return np.concatenate([[values.at[0] - pad], between, [values.at[-1] + pad]])
