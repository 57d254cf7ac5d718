"""What all figures share: who has which colour, sizes, the grid of panels, and numbers as text.

Figures are made of matplotlib's objects and drawn by Agg: no pyplot, no global state.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optbench.registry import list_optimizers, list_schedules, unknown
from optbench.stats import target_text
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe & Ito (2008), Color Universal Design, without its yellow, which is too light for lines on white; then of Tol's
# "muted" set (SRON/EPS/TN/09-002) and a brown. The order is of use: the first names get the colours furthest apart.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255", "#332288"),
    *("#999933", "#AA4499", "#8C510A", "#117733", "#CC6677", "#44AA99"),
)
DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (2, 1)), (0, (7, 1.2, 1.5, 1.2)))
MARKERS = "osD^vP<>Xh*pd"

# Names that are often compared stand first, so that their colours differ; all others follow by name.
_FIRST = {
    "optimizer": (
        *("adam", "gd", "momentum", "rmsprop", "adagrad", "nesterov", "sgd", "adamw", "lamb"),
        *("nadam", "lbfgs", "newton", "bfgs", "radam", "yogi"),
        *("augmented_lagrangian", "lagrange_newton", "quadratic_penalty", "gradient_descent_ascent"),
    ),
    "schedule": ("constant", "cosine", "step", "exponential", "one_cycle", "linear", "reduce_on_plateau"),
}
_KNOWN: dict[str, Callable[[], list[str]]] = {"optimizer": list_optimizers, "schedule": list_schedules}

FACTORS = tuple(_FIRST)
FONT = 7.0  # points
GREY = "0.35"
WIDEST = 11.0  # inches, of a figure with three panels beside each other
_RC: dict[Any, Any] = {
    "font.size": FONT,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure on every machine
    "axes.titlesize": FONT + 1,
    "axes.labelsize": FONT,
    "axes.linewidth": 0.6,
    "xtick.labelsize": FONT - 0.5,
    "ytick.labelsize": FONT - 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "hatch.linewidth": 0.4,
    "hatch.color": "0.75",
}


class Style(NamedTuple):
    """How a line looks, in colour and in grey."""

    color: str
    linestyle: Any
    marker: str


@lru_cache
def _order(factor: str) -> tuple[str, ...]:
    first = _FIRST[factor]
    return (*first, *(name for name in _KNOWN[factor]() if name not in first))


def in_order(factor: str, labels: Iterable[str]) -> list[str]:
    """Different labels in the order of their registered names: the same in every figure; unknown names come last."""
    order = _order(factor)
    names = {label: label.split(" ")[0].rstrip(",") for label in labels}
    return sorted(
        names, key=lambda label: (order.index(name), "") if (name := names[label]) in order else (len(order), name)
    )


def style_of(factor: str, label: str) -> Style:
    """The look of an optimizer or a schedule, by its label: the same in every figure, whatever else is shown.

    The registered name, the first word of a label, decides the colour; its settings, which tell variants apart, decide
    dashes and marker. A name that is not registered gets a place that depends on its letters.
    """
    name, *settings = label.split(" ")
    order = _order(factor)
    place = order.index(name) if name in order else zlib.crc32(name.encode())
    look = place + (5 * zlib.crc32(" ".join(settings).encode()) if settings else 0)
    # 15 colours, 4 dashes and 13 markers have no common factor: pairs repeat after 60 names, triples after 780.
    return Style(COLOURS[place % len(COLOURS)], DASHES[look % len(DASHES)], MARKERS[look % len(MARKERS)])


@contextmanager
def style() -> Iterator[None]:
    """Fonts and line widths of the package, whatever the user's own settings are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def panels(
    count: int, width: float, height: float, beside: float = 0.0, below: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """A figure with a grid of `count` panels of that size in inches, with room `beside` and `below` all of them."""
    columns = columns_of(count, width, beside)
    rows = -(-count // columns)
    figure = canvas(max(columns * width + beside, 5.0), rows * height + below + 0.8)
    return figure, [figure.add_subplot(rows, columns, k + 1) for k in range(count)]


def columns_of(count: int, width: float, beside: float = 0.0) -> int:
    """How many of so many panels of that width in inches stand beside each other."""
    return min(count, 3 if 3 * width + beside <= WIDEST and count != 4 else 2)


def canvas(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Figure:
    """An empty figure of that size in inches, drawn by Agg."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def describe(figure: Figure, title: str, caption: str) -> None:
    """Title above the panels and a caption below them, at the left, within the figure's width."""
    width, height = figure.get_size_inches()
    lines = _wrapped(caption, width)
    titles = _wrapped(title, width, FONT + 2, 0.66)
    below, above = caption_height(caption, width) / height, (0.14 + len(titles) * 0.14) / height
    words: dict[str, Any] = {"fontsize": FONT + 2, "weight": "bold", "va": "top", "linespacing": 1.2}
    figure.text(0.06 / width, 1 - 0.06 / height, "\n".join(titles), in_layout=False, **words)
    text = "\n".join(lines)
    figure.text(0.06 / width, 0.05 / height, text, color=GREY, va="bottom", linespacing=1.2, in_layout=False)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0, below, 1, 1 - below - above), w_pad=0.06, h_pad=0.05)  # type: ignore[call-arg]


