"""Short names of runs for tables and plots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from optbench.entries import batch_text, keys_of, resolved
from optbench.outcome import Run
from optbench.registry import UnknownName, search_of


class Labels(NamedTuple):
    """Short names of a run's factors for tables and plots."""

    problem: str
    optimizer: str
    schedule: str
    clip: str
    batch: str


def labels_of(runs: Iterable[Run]) -> dict[Run, Labels]:
    """Labels of runs that are shown together.

    A name is followed by the settings that differ from their defaults or that vary while the other factors stay; the
    learning rate only if it varies so. A rate that an override sets for one problem therefore does not split an
    optimizer in two. Labels tell any two runs of one problem apart, but for the seed and the budget.
    """
    runs = list(runs)
    table = {
        "problem": _named(runs, "problem", lambda r: r.settings, lambda r: ()),
        "optimizer": _named(
            runs,
            "optimizer",
            lambda r: (("lr", r.lr), *r.params, ("decay_bias", r.decay_bias)),
            lambda r: (r.problem, r.settings, *_scheduled(r), _clip(r), _batch(r)),
        ),
        "schedule": _named(
            runs,
            "schedule",
            lambda r: (*r.schedule_params, ("warmup", r.warmup), ("warmup_start", r.warmup_start)),
            lambda r: (r.problem, r.settings, r.optimizer, r.params, _clip(r), _batch(r)),
        ),
        "clip": {run: _clip(run) for run in runs},
        "batch": {run: _batch(run) for run in runs},
    }
    for run in runs:
        if search := _search(run):
            table["schedule"][run] = search
    return {run: Labels(*(table[factor][run] for factor in Labels._fields)) for run in runs}


def _named(
    runs: Sequence[Run],
    factor: str,
    settings: Callable[[Run], tuple[tuple[str, Any], ...]],
    others: Callable[[Run], Any],
) -> dict[Run, str]:
    """Name and telling settings of one factor for every run; `others` is what must stay for a setting to vary."""
    seen, shown = defaultdict[Any, set[Any]](set), defaultdict[str, set[str]](set)
    for run in runs:
        name = getattr(run, factor)
        usual = _usual(factor, name, max(1, run.max_iter - run.warmup))
        for key, value in settings(run):
            values = seen[name, key, others(run)]
            values.add(value)
            if len(values) > 1 or (key != "lr" and key in usual and value != usual[key]):
                shown[name].add(key)
    labels = {}
    for run in runs:
        name = getattr(run, factor)
        telling = (f"{key}={text_of(value)}" for key, value in settings(run) if key in shown[name])
        labels[run] = " ".join((name, *telling))
    return labels


def _usual(factor: str, name: str, n_steps: int) -> dict[str, Any]:
    """Defaults, or nothing when the name is not registered here (a result from another machine)."""
    try:
        keys = keys_of(factor, name)
    except UnknownName:
        return {}
    return {key: resolved(item.check(item.default), n_steps) for key, item in keys.items() if item.default is not ...}


def _scheduled(run: Run) -> tuple[Any, ...]:
    return run.schedule, run.schedule_params, run.warmup, run.warmup_start


def _search(run: Run) -> str | None:
    """What sets the step in the place of a schedule, or None; None also for a method that is not registered here."""
    try:
        search = search_of(run.optimizer, dict(run.params))
    except UnknownName:
        return None
    return {"none": None, "trust": "trust_region", "merit": "merit_function"}.get(search, "line_search")


def _clip(run: Run) -> str:
    return run.clip if run.clip == "none" else f"{run.clip} {text_of(run.clip_at)}"


def _batch(run: Run) -> str:
    return batch_text(run.batch_size, run.batch_order, run.drop_last)


def text_of(value: Any) -> str:
    """Write a value the short way that still reads back as it is."""
    if isinstance(value, tuple):
        return ",".join(map(text_of, value))
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
