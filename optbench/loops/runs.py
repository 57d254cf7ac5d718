"""Runs of the two kinds of methods: those that step by a learning rate and those that search."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from optbench import evaluation, kernels
from optbench.jit import Kernel
from optbench.loops import batches, descent
from optbench.loops import first_order as fo
from optbench.loops.prepared import Counts, Prepared
from optbench.memory import padded
from optbench.methods import Descent, Optimizer
from optbench.records import encode, fields, pack, words
from optbench.types import Array


class PreparedSteps(Prepared):
    """A run of a first-order optimizer."""

    def _makers(self) -> tuple[Callable[[], Kernel], ...]:
        assert isinstance(self.method.optimizer, Optimizer)
        self._optimizer = self.method.optimizer
        return (
            fo.driver,
            partial(evaluation.objective, self.problem),
            partial(kernels.schedule, self.method.schedule),
            partial(kernels.step, self._optimizer, self.method.params),
            fo.dash,
            *((batches.objective,) if self.method.batching.size else ()),
            *((partial(evaluation.measure, self.problem),) if self._measures else ()),
        )

    def _sizes(self) -> dict[str, int]:
        _, state = kernels.form_of(self._optimizer, self.method.params)
        m, self._state_fields = padded(self.problem.n), len(fields(state))
        work = m if self._optimizer.scale else 0
        sizes = {"x": m, "g": m, "state": m * self._state_fields, "work": work}
        if self.method.batching.size:
            self._batches = batches.start(self.problem, self.method.batching)
            sizes |= {name: part.size for name, part in self._batches.items()} | {"full_g": m}
        return {**sizes, "shared": words(self._optimizer.shared)}

    def _start(self) -> None:
        if self._optimizer.init is not None:
            start = self._optimizer.init(self.method.params)
            for row, value in zip(self._view("state").reshape(self._state_fields, -1), start, strict=True):
                row[:] = value
        self._store("shared", self._optimizer.shared)
        if self.method.batching.size:
            for name, part in self._batches.items():
                self._view(name)[:] = part.view(np.float64)

    def _frame(self) -> Any:
        n, m = self.problem.n, padded(self.problem.n)
        sizes = [group.size for group in self.problem.groups]
        groups = self._hold(np.cumsum([0, *sizes], dtype=np.int64))
        settings = self._hold(pack(encode(self.method.params)))
        frame = [
            self._address("x"),
            self._address("g"),
            n,
            self._address("state"),
            m,
            settings.ctypes.data,
            self._address("shared"),
            self._address("work"),
            groups.ctypes.data,
            groups.size,
        ]
        return self._hold(np.array(frame, dtype=np.int64))

    def _make_setup(self) -> Any:
        clip, common = ("none", "norm", "value").index(self.method.clip[0]), self._common()
        whole: dict[str, Any] = {"full": 0, "full_g": 0, "full_data": 0, "batches": 0, "means": 0}
        if self.method.batching.size:
            places = {"state": self._address("draw"), "means": self._address("means")}
            places["permutation"] = self._address("permutation")
            drawn = self._hold(batches.Batches(self.problem, self.method.batching, places))
            whole = {"full": common["objective"], "full_data": common["data"], "full_g": self._address("full_g")}
            whole |= {"batches": places["state"], "means": places["means"]}
            common |= {"objective": self.kernels[5].address, "data": drawn.packed.ctypes.data}
        return fo.Setup(
            step=self.kernels[3].address,
            dash=self.kernels[4].address,
            x=self._address("x"),
            g=self._address("g"),
            frame=self._frame().ctypes.data,
            clip=clip,
            clip_at=self.method.clip[1],
            **whole,
            **common,
        )

    def counts(self) -> Counts:
        """What the run so far has cost: an evaluation at every point."""
        return Counts(int(self._ints[fo.T]) + 1)


class PreparedDescent(Prepared):
    """A run of a method with a search of its own."""

    n_ints = descent.N_INTS

    def _makers(self) -> tuple[Callable[[], Kernel], ...]:
        assert isinstance(self.method.optimizer, Descent)
        problem, self._method = self.problem, self.method.optimizer
        self._memory = self._method.memory(problem.n, problem.m, self.method.params)
        needed = (evaluation.hessian,) if self._method.needs == "hessian" else ()
        needed = (evaluation.parts,) if self._method.needs == "jacobian" else needed
        return (
            descent.driver,
            partial(evaluation.objective, problem),
            partial(kernels.schedule, self.method.schedule),
            partial(kernels.direction, self._method, self._memory),
            *(partial(kernel, problem) for kernel in needed),
            *((partial(evaluation.measure, problem),) if self._measures else ()),
        )

    def _sizes(self) -> dict[str, int]:
        n, m = self.problem.n, self.problem.m
        rows = {"hessian": {"h": n * n}, "jacobian": {"r": m, "jac": m * n}}.get(self._method.needs, {})
        sizes = dict.fromkeys(("x", "g", "d", "trial", "g_trial", "x_last", "g_last"), n)
        sizes |= {"h": 0, "r": 0, "jac": 0, "radius": 1, "factorisations": 1, "history": descent.HISTORY, **rows}
        return sizes | {f"own {k}": np.size(array) for k, array in enumerate(self._memory)}

    def _start(self) -> None:
        self._view("radius")[:] = descent.RADIUS
        own = []
        for k, array in enumerate(self._memory):
            view = self._view(f"own {k}").reshape(array.shape)
            view[...] = array
            own.append(view)
        self._memory = self._hold(self._memory.__class__(*own))

    def _shaped(self, name: str) -> Array:
        n = self.problem.n
        return self._view(name).reshape(-1, n) if name in ("h", "jac") else self._view(name)

    def _frame(self) -> Any:
        at = self._hold(kernels.At(*(self._shaped(name) for name in kernels.At._fields)))
        parts = [self._hold(pack(item)) for item in (at, self._memory, encode(self.method.params))]
        words_of = [part.ctypes.data for part in parts]
        frame = [words_of[0], self._address("d"), self.problem.n, words_of[1], words_of[2]]
        return self._hold(np.array(frame, dtype=np.int64))

    def _make_setup(self) -> Any:
        needs = ("gradient", "hessian", "jacobian").index(self._method.needs)
        extra = self.kernels[4].address if needs else 0
        search = ("none", "armijo", "wolfe", "nonmonotone", "trust").index(self._method.search_of(self.method.params))
        views = ("x", "g", "d", "trial", "g_trial", "r", "jac", "x_last", "g_last", "radius", "history")
        arrays: dict[str, Any] = {name: self._shaped(name) for name in views}
        return descent.Setup(
            hessian=extra,
            parts=extra,
            direction=self.kernels[3].address,
            needs=needs,
            search=search,
            curvature=self._method.curvature,
            m=self.problem.m,
            frame=self._frame().ctypes.data,
            h=self._address("h"),
            **arrays,
            **self._common(),
        )

    def counts(self) -> Counts:
        """What the run so far has cost."""
        ints = self._ints
        return Counts(int(ints[descent.NFEV]), int(ints[descent.NHEV]), int(self._view("factorisations")[0]))
