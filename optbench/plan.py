"""The plan: from a configuration to an ordered list of runs, each complete, hashable and made of plain values.

Runs stand in file order: problems, optimizers, schedules, clipping, seeds, then the inclusions. `make_run` makes a
single run under the same checks; it is what the Python interface uses.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from optbench import footprint
from optbench.config import Block, Config, ConfigError, Level, Rule
from optbench.entries import (
    BUDGET,
    LISTS,
    WARMUP,
    complete,
    facts_of,
    plain,
    record_keys,
    resolved,
    settings_of,
    split_entry,
)
from optbench.labels import Labels, labels_of, text_of
from optbench.methods import AnyMethod, Optimizer, Schedule
from optbench.outcome import DEFAULT_TARGETS, Run
from optbench.registry import get_optimizer, get_schedule, search_of
from optbench.types import Problem

TRACE_ROWS = 200  # of a thinned trace at most, for the estimate of memory


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


def params_record(optimizer: AnyMethod, params: Mapping[str, Any] | None = None) -> Any:
    """Hyperparameters of `optimizer`: its record with `params` in place of defaults, checked, in the user's own values.

    Raises UnknownName for a key that the optimizer does not have, ValueError for a wrong value.
    """
    return optimizer.params(**complete(f"optimizer {optimizer.name!r}", record_keys(optimizer.params), params or {}))


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
        Budget in passes through the samples, in place of `max_iter`, where the problem is a sum over samples.
    n_samples : int, optional
        The problem's, where the caller knows it: else it is made for `batch_size` and `epochs`.
    seed, max_iter : int
    time_limit : float
        Seconds.
    targets : sequence of float in (0, 1)
        Empty: the run goes on to the end of its budget.

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
    batch_name, given_batch = split_entry("batch", batch_size or "full")
    extra = {} if order is None and not drop_last else {"order": order or "shuffle", "drop_last": drop_last}
    if extra and batch_name == "full":
        raise ValueError("order and drop_last do nothing without batch_size")
    batch = settings_of("batch", batch_name, given_batch | extra)
    if lr is not None and "lr" in (params or {}):
        raise ValueError("lr is given twice: once as lr and once in params")
    given = {"lr": lr, **(params or {})} if lr is not None else (params or {})
    chosen = settings_of("optimizer", optimizer, given)
    decay_bias = chosen.pop("decay_bias", True)
    steps = BUDGET["max_iter"].check(max_iter)
    if (batch or epochs) and n_samples is None:
        n_samples = problem.n_samples if isinstance(problem, Problem) else facts_of(name, full)[3]
    if batch and (reason := no_batches(batch["size"], n_samples or 0, get_optimizer(optimizer))):
        raise ValueError(reason)
    if epochs and n_samples:
        each = batches_an_epoch(n_samples, batch.get("size", 0), batch.get("drop_last", False))
        steps = math.ceil(BUDGET["epochs"].check(epochs) * each)
    if searches(optimizer, chosen):
        for factor, value in (("a schedule", schedule), ("lr", lr)):
            if value is not None:
                raise ValueError(f"{factor} does not apply to {optimizer}: {SEARCHES}")
    if clip is not None and not isinstance(get_optimizer(optimizer), Optimizer):
        raise ValueError(f"clipping does not apply to {optimizer}: it would spoil the direction")
    scheduled = schedule_of(schedule, chosen.get("inner_iter", steps))
    clip_name, limit = split_entry("clip", "none" if clip is None else clip)
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
    )


def no_batches(size: int, n_samples: int, method: AnyMethod) -> str | None:
    """Why mini-batches of this size do not apply, or None."""
    if not n_samples:
        return "mini-batches do not apply: the problem is not a sum over samples"
    if not isinstance(method, Optimizer):
        return f"mini-batches do not apply to {method.name}: it needs the whole objective"
    if size >= n_samples:
        return f"a batch_size of {size} is not below the problem's {n_samples} samples"
    return None


def batches_an_epoch(n_samples: int, size: int, drop_last: bool) -> int:
    """Number of batches in a pass through the samples; size 0 is the full batch."""
    if not size:
        return 1
    return n_samples // size if drop_last else -(-n_samples // size)


# --------------------------------------------------------------------------------------------------------- plan


class Skipped(NamedTuple):
    """A cell of the matrix that is not run, and why."""

    problem: str
    optimizer: str
    schedule: str
    clip: str
    batch: str
    reason: str


class Cell(NamedTuple):
    """Runs that differ by their seed alone, and the labels of what they share."""

    labels: Labels
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Plan:
    """What is to be run, in order.

    Attributes
    ----------
    runs : tuple of Run
        Without duplicates.
    repeats : int
        Timing repeats of every run.
    load : tuple of str
        The user's own files, for other processes to load (`optbench.config.load_file`).
    n, memory : int
        Dimension of the largest problem; bytes of the one with the most at work.
    skipped : tuple of Skipped
        Cells to which a method, schedule or clipping does not apply.
    """

    runs: tuple[Run, ...]
    repeats: int = 5
    load: tuple[str, ...] = ()
    n: int = 0
    memory: int = 0
    skipped: tuple[Skipped, ...] = ()

    @cached_property
    def labels(self) -> dict[Run, Labels]:
        """Labels of every run."""
        return labels_of(self.runs)

    def label_of(self, run: Run) -> Labels:
        """Labels of one run of the plan. Raises KeyError for another."""
        return self.labels[run]

    def optimizer_label(self, run: Run) -> str:
        """Label of a run's optimizer. Raises KeyError for a run that is not of the plan."""
        return self.labels[run].optimizer

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Cells in the order of their first runs."""
        groups = defaultdict[Run, list[Run]](list)
        for run in self.runs:
            groups[replace(run, seed=0)].append(run)
        return tuple(Cell(self.label_of(runs[0]), tuple(runs)) for runs in groups.values())

    def _reasons(self) -> tuple[str, ...]:
        """A line for every reason: how many cells, of which methods."""
        counts = Counter(cell.reason for cell in self.skipped)
        methods = {
            reason: {cell.optimizer: None for cell in self.skipped if cell.reason == reason} for reason in counts
        }
        return tuple(f"{count} cells ({', '.join(methods[reason])}): {reason}" for reason, count in counts.items())

    def describe(self) -> dict[str, Any]:
        """Names and sizes, before anything runs.

        Returns
        -------
        dict
            ``problems``, ``optimizers``, ``schedules``, ``clipping``: labels in order; ``seeds``: numbers; ``cells``,
            ``runs``; ``not applicable``: the number of cells that are left out, and why; ``steps``: sum of the
            iteration budgets; ``seconds``: sum of the time limits, an upper bound of one pass; ``memory``: estimate in
            bytes of the problem with the most at work, its data and the runs that are timed in turn, and of all traces.
        """
        labels = [self.labels[run] for run in self.runs]
        keys = ("problems", "optimizers", "schedules", "clipping")
        names = {key: tuple(dict.fromkeys(each)) for key, each in zip(keys, zip(*labels, strict=True), strict=False)}
        return {
            **names,
            "seeds": tuple(sorted({run.seed for run in self.runs})),
            "cells": len(self.cells),
            "runs": len(self.runs),
            "not applicable": self._reasons(),
            "steps": sum(run.max_iter for run in self.runs),
            "seconds": sum(run.time_limit for run in self.runs),
            "memory": self.memory + 8 * 4 * TRACE_ROWS * len(self.runs),
        }


def make_plan(config: Config) -> Plan:
    """All runs of a configuration.

    Raises
    ------
    ConfigError
        Two cells are the same, a rule matches no cell, a cell has values that do not go together, or no run is left.
    """
    found: dict[Run, str] = {}  # where the cell of a run, whatever its budget, comes from
    runs, errors, used, skipped = list[Run](), dict[str, None](), set[str](), list[Skipped]()
    for block in config.blocks:
        for levels in itertools.product(*block.factors):
            if reason := _not_applicable(block, levels):
                names = [level.name for level in levels]
                skipped.append(Skipped._make([*names, reason]))
                continue
            where = " x ".join(level.where for level in levels)
            for run in _runs_of(config, block, levels, used):
                cell = replace(run, max_iter=1, time_limit=1.0, targets=())
                if cell in found:
                    these = ", ".join(level.name for level in levels)
                    errors[f"{where}: the same cell as {found[cell]} ({these}, lr={text_of(run.lr)})"] = None
                found.setdefault(cell, where)
                runs.append(run)
    for rule in (*config.overrides, *config.excludes):
        if rule.where not in used:
            errors[f"{rule.where}: matches no cell"] = None
    if not runs:
        reasons = {f"{cell.optimizer} on {cell.problem}: {cell.reason}": None for cell in skipped}
        errors["no run is left: " + ("; ".join(reasons) or "every cell is excluded")] = None
    if errors:
        raise ConfigError([f"{config.file}: {error}" for error in errors])
    problems = [level for block in config.blocks for level in block.factors[0]]
    n = max(level.n for level in problems)
    return Plan(tuple(runs), config.repeats, config.load, n, _memory(config, runs), tuple(skipped))


def _memory(config: Config, runs: Sequence[Run]) -> int:
    """Bytes of the problem with the most at work: its data, and the runs that are timed in turn."""
    levels = {(p.name, tuple(p.values.items())): p for block in config.blocks for p in block.factors[0]}
    largest, counts = dict[Any, int](), Counter[Any]()
    for run in runs:
        level, method = levels[run.problem, run.settings], get_optimizer(run.optimizer)
        size = footprint.of_run(method, method.params(**dict(run.params)), level.n, 0, run.batch_size > 0)
        size += level.memory if run.batch_size else 0  # which a run on mini-batches lays out anew
        rivals = (run.problem, run.settings, run.seed)
        largest[rivals], counts[rivals] = max(largest.get(rivals, 0), size), counts[rivals] + 1
    return max(
        levels[rivals[:2]].memory + size * min(counts[rivals], footprint.together(size))
        for rivals, size in largest.items()
    )


def _not_applicable(block: Block, levels: Sequence[Level]) -> str | None:
    """Why a cell is left out, or None. What a factor does not apply to runs once, in the place of its first level."""
    problem, optimizer, schedule, clip, batch = levels
    method = get_optimizer(optimizer.name)
    if reason := method.refuses(problem.offers):
        return reason
    _, _, schedules, clips, batches = block.factors
    if searches(optimizer.name, optimizer.values) and schedule is not schedules[0]:
        return f"schedules do not apply: {SEARCHES}"
    if not isinstance(method, Optimizer) and clip is not clips[0]:
        return "clipping does not apply: it would spoil the direction"
    if not (problem.n_samples and isinstance(method, Optimizer)):
        return no_batches(0, problem.n_samples, method) if batch is not batches[0] else None
    return no_batches(batch.values["size"], problem.n_samples, method) if batch.values else None


def _runs_of(config: Config, block: Block, levels: Sequence[Level], used: set[str]) -> Iterator[Run]:
    """Yield the runs of one cell, a seed each; `used` gets the rules that match it."""
    problem, optimizer, schedule, clip, batch = levels
    facts = {**dict(zip(LISTS, (level.name for level in levels), strict=True)), "n": problem.n}
    changes = {**problem.budget, **block.budget}
    for rule in config.overrides:
        if _matches(rule, facts):
            used.add(rule.where)
            changes |= rule.values
    if "max_iter" in changes:
        changes.setdefault("epochs", None)  # the budget in epochs of a wider scope
    budget = {key: changes.pop(key, config.budget[key]) for key in BUDGET}
    seeds, hyper = budget.pop("seeds"), {**optimizer.values, **changes}
    lr = hyper.pop("lr")
    own, first_order = searches(optimizer.name, hyper), isinstance(get_optimizer(optimizer.name), Optimizer)
    batches = batch.values if first_order and problem.n_samples else {}
    run = make_run(
        problem.name,
        problem.values,
        optimizer.name,
        lr=None if own else lr,
        params=hyper,
        schedule=None if own else {"name": schedule.name, **schedule.values},
        clip=clip.values or None if first_order else None,
        batch_size=batches.get("size"),
        order=batches.get("order"),
        drop_last=batches.get("drop_last", False),
        n_samples=problem.n_samples,
        **budget,
    )
    for seed in seeds:
        excluding = {rule.where for rule in config.excludes if _matches(rule, {**facts, "seed": seed})}
        if block.where:
            yield replace(run, seed=seed)
            continue
        used |= excluding
        if not excluding:
            yield replace(run, seed=seed)


def _matches(rule: Rule, facts: Mapping[str, Any]) -> bool:
    return all(facts[key] in wanted for key, wanted in rule.match.items())
