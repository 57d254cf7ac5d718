"""Runs of Lagrangian methods, with the run of their inner optimizer inside."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from optbench import evaluation, kernels
from optbench.jit import Kernel
from optbench.loops import descent, lagrangian
from optbench.loops import first_order as fo
from optbench.loops.large import PreparedPieces, in_pieces
from optbench.loops.prepared import Counts, Method, Prepared
from optbench.loops.runs import PreparedDescent, PreparedSteps
from optbench.methods import Descent, Lagrangian, Optimizer
from optbench.records import encode, pack
from optbench.registry import OPTIMIZERS
from optbench.types import Array, Problem


class _Augmented:
    """The augmented Lagrangian in the place of a problem's objective, for the inner run."""

    def __init__(self, problem: Problem, lam: int, penalty: int) -> None:
        self.c, self.jac = np.zeros(problem.m), np.zeros((problem.m, problem.n))
        words = [
            evaluation.objective(problem).address,
            evaluation.parts(problem).address,
            evaluation.data_words(problem).ctypes.data,
            problem.m,
            problem.m_eq,
            lam,
            penalty,
            self.c.ctypes.data,
            self.jac.ctypes.data,
        ]
        self.words = np.array(words, dtype=np.int64)


class PreparedLagrangian(Prepared):
    """A run of a Lagrangian method."""

    n_ints = lagrangian.N_INTS

    def _makers(self) -> tuple[Callable[[], Kernel], ...]:
        assert isinstance(self.method.optimizer, Lagrangian)
        problem, self._method = self.problem, self.method.optimizer
        self._memory = self._method.memory(problem.n, problem.m, self.method.params)
        return (
            lagrangian.driver,
            partial(evaluation.objective, problem),
            partial(kernels.schedule, self.method.schedule),
            partial(kernels.iteration, self._method, self._memory),
            partial(evaluation.parts, problem),
            *((partial(evaluation.hessian, problem),) if self._method.hessian else ()),
            *((lagrangian.augmented_objective,) if self._method.inner != "none" else ()),
            *(makers(problem, self._inner_method()) if self._method.inner != "none" else ()),
        )

    def _sizes(self) -> dict[str, int]:
        n, m = self.problem.n, self.problem.m
        sizes = {"x": n, "g": n, "c": m, "jac": m * n, "lam": m, "h": n * n if self._method.hessian else 0}
        sizes |= {"slope": n, "known": 2, "factorisations": 1, "penalty": 1}
        return sizes | {f"own {k}": np.size(array) for k, array in enumerate(self._memory)}

    def _start(self) -> None:
        own = []
        for k, array in enumerate(self._memory):
            view = self._view(f"own {k}").reshape(array.shape)
            view[...] = array
            own.append(view)
        self._memory = self._hold(self._memory.__class__(*own))
        rows = len(self.columns["f"])
        self.columns["kkt"] = np.empty(rows)
        self.multipliers = np.empty((rows, self.problem.m))

    def _shaped(self, name: str) -> Array:
        return self._view(name).reshape(-1, self.problem.n) if name in ("h", "jac") else self._view(name)

    def _inner_method(self) -> Method:
        """The inner optimizer with the run's schedule. Raises ValueError for one that cannot be an inner one."""
        params = self.method.params
        optimizer = OPTIMIZERS.get(params.inner)
        steps = self._method.inner == "step"
        if isinstance(optimizer, Lagrangian) or (steps and isinstance(optimizer, Descent)):
            wanted = "a first-order update" if steps else "a method without constraints"
            raise ValueError(f"{self._method.name}: inner takes {wanted}, not {params.inner!r}")
        return dataclasses.replace(
            self.method,
            optimizer=optimizer,
            params=optimizer.params(),
            max_iter=kernels.NEVER if steps else params.inner_iter,
            gtol=0.0 if steps else 1.0,
            record="log",
        )

    def _inner_run(self) -> Prepared | None:
        """The run of the inner optimizer on the augmented Lagrangian, its setup pointed there."""
        if self._method.inner == "none":
            return None
        method = self._inner_method()
        target = self._hold(_Augmented(self.problem, self._address("lam"), self._address("penalty")))
        return KINDS[type(method.optimizer)](
            self.problem,
            method,
            self._view("x"),
            np.empty(0),
            objective=(lagrangian.augmented_objective().address, target.words.ctypes.data),
        )

    def _frame(self, at_frame: Any) -> Any:
        problem, inner = self.problem, self._hold(self._inner_run())
        arrays: list[Any] = [self._shaped(name) for name in ("x", "g", "c", "jac", "lam", "h")]
        arrays += [self._view("known"), self._view("factorisations"), problem.m_eq, at_frame.ctypes.data]
        at = kernels.LagrangianAt(*arrays)
        parts = [self._hold(pack(self._hold(item))) for item in (at, self._memory, encode(self.method.params))]
        inner_words = [0] * 11
        if inner is not None:
            tolerance = inner.setup_address("gtol")
            start = inner.pristine.ctypes.data + inner.address("x") - inner.live.ctypes.data
            minimizes = int(self._method.inner == "minimize")
            inner_words = [inner.kernels[0].address, inner.setup.ctypes.data, self._address("penalty"), tolerance]
            counted = isinstance(inner, PreparedDescent)
            inner_words += [start, inner.address("x"), minimizes, inner.address("ints"), 0]
            inner_words += [descent.NFEV if counted else fo.T, 0 if counted else 1]
        at_frame[:] = [
            *(part.ctypes.data for part in parts),
            problem.n,
            problem.m,
            0,
            self.kernels[1].address,
            self.kernels[4].address,
            evaluation.data_words(problem).ctypes.data,
            *inner_words,
        ]
        self._words = at_frame
        return at_frame

    def _make_setup(self) -> Any:
        has_hessian = self._method.hessian
        frame = self._frame(self._hold(np.zeros(kernels.ITERATION_WORDS, dtype=np.int64)))
        views = ("x", "g", "c", "jac", "lam", "h", "slope", "known")
        arrays: dict[str, Any] = {name: self._shaped(name) for name in views}
        return lagrangian.Setup(
            hessian=self.kernels[5].address if has_hessian else 0,
            parts=self.kernels[4].address,
            iterate=self.kernels[3].address,
            has_hessian=has_hessian,
            m=self.problem.m,
            m_eq=self.problem.m_eq,
            frame=frame.ctypes.data,
            residuals=self.columns["kkt"],
            multipliers=self.multipliers,
            **arrays,
            **self._common(),
        )

    def _take_rows(self) -> dict[str, Array]:
        rows = int(self._ints[fo.ROWS])
        return super()._take_rows() | {"multipliers": self.multipliers[:rows].copy()}

    def _first_slice(self) -> int:
        """Iterations that surely take less than a slice; an inner minimization counts as a thousand."""
        return max(1, super()._first_slice() // (1000 if self._method.inner == "minimize" else 4))

    def counts(self) -> Counts:
        """What the run so far has cost, the inner optimizer's evaluations included."""
        ints = self._ints
        inner = int(self._words[17])
        return Counts(
            int(ints[lagrangian.NFEV]) + int(self._words[5]) + inner,
            int(ints[lagrangian.NHEV]),
            int(self._view("factorisations")[0]),
        )


KINDS: dict[type, type[Prepared]] = {
    Optimizer: PreparedSteps,
    Descent: PreparedDescent,
    Lagrangian: PreparedLagrangian,
}


def kind_of(problem: Problem, method: Method) -> type[Prepared]:
    """The kind of run."""
    return PreparedPieces if in_pieces(problem, method) else KINDS[type(method.optimizer)]


def prepared(problem: Problem, method: Method, x0: Array, thresholds: Array) -> Prepared:
    """Make a run ready; compiles what is not compiled yet. Raises ValueError where the method does not apply."""
    if reason := method.optimizer.refuses(problem.offers):
        raise ValueError(f"{method.optimizer.name} cannot run on {problem.name}: {reason}")
    return kind_of(problem, method)(problem, method, x0, thresholds)


def makers(problem: Problem, method: Method) -> tuple[Callable[[], Kernel], ...]:
    """What compiles or loads each of the kernels of a run, without anything else of it."""
    blank = object.__new__(kind_of(problem, method))
    blank.problem, blank.method = problem, method
    return blank._makers()
