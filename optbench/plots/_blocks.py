"""Panels of cells of one size: those with the same rows and columns stand together and share their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from optbench.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = (0.36, 0.185)  # inches, width and height
ANGLE = 40.0  # degrees, of the labels of columns
_LETTER = _style.FONT * 0.57 / 72  # inches, mean width
_GAP = 0.22  # between panels
_BAR = 1.1  # for the colour bar with its label
_BAR_HEIGHTS = (1.05, 2.6)  # at least, for a label in two lines, and at most


class Grid(NamedTuple):
    """A panel: its title, and the labels of its rows and columns."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]


class _Block(NamedTuple):
    """Panels with the same rows and columns, as places in the list of all; measures in inches."""

    members: list[int]
    left: float  # width of the labels of rows
    top: float  # height of the labels of columns
    slot: tuple[float, float]  # of a panel with its title
    across: int

    @property
    def size(self) -> tuple[float, float]:
        lines = -(-len(self.members) // self.across)
        return self.left + min(self.across, len(self.members)) * self.slot[0], self.top + lines * self.slot[1]


def place(grids: Sequence[Grid], title: str, caption: str) -> tuple[Figure, list[Axes], Axes]:
    """A figure with axes for all panels, in their order, and for a colour bar, with title and caption."""
    blocks = _blocks(grids)
    wide_all = max(block.size[0] for block in blocks)
    width = max(wide_all + _BAR, 5.0)
    below = _style.caption_height(caption, width)
    body = sum(block.size[1] for block in blocks)
    tall = min(max(body - blocks[0].top - 0.4, _BAR_HEIGHTS[0]), _BAR_HEIGHTS[1])
    height = 0.35 + max(body, blocks[0].top + 0.3 + tall) + below + 0.1
    figure = _style.canvas(width, height, layout=None)
    axes: dict[int, Axes] = {}
    y = height - 0.35
    for block in blocks:
        shape = grids[block.members[0]]
        wide, high = CELL[0] * len(shape.columns), CELL[1] * len(shape.rows)
        for k, member in enumerate(block.members):
            line, column = divmod(k, block.across)
            x = block.left + column * block.slot[0]
            bottom = y - block.top - (line + 1) * block.slot[1] + _GAP / 2
            axes[member] = figure.add_axes((x / width, bottom / height, wide / width, high / height))
            _label(axes[member], grids[member], names=column == 0, columns=line == 0)
        y -= block.size[1]
    top = height - 0.35 - blocks[0].top - 0.25
    bar = figure.add_axes(((wide_all + 0.2) / width, (top - tall) / height, 0.12 / width, tall / height))
    _style.describe(figure, title, caption)
    return figure, [axes[k] for k in range(len(grids))], bar


def _blocks(grids: Sequence[Grid]) -> list[_Block]:
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for k, grid in enumerate(grids):
        groups.setdefault((grid.rows, grid.columns), []).append(k)
    left = max(len(row) for grid in grids for row in grid.rows) * _LETTER + 0.18
    made = []
    for (rows, columns), members in groups.items():
        names = _style.short_names(columns).values()
        top = max(map(len, names)) * _LETTER * math.sin(math.radians(ANGLE)) + 0.05
        titles = [_style.title_lines(grids[k].title) for k in members]
        wide = max(len(line) for lines in titles for line in lines) * _LETTER * (_style.FONT + 1) / _style.FONT
        slot = max(CELL[0] * len(columns), wide) + _GAP  # labels of columns are parallel: they may reach beyond
        high = CELL[1] * len(rows) + 0.2 * max(map(len, titles)) + _GAP
        across = max(int((_style.WIDEST - left - _BAR) / slot), 1)
        made.append(_Block(members, left, top, (slot, high), across if len(members) != 4 or across > 3 else 2))
    return made


def _label(ax: Axes, grid: Grid, names: bool, columns: bool) -> None:
    shown = _style.short_names(grid.columns)
    ax.set_xticks(
        range(len(shown)), [shown[name] for name in grid.columns], rotation=ANGLE, ha="left", rotation_mode="anchor"
    )
    ax.set_yticks(range(len(grid.rows)), grid.rows)
    ax.tick_params(length=0, labelbottom=False, labeltop=columns, labelleft=names)
    ax.set(xlim=(-0.5, len(grid.columns) - 0.5), ylim=(len(grid.rows) - 0.5, -0.5))
    ax.spines[:].set_visible(False)
    _style.panel_title(ax, grid.title)
    ax.title.set(ha="left", x=0.0)
