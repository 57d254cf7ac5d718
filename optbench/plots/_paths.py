"""Paths through a plane: thinned to what is visible, cut where they leave for good, labelled where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optbench.plots import _style
from optbench.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

STEPS = 2000  # cells a side of the frame: what stays in one is one point on paper
MOST = 50_000  # points of a drawn path
FEW = 40  # steps up to which every iterate is a dot
_OUT = 3.0  # frame widths from the centre beyond which coordinates are cut, so that nothing overflows
_ANCHORS = 48
_DIRECTIONS = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y)
_DISTANCES = (0.6, 1.6, 3.0)  # between a label and its anchor, in font sizes


class Track(NamedTuple):
    """What is drawn of a path: its points, shape (k, 2); its end; whether it leaves the frame for good, or diverges."""

    points: Array
    end: Array
    leaves: bool


def track_of(points: Array, bounds: Array) -> Track:
    """The drawn part of a path, shape (k, 2), in a frame, (2, 2): to its last finite point, then thinned and cut.

    A path that ends outside of the frame, or at what is no number, has as its end the place where it left it last.
    """
    finite = np.isfinite(points).all(axis=1)
    count = len(points) if finite.all() else int(np.argmin(finite))
    center, half = bounds.mean(axis=1), np.diff(bounds, axis=1)[:, 0] / 2
    if not count:
        return Track(np.empty((0, 2)), center, True)
    scaled = (points[:count] - center) / half
    inside = (np.abs(scaled) <= 1.0).all(axis=1)
    last = int(np.flatnonzero(inside)[-1]) if inside.any() else -1
    leaves = count < len(points) or last < count - 1
    end = scaled[last]
    if -1 < last < count - 1:
        end = end + (scaled[last + 1] - end) * _exit(end, scaled[last + 1])
    shown = scaled[: last + 2] if leaves else scaled
    drawn = _cut(shown)
    return Track(center + half * drawn[visible(drawn)], center + half * np.clip(end, -1.0, 1.0), leaves)


def _exit(inside: Array, outside: Array) -> float:
    """Share of the way from a point in the square of half side 1 to one outside of it at which it is left."""
    step = outside - inside
    with np.errstate(all="ignore"):
        shares = np.where(step == 0.0, np.inf, (np.sign(step) - inside) / step)
    return float(np.clip(shares.min(), 0.0, 1.0))


def _cut(points: Array) -> Array:
    """Points far outside moved on their lines towards those before them, or where these are far outside too, cut."""
    before = points[[0, *range(len(points) - 1)]]
    far, near = np.abs(points).max(axis=1) > _OUT, np.abs(before).max(axis=1) <= _OUT
    moves = points - before
    with np.errstate(all="ignore"):
        shares = np.minimum(1.0, _OUT / np.abs(moves).max(axis=1, keepdims=True))
        moved = np.where(near[:, None], before + moves * shares, np.clip(points, -_OUT, _OUT))
    return np.asarray(np.where(far[:, None], moved, points))


def visible(points: Array) -> NDArray[np.int64]:
    """Rows of points, in half frames from the centre, that differ visibly from those before; of very many, some."""
    cells = np.round(points * (STEPS / 2))
    keep = np.ones(len(points), dtype=bool)
    keep[1:-1] = (cells[1:-1] != cells[:-2]).any(axis=1)
    rows = np.flatnonzero(keep)
    return rows if len(rows) <= MOST else rows[np.unique(np.linspace(0, len(rows) - 1, MOST).astype(int))]


def draw_path(
    ax: Axes, points: ArrayLike, label: str, look: _style.Style | None = None, *, bounds: Array | None = None,
    width: float = 1.2, **more: Any,
) -> Track:  # fmt: skip
    """Draw a path onto axes that show a plane.

    Parameters
    ----------
    ax : Axes
    points : array_like, shape (k, 2)
        In coordinates of the plane.
    label : str
        What the line is called; its first word decides the look, as in all figures.
    look : Style, optional
        Another look.
    bounds : ndarray, shape (2, 2), optional
        The frame; by default the limits that the axes have.
    width : float
        Of the line, in points.
    **more
        For the line.

    Returns
    -------
    Track
        Up to 40 iterates are dots. The last is a larger dot; a cross where the path leaves the frame for good.
    """
    look = look or _style.style_of("optimizer", label)
    frame = np.array([ax.get_xlim(), ax.get_ylim()]) if bounds is None else bounds
    given = np.atleast_2d(np.asarray(points, dtype=np.float64))
    track = track_of(given, frame)
    few = len(given) <= FEW
    options: dict[str, Any] = {"color": look.color, "zorder": 4, "solid_capstyle": "round", "gid": "path", **more}
    ax.plot(
        *track.points.T, linestyle=look.linestyle, linewidth=width, label=label, marker="." if few else "",
        markersize=3.0, markeredgewidth=0, **options,
    )  # fmt: skip
    mark: dict[str, Any] = {"marker": "X", "markersize": 6.5} if track.leaves else {"marker": "o", "markersize": 4.0}
    ax.plot(
        *track.end[:, None], color=look.color, markeredgecolor="white", markeredgewidth=0.6, zorder=6, clip_on=False,
        linestyle="", **mark,
    )  # fmt: skip
    return track


class Label(NamedTuple):
    """A text that is to stand near one of its anchors, shape (k, 2), in data coordinates; `own` is its path."""

    text: str
    anchors: Array
    color: str = "black"
    own: int = -1


def place(ax: Axes, labels: Sequence[Label], paths: Sequence[Array], lines: Sequence[Array] = ()) -> list[Text]:
    """Put texts where they cover neither the paths, shape (k, 2) each, nor other lines, nor each other.

    The layout of the figure must be final. A text stands beside an anchor of its own; one that cannot stand close has a
    thin leader to it.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    def pixels(points: Array) -> Array:
        return np.asarray(ax.transData.transform(points)) if len(points) else np.empty((0, 2))

    frame = ax.get_window_extent()
    box = np.array([[frame.x0, frame.x1], [frame.y0, frame.y1]])
    figure = ax.get_figure(root=True)
    assert figure is not None
    unit = _style.FONT * figure.dpi / 72
    dense = [_dense(pixels(path), box, 0.25 * unit) for path in paths]
    others = [_dense(pixels(line), box, 0.25 * unit) for line in lines]
    taken: list[Array] = []
    made: list[Text] = []
    for label in labels:
        text = ax.annotate(
            label.text, (0, 0), color=label.color, fontsize=_style.FONT, ha="center", va="center", zorder=8,
            annotation_clip=False, in_layout=False, path_effects=[withStroke(linewidth=2.0, foreground="white")],
        )  # fmt: skip
        size = text.get_window_extent()
        room = np.array([size.width, size.height]) + 0.3 * unit
        anchor, at = _best(pixels(label.anchors), room, unit, box, dense, others, taken, label.own)
        taken.append(np.column_stack([at - room / 2, at + room / 2]))
        inverse = ax.transData.inverted()
        text.set_position(tuple(inverse.transform(at)))
        if _gap(anchor, taken[-1]) > 1.4 * unit:
            edge = np.clip(anchor, taken[-1][:, 0], taken[-1][:, 1])
            ends = inverse.transform(np.array([anchor, edge]))
            ax.add_line(Line2D(*ends.T, color=label.color, linewidth=0.5, zorder=5, in_layout=False))
        made.append(text)
    return made


