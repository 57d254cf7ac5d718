"""A team of threads: pieces of work claimed by whoever is free, in compiled code, without Python's lock.

The driver's thread leads. It posts a job, a kernel ``int64 (at, phase, k)`` for k = 0, ..., count - 1, in the team's
memory and works on it; helpers, Python threads inside the kernel `serve`, take part. Every thread has a range of its
own to claim from, so that it finds its part of the arrays in its cache again, and helps the others afterwards. The
leader waits only for pieces that were claimed, so a helper that comes late, or never, costs nothing but its help.

A claim counts down a word that carries the job's number too, by compare and exchange: a helper that was suspended in
the middle cannot touch a later job. Helpers spin between jobs, then nap; they leave when the driver returns to
Python, which it does every slice.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from optbench import jit

LINE = 8  # words of a cache line: what different threads write lies on different ones
JOB, DONE, QUIT, NUMBER, COUNT, KERNEL, AT, PHASE, THREADS, NAP, NAP_FOR = 0, 8, 16, *range(24, 32)
RANGES = 32
LEFT = 24  # bits of a range's word that count the pieces left; the job's number is above them
SPINS = 20_000  # looks before a nap: tens of microseconds
NAPS = 10_000  # naps, a second or so, after which a helper without a leader goes home
NAP_MICROSECONDS = 20


class Team:
    """Memory of a team, and a driver's calls with its helpers at work."""

    def __init__(self, threads: int = 1) -> None:
        raw = np.zeros(RANGES + LINE * (threads + 1), dtype=np.int64)
        self._words = raw[-raw.ctypes.data // 8 % LINE :]
        self._words[THREADS] = threads
        self._words[NAP : NAP_FOR + 1] = _nap()
        self.threads = threads

    @property
    def address(self) -> int:
        """Where the memory stands, for `runner`."""
        return int(self._words.ctypes.data)

    def around(self, drive: jit.Kernel) -> Callable[..., Any]:
        """The kernel ``drive(setup, repeats, until)``, called with the team's helpers at work."""
        if self.threads == 1:
            return drive
        first, helping, pool = lead(), serve(), _pool(self.threads - 1)

        def driven(setup: int, repeats: int, until: int) -> Any:
            self._words[QUIT] = 0
            helpers = []
            try:
                for rank in range(1, self.threads):
                    helpers.append(pool.submit(self._help, helping, rank))
                return first(self.address, drive.address, setup, repeats, until)
            finally:
                self._words[QUIT] = 1  # once more: Ctrl-C may have come before the kernel
                for helper in helpers:
                    if not helper.cancel():
                        helper.result()

        return driven

    def _help(self, helping: Callable[[int, int], int], rank: int) -> int:
        """Take part; a helper that Ctrl-C has everybody forget holds the memory that it reads until it leaves."""
        return helping(self.address, rank)


def _nap() -> tuple[int, int]:
    """Address of a C function that sleeps, and its argument."""
    if os.name == "nt":
        return ctypes.cast(ctypes.windll.kernel32.Sleep, ctypes.c_void_p).value or 0, 0  # type: ignore[attr-defined,unused-ignore]
    return ctypes.cast(ctypes.CDLL(None).usleep, ctypes.c_void_p).value or 0, NAP_MICROSECONDS


@functools.cache
def _pool(helpers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(helpers, thread_name_prefix="optbench")


# --------------------------------------------------------------------------------------------------- compiled


def _worker() -> Any:
    """``work(team, job, rank)``: claim and do pieces of the job until none is left to claim."""
    from optbench.codec import I64, add_release, caller, exchange, integers_at, load_acquire

    call, mask = caller(I64, I64, I64, I64), (1 << LEFT) - 1

    def work(team, job, rank):  # type: ignore[no-untyped-def]
        w = integers_at(team, RANGES)
        for turn in range(w[THREADS]):
            lane = (rank + turn) % w[THREADS]
            at = team + 8 * (RANGES + LINE * lane)
            while True:
                word = load_acquire(at)
                left = word & mask
                if word >> LEFT != job or left == 0:
                    break
                if exchange(at, word, word - 1):  # from here on the job stays until this piece is done
                    k = w[COUNT] * (lane + 1) // w[THREADS] - left
                    call(w[KERNEL], (w[AT], w[PHASE], k))
                    add_release(team + 8 * DONE, 1)

    return jit.compiled(work)


def runner() -> Any:
    """``run(team, kernel, at, phase, count)`` for compiled code: the kernel for every piece, until all are done."""
    from optbench.codec import I64, call_plain, caller, integers_at, load_acquire, store_release

    call, work = caller(I64, I64, I64, I64), _worker()

    def run(team, kernel, at, phase, count):  # type: ignore[no-untyped-def]
        w = integers_at(team, RANGES)
        threads = w[THREADS]
        if threads == 1 or count == 1:
            for k in range(count):
                call(kernel, (at, phase, k))
            return
        w[COUNT], w[KERNEL], w[AT], w[PHASE], w[DONE] = count, kernel, at, phase, 0
        job = w[NUMBER] = w[NUMBER] + 1
        for lane in range(threads):
            size = count * (lane + 1) // threads - count * lane // threads
            store_release(team + 8 * (RANGES + LINE * lane), (job << LEFT) + size)
        store_release(team + 8 * JOB, job)
        work(team, job, 0)
        idle = 0
        while load_acquire(team + 8 * DONE) < count:
            idle += 1
            if idle > SPINS:
                call_plain(w[NAP], w[NAP_FOR])

    return jit.compiled(run)


@functools.cache
def serve() -> jit.Kernel:
    """Kernel ``int64 (team, rank)``: help with every job until the leader says that it was the last."""
    return jit.compile_kernel("team-serve", _make_serve, jit.fingerprint(_make_serve) + jit.fingerprint(_worker), "iii")


def _make_serve() -> Callable[..., Any]:
    from optbench.codec import call_plain, integers_at, load_acquire

    work = _worker()

    def helper(team, rank):  # type: ignore[no-untyped-def]
        w = integers_at(team, RANGES)
        seen, idle, jobs = 0, 0, 0
        while load_acquire(team + 8 * QUIT) == 0 and idle < SPINS + NAPS:
            job = load_acquire(team + 8 * JOB)
            if job != seen:
                work(team, job, rank)
                seen, idle, jobs = job, 0, jobs + 1
            else:
                idle += 1
                if idle > SPINS:
                    call_plain(w[NAP], w[NAP_FOR])
        return jobs

    return helper


@functools.cache
def lead() -> jit.Kernel:
    """Kernel ``int64 (team, drive, setup, repeats, until)``: call the driver, then send the helpers home."""
    return jit.compile_kernel("team-lead", _make_lead, jit.fingerprint(_make_lead), "iiiiii")


def _make_lead() -> Callable[..., Any]:
    from optbench.codec import I64, caller, store_release

    call = caller(I64, I64, I64, I64)

    def leader(team, drive, setup, repeats, until):  # type: ignore[no-untyped-def]
        code = call(drive, (setup, repeats, until))
        store_release(team + 8 * QUIT, 1)
        return code

    return leader
