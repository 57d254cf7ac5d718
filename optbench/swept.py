"""Which settings runs have, which of them a sweep varies, and what the runs of one curve are called.

A setting has a full name: ``optimizer.lr``, ``schedule.gamma``, ``problem.n``, ``batch_size``, ``clip_norm``,
``clip_value``, ``max_iter``, ``max_epochs``. Where nothing else is called so, its last part is enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from optbench import stats
from optbench.entries import keys_of, resolved
from optbench.labels import labels_of, text_of
from optbench.outcome import Run
from optbench.registry import UnknownName
from optbench.single import batches_an_epoch, searches
from optbench.tables import run_of
from optbench.vary import resolve

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "runs",
    "success",
    "iterations",
    "epochs",
    "loss",
    "remaining",
    "val_loss",
    "val_accuracy",
    "diverged",
    "seconds",
)  # of `sweep_table`
_JSON = {"optimizer": "params", "schedule": "schedule_params", "problem": "settings"}
_PLAIN = {"optimizer": ("lr", "decay_bias"), "schedule": ("warmup", "warmup_start"), "problem": ()}


# ------------------------------------------------------------------------------------------------ values and curves


def settings(runs: pd.DataFrame) -> pd.DataFrame:
    """All settings of every run, a column each under its full name; missing where a run has no such setting.

    A full batch is the number of samples, no clipping a limit of infinity; vectors are tuples. ``max_epochs`` is
    ``max_iter`` in passes through the samples, of problems that have some.
    """
    import pandas as pd

    columns: dict[str, pd.Series[Any]] = {}
    for factor, column in _JSON.items():
        parsed = {text: json.loads(text) for text in runs[column].unique()}
        columns |= {f"{factor}.{name}": runs[name] for name in _PLAIN[factor]}
        for key in dict.fromkeys(key for each in parsed.values() for key in each):
            values = [_hashable(parsed[text].get(key)) for text in runs[column]]
            columns[f"{factor}.{key}"] = pd.Series(values, runs.index, dtype=object)
    for clip in ("norm", "value"):
        if (runs["clip"] == clip).any():
            limit = runs["clip_at"].mask(runs["clip"] == "none", np.inf)
            columns[f"clip_{clip}"] = limit.where(runs["clip"].isin([clip, "none"]))
    if (runs["batch_size"] > 0).any():
        columns["batch_size"] = runs["batch_size"].where(runs["batch_size"] > 0, runs["n_samples"])
    columns["max_iter"] = runs["max_iter"]
    if (runs["n_samples"] > 0).any():
        facts = ("n_samples", "batch_size", "drop_last")
        each = [batches_an_epoch(*row) for row in zip(*(runs[name].tolist() for name in facts), strict=True)]
        columns["max_epochs"] = (runs["max_iter"] / np.array(each)).where(runs["n_samples"] > 0)
    return pd.DataFrame(columns, index=runs.index)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def values_of(runs: pd.DataFrame, key: str) -> pd.Series[Any]:
    """Value of a setting in every run, index as in `runs`, missing where a run has no such setting.

    Raises
    ------
    UnknownName
        No run has such a setting; the message lists the known ones and the nearest match.
    ValueError
        The name means several settings.
    """
    table = settings(runs)
    return table[resolve(key, table.columns)].infer_objects()


def short(runs: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Names without the factor where nothing else about the runs, nor a column of a sweep's table, is called so."""
    last = [*(name.rpartition(".")[2] for name in settings(runs).columns), *COLUMNS, *stats.FACTORS]
    return [name.rpartition(".")[2] if last.count(name.rpartition(".")[2]) == 1 else name for name in names]


