"""Where runs are done: in this process, or in spawned workers that get names and numbers."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from optbench import harness, jit, parallel
from optbench.cohort import execute_many, kind_of, makers_of
from optbench.entries import load_file
from optbench.outcome import Result, Run

SHARE = 0.25  # seconds after which a worker hands back what it has
BATCH = 64  # runs that a worker gets at a time
GRACE = 60.0  # seconds beyond a run's own time limit after which its worker is taken to hang


def _warm(run: Run, index: int) -> tuple[float, bool] | None:
    """Compile or load one of a run's kernels: seconds, and whether it was there already; None where that fails."""
    known = jit.loaded()
    try:
        kernel = makers_of(run)[index]()
    except Exception:  # the run itself reports it, as a row
        return None
    return (0.0, True) if kernel in known else (kernel.seconds, kernel.cached)


def _start_worker(load: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    for path in load:
        load_file(path)


def _work(batch: list[Run]) -> list[Result]:
    """Results of the first runs of a batch: as many as start within `SHARE` seconds, or one cell of a GPU's."""
    if not batch or batch[0].backend == "cpu":
        return execute_many([run for run in batch if run.backend == "cpu"], SHARE)
    from optbench.cuda.runs import execute

    kind = kind_of(batch[0])
    return execute(list(itertools.takewhile(lambda run: kind_of(run) == kind, batch)))


class InProcess:
    """The same work without any worker."""

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """There is nothing to stop."""

    def warm(self, tasks: list[tuple[Run, int]]) -> Iterator[tuple[tuple[Run, int], tuple[float, bool] | None]]:
        """Compile the kernels of the tasks; what each took, as it is done."""
        for task in tasks:
            yield task, _warm(*task)

    def map(self, runs: list[Run], record: Callable[[list[tuple[Run, Result]]], None]) -> None:
        """Do all runs, one after the other."""
        while runs:
            results = _work(runs[:BATCH])
            record(list(zip(runs, results, strict=False)))
            runs = runs[len(results) :]


class Workers:
    """A pool of spawned processes that survives the crash of any of them.

    Ctrl-C is noted and acted upon between two results: in the middle of the pool's own work it could leave a lock held.
    """

    def __init__(self, jobs: int, load: Sequence[str]) -> None:
        from pebble import ProcessPool

        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", parallel.VARIABLE), "1"
        )
        self._restore = {name: os.environ.get(name) for name in threads}
        os.environ.update(threads)  # read by the libraries when a worker starts
        self._jobs = jobs
        self._pool = ProcessPool(
            max_workers=jobs,
            context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(tuple(load),),
        )
        self._finished: queue.SimpleQueue[tuple[list[Run], Any]] = queue.SimpleQueue()
        for _ in range(jobs):
            self._pool.schedule(_work, args=([],))

    def __enter__(self) -> Workers:
        self._stopped = False
        main = threading.current_thread() is threading.main_thread()
        self._handler = signal.signal(signal.SIGINT, self._stop) if main else None
        return self

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _wait(self, done: Callable[[], bool]) -> None:
        """Return when `done`; raise KeyboardInterrupt after Ctrl-C."""
        while not self._stopped and not done():
            time.sleep(0.005)
        if self._stopped:
            raise KeyboardInterrupt

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        for name, value in self._restore.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def warm(self, tasks: list[tuple[Run, int]]) -> Iterator[tuple[tuple[Run, int], tuple[float, bool] | None]]:
        """Compile the kernels of the tasks side by side; what each took, in their order."""
        futures = [self._pool.schedule(_warm, args=task) for task in tasks]
        for task, future in zip(tasks, futures, strict=True):
            self._wait(future.done)
            try:
                yield task, future.result()
            except Exception:  # a compiler that crashed its worker: the run itself reports it, as a row
                yield task, None

    def _submit(self, batch: list[Run]) -> None:
        limit = max(run.time_limit for run in batch) + GRACE
        future = self._pool.schedule(_work, args=(batch,), timeout=limit)
        future.add_done_callback(lambda done: self._finished.put((batch, done)))

    def map(self, runs: list[Run], record: Callable[[list[tuple[Run, Result]]], None]) -> None:
        """Do all runs; `record` gets the results, in this thread, as they arrive."""
        size = max(1, min(BATCH, len(runs) // (4 * self._jobs)))
        waiting = deque(runs[start : start + size] for start in range(0, len(runs), size))
        under_way = 0
        while waiting or under_way:
            while waiting and under_way < 2 * self._jobs:
                self._submit(waiting.popleft())
                under_way += 1
            self._wait(lambda: not self._finished.empty())
            batch, done = self._finished.get()
            under_way -= 1
            results, again = _collect(batch, done)
            waiting.extendleft(reversed(again))
            if results:
                record(results)


def _collect(batch: list[Run], done: Any) -> tuple[list[tuple[Run, Result]], list[list[Run]]]:
    """Results that a future brought, and the batches that have to be sent again."""
    from pebble import ProcessExpired

    try:
        results = done.result()
    except (ProcessExpired, FutureTimeout) as error:
        if len(batch) > 1:
            return [], [[run] for run in batch]  # one of them did it: find out which
        if isinstance(error, ProcessExpired):
            reason = f"the worker process died, exit code {error.exitcode}"
            return [(batch[0], harness.failed("crashed", reason, batch[0].targets))], []
        reason = f"no answer {GRACE:g} s after the time limit; the worker was stopped"
        return [(batch[0], harness.failed("timeout", reason, batch[0].targets))], []
    pairs = list(zip(batch, results, strict=False))
    rest = batch[len(pairs) :]
    return pairs, [rest] if rest else []
