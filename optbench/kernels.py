"""The compiled form of optimizers and schedules: one kernel each, behind one signature a kind.

=============  ==========================================================  =========================================
kind           signature (all pointers as 64-bit integers)                 compiled from
=============  ==========================================================  =========================================
step           ``int64 (frame, t, double lr)``, frame: `coordinate`        ``Optimizer.constants``, ``update``, ...
piece          ``int64 (pieces, phase, k)``, see `pieces`                  the same
schedule       ``int64 (out, t0, count, double lr, params)``               ``Schedule.value``
observer       ``double (double f, double lr, params, state)``             ``Schedule.value`` of an observing schedule
=============  ==========================================================  =========================================
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from optbench import jit, parallel
from optbench.coordinate import make_step
from optbench.evaluation import data_hash
from optbench.methods import AnyMethod, Descent, Lagrangian, Optimizer, Schedule
from optbench.pieces import make_piece
from optbench.records import Empty, Matrix, Vector
from optbench.types import Problem

# ------------------------------------------------------------------------------------------------- optimizers


def form_of(optimizer: Optimizer, params: Any) -> tuple[Callable[..., Any], type]:
    """Update and state record for these hyperparameters: a variant's where its flag is set."""
    for flag, variant in optimizer.variants.items():
        if getattr(params, flag):
            return variant.update, variant.state
    return optimizer.update, optimizer.state


def step(optimizer: Optimizer, params: Any) -> jit.Kernel:
    """Kernel of one step, compiled once for the optimizer (and once for each variant in use)."""
    update, state = form_of(optimizer, params)
    records = (optimizer.params, state, optimizer.shared)
    return _step(make_step, optimizer.name, update, optimizer.constants, (optimizer.scale, optimizer.finish), records)


def piece(optimizer: Optimizer, params: Any) -> jit.Kernel:
    """Kernel of one piece of a step (`pieces`), compiled once likewise."""
    update, state = form_of(optimizer, params)
    records = (optimizer.params, state, optimizer.shared)
    return _step(make_piece, optimizer.name, update, optimizer.constants, (optimizer.scale, optimizer.finish), records)


@functools.cache
def _step(
    make_form: Callable[..., Callable[..., Any]],
    name: str,
    update: Callable[..., Any],
    constants: Callable[..., Any],
    scaling: tuple[Callable[..., Any] | None, Callable[..., Any] | None],
    records: tuple[type, type, type],
) -> jit.Kernel:
    key = jit.key_of((constants, update, *scaling), records)

    def make() -> Callable[..., Any]:
        return make_form(update, constants, scaling, *records)

    if make_form is make_piece:
        return jit.compile_kernel(f"pieces-{name}", make, key, "iiii")
    return jit.compile_kernel(f"optimizer-{name}", make, key, "iiid")


class At(NamedTuple):
    """What a direction is made from.

    Point and gradient, shape (n,); the Hessian, (n, n), or residuals, (m,), and their Jacobian, (m, n), for methods
    that ask for them; the point and gradient before; the trust radius, (1,); and the count of factorisations, (1,).
    """

    x: Vector
    g: Vector
    h: Matrix
    r: Vector
    jac: Matrix
    x_last: Vector
    g_last: Vector
    radius: Vector
    factorisations: Vector


def direction(method: Descent, memory: Any) -> jit.Kernel:
    """Kernel of a method's direction, compiled once; `memory` is a record of the kind that the method makes."""
    return _direction(method.name, method.direction, method.params, memory.__class__)


@functools.cache
def _direction(name: str, function: Callable[..., Any], params: type, memory: type) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder, integers_at

        decode, recall, look = decoder(params), decoder(memory), decoder(At)
        inner = jit.lower(function, jit.SUM_MATH)

        def kernel(frame, t):  # type: ignore[no-untyped-def]
            w = integers_at(frame, 5)
            return inner(t, look(w[0]), array_at(w[1], w[2]), recall(w[3]), decode(w[4]))

        return kernel

    return jit.compile_kernel(f"optimizer-{name}", make, jit.key_of((function,), (params, memory)), "dii", jit.SUM_MATH)


class LagrangianAt(NamedTuple):
    """What an iteration of a Lagrangian method is made from, and where it leaves the next point.

    Point and gradient of f, (n,); constraint functions, (m,), the first `m_eq` equalities, and their Jacobian, (m, n);
    multipliers, (m,); Hessian of the Lagrangian, (n, n), for methods that ask for it; f and the KKT residual, (2,);
    the count of factorisations, (1,); and the address by which the functions find the rest.
    """

    x: Vector
    g: Vector
    c: Vector
    jac: Matrix
    lam: Vector
    h: Matrix
    values: Vector
    factorisations: Vector
    m_eq: int
    frame: int


def iteration(method: Lagrangian, memory: Any) -> jit.Kernel:
    """Kernel of a Lagrangian method's iteration, compiled once."""
    return _iteration(method.name, method.iterate, method.params, memory.__class__)