def varied(runs: pd.DataFrame) -> list[str]:
    """Names of the settings that vary while problem, optimizer and schedule stay, as `short` gives them."""
    table = settings(runs)
    # A setting that follows the budget by default is no choice of its own.
    groups = table.groupby([runs[name] for name in ("problem", "optimizer", "schedule")], sort=False, dropna=False)
    found = [name for name in table.columns if (groups[name].nunique() > 1).any()]
    follow = _follow(runs) if {"max_iter", "schedule.warmup"} & set(found) else set()
    found = [name for name in found if name not in {*follow, "max_epochs"}]
    others = [name for name in found if name != "max_iter"]
    if "max_iter" in found and others:  # a budget in epochs follows the size of a batch
        free = runs["max_iter"].groupby([runs["problem"], *(table[name] for name in others)], dropna=False).nunique()
        found = found if (free > 1).any() else others
    if "max_iter" in found and "max_epochs" in table and table["max_epochs"].nunique() < table["max_iter"].nunique():
        found[found.index("max_iter")] = "max_epochs"
    return short(runs, found)


def _follow(runs: pd.DataFrame) -> set[str]:
    """Schedule settings that are, in all runs, the default fraction of the budget."""
    names: dict[str, bool] = {}
    for _, row in runs.iterrows():
        run = run_of(row)
        usual = _usual(run)
        for key, value in run.schedule_params:
            names[key] = names.get(key, True) and usual.get(key) == value
    return {f"schedule.{key}" for key, always in names.items() if always}


def _usual(run: Run) -> dict[str, Any]:
    """Defaults of the schedule in that run; nothing for one that is not registered here."""
    try:
        keys = keys_of("schedule", run.schedule)
    except UnknownName:
        return {}
    steps = max(1, run.max_iter - run.warmup)
    return {key: resolved(item.check(item.default), steps) for key, item in keys.items() if item.default is not ...}


def curves(runs: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Short names of everything about a run but the swept settings and the seed: ``problem, optimizer, ...``.

    As `stats.labels`, index as in `runs`; the optimizer's tells its learning rate too.
    """
    import pandas as pd

    made = [run_of(row) for _, row in runs.iterrows()]
    bare = [_bare(run, keys) for run in made]
    labels, known = labels_of(bare), settings(runs)
    table = pd.DataFrame([labels[run] for run in bare], columns=list(stats.FACTORS), index=runs.index, dtype="str")
    if "optimizer.lr" not in keys:
        rates = [
            "" if _searches(run) or " lr=" in labels[b].optimizer else f" lr={text_of(run.lr)}"
            for run, b in zip(made, bare, strict=True)
        ]
        table["optimizer"] += rates
    if not any(name.startswith("problem.") for name in keys):
        sized = table["problem"].str.contains(" n=", regex=False)
        table["problem"] = table["problem"].where(sized, table["problem"] + " n=" + runs["n"].astype("str"))
    if "max_iter" not in keys:
        cells = [*(table[name] for name in stats.FACTORS), *(known[name] for name in keys)]
        several = runs["max_iter"].groupby(cells, dropna=False).transform("nunique") > 1
        longer = table["problem"] + " max_iter=" + runs["max_iter"].astype("str")
        table["problem"] = table["problem"].where(~several, longer)
    return table


def _searches(run: Run) -> bool:
    try:
        return searches(run.optimizer, dict(run.params))
    except UnknownName:
        return False


def _bare(run: Run, keys: Sequence[str]) -> Run:
    """The run without the swept settings, and without settings of its schedule that are the defaults."""
    usual = _usual(run)
    pairs: dict[str, Any] = {column: getattr(run, column) for column in _JSON.values()}
    pairs["schedule_params"] = tuple((key, value) for key, value in run.schedule_params if usual.get(key) != value)
    plain: dict[str, Any] = {"seed": 0}
    for name in keys:
        factor, _, key = name.rpartition(".")
        if factor and key not in _PLAIN[factor]:
            pairs[_JSON[factor]] = tuple(pair for pair in pairs[_JSON[factor]] if pair[0] != key)
        elif name.startswith("clip_"):
            plain |= {"clip": "none", "clip_at": 0.0}
        elif name == "max_epochs":
            plain["max_iter"] = 1
        else:
            plain[key] = {"decay_bias": True, "warmup_start": 1 / 3}.get(key, 1 if key == "max_iter" else 0)
            if key == "warmup":
                plain["warmup_start"] = 1 / 3  # of no meaning without a warm-up, which the sweep may begin with
    return replace(run, **pairs, **plain)
