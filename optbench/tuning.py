"""Tuning a matrix: every cell gets the same trials, the winners and the defaults then run on seeds no trial has seen.

A study is one cell of the matrix: a problem, an optimizer, a schedule, a clipping, a batch size. Its trials are known
beforehand (`optbench.search`), so they are ordinary runs of one plan, kept as they arrive: the same command goes on
where it stopped. Trial 0 is the cell as the matrix gives it, the defaults; a budget is a number of trials beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optbench import evaluation, harness, tuned
from optbench.config import Config, ConfigError
from optbench.entries import keys_of
from optbench.labels import Labels
from optbench.outcome import Run
from optbench.plan import TRACE_ROWS, Plan
from optbench.registry import unknown
from optbench.runner import Outcome, Progress, run_plan
from optbench.search import RANGES, USUAL, Tuning, points
from optbench.single import searches
from optbench.store import Store, load
from optbench.tables import Trial
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd


class Study(NamedTuple):
    """One cell: the runs of its defaults on the test seeds, what is searched, and the values of trials 1, 2, ..."""

    id: str
    labels: Labels
    tests: tuple[Run, ...]
    values: dict[str, Array]

    def runs(self, number: int, seeds: Sequence[int]) -> list[Run]:
        """Runs with the hyperparameters of a trial, 0 for the defaults."""
        run = self.tests[0]
        if number:
            chosen = {name: float(values[number - 1]) for name, values in self.values.items()}
            params = tuple((key, _like(value, chosen.get(key, value))) for key, value in run.params)
            run = replace(run, lr=chosen.get("lr", run.lr), params=params)
        return [replace(run, seed=seed) for seed in seeds]


def _like(default: Any, value: Any) -> Any:
    """A whole number where the default is one."""
    return round(value) if type(default) is int else value


@dataclass(frozen=True)
class Labelled(Plan):
    """A plan whose runs have the labels of the cells that they come from, for a trial with its number."""

    given: dict[Run, Labels] | None = None

    @property
    def labels(self) -> dict[Run, Labels]:
        """Labels of every run."""
        return self.given or {}


@dataclass
class Done:
    """What `run_matrix` did: the plan of the test runs, what came of them, and of the trials where there are any."""

    plan: Plan
    outcome: Outcome
    trials: Outcome | None = None
    studies: tuple[str, ...] = ()
    budgets: tuple[int, ...] = ()

    def of(self, trials: pd.DataFrame) -> pd.DataFrame:
        """Rows of the table `trials` that are of these studies and budgets and, but for trials, of this plan."""
        mine = trials[trials["study"].isin(self.studies) & (trials["number"] <= max(self.budgets))]
        tests = mine["run"].isin([run.key for run in self.plan.runs]) & mine["budget"].isin([0, *self.budgets])
        return mine[tests | (mine["role"] == "trial")]


def run_matrix(
    config: Config,
    plan: Plan,
    path: str | os.PathLike[str],
    *,
    jobs: int = 1,
    repeats: int = 5,
    command: str = "optbench.run",
    progress: Progress = lambda stage, done, total: None,
) -> Done:
    """Run a plan as its configuration says: with ``[tuning]``, the trials first, then the winners and the defaults.

    Parameters are those of `optbench.runner.run_plan`, which raises what this raises, `ConfigError` besides: the plan
    cannot be tuned so. Trials are not timed and keep no trace.
    """
    rest: dict[str, Any] = {"jobs": jobs, "command": command, "load": config.load}
    if config.tuning is None:
        return Done(plan, run_plan(plan, path, repeats=repeats, progress=progress, **rest))
    studies = studies_of(config, plan)
    trials, rows = _trial_plan(studies, config.tuning, plan)

    def tell(stage: str, done: int, total: int) -> None:
        progress("tune" if stage == "run" else stage, done, total)

    settings = {study.id: _settings(config.tuning, study) for study in studies}
    with Store(path) as store:  # before the first of them runs: no trial is taken for a test
        store.add_trials(settings, rows)
    first = run_plan(trials, path, repeats=0, progress=tell, traces=False, **rest)
    tests, more = _test_plan(studies, config.tuning, plan, path)
    with Store(path) as store:
        store.add_trials(settings, [*rows, *more])
    second = run_plan(tests, path, repeats=repeats, progress=progress, **rest)
    return Done(tests, second, first, tuple(settings), config.tuning.budgets)


def describe(config: Config, plan: Plan) -> dict[str, Any]:
    """Names and sizes of the plan before anything runs, those of its tuning among them."""
    facts = plan.describe()
    if config.tuning is None:
        return facts
    tuning, studies = config.tuning, studies_of(config, plan)
    numbers = range(tuning.budgets[-1] + 1)
    trials = {run for study in studies for number in numbers for run in study.runs(number, tuning.seeds)}
    tests = len(plan.runs) + len(tuning.budgets) * sum(len(study.tests) for study in studies)
    each, searched = ", ".join(map(str, tuning.budgets)), {study.tests[0] for study in studies}
    more = max(len(trials), tests) - len(plan.runs)  # traces of the larger stage
    return {
        **facts,
        "tuning": f"{tuning.mode}, budgets of {each} trials beside the defaults, by {tuning.criterion}",
        "searched": tuple(dict.fromkeys(name for study in studies for name in study.values)),
        "not searched": tuple(
            dict.fromkeys(cell.labels.optimizer for cell in plan.cells if cell.runs[0] not in searched)
        ),
        "tuning seeds": tuning.seeds,
        "studies": len(studies),
        "trial runs": len(trials),
        "test runs": f"at most {tests}",
        "runs": f"at most {len(trials) + tests}",
        "steps": facts["steps"] * (1 + len(tuning.budgets)) + sum(run.max_iter for run in trials),
        "seconds": facts["seconds"] * (1 + len(tuning.budgets)) + sum(run.time_limit for run in trials),
        "memory": facts["memory"] + 8 * 4 * TRACE_ROWS * more,
    }


def studies_of(config: Config, plan: Plan) -> list[Study]:
    """Studies of a plan's cells, in order; a cell of which nothing is searched has none.

    Raises
    ------
    ConfigError
        A tuning seed is a test seed, a hyperparameter is of no optimizer of the plan or cannot have its range, the
        criterion needs what a problem does not have, two cells differ in nothing but what is searched.
    """
    tuning = config.tuning
    assert tuning is not None
    errors = dict.fromkeys(f"{config.file}: {error}" for error in _errors(tuning, plan))
    values, studies, seen = points(tuning), list[Study](), dict[Any, Labels]()
    for cell in plan.cells:
        run = cell.runs[0]
        names = _names(tuning, run)
        if not names:
            continue
        study = Study("", cell.labels, cell.runs, {name: values[name] for name in names})
        twin = study.runs(1, [0])[0]
        if twin in seen:
            these = f"{seen[twin].optimizer} and {cell.labels.optimizer} on {cell.labels.problem}"
            errors[f"{config.file}: tuning: {these} differ in nothing but what is searched: keep one"] = None
        seen.setdefault(twin, cell.labels)
        studies.append(study._replace(id=_hash(_settings(tuning, study))))
    if not studies and not errors:
        errors[f"{config.file}: tuning: no optimizer has anything to search"] = None
    if errors:
        raise ConfigError([*errors])
    return studies


def _errors(tuning: Tuning, plan: Plan) -> Iterator[str]:
    """Why a plan cannot be tuned so."""
    both = sorted({run.seed for run in plan.runs}.intersection(tuning.seeds))
    if both:
        yield f"tuning.seeds: seed {both[0]} is a test seed as well: a trial may not see what it is tested on"
    keys = {name: keys_of("optimizer", name) for name in dict.fromkeys(run.optimizer for run in plan.runs)}
    searched = {
        name for run in dict.fromkeys(replace(run, seed=0) for run in plan.runs) for name in _names(tuning, run)
    }
    for name in tuning.parameters:
        owners, span = [optimizer for optimizer, each in keys.items() if name in each], dict(tuning.ranges)[name]
        if not owners and tuning.parameters not in (USUAL, tuple(dict(tuning.ranges))):
            known = set().union(*keys.values())
            yield f"tuning.parameters: {unknown('hyperparameter of these optimizers:', name, known)}"
        elif name not in searched and span != RANGES.get(name):
            yield f"tuning.ranges: the range of {name} does nothing: no optimizer here has it searched"
        for optimizer in owners:
            for end in (span.low, span.high):
                try:
                    keys[optimizer][name].check(end)
                except ValueError as error:
                    yield f"tuning.ranges: {optimizer}: {error}"
    for run in {(run.problem, run.settings, run.targets): run for run in plan.runs}.values():
        yield from _unmeasured(tuning, run)


def _unmeasured(tuning: Tuning, run: Run) -> Iterator[str]:
    """Why runs on a problem cannot be judged by the criterion."""
    problem = harness.problem_of(run.problem, run.settings)
    if tuning.criterion == "time_to_target":
        if tuning.target not in run.targets:
            yield f"tuning.target: {tuning.target:g} is none of the targets of {run.problem}"
        if problem.reference is None and problem.constraints is None:
            yield f"tuning.criterion: {run.problem} has no known minimum for time_to_target"
    elif tuning.criterion.startswith("val"):
        if problem.validation is None or problem.measure is None:
            yield f"tuning.criterion: {run.problem} has no held-out samples for {tuning.criterion}"
        elif np.isnan(evaluation.evaluate_measure(problem, problem.x0)[int(tuning.criterion == "val_accuracy")]):
            yield f"tuning.criterion: {run.problem} has no classes for {tuning.criterion}"


def _names(tuning: Tuning, run: Run) -> tuple[str, ...]:
    """Hyperparameters of a run that are searched."""
    return tuning.searched(run.optimizer, searches(run.optimizer, dict(run.params)))


def _settings(tuning: Tuning, study: Study) -> dict[str, Any]:
    """What makes a study what it is, budgets aside: a larger one goes on with the trials of a smaller."""
    facts = tuning._asdict()
    del facts["budgets"]
    spans = dict(facts.pop("ranges"))
    count = {"count": tuning.budgets[-1]} if tuning.mode == "grid" else {}
    searched = {name: spans[name] for name in study.values}
    return {**facts, **count, "parameters": [*searched], "ranges": searched, "cell": asdict(study.runs(0, [0])[0])}


def _hash(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:20]


def _trial_plan(studies: Sequence[Study], tuning: Tuning, plan: Plan) -> tuple[Plan, list[Trial]]:
    labels, rows = dict[Run, Labels](), list[Trial]()
    for study in studies:
        for number in range(tuning.budgets[-1] + 1):
            for run in study.runs(number, tuning.seeds):
                labels.setdefault(run, _named(study.labels, f"trial {number}" if number else ""))
                rows.append(Trial(study.id, "trial", 0, number, run.key))
    return _planned(labels, plan), rows


def _test_plan(
    studies: Sequence[Study], tuning: Tuning, plan: Plan, path: str | os.PathLike[str]
) -> tuple[Plan, list[Trial]]:
    """Runs of the plan, which are the defaults, and of the winners."""
    results = load(path)
    trials = results.trials[results.trials["study"].isin([study.id for study in studies])]
    medians = tuned.scores(tuned.judged(results.runs, results.hits, trials))
    labels, rows = dict(plan.labels), list[Trial]()
    for study in studies:
        mine, seeds = medians.loc[[study.id]].droplevel(0), [run.seed for run in study.tests]
        rows += [Trial(study.id, "default", 0, 0, run.key) for run in study.tests]
        for budget in tuning.budgets:
            number = tuned.best_trial(mine, budget)
            for run in study.runs(number, seeds):
                labels.setdefault(run, _named(study.labels, f"tuned {budget}"))
                rows.append(Trial(study.id, "tuned", budget, number, run.key))
    return _planned(labels, plan), rows


def _named(labels: Labels, text: str) -> Labels:
    return labels._replace(optimizer=f"{labels.optimizer} {text}") if text else labels


def _planned(labels: dict[Run, Labels], plan: Plan) -> Plan:
    return Labelled(tuple(labels), plan.repeats, plan.load, plan.n, plan.memory, plan.skipped, labels)