def _best(
    anchors: Array, room: Array, unit: float, box: Array, paths: Sequence[Array], others: Sequence[Array],
    taken: Sequence[Array], own: int,
) -> tuple[Array, Array]:  # fmt: skip
    """The anchor and the centre of the text, in pixels, that cost least."""
    inside = anchors[((anchors >= box[:, 0] - 1) & (anchors <= box[:, 1] + 1)).all(axis=1)]
    inside = inside if len(inside) else np.clip(anchors[:1], box[:, 0], box[:, 1])
    picked = inside[np.unique(np.linspace(0, len(inside) - 1, _ANCHORS).astype(int))]
    foreign = np.concatenate([np.empty((0, 2)), *(path for k, path in enumerate(paths) if k != own)])
    everything = np.concatenate([foreign, *(paths[own : own + 1] if own >= 0 else []), *others])
    weights = np.repeat([1.0, 3.0], [len(everything) - sum(map(len, others)), sum(map(len, others))])
    moves = np.array([np.array(way) * (room / 2 + 0.7 * far * unit) for far in _DISTANCES for way in _DIRECTIONS])
    cost_of_distance = 2.0 * np.repeat(_DISTANCES, len(_DIRECTIONS))
    best, least = (picked[0], picked[0]), np.inf
    for anchor in picked:
        alone = np.abs(foreign - anchor).max(axis=1).min(initial=np.inf) if own >= 0 else np.inf
        doubt = 8.0 * max(0.0, 1.0 - alone / (2.0 * unit))  # whose path is it that the text stands at?
        at = anchor + moves
        cost = cost_of_distance + doubt + (np.abs(everything - at[:, None]) <= room / 2).all(axis=2) @ weights
        if own >= 0:
            cost += 2.0 * (np.abs(foreign - at[:, None]).max(axis=2).min(axis=1, initial=np.inf) < unit)
        outside = np.maximum(box[:, 0] - (at - room / 2), at + room / 2 - box[:, 1]).max(axis=1)
        cost += np.where(outside > 0, 1000.0 + outside, 0.0)
        for other in taken:
            sides = np.minimum(at + room / 2, other[:, 1]) - np.maximum(at - room / 2, other[:, 0])
            cost += 30.0 * np.prod(np.maximum(sides, 0.0), axis=1) / unit**2
        k = int(np.argmin(cost))
        if cost[k] < least:
            best, least = (anchor, at[k]), float(cost[k])
    return best


def _dense(points: Array, box: Array, step: float) -> Array:
    """Cells of size `step` that a line of pixels, shape (k, 2), passes through in the box."""
    if len(points) > 1:
        lengths = np.minimum(np.abs(np.diff(points, axis=0)).max(axis=1), 1e5)
        counts = np.maximum(np.ceil(lengths / step).astype(int), 1)
        at = np.repeat(np.arange(len(counts)), counts)
        shares = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[at]
        points = np.concatenate([points[at] + shares[:, None] * (points[at + 1] - points[at]), points[-1:]])
    within = points[((points >= box[:, 0]) & (points <= box[:, 1])).all(axis=1)]
    return np.asarray(np.unique(np.round(within / step), axis=0) * step)


def _gap(point: Array, box: Array) -> float:
    return float(np.abs(point - np.clip(point, box[:, 0], box[:, 1])).max())
