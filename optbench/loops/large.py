"""Runs in pieces (`pieces`): of large problems, by a team of threads; of small ones whose groups differ in settings.

The pieces of a problem do not depend on the number of threads, and sums over them are added in their order, so neither
do the results.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from optbench import jit, kernels, parallel
from optbench.clipping import clip_value, coefficient
from optbench.coordinate import FRAME_WORDS, G, sum_squares
from optbench.jit import Kernel
from optbench.loops import first_order as fo
from optbench.loops import joint
from optbench.loops.prepared import Method
from optbench.loops.runs import PreparedSteps
from optbench.loops.team import Team, lead, runner, serve
from optbench.methods import Optimizer
from optbench.pieces import COEFFICIENT, FINISH, KEEP, LR, MOVE, Pieces, T, add_norms
from optbench.records import encode, pack
from optbench.types import Problem


def spares_biases(problem: Problem, method: Method) -> bool:
    """Whether weight decay leaves out some of the parameters."""
    decays = getattr(method.params, "weight_decay", 0.0) != 0.0
    return decays and not method.decay_bias and any(group.bias for group in problem.groups)


def in_pieces(problem: Problem, method: Method) -> bool:
    """Whether a first-order run of this kind goes in pieces."""
    return isinstance(method.optimizer, Optimizer) and (
        problem.n >= parallel.THRESHOLD or spares_biases(problem, method)
    )


class PreparedPieces(PreparedSteps):
    """A run of a first-order optimizer in pieces."""

    def _makers(self) -> tuple[Callable[[], Kernel], ...]:
        found = list(super()._makers())
        found[3] = partial(kernels.piece, self._optimizer, self.method.params)
        phases = (joint.objective, partial(joint.phases, self.problem)) if self._in_phases else ()
        crew = (lead, serve) if self.problem.n >= parallel.THRESHOLD else ()
        return (*found, *phases, *crew, stride, clipped, measured, gauge)

    @property
    def _in_phases(self) -> bool:
        return bool(self.problem.phases) and self.problem.n >= parallel.THRESHOLD

    def _common(self) -> dict[str, Any]:
        """The team, and the objective in phases where there are any."""
        common = super()._common()
        self._team = Team(parallel.threads() if self.problem.n >= parallel.THRESHOLD else 1)
        self._drive = self._team.around(self.kernels[0])
        if self._in_phases:
            together = self._hold(joint.Joint(self.problem, self._team))
            common |= {"objective": joint.objective().address, "data": together.words.ctypes.data}
        return common

    def _frame(self) -> Any:
        """The record that `stride` reads, around the frame of the step."""
        problem, method = self.problem, self.method
        bounds, owners = cut([group.size for group in problem.groups])
        settings = [self._hold(pack(encode(method.params)))]
        if spares_biases(problem, method):
            spared = method.params._replace(weight_decay=0.0)
            settings.append(self._hold(pack(encode(spared))))
        each = [settings[-1 if group.bias else 0].ctypes.data for group in problem.groups]
        integers = [self._hold(np.array(part, dtype=np.int64)) for part in (bounds, owners, each)]
        _, clipper, measure, _ = (kernel.address for kernel in self.kernels[-4:])
        record = Pieces(
            frame=super()._frame().ctypes.data,
            kernel=self.kernels[3].address,
            clipper=clipper,
            measure=measure,
            team=self._team.address,
            pieces=len(owners),
            bounds=integers[0].ctypes.data,
            owners=integers[1].ctypes.data,
            settings=integers[2].ctypes.data,
            scaled=self._optimizer.scale is not None,
            clip=("none", "norm", "value").index(method.clip[0]),
            clip_at=method.clip[1],
            now=np.zeros(3),
            squares=np.zeros((len(owners), 2)),
            norms=np.zeros((len(each), 2)),
        )
        return self._hold(pack(self._hold(encode(record))))

    def _make_setup(self) -> Any:
        setup = super()._make_setup()._replace(step=self.kernels[-4].address, clip=fo.CLIP_NONE)
        if self.method.batching.size:
            return setup
        return setup._replace(gauge=self.kernels[-1].address, gauged=setup.frame)


def cut(sizes: list[int]) -> tuple[list[int], list[int]]:
    """Bounds of pieces of at most `parallel.PIECE` coordinates, none in two groups, and the group of each."""
    bounds, owners = [0], list[int]()
    for group, size in enumerate(sizes):
        start = bounds[-1]
        bounds += [*range(start + parallel.PIECE, start + size, parallel.PIECE), start + size]
        owners += [group] * (len(bounds) - 1 - len(owners))
    return bounds, owners


# --------------------------------------------------------------------------------------------------- compiled


@functools.cache
def stride() -> Kernel:
    """Kernel ``int64 (pieces, t, double lr)``: a step in pieces, clipped where asked, in the place of a step."""
    key = jit.fingerprint(_make_stride) + jit.fingerprint(runner) + jit.fingerprint(add_norms)
    return jit.compile_kernel("stride", _make_stride, key, "iiid")


def _make_stride() -> Callable[..., Any]:
    from optbench.codec import I64, caller, decoder, integers_at

    look, run, call = decoder(Pieces), runner(), caller(I64, I64, I64, I64)
    add, factor, length = jit.lower(add_norms), jit.lower(coefficient), jit.compiled(_length())

    def step(at, t, lr):  # type: ignore[no-untyped-def]
        s = look(at)
        s.now[T], s.now[LR] = t, lr
        if s.clip == fo.CLIP_NORM:
            s.now[COEFFICIENT] = factor(length(at), s.clip_at)
        run(s.team, s.kernel if s.clip == fo.CLIP_NONE else s.clipper, at, MOVE, s.pieces)
        if s.scaled:
            add(s, integers_at(s.owners, s.pieces))
            run(s.team, s.kernel, at, FINISH, s.pieces)
        call(s.kernel, (at, KEEP, 0))
        return t

    return step


@functools.cache
def gauge() -> Kernel:
    """Kernel ``double (pieces)``: the norm of the gradient."""
    return jit.compile_kernel("pieces-norm", _length, jit.fingerprint(_length) + jit.fingerprint(runner), "di")


def _length() -> Any:
    """``length(pieces)``: the same for compiled code."""
    from optbench.codec import decoder

    look, run = decoder(Pieces), runner()

    def length(at):  # type: ignore[no-untyped-def]
        s = look(at)
        run(s.team, s.measure, at, MOVE, s.pieces)
        total = 0.0
        for k in range(s.pieces):
            total += s.squares[k, 0]
        return math.sqrt(total)

    return length


def clip_piece(s, g):  # type: ignore[no-untyped-def]
    """Clip part of the gradient in place, by what `stride` has found."""
    if s.clip == fo.CLIP_VALUE:
        clip_value(g, s.clip_at)
    else:
        c = s.now[COEFFICIENT]
        for i in range(g.size):
            g[i] *= c


@functools.cache
def clipped() -> Kernel:
    """Kernel ``int64 (pieces, phase, k)``: clip the gradient of a piece, then move it."""
    key = jit.fingerprint(clip_piece) + jit.fingerprint(_make_clipped)
    return jit.compile_kernel("pieces-clipped", _make_clipped, key, "iiii")


def _make_clipped() -> Callable[..., Any]:
    from optbench.codec import I64, caller

    slope, clip, call = _slope(), jit.lower(clip_piece), caller(I64, I64, I64, I64)

    def kernel(at, phase, k):  # type: ignore[no-untyped-def]
        s, g = slope(at, k)
        clip(s, g)
        return call(s.kernel, (at, phase, k))

    return kernel


@functools.cache
def measured() -> Kernel:
    """Kernel ``int64 (pieces, phase, k)``: the sum of squares of a piece of the gradient."""
    key = jit.fingerprint(sum_squares) + jit.fingerprint(_make_measured)
    return jit.compile_kernel("pieces-measured", _make_measured, key, "iiii", jit.SUM_MATH)


def _make_measured() -> Callable[..., Any]:
    slope, squares = _slope(), jit.lower(sum_squares, jit.SUM_MATH)

    def kernel(at, phase, k):  # type: ignore[no-untyped-def]
        s, g = slope(at, k)
        s.squares[k, 0] = squares(g)
        return k

    return kernel


def _slope() -> Any:
    """``slope(at, k)``: the record and the gradient of piece k."""
    from optbench.codec import array_at, decoder, integers_at

    look = decoder(Pieces)

    def slope(at, k):  # type: ignore[no-untyped-def]
        s = look(at)
        bounds = integers_at(s.bounds, s.pieces + 1)
        return s, array_at(integers_at(s.frame, FRAME_WORDS)[G] + 8 * bounds[k], bounds[k + 1] - bounds[k])

    return jit.compiled(slope)