@functools.cache
def _iteration(name: str, function: Callable[..., Any], params: type, memory: type) -> jit.Kernel:
    def make() -> Callable[..., Any]:
        from optbench.codec import F64, I64, array_at, caller, decoder, integers_at

        decode, recall, look = decoder(params), decoder(memory), decoder(LagrangianAt)
        inner = jit.lower(function, jit.SUM_MATH)
        objective, parts = caller(F64, I64, I64, I64, I64), caller(I64, *[I64] * 6)
        drive, copy = caller(I64, I64, I64, I64), jit.lower(copied)

        def evaluate(at, x, g, c, jac):  # type: ignore[no-untyped-def]
            w = integers_at(at.frame, ITERATION_WORDS)
            w[5] += 1
            parts(w[7], (x.ctypes.data, w[3], c.ctypes.data, jac.ctypes.data, w[4], w[8]))
            return objective(w[6], (x.ctypes.data, g.ctypes.data, w[3], w[8]))

        def solve(at, x, penalty, tolerance):  # type: ignore[no-untyped-def]
            w = integers_at(at.frame, ITERATION_WORDS)
            array_at(w[11], 1)[0] = penalty
            array_at(w[12], 1)[0] = tolerance
            point, state = array_at(w[14], w[3]), integers_at(w[16], w[18] + 2)
            if w[15] == 1:
                copy(array_at(w[13], w[3]), x)
                code = drive(w[9], (w[10], 1, NEVER))
                w[17] += state[w[18]] + w[19]
            else:
                copy(point, x)
                state[1] = 0  # the multipliers have changed: evaluate again
                code = drive(w[9], (w[10], 0, state[0] + 1))
                w[17] += 2  # before the step and after it
            copy(x, point)
            return code

        evaluating, solving = jit.compiled(evaluate), jit.compiled(solve)

        def kernel(frame, t):  # type: ignore[no-untyped-def]
            w = integers_at(frame, ITERATION_WORDS)
            if t == 0:
                w[5] = w[17] = 0
                if w[9] != 0 and w[15] == 0:
                    drive(w[9], (w[10], 1, 0))  # the inner run, too, from its start, which it evaluates
                    w[17] = 1
            return inner(t, look(w[0]), evaluating, solving, recall(w[1]), decode(w[2]))

        return kernel

    return jit.compile_kernel(f"optimizer-{name}", make, jit.key_of((function,), (params, memory)), "dii", jit.SUM_MATH)


def copied(target, source):  # type: ignore[no-untyped-def]
    """Copy an array."""
    for i in range(target.size):
        target[i] = source[i]


# Words of an iteration's frame: records of the point, the memory and the hyperparameters; n; m; evaluations; kernels of
# objective and constraints, and their data; driver and setup of the inner run; where its penalty and its tolerance
# stand; its start and its point; whether it minimizes (1) or steps (0); its counters; its evaluations in all; which
# counter holds those of one run, and what it leaves out.
ITERATION_WORDS = 20
NEVER = 2**62


# -------------------------------------------------------------------------------------------------- schedules


def schedule(item: Schedule) -> jit.Kernel:
    """Kernel of a schedule, compiled once, whatever its settings."""
    return _schedule(item.name, item.value, item.params, item.state)


@functools.cache
def _schedule(name: str, value: Callable[..., Any], params: type, state: type) -> jit.Kernel:
    def make_fill() -> Callable[..., Any]:
        from optbench.codec import array_at, decoder

        decode, inner = decoder(params), jit.lower(value)

        def kernel(out, t0, count, lr, settings):  # type: ignore[no-untyped-def]
            values, p = array_at(out, count), decode(settings)
            for k in range(count):
                values[k] = inner(t0 + k, lr, p)
            return count

        return kernel

    def make_observer() -> Callable[..., Any]:
        from optbench.codec import decoder, record_storer

        decode, decode_state, store, inner = decoder(params), decoder(state), record_storer(state), jit.lower(value)

        def kernel(f, lr, settings, memory):  # type: ignore[no-untyped-def]
            following, new = inner(f, lr, decode(settings), decode_state(memory))
            store(memory, new)
            return following

        return kernel

    key = jit.key_of((value,), (params, state))
    if state is Empty:
        return jit.compile_kernel(f"schedule-{name}", make_fill, key, "iiiidi")
    return jit.compile_kernel(f"schedule-{name}", make_observer, key, "dddii")


def code_of(problem: Problem, optimizer: AnyMethod, params: Any, schedule: Schedule, inner: AnyMethod | None) -> str:
    """Fingerprint of all the code and data that a run's numbers come from, without compiling anything.

    `inner` is the inner optimizer of a Lagrangian method that has one.
    """
    parts = [
        jit.engine_hash(),
        jit.key_of((problem.fun_grad or problem.residuals, problem.constraints, problem.measure), (problem.record,)),
        jit.key_of(tuple(phase.function for phase in problem.phases), (problem.record,)),
        _method_code(optimizer, params, problem),
        _method_code(inner, inner.params(), problem) if inner else "",
        jit.key_of((schedule.value,), (schedule.params, schedule.state)),
        repr((schedule.state(), problem.groups, problem.samples, problem.m, problem.m_eq)),
        repr(([phase.over for phase in problem.phases], parallel.PIECE, parallel.THRESHOLD)),
        data_hash(problem),
    ]
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:16]


def _method_code(method: AnyMethod, params: Any, problem: Problem) -> str:
    if isinstance(method, Optimizer):
        update, state = form_of(method, params)
        functions = (method.constants, update, method.scale, method.finish, method.init)
        return jit.key_of(functions, (method.params, state, method.shared)) + repr(method.shared())
    own = method.direction if isinstance(method, Descent) else method.iterate
    rest = repr((method.search, method.curvature, method.needs)) if isinstance(method, Descent) else method.inner
    return jit.key_of((own, method.memory, problem.hess_fun, problem.curvature), (method.params,)) + rest
