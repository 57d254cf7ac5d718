"""The plan: from a configuration to an ordered list of runs, each complete, hashable and made of plain values.

Runs stand in file order: problems, optimizers, schedules, clipping, batches, seeds, then the inclusions.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from optbench import footprint
from optbench.config import Block, Config, ConfigError, Level, Rule
from optbench.entries import BUDGET, LISTS
from optbench.labels import Labels, labels_of, text_of
from optbench.methods import Optimizer
from optbench.outcome import Run
from optbench.registry import get_optimizer
from optbench.single import SEARCHES, make_run, no_batches, not_on_gpu, searches

TRACE_ROWS = 200  # of a thinned trace at most, for the estimate of memory


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
            ``problems``, ``optimizers``, ``schedules``, ``clipping``, ``batch_size``: labels in order; ``seeds``:
            numbers; ``cells``, ``runs``; ``not applicable``: the number of cells that are left out, and why; ``steps``:
            sum of the iteration budgets; ``seconds``: sum of the time limits, an upper bound of one pass; ``memory``:
            estimate in bytes of the largest problem at work and of all traces.
        """
        labels = [self.labels[run] for run in self.runs]
        keys = ("problems", "optimizers", "schedules", "clipping", "batch_size")
        names = {key: tuple(dict.fromkeys(each)) for key, each in zip(keys, zip(*labels, strict=True), strict=True)}
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
            if reason := _not_applicable(config, block, levels):
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


def _not_applicable(config: Config, block: Block, levels: Sequence[Level]) -> str | None:
    """Why a cell is left out, or None. What a factor does not apply to runs once, in the place of its first level."""
    problem, optimizer, schedule, clip, batch = levels
    method = get_optimizer(optimizer.name)
    if (config.budget | problem.budget | block.budget)["backend"] == "cuda" and (reason := not_on_gpu(method)):
        return reason
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
    first_order = isinstance(get_optimizer(optimizer.name), Optimizer)
    batches = batch.values if first_order and problem.n_samples else {}
    facts["batch"] = batch.name if batches else "full"
    matching = [rule for rule in config.overrides if _matches(rule, facts)]
    used.update(rule.where for rule in matching)
    changes = dict[str, Any]()
    for values in (problem.budget, block.budget, *(rule.values for rule in matching)):
        if "max_iter" in values:
            changes["epochs"] = None  # the budget in epochs of a wider scope
        changes |= values
    budget = {key: changes.pop(key, config.budget[key]) for key in BUDGET}
    seeds, hyper = budget.pop("seeds"), {**optimizer.values, **changes}
    lr = hyper.pop("lr")
    own = searches(optimizer.name, hyper)
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
