"""One run, complete and checked: what the matrix makes a cell of, and what the Python interface uses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optbench import devices
from optbench.entries import BUDGET, WARMUP, facts_of, plain, resolved, settings_of, split_entry
from optbench.methods import AnyMethod, Optimizer, Schedule
from optbench.outcome import DEFAULT_TARGETS, Run
from optbench.registry import get_optimizer, get_schedule, search_of
from optbench.types import Problem


class Scheduled(NamedTuple):
    """A schedule with complete settings (a NamedTuple of the user's own values) and the warm-up before it."""

    schedule: Schedule
    params: Any
    warmup: int
    warmup_start: float


def schedule_of(spec: str | Mapping[str, Any] | None, n_steps: int) -> Scheduled:
    """Find the schedule that `spec` asks for and complete its settings.

    Parameters
    ----------
    spec : str, mapping or None
        A name, or a mapping with ``name``, settings, ``warmup`` and ``warmup_start``. None is ``"constant"``.
    n_steps : int
        Steps of the run, warm-up included. Defaults that are fractions of the budget are resolved with the steps that
        remain after the warm-up (at least 1).

    Raises
    ------
    UnknownName
        No such schedule or setting.
    ValueError
        A value of the wrong kind, or `warmup_start` without `warmup`.
    """
    name, given = split_entry("schedule", "constant" if spec is None else spec)
    values = settings_of("schedule", name, given)
    warmup, start = (values.pop(key) for key in WARMUP)
    item, steps = get_schedule(name), max(1, n_steps - warmup)
    params = item.params(**{key: resolved(value, steps) for key, value in values.items()})
    return Scheduled(item, params, warmup, start)


SEARCHES = "its search sets the step (line_search = 'none', where there is one, lets the schedule set it)"


def searches(optimizer: str, values: Mapping[str, Any]) -> bool:
    """Whether a method with these values of its settings finds its own step, so that no schedule applies."""
    return search_of(optimizer, values) != "none"


def make_run(
    problem: str | Problem,
    settings: Mapping[str, Any] | None = None,
    optimizer: str = "gd",
    *,
    lr: float | None = None,
    params: Mapping[str, Any] | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    clip: str | Mapping[str, Any] | None = None,
    batch_size: int | str | None = None,
    order: str | None = None,
    drop_last: bool = False,
    epochs: float | None = None,
    n_samples: int | None = None,
    seed: int = 0,
    max_iter: int = BUDGET["max_iter"].default,
    time_limit: float = BUDGET["time_limit"].default,
    targets: Sequence[float] = DEFAULT_TARGETS,
    backend: str = BUDGET["backend"].default,
    dtype: str = BUDGET["dtype"].default,
) -> Run:
    """One run, complete: whatever is not given is written out with its default.

    Parameters
    ----------
    problem, settings : str or Problem, mapping
        A registered name and its settings, or a problem as it is (with its own settings).
    optimizer, lr, params : str, float, mapping
        Registered name, learning rate (default: the optimizer's), hyperparameters.
    schedule : str, mapping or None
        See `schedule_of`.
    clip : mapping or None
        ``{"norm": limit}``, ``{"value": limit}`` or None.
    batch_size : int, "full" or None
        Samples of a mini-batch; None or "full": all of them.
    order : {"shuffle", "replacement", "sequential"}
        How mini-batches are drawn: from a new permutation every epoch (the default), independently, in file order.
    drop_last : bool
        Leave out the last batch of an epoch where it is short.
    epochs : float, optional
        Budget in passes through the samples, in place of `max_iter`, where the problem is a sum over samples; for a
        method with a search an iteration counts as one, whatever it evaluates.
    n_samples : int, optional
        The problem's, where the caller knows it: else it is made for `batch_size` and `epochs`.
    seed, max_iter : int
    time_limit : float
        Seconds.
    targets : sequence of float in (0, 1)
        Empty: the run goes on to the end of its budget.
    backend : {"cpu", "cuda"}
        With "cuda" the run is one on the device that is found here.
    dtype : {"float64", "float32"}
        Of the arithmetic on a GPU; the CPU computes in float64.

    Raises
    ------
    UnknownName
        A name or key that is not known; the message lists the known ones.
    ValueError
        A wrong value.
    """
    if isinstance(problem, Problem):
        name, full = problem.name, {key: plain(value) for key, value in problem.settings.items()}
    else:
        name, full = problem, settings_of("problem", problem, settings or {})
    batch_name, given_batch = split_entry("batch", "full" if batch_size is None else batch_size)
    extra = {} if order is None and not drop_last else {"order": order or "shuffle", "drop_last": drop_last}
    if extra and batch_name == "full":
        raise ValueError("order and drop_last do nothing without batch_size")
    batch = settings_of("batch", batch_name, given_batch | extra)
    if lr is not None and "lr" in (params or {}):
        raise ValueError("lr is given twice: once as lr and once in params")
    given = {"lr": lr, **(params or {})} if lr is not None else (params or {})
    chosen = settings_of("optimizer", optimizer, given)
    decay_bias = chosen.pop("decay_bias", True) or not chosen.get("weight_decay", 0.0)
    steps = BUDGET["max_iter"].check(max_iter)
    passes = None if epochs is None else BUDGET["epochs"].check(epochs)
    if (batch or passes) and n_samples is None:
        n_samples = problem.n_samples if isinstance(problem, Problem) else facts_of(name, full)[3]
    if batch and (reason := no_batches(batch["size"], n_samples or 0, get_optimizer(optimizer))):
        raise ValueError(reason)
    if passes and n_samples:
        steps = math.ceil(min(passes * batches_an_epoch(n_samples, **batch), 2.0**53))
    if searches(optimizer, chosen):
        for factor, value in (("a schedule", schedule), ("lr", lr)):
            if value is not None:
                raise ValueError(f"{factor} does not apply to {optimizer}: {SEARCHES}")
    if clip is not None and not isinstance(get_optimizer(optimizer), Optimizer):
        raise ValueError(f"clipping does not apply to {optimizer}: it would spoil the direction")
    scheduled = schedule_of(schedule, chosen.get("inner_iter", steps))
    clip_name, limit = split_entry("clip", "none" if clip is None else clip)
    backend, dtype = BUDGET["backend"].check(backend), BUDGET["dtype"].check(dtype)
    if backend == "cpu" and dtype != "float64":
        raise ValueError(f"dtype {dtype!r} goes with backend 'cuda': the CPU computes in float64")
    if backend == "cuda" and (reason := not_on_gpu(get_optimizer(optimizer))):
        raise ValueError(reason)
    return Run(
        problem=name,
        settings=tuple(full.items()),
        optimizer=optimizer,
        lr=chosen.pop("lr"),
        params=tuple(chosen.items()),
        schedule=scheduled.schedule.name,
        schedule_params=tuple(scheduled.params._asdict().items()),
        warmup=scheduled.warmup,
        warmup_start=scheduled.warmup_start,
        clip=clip_name,
        clip_at=settings_of("clip", clip_name, limit).get(clip_name, 0.0),
        batch_size=batch.get("size", 0),
        batch_order=batch.get("order", "shuffle"),
        drop_last=batch.get("drop_last", False),
        decay_bias=decay_bias,
        seed=BUDGET["seeds"].check([seed])[0],
        max_iter=steps,
        time_limit=BUDGET["time_limit"].check(time_limit),
        targets=BUDGET["targets"].check(targets),
        backend=backend,
        device=devices.device_name() if backend == "cuda" else "cpu",
        dtype=dtype,
    )


def not_on_gpu(method: AnyMethod) -> str | None:
    """Why a method stays on the CPU, or None."""
    return None if isinstance(method, Optimizer) else f"{method.name} stays on the CPU: a GPU runs first-order methods"


def no_batches(size: int, n_samples: int, method: AnyMethod) -> str | None:
    """Why mini-batches of this size do not apply, or None."""
    if not n_samples:
        return "mini-batches do not apply: the problem is not a sum over samples"
    if not isinstance(method, Optimizer):
        return f"mini-batches do not apply to {method.name}: it needs the whole objective"
    if size >= n_samples:
        return f"a batch_size of {size} is not below the problem's {n_samples} samples"
    return None


def batches_an_epoch(n_samples: int, size: int = 0, order: str = "shuffle", drop_last: bool = False) -> float:
    """Number of batches in a pass through the samples; size 0 is the full batch."""
    if not size:
        return 1
    if order == "replacement":
        return n_samples / size
    return n_samples // size if drop_last else -(-n_samples // size)