def caption_height(caption: str, width: float) -> float:
    """Inches that `describe` takes for a caption below a figure of that width in inches."""
    return 0.06 + len(_wrapped(caption, width)) * FONT * 1.3 / 72


def _wrapped(text: str, width: float, size: float = FONT, letter: float = 0.54) -> list[str]:
    """Lines of a text of that size in points within a width in inches; `letter` is the mean width of one, in sizes."""
    import textwrap

    return textwrap.wrap(text, int((width - 0.12) * 72 / (size * letter)), break_on_hyphens=False)


def spread(wanted: ArrayLike, gap: float, low: float = 0.0, high: float = 1.0) -> Array:
    """Positions nearest to `wanted`, in the order given, at least `gap` apart, within [low, high] where they fit."""
    from scipy.optimize import isotonic_regression

    steps = gap * np.arange(np.size(wanted))
    free = isotonic_regression(np.asarray(wanted, dtype=np.float64) - steps).x
    room = max(high - low - (steps[-1] if len(steps) else 0.0), 0.0)
    return np.asarray(np.clip(free, low, low + room) + steps)


def chosen(table: pd.DataFrame, runs: pd.DataFrame, **wanted: str | None) -> pd.DataFrame:
    """Rows of a table of labels whose factors are as `wanted`, each a label or a registered name.

    Raises
    ------
    ValueError
        There is no such label; the message lists the known ones.
    """
    for factor, name in wanted.items():
        if name is not None:
            keep = (table[factor] == name) | (runs.loc[table.index, factor] == name)
            if not keep.any():
                raise unknown(factor, name, set(table[factor]))
            table = table[keep]
    return table


def number_text(value: float) -> str:
    """Text of a count in a narrow cell: 842, 4213, 12k, 3.4M."""
    for unit, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= 10 * unit or (suffix == "M" and value >= 0.9995e6):
            return f"{value / unit:.2g}{suffix}" if value < 99.5 * unit else f"{value / unit:.0f}{suffix}"
    return f"{value:.0f}"


def goal_text(target: float, constrained: bool) -> str:
    """What it is to meet a target, for a caption; `constrained`: some of the runs are under constraints."""
    level = target_text(target)
    goal = f"f - f* \N{LESS-THAN OR EQUAL TO} {level} (f0 - f*)".replace(" ", "\N{NO-BREAK SPACE}")
    return goal + f" (under constraints: KKT residual at most {level})" * constrained


def few_decades(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis: at 1, 2 and 5 (or more) in plain numbers within two decades, else powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    few = high / low < 100.0 and low >= 1e-3 and high < 1e7
    near = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0) if high / low < 3.0 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=near if few else (1.0,), numticks=7))
    axis.set_minor_locator(NullLocator())
    if few:
        axis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value) if value >= 10 else f"{value:g}"))


def seconds_text(value: float) -> str:
    """Text of a time in a narrow cell: 3.4s, 12ms, 840us."""
    for unit, suffix in ((1.0, "s"), (1e-3, "ms"), (1e-6, "\N{MICRO SIGN}s")):
        if value >= 0.9995 * unit:
            return f"{value / unit:.3g}{suffix}" if value < 999.5 * unit else f"{value / unit:.0f}{suffix}"
    return f"{value / 1e-9:.3g}ns"


def cell(
    axes: Axes, row: int, column: int, text: str, face: Any, *, hatch: str | None = None, bold: bool = False
) -> None:
    """One cell of a heat map, with a text that is legible on its colour."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    at = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(at, 1, 1, facecolor=face, edgecolor="white", linewidth=0.8, hatch=hatch))
    light = np.dot(np.power(to_rgb(face), 2.2), (0.2126, 0.7152, 0.0722)) > 0.18
    axes.text(
        column, row, text, ha="center", va="center", fontsize=FONT - 0.5,
        color="black" if light else "white", weight="bold" if bold else "normal",
    )  # fmt: skip


def open_frame(axes: Axes, grid: Literal["both", "x", "y"] = "both") -> None:
    """Axes at the left and below alone, with a light grid behind what is drawn."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="0.92", linewidth=0.5)
    axes.set_axisbelow(True)


def panel_title(axes: Axes, label: str) -> None:
    """Title of a panel, in two lines where it is too long for one."""
    axes.set_title("\n".join(title_lines(label)))


def title_lines(label: str) -> list[str]:
    """The lines of the title of a panel."""
    return [label] if len(label) <= 36 else [part for part in label.partition(" ") if part.strip()]


def short_names(labels: Sequence[str]) -> dict[str, str]:
    """Names without their settings, where that is enough to tell the labels apart."""
    names = [label.split(" ")[0] for label in labels]
    return dict(zip(labels, names if len(set(names)) == len(names) else labels, strict=True))


def present(values: Iterable[str]) -> list[str]:
    """Different values in order of appearance."""
    return list(dict.fromkeys(values))
