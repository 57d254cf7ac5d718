"""What the command line shows of a tuned matrix."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from optbench.store import Results
    from optbench.tuning import Done

MOST = 40  # cells that are shown
UNITS = {"final_loss": "final loss", "val_loss": "held-out loss", "val_accuracy": "held-out accuracy"}
END = 0.02  # of a range, within which a value is said to lie at its end


def summary(done: Done, results: Results, full: bool) -> int:
    """Print tuned beside default, places by budget, the cost; the number of runs that failed in a way to be seen."""
    from optbench import console, tuned

    trials = done.of(results.trials)
    studied = set(trials["run"])
    others = [run for run in done.plan.runs if run.key not in studied]
    compared = tuned.comparison(results.runs, results.hits, _with_others(trials, done, others))
    studies = list(dict.fromkeys(compared["study"]))
    shown = _beside(compared[compared["study"].isin(studies if full else studies[:MOST])], trials)
    console.show_table(f"Tuned beside default: {_meaning(compared)}", shown, group="problem")
    if shown["winner"].str.contains("*", regex=False).any():
        click.echo("* at an end of its range")
    if others:
        names = dict.fromkeys(done.plan.optimizer_label(run) for run in others)
        click.echo(f"nothing to search: {', '.join(names)}")
    if len(studies) > MOST and not full:
        click.echo(f"... and {len(studies) - MOST} more cells (--full)")
    placed = tuned.places(compared[compared["study"].isin(done.studies)])
    if len(placed) > 1:
        console.show_table("Mean place by tuning budget", _placed(placed))
    _print_cost(tuned.cost(results.runs, results.hits, trials), done)
    failed = _print_trials(results.runs.loc[results.runs.index.isin(trials.loc[trials["role"] == "trial", "run"])])
    return failed + console.outcome_of(results.runs.loc[[run.key for run in done.plan.runs]], done.outcome)


def _with_others(trials: pd.DataFrame, done: Done, others: list[Any]) -> pd.DataFrame:
    """Rows of `trials`, and the test runs of cells without anything to search as if they were defaults of studies."""
    import pandas as pd

    cells = {run: f"others {k}" for k, cell in enumerate(done.plan.cells) for run in cell.runs}
    rows = [{"study": cells[run], "run": run.key} for run in others]
    made = pd.DataFrame(rows, columns=["study", "run"], dtype="str")
    made = made.assign(role="default", budget=0, number=0, settings=trials["settings"].iloc[0])
    return pd.concat([trials, made], ignore_index=True) if rows else trials


def _meaning(compared: pd.DataFrame) -> str:
    from optbench import stats

    criterion, target = compared["criterion"].iloc[0], stats.target_text(compared["target"].iloc[0])
    what = {**UNITS, "time_to_target": f"iterations to {target}"}[criterion]
    if criterion == "final_loss" and compared["constrained"].any():
        what = "KKT residual" if compared["constrained"].all() else "final loss, under constraints KKT residual,"
    seeds = int(compared["tests"].max())
    spread = f"median {what} [quartiles] on {seeds} test seeds" if seeds > 1 else f"{what} on one test seed"
    told = "" if criterion == "time_to_target" else f"iterations to {target} and "
    more = f"; {told}how many met it, default / tuned {compared['budget'].max()}"
    return spread + (more if compared["target"].notna().any() else "")


def _beside(compared: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """One row a cell, the budgets side by side."""
    import pandas as pd

    from optbench import console, stats

    names = ["problem", "optimizer", "schedule", *(n for n in ("clip", "batch") if compared[n].nunique() > 1)]
    first = compared.drop_duplicates("study").set_index("study")
    numbers = sorted(set(compared["budget"].tolist()))
    budgets = {k: compared[compared["budget"] == k].set_index("study").reindex(first.index) for k in numbers}
    last, ends = max(budgets), (budgets[min(budgets)], budgets[max(budgets)])
    table: dict[str, Any] = {name: first[name] for name in names}
    for budget, rows in budgets.items():
        table[f"tuned {budget}" if budget else "default"] = _scores(rows, quartiles=budget == last)
    if compared["target"].notna().any():
        target = stats.target_text(compared["target"].iloc[0])
        if not (compared["criterion"] == "time_to_target").any():
            table[f"to {target}"] = _change(*ends, "iterations", console.count)
        table[f"met {target}"] = _change(*ends, "success", _share)
    settings = {study: json.loads(text) for study, text in trials.groupby("study")["settings"].first().items()}
    rows = budgets[last]
    table["winner"] = pd.Series(
        [_winner(row, settings[study]) if study in settings else "" for study, row in rows.iterrows()],
        rows.index,
        "str",
    )
    return pd.DataFrame(table)


def _scores(rows: pd.DataFrame, quartiles: bool) -> pd.Series[str]:
    """Text of the scores of one budget, of which a row without any has none."""
    from optbench import console

    criterion = rows["criterion"].dropna().iloc[0]
    sign, text = (-1 if criterion == "val_accuracy" else 1), console.number
    if criterion == "time_to_target":
        text = console.count
    parts = {name: (sign * rows[name]).map(text) for name in ("score", "low", "high")}
    made = parts["score"]
    if quartiles:
        low, high = (parts["low"], parts["high"])[::sign]
        made = (made + " [" + low + ", " + high + "]").where((rows["tests"] > 1) & (low != high), made)
    return made.where(rows["tests"].notna(), "")


def _change(before: pd.DataFrame, after: pd.DataFrame, name: str, text: Any) -> pd.Series[str]:
    """Text of a measure of the defaults and of the winners, these where there are any."""
    return before[name].map(text) + (" / " + after[name].map(text)).where(after["tests"].notna(), "")


def _share(value: float) -> str:
    return "?" if value != value else f"{value:.0%}"


def _winner(row: pd.Series[Any], settings: dict[str, Any]) -> str:
    """All that was searched, with the values that won."""
    from optbench.search import Span

    if not row["trial"]:
        return "default"
    values, parts = {**json.loads(row["params"]), "lr": row["lr"]}, []
    for name, span in settings["ranges"].items():
        inside = END < Span(*span).place(values[name]) < 1.0 - END
        parts.append(f"{name}={values[name]:.4g}{'' if inside else '*'}")
    return " ".join(parts)


def _placed(placed: pd.DataFrame) -> pd.DataFrame:
    return placed.map("{:.1f}".format).reset_index()


def _print_cost(cost: pd.DataFrame, done: Done) -> None:
    runs, iterations = int(cost["runs"].sum()), cost["iterations"].sum()
    seconds = f", {done.trials.count_seconds:.1f} s" if done.trials is not None and done.trials.done else ""
    each = cost["iterations"]
    click.echo(
        f"tuning: {len(cost)} cells, {runs} runs, {iterations:.3g} iterations{seconds}; "
        f"iterations a cell: {each.min():.3g} to {each.max():.3g}, median {each.median():.3g}"
    )


def _print_trials(made: pd.DataFrame) -> int:
    """Print what came of the trials; the number of those that failed in a way the user must see."""
    from optbench import console

    click.echo("trials: " + ", ".join(f"{count} {status}" for status, count in made["status"].value_counts().items()))
    failed = made[made["status"].isin(["error", "crashed"])]
    for key, row in failed.head(console.TOP).iterrows():
        click.echo(f"failed: {key} {row['label']} on {row['problem']}: {row['message']}", err=True)
    return len(failed)


def save_plots(done: Done, results: Results, path: Path) -> None:
    """Save the figures of a matrix: the two usual ones, or for a tuned one that of its mode; print the files.

    One that does not apply to the runs is left out, with the reason.
    """
    from optbench import plots
    from optbench.cli.results import drawn_or_not

    runs = results.runs.loc[[run.key for run in done.plan.runs]]
    kinds: dict[str, Any] = dict.fromkeys(("convergence", "heatmap"), runs)
    if done.trials is not None:
        mine = done.of(results.trials)
        grid = mine["settings"].str.contains('"mode": "grid"', regex=False).all()
        every = results.runs.loc[results.runs.index.isin(mine["run"])]
        kinds = {"lr_sensitivity" if grid else "tuning_budget": every}
    figures, reasons = drawn_or_not(
        {kind: functools.partial(plots.KINDS[kind], shown, results) for kind, shown in kinds.items()}
    )
    for kind, figure in figures.items():
        click.echo(f"plot:    {plots.save(figure, path.with_name(f'{path.stem}-{kind}.png'))}")
    for line in reasons:
        click.echo(f"no plot: {line}")
