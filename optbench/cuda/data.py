"""The data of a problem as a thread sees them: shared by all, but for what a run writes or cuts out for itself.

A function of a problem writes to the `Scratch` of its data, so every run has its own. A mini-batch is cut out of the
samples into arrays of the run's own; in the order of the data it is a slice of what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from optbench.cuda.lowering import device, joined, lower
from optbench.loops.batches import AT, Batching, choose, note
from optbench.records import Field, fields, sampled
from optbench.types import Problem

Shapes = list[tuple[int, ...]]


def rooms(problem: Problem, batching: Batching) -> tuple[Shapes, Shapes]:
    """Shapes of a run's own arrays: for the whole data, and for a mini-batch."""
    record, size = problem.record, batching.size
    full: Shapes = [
        (np.size(getattr(problem.data, field.name)),) for field in fields(record) if field.kind == "scratch"
    ]
    cut: Shapes = []
    for field, array in sampled(problem.data, problem.samples).values() if size else ():
        if field.kind == "scratch":
            cut.append((array.size // problem.n_samples * size,))
        elif batching.order != "sequential":
            cut.append((*array.shape[:-1], size))
    return full, cut


def views(shapes: Sequence[tuple[int, ...]]) -> Any:
    """Device function ``(arrays, k) -> tuple`` of the columns of run k."""
    return joined([_column(place, len(shape)) for place, shape in enumerate(shapes)])


def _column(place: int, rank: int) -> Any:
    def vector(arrays: Any, k: Any) -> Any:
        return (arrays[place][:, k],)

    def matrix(arrays: Any, k: Any) -> Any:
        return (arrays[place][:, :, k],)

    return device(matrix if rank == 2 else vector)


def objective(problem: Problem, real: type, sums: Any) -> Any:
    """Device function ``(m, g, data) -> f`` of the problem; `sums`: f and gradient of residuals."""
    if problem.fun_grad is not None:
        inner = lower(problem.fun_grad, real)

        def evaluate(m: Any, g: Any, data: Any) -> Any:
            return inner(m.x, g, data)

    else:
        assert problem.residuals is not None
        residuals, total = lower(problem.residuals, real), lower(sums, real)

        def evaluate(m: Any, g: Any, data: Any) -> Any:
            residuals(m.x, m.r, m.jac, data)
            return total(m.r, m.jac, g)

    return device(evaluate)


def own_data(problem: Problem) -> Any:
    """Device function ``(m, nothing) -> data`` with the run's own scratch."""
    record: type = problem.record
    parts, place = [], 0
    for index, field in enumerate(fields(record)):
        scratch = field.kind == "scratch"
        parts.append(_room(place) if scratch else _shared(index))
        place += scratch
    fill = joined(parts)

    def data(m: Any, nothing: Any) -> Any:
        return record(*fill(m, nothing))

    return device(data)


def _shared(index: int) -> Any:
    def get(m: Any, at: Any) -> Any:
        return (m.data[index],)

    return device(get)


def _room(place: int) -> Any:
    def get(m: Any, at: Any) -> Any:
        return (m.room[place],)

    return device(get)


def next_batch(problem: Problem, batching: Batching) -> tuple[Any, Any]:
    """Device functions ``draw(m) -> (first, count)`` of the next mini-batch and ``data(m, (first, count))``."""
    record: type = problem.record
    parts, place = [], 0
    full = 0
    for index, field in enumerate(fields(record)):
        if field.name in problem.samples:
            parts.append(_cut(field, index, place, batching, problem))
            place += field.kind == "scratch" or batching.order != "sequential"
        else:
            parts.append(_room(full) if field.kind == "scratch" else _shared(index))
        full += field.kind == "scratch"
    fill, pick = joined(parts), lower(choose, np.float64)
    replaced, drawn = batching.order == "replacement", batching.order != "sequential"

    def draw(m: Any) -> Any:
        d, at = m.drawing, m.draw[AT]
        first = np.int64(0) if replaced else at
        count = np.int64(d.size) if replaced else min(np.int64(d.size), d.m - at)
        if drawn:
            pick(d, m.draw, m.permutation, first, count)
        return first, count

    def data(m: Any, batch: Any) -> Any:
        return record(*fill(m, batch))

    return device(draw), device(data)


def _cut(field: Field, index: int, place: int, batching: Batching, problem: Problem) -> Any:
    if field.kind == "scratch":
        rows = np.size(getattr(problem.data, field.name)) // problem.n_samples

        def room(m: Any, batch: Any) -> Any:
            return (m.cut[place][: rows * batch[1]],)

        return device(room)
    if batching.order == "sequential":
        return device(_slice(field, index))
    return device(_copy(field, index, place))


def _slice(field: Field, index: int) -> Any:
    def vector(m: Any, batch: Any) -> Any:
        return (m.data[index][batch[0] : batch[0] + batch[1]],)

    def matrix(m: Any, batch: Any) -> Any:
        return (m.data[index][:, batch[0] : batch[0] + batch[1]],)

    return matrix if field.kind == "matrix" else vector


def _copy(field: Field, index: int, place: int) -> Any:
    def vector(m: Any, batch: Any) -> Any:
        source, target = m.data[index], m.cut[place]
        for i in range(batch[1]):
            target[i] = source[m.permutation[batch[0] + i]]
        return (target[: batch[1]],)

    def matrix(m: Any, batch: Any) -> Any:
        source, target = m.data[index], m.cut[place]
        for i in range(batch[1]):
            sample = m.permutation[batch[0] + i]
            for j in range(source.shape[0]):
                target[j, i] = source[j, sample]
        return (target[:, : batch[1]],)

    return matrix if field.kind == "matrix" else vector


def batch_objective(problem: Problem, batching: Batching, real: type, evaluate: Any) -> Any:
    """Device function ``(m) -> f`` of the next mini-batch, its gradient into m.g."""
    draw, data = next_batch(problem, batching)
    add = lower(note, np.float64)

    def next_loss(m: Any) -> Any:
        d = m.drawing
        batch = draw(m)
        f = evaluate(m, m.g, data(m, batch))
        m.draw[AT] += batch[1]
        rest = d.m - m.draw[AT]
        add(m.draw, m.means, f, rest <= 0 or (d.drop_last and rest < d.size))
        return f

    return device(next_loss)
