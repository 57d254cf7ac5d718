"""What a thread sees of the memory of runs: its own columns, as the records that the device functions take."""

from __future__ import annotations

from typing import Any, NamedTuple

from optbench.cuda.lowering import device


class Book(NamedTuple):
    """What a run is judged by and where it is recorded, under the names of `optbench.loops.first_order.Setup`.

    Its types are those of every other kernel, so that what needs no more than it compiles once. `x` and `g` lie in the
    device's memory.
    """

    x: Any
    g: Any
    full_g: Any
    ints: Any
    hits: Any
    thresholds: Any
    snapshot: Any
    iterations: Any
    values: Any
    norms: Any
    lrs: Any
    points: Any
    sums: Any
    max_iter: int
    n: int
    gtol: float
    stop: bool
    every_row: bool
    timed: bool
    batched: bool


class Member(NamedTuple):
    """What one run works with."""

    x: Any
    g: Any
    states: Any
    shared: Any
    work: Any
    book: Book
    floats: Any
    memory: Any
    rates: Any
    place: int
    lr: float
    peak: float
    warmup: int
    warmup_start: float
    clip_at: float
    draw: Any
    means: Any
    permutation: Any
    r: Any
    jac: Any
    room: Any
    cut: Any
    data: Any
    params: Any
    settings: Any
    groups: Any
    drawing: Any


def _book(w: Any, k: Any, ints: Any, sums: Any) -> Any:
    return Book(
        w.x[:, k],
        w.g[:, k],
        w.full_g[:, k],
        ints,
        w.hits[:, k],
        w.thresholds[:, k],
        w.snapshot[:, k],
        w.iterations[:, k],
        w.values[:, k],
        w.norms[:, k],
        w.rates_seen[:, k],
        w.points[: w.point_rows, :, k],
        sums,
        w.limits[k],
        w.n,
        w.gtol,
        w.stop,
        w.every_row,
        w.timed,
        w.batched,
    )


def viewer(own: Any, cuts: Any) -> Any:
    """Device function ``member(w, k, x, g, states, shared, work, ints, sums) -> Member``.

    The arrays that a thread may have for itself are arguments; `sums` is what a sum over all threads needs.
    """
    book = device(_book)

    def member(w: Any, k: Any, x: Any, g: Any, states: Any, shared: Any, work: Any, ints: Any, sums: Any) -> Any:
        return Member(
            x,
            g,
            states,
            shared,
            work,
            book(w, k, ints, sums),
            w.floats[:, k],
            w.memory[:, :, k],
            w.table,
            w.places[k],
            w.lrs[k],
            w.peaks[k],
            w.warmup,
            w.warmup_start,
            w.clip_at,
            w.draw[:, k],
            w.means[:, k],
            w.permutation[:, k],
            w.residuals[:, k],
            w.jacobian[:, :, k],
            own(w.room, k),
            cuts(w.cut, k),
            w.data,
            w.params,
            w.settings,
            w.groups,
            w.drawing,
        )

    return device(member)
