"""The memory of runs in lanes: a block of them at a time, for one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from optbench import evaluation, kernels
from optbench.loops import first_order as fo
from optbench.loops import lanes, tiles
from optbench.loops.lanes import WIDTH
from optbench.loops.prepared import Method
from optbench.memory import NEAR, aligned
from optbench.methods import Optimizer
from optbench.records import encode, fields, pack
from optbench.types import Array, Problem


class LaneSlot:
    """The memory of a thread's blocks, one after the other."""

    def __init__(self, problem: Problem, method: Method, arrays: dict[str, Array]) -> None:
        optimizer, params = method.optimizer, method.params
        assert isinstance(optimizer, Optimizer)
        _, state = kernels.form_of(optimizer, params)
        n, n_state, n_shared = problem.n, len(fields(state)), len(fields(optimizer.shared))
        self.lanes = capacity(n, n_state)
        start = optimizer.init(params) if optimizer.init else ()
        self._step = kernels.step(optimizer, params)
        self._lane_step = lanes.step(optimizer, params)
        shared = np.zeros((n_shared, self.lanes))
        self._memory = {
            "x": aligned(n * self.lanes),
            "g": aligned(n * self.lanes),
            "state": aligned(n_state * n * self.lanes).reshape(n_state, n * self.lanes),
            "init": np.array([*start] or [0.0] * n_state),
            "fresh": np.array([float(value) for value in optimizer.shared()]),
            "shared": np.zeros(n_shared),
            "lane_shared": shared,
            "f": aligned(self.lanes),
            "floors": aligned(self.lanes),
            "snapshot": np.full((self.lanes, n), np.nan),
            "table": aligned(tiles.RATES * self.lanes).reshape(tiles.RATES, self.lanes),
            "spare": np.zeros(max(tiles.RATES, WIDTH)),
            "point": np.zeros(n),
        }
        self._own = np.zeros((fo.N_INTS + 1) * self.lanes, dtype=np.int64)
        self._progress = np.zeros(tiles.N_STATE, dtype=np.int64)
        self._settings = [pack(encode(params)), pack(encode(method.schedule_params))]
        frames = [self._frame(n, self._memory[name]) for name in ("shared", "lane_shared")]
        self._block = tiles.Block(
            objective=lanes.objective(problem).address,
            step=self._step.address,
            lane_step=self._lane_step.address,
            schedule=kernels.schedule(method.schedule).address,
            schedule_params=self._settings[1].ctypes.data,
            data=evaluation.data_words(problem).ctypes.data,
            frame=frames[0].ctypes.data,
            lane_frame=frames[1].ctypes.data,
            own=self._own.ctypes.data,
            progress=self._progress.ctypes.data,
            n=n,
            max_iter=method.max_iter,
            warmup=method.warmup,
            warmup_start=method.warmup_start,
            clip=("none", "norm", "value").index(method.clip[0]),
            clip_at=method.clip[1],
            **arrays,
            **self._memory,
        )
        self._keep, self._packed, self._drive = frames, pack(self._block), tiles.driver()

    def _frame(self, n: int, shared: Array) -> Any:
        """Words of a step's frame; see `coordinate` and `lanes`."""
        at = {name: array.ctypes.data for name, array in self._memory.items()}
        size, most = n * self.lanes, self.lanes
        frame = [at["x"], at["g"], size, at["state"], size, self._settings[0].ctypes.data, shared.ctypes.data, 0, 0, 0]
        return np.array([*frame, n, most], dtype=np.int64)

    def go(self, first: int, last: int, mixed: bool, resume: bool, steps: int) -> bool:
        """Call the kernel; see `driver`."""
        return bool(self._drive(self._packed.ctypes.data, first, last, int(mixed), int(resume), steps))

    @property
    def steps(self) -> int:
        """Steps that the present block has taken."""
        return int(self._progress[tiles.T])


def capacity(n: int, n_state: int) -> int:
    """Lanes of a block: what keeps its memory in a core's nearest cache, at least a tile."""
    return WIDTH * max(1, min(4, NEAR // (WIDTH * (n * (2 + n_state) + 2))))
