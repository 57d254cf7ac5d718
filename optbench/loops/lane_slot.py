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
    """The memory of a thread's blocks, one after the other; `mixed`: some have more than one learning rate."""

    def __init__(self, problem: Problem, method: Method, arrays: dict[str, Array], mixed: bool) -> None:
        optimizer, params = method.optimizer, method.params
        assert isinstance(optimizer, Optimizer)
        self._memory = memory(problem, method)
        self._own = np.zeros((fo.N_INTS + 1) * capacity(problem, method), dtype=np.int64)
        self._progress = np.zeros(tiles.N_STATE, dtype=np.int64)
        self._settings = [pack(encode(params)), pack(encode(method.schedule_params))]
        self._frames = [self._frame(problem.n, self._memory[name]) for name in ("shared", "lane_shared")]
        self._block = tiles.Block(
            objective=lanes.objective(problem).address,
            step=kernels.step(optimizer, params).address,
            lane_step=lanes.step(optimizer, params).address if mixed else 0,
            schedule=kernels.schedule(method.schedule).address,
            schedule_params=self._settings[1].ctypes.data,
            data=evaluation.data_words(problem).ctypes.data,
            frame=self._frames[0].ctypes.data,
            lane_frame=self._frames[1].ctypes.data,
            own=self._own.ctypes.data,
            progress=self._progress.ctypes.data,
            n=problem.n,
            max_iter=method.max_iter,
            warmup=method.warmup,
            warmup_start=method.warmup_start,
            clip=("none", "norm", "value").index(method.clip[0]),
            clip_at=method.clip[1],
            **arrays,
            **self._memory,
        )
        self._packed, self._drive = pack(self._block), tiles.driver()

    def _frame(self, n: int, shared: Array) -> Any:
        """Words of a step's frame; see `coordinate` and `lanes`."""
        at = {name: array.ctypes.data for name, array in self._memory.items()}
        size, most = self._memory["x"].size, self._memory["f"].size
        frame = [at["x"], at["g"], size, at["state"], size, self._settings[0].ctypes.data, shared.ctypes.data, 0, 0, 0]
        return np.array([*frame, n, most], dtype=np.int64)

    def go(self, first: int, last: int, mixed: bool, resume: bool, steps: int) -> bool:
        """Call the kernel; see `driver`."""
        return bool(self._drive(self._packed.ctypes.data, first, last, int(mixed), int(resume), steps))

    @property
    def steps(self) -> int:
        """Steps that the present block has taken."""
        return int(self._progress[tiles.T])


def capacity(problem: Problem, method: Method) -> int:
    """Lanes of a block: what keeps its memory in a core's nearest cache, 1 to 4 tiles."""
    assert isinstance(method.optimizer, Optimizer)
    _, state = kernels.form_of(method.optimizer, method.params)
    return WIDTH * max(1, min(4, NEAR // (WIDTH * (problem.n * (2 + len(fields(state))) + 2))))


def memory(problem: Problem, method: Method) -> dict[str, Array]:
    """The arrays of a block."""
    optimizer, params, n, lanes = method.optimizer, method.params, problem.n, capacity(problem, method)
    assert isinstance(optimizer, Optimizer)
    n_state, n_shared = len(fields(kernels.form_of(optimizer, params)[1])), len(fields(optimizer.shared))
    start = optimizer.init(params) if optimizer.init else [0.0] * n_state
    return {
        "x": aligned(n * lanes),
        "g": aligned(n * lanes),
        "state": aligned(n_state * n * lanes).reshape(n_state, n * lanes),
        "init": np.array([float(value) for value in start]),
        "fresh": np.array([float(value) for value in optimizer.shared()]),
        "shared": np.zeros(n_shared),
        "lane_shared": np.zeros((n_shared, lanes)),
        "f": aligned(lanes),
        "floors": aligned(lanes),
        "snapshot": np.full((lanes, n), np.nan),
        "table": aligned(tiles.RATES * lanes).reshape(tiles.RATES, lanes),
        "spare": np.zeros(max(tiles.RATES, WIDTH)),
        "point": np.zeros(n),
    }
