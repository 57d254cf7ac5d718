"""What the command line shows: progress and tables, for a terminal or for a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from optbench.plan import Plan
    from optbench.runner import Outcome
    from optbench.store import Results

STAGES = {"compile": "compiling", "tune": "tuning", "run": "running", "time": "timing"}
TOP = 10  # rows of the ranking that are shown
WIDTH = 180  # of tables that do not go to a terminal
ENDS = {"fun": "loss at end", "val_loss": "held-out loss", "val_accuracy": "held-out accuracy"}


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress: a live bar with the time left on a terminal, else a plain line for every tenth of a stage."""
    if not sys.stderr.isatty():
        yield _plain_lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES[stage], total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield show


def _plain_lines() -> Callable[[str, int, int], None]:
    told: dict[str, int] = {}

    def tell(stage: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > told.get(stage, -1):
            told[stage] = tenth
            click.echo(f"{STAGES[stage]} {done}/{total}", err=True)

    return tell


def settings(kind: str, item: Any) -> list[tuple[str, str]]:
    """Names of the settings of a registered item, with their defaults and what they take, as text."""
    from optbench.records import Budget, fields

    if kind == "problem":
        return [(key, repr(value)) for key, value in item.defaults().items()] or [("(none)", "")]
    rows = [("lr", repr(item.lr))] if kind == "optimizer" else []
    for field in fields(item.params):
        text = "required" if field.default is ... else repr(field.default)
        if isinstance(field.default, Budget):
            text = f"{field.default.fraction:g} of the steps"
        rows.append((field.name, text + (f"   one of {', '.join(field.choices)}" if field.choices else "")))
    return rows or [("(none)", "")]


def summary(plan: Plan, results: Results, outcome: Outcome, full: bool) -> int:
    """Print the tables of a plan's runs; the number of runs that failed in a way the user must see."""
    from optbench import stats

    keys = [run.key for run in plan.runs]
    runs = results.runs.loc[keys]
    hits = results.hits[results.hits["run"].isin(keys)]
    cells = stats.summary(runs, hits)
    shown = cells if full else _best_schedules(cells)
    note = "" if full else ": each optimizer with the schedule that did best (--full: every schedule)"
    show_table(f"Median iterations and time to each accuracy{note}", accuracy(shown), group="problem")
    try:
        _print_ranking(stats.ranking(runs, hits), full)
    except ValueError as error:  # no problem with a known minimum
        click.echo(f"no ranking: {error}")
    return outcome_of(runs, outcome)


def outcome_of(runs: pd.DataFrame, outcome: Outcome) -> int:
    """Print what came of the runs; the number of those that failed in a way the user must see."""
    _print_outcome(runs, outcome)
    failed = runs[runs["status"].isin(["error", "crashed"])]
    for key, row in failed.head(TOP).iterrows():
        click.echo(f"failed: {key} {row['label']} on {row['problem']}: {row['message']}", err=True)
    return len(failed)


def _targets(cells: pd.DataFrame) -> list[str]:
    return [name.removeprefix("iterations ") for name in cells.columns if name.startswith("iterations ")]


def _best_schedules(cells: pd.DataFrame) -> pd.DataFrame:
    """Of every problem, optimizer, clipping and batch the row with the fewest iterations to the smallest target it met.

    Where no schedule met any, or the minimum is unknown, the one with the lowest loss at the end.
    """
    order = [f"iterations {target}" for target in reversed(_targets(cells))]
    ranked = cells.sort_values([*order, "gap", "fun"], kind="stable")
    names = [name for name in ("problem", "optimizer", "clip", "batch") if name in cells]
    best = ranked.groupby(names, sort=False).head(1)
    problems = {name: k for k, name in enumerate(dict.fromkeys(cells["problem"]))}
    return best.sort_values("problem", key=lambda column: column.map(problems), kind="stable")


def accuracy(cells: pd.DataFrame) -> pd.DataFrame:
    """Text of a table of `optbench.stats.summary`: what a cell needed, how often it got there, how it ended."""
    import pandas as pd

    names = [name for name in ("problem", "optimizer", "schedule", "clip", "batch") if name in cells]
    table = {name: cells[name] for name in names}
    targets, several = _targets(cells), bool((cells["runs"] > 1).any())
    for target in targets:
        table[f"to {target}"] = cells[f"iterations {target}"].map(count)
    if targets:
        last = targets[-1]
        if several:
            table[f"to {last}"] = spread(cells, "iterations{}" + f" {last}", count)
            table[f"ERT {last}"] = cells[f"ert_iterations {last}"].map(count)
        if "batch" in cells and cells[f"epochs {last}"].notna().any():
            table[f"epochs to {last}"] = cells[f"epochs {last}"].map(number)
        for target in targets[-1 if several else -2 :]:  # the spread over seeds takes the room of one
            table[f"time to {target}"] = cells[f"seconds {target}"].map(duration)
        met = cells[f"success {last}"] * cells["runs"]
        table[f"met {last}"] = met.map("{:.0f}/".format).replace("nan/", "?/") + cells["runs"].astype(str)
    if cells["gap"].notna().any():
        table["gap at end"] = cells["gap"].map("{:.1e}".format)
    held_out = [name for name in ("val_loss", "val_accuracy") if cells[name].notna().any()]
    for name in [*(["fun"] if held_out or cells["gap"].isna().any() else []), *held_out]:
        table[ENDS[name]] = spread(cells, name + "{}", number) if several else cells[name].map(number)
    return pd.DataFrame(table)


def _print_ranking(ranking: pd.DataFrame, full: bool) -> None:
    """Print a table for every set of problems: places among different ones do not compare."""
    from optbench.stats import target_text

    text = ranking[[name for name in ("optimizer", "schedule", "clip", "batch") if name in ranking]].copy()
    for on, name in {"epochs": "epochs", "iterations": "iterations", "seconds": "time"}.items():
        if f"rank_{on}" in ranking:
            text[f"mean rank ({name})"] = ranking[f"rank_{on}"].map("{:.1f}".format).replace("nan", "?")
    text["solved"] = ranking["solved"].astype(str) + "/" + ranking["problems"].astype(str)
    text["runs that met it"] = ranking["success"].map("{:.0%}".format)
    title = f"Ranking to {target_text(ranking.attrs['target'])}: mean place over starts and "
    for number, frame in text.groupby(ranking["problem_set"]):
        problems = int(ranking.loc[ranking["problem_set"] == number, "problems"].iloc[0])
        show_table(f"{title}{problems} problem{'s' * (problems > 1)}", frame if full else frame.head(TOP))
        if len(frame) > TOP and not full:
            click.echo(f"... and {len(frame) - TOP} more (--full)")


def count(value: float) -> str:
    """Text of a number of iterations: ``?`` where it is not known, ``-`` where it is infinite."""
    return "?" if value != value else "-" if value == float("inf") else f"{value:.0f}"


def number(value: float) -> str:
    """Text of a loss."""
    return "?" if value != value else "-" if value == float("inf") else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Text of a time, with its unit."""
    if seconds != seconds or seconds == float("inf"):
        return "?" if seconds != seconds else "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def spread(frame: pd.DataFrame, column: str, text: Callable[[float], str], middle: str = "") -> pd.Series[str]:
    """Text ``median [q25, q75]`` of columns: of `column` with ``_q25``, `middle`, ``_q75`` for its braces."""
    low, median, high = (frame[column.format(part)].map(text) for part in ("_q25", middle, "_q75"))
    return (median + " [" + low + ", " + high + "]").where((median != "?") & ((median != "-") | (low != "-")), median)


def _print_outcome(runs: pd.DataFrame, outcome: Outcome) -> None:
    counts = ", ".join(f"{count} {status}" for status, count in runs["status"].value_counts().items())
    click.echo(f"{len(runs)} runs: {counts}")
    parts = [f"{outcome.done} run now", f"{outcome.kept} kept from before"]
    if outcome.outdated:
        parts.append(f"{outcome.outdated} of the former again, because their code or data changed")
    click.echo("; ".join(parts))
    click.echo(
        f"kernels: {outcome.compiled} compiled, {outcome.compile_seconds:.1f} s to compile and load; "
        f"counting {outcome.count_seconds:.1f} s; timing {outcome.time_seconds:.1f} s"
    )


def show_table(title: str, frame: pd.DataFrame, group: str | None = None) -> None:
    """Print a table, as wide as the terminal or as it has to be; a rule wherever the column `group` changes."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for k, name in enumerate(frame.columns):
        label = k < 2 or name in ("schedule", "clip", "batch", "verdict")
        table.add_column(str(name), justify="left" if label else "right", overflow="fold")
    former = None
    for row in frame.to_dict("records"):
        key = row.get(group) if group else None
        if key is not None and key == former:
            row[group] = ""
        elif former is not None:
            table.add_section()
        former = key
        table.add_row(*(str(value) for value in row.values()))
    # Labels and intervals have brackets, which are no markup here.
    Console(width=None if sys.stdout.isatty() else WIDTH, markup=False).print(table)
