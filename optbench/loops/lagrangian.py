"""The driver of Lagrangian methods: point, multipliers and the KKT residual that judges them."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from optbench import jit
from optbench.constrained._residual import augmented, kkt_residual
from optbench.loops import first_order as fo
from optbench.loops.first_order import norm
from optbench.loops.first_order import record_row as record_point
from optbench.records import Matrix, Vector

# Return codes, besides those of `first_order`: what an iteration returns in the place of a step, with the sign off.
NO_PROGRESS, DEPENDENT, INFEASIBLE, UNBOUNDED = 0, 1, 2, 3
FAILED = 10  # NO_PROGRESS and the others come as FAILED + code
NFEV, NHEV = fo.N_INTS, fo.N_INTS + 1
N_INTS = fo.N_INTS + 2


class Setup(NamedTuple):
    """What a run is, as the driver reads it; see `first_order.Setup`."""

    objective: int
    hessian: int
    parts: int
    iterate: int
    schedule: int
    observes: bool
    has_hessian: bool
    n: int
    m: int
    m_eq: int
    data: int
    frame: int
    live: Vector
    pristine: Vector
    x: Vector
    g: Vector
    c: Vector
    jac: Matrix
    lam: Vector
    h: Matrix
    slope: Vector
    known: Vector
    ints: int
    floats: int
    hits: int
    schedule_params: int
    schedule_state: int
    lr: float
    peak: float
    warmup: int
    warmup_start: float
    gtol: float
    stop: bool
    max_iter: int
    every_row: bool
    thresholds: Vector
    rates: Vector
    snapshot: Vector
    iterations: Vector
    values: Vector
    norms: Vector
    lrs: Vector
    points: Matrix
    measure: int
    held_out: int
    measured: Matrix
    timed: bool
    gauge: int
    gauged: int
    residuals: Vector
    multipliers: Matrix


def record_row(s, t, f, step, residual, ints):
    """Write one row of the trace: with the gradient of the Lagrangian, the KKT residual and the multipliers."""
    row = ints[fo.ROWS]
    s.residuals[row] = residual
    for i in range(s.m):
        s.multipliers[row, i] = s.lam[i]
    record_point(s, t, f, step, s.x, norm(s.slope), ints)


def verdict(s, t, f, residual, ints):
    """Whether and why the run ends at x_t."""
    if not math.isfinite(residual) or not math.isfinite(f):
        return fo.DIVERGED
    if s.stop and s.thresholds.size > 0 and ints[fo.TARGET] == s.thresholds.size:
        return fo.CONVERGED
    if s.gtol > 0.0 and residual <= s.gtol:
        return fo.SMALL_GRADIENT
    return fo.BUDGET if t >= s.max_iter else fo.RUNNING


@functools.cache
def driver() -> jit.Kernel:
    """Kernel ``int64 drive(setup, repeats, until)``; see `first_order.driver`."""
    parts = (record_row, verdict, kkt_residual, fo.meet_targets, fo.restart, _make_driver)
    return jit.compile_kernel("lagrangian", _make_driver, "".join(jit.fingerprint(part) for part in parts), "iiii")


def _make_driver():
    from optbench.codec import F64, I64, array_at, caller, decoder, integers_at

    objective, iterate = caller(F64, I64, I64, I64, I64), caller(F64, I64, I64)
    hessian, parts, decode = caller(I64, *[I64] * 6), caller(I64, *[I64] * 6), decoder(Setup)
    meet, judge, reset = (jit.lower(f) for f in (fo.meet_targets, verdict, fo.restart))
    write, residual_of = (jit.lower(f, jit.SUM_MATH) for f in (record_row, kkt_residual))

    def go(s, until):
        hits, ints = array_at(s.hits, s.thresholds.size), integers_at(s.ints, N_INTS)
        t, start = ints[fo.T], ints[fo.STARTED] == 0
        while True:
            if start:
                start, ints[fo.STARTED] = False, 1
                ints[NFEV] += 1
                s.known[0] = objective(s.objective, (s.x.ctypes.data, s.g.ctypes.data, s.n, s.data))
                parts(s.parts, (s.x.ctypes.data, s.n, s.c.ctypes.data, s.jac.ctypes.data, s.m, s.data))
            f = s.known[0]
            residual = residual_of(s.g, s.c, s.jac, s.lam, s.m_eq, s.slope)
            s.known[1] = residual
            ints[fo.T] = t
            if ints[fo.ROWS] >= s.iterations.size or t >= until:
                return fo.RUNNING
            meet(s, t, residual, ints, hits)
            code = judge(s, t, f, residual, ints)
            if code != fo.RUNNING:
                write(s, t, f, math.nan, residual, ints)
                return code
            if t >= ints[fo.NEXT_ROW]:
                write(s, t, f, math.nan, residual, ints)
            if s.has_hessian:
                ints[NHEV] += 1
                hessian(s.hessian, (s.x.ctypes.data, s.n, s.lam.ctypes.data, s.h.ctypes.data, s.m, s.data))
            step = iterate(s.iterate, (s.frame, t))
            if ints[fo.ROWS] > 0 and s.iterations[ints[fo.ROWS] - 1] == t:
                s.lrs[ints[fo.ROWS] - 1] = step
            if not step > 0.0:
                if ints[fo.ROWS] == 0 or s.iterations[ints[fo.ROWS] - 1] != t:
                    write(s, t, f, step, residual, ints)
                return FAILED + (int(-step) if step == step else 0)
            t += 1

    run = jit.compiled(go)

    def drive(setup, repeats, until):
        s = decode(setup)
        if repeats == 0:
            return run(s, until)
        code = fo.RUNNING
        for _ in range(repeats):
            reset(s.live, s.pristine)
            code = run(s, until)
        return code

    return drive


@functools.cache
def augmented_objective() -> jit.Kernel:
    """Kernel ``double (x, g, n, data)`` of the augmented Lagrangian of any problem.

    `data`: words with the kernels of objective and constraints, their data, m, m_eq, and the addresses of multipliers,
    penalty, constraint functions and Jacobian.
    """
    key = jit.fingerprint(augmented) + jit.fingerprint(_make_augmented)
    return jit.compile_kernel("augmented", _make_augmented, key, "diiii", jit.SUM_MATH)


def _make_augmented():
    from optbench.codec import F64, I64, array_at, caller, integers_at, matrix_at

    objective, parts = caller(F64, I64, I64, I64, I64), caller(I64, *[I64] * 6)
    combine = jit.lower(augmented, jit.SUM_MATH)

    def kernel(x, g, n, data):
        w = integers_at(data, 9)
        m = w[3]
        f = objective(w[0], (x, g, n, w[2]))
        parts(w[1], (x, n, w[7], w[8], m, w[2]))
        c, jac, lam = array_at(w[7], m), matrix_at(w[8], m, n), array_at(w[5], m)
        return combine(f, array_at(g, n), c, jac, lam, w[4], array_at(w[6], 1)[0])

    return kernel
