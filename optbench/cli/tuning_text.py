"""What the command line shows of a tuned matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from optbench.store import Results
    from optbench.tuning import Done

MOST = 40  # cells that are shown
UNITS = {"final_loss": "final loss", "time_to_target": "iterations", "val_loss": "held-out loss"}


def summary(done: Done, results: Results, full: bool) -> int:
    """Print tuned beside default, places by budget, the cost; the number of runs that failed in a way to be seen."""
    from optbench import console, tuned

    trials = done.of(results.trials)
    compared = tuned.comparison(results.runs, results.hits, trials)
    studies = list(dict.fromkeys(compared["study"]))
    shown = compared[compared["study"].isin(studies if full else studies[:MOST])]
    console.show_table(f"Tuned beside default: {_meaning(compared)}", _beside(shown), group="problem")
    if len(studies) > MOST and not full:
        click.echo(f"... and {len(studies) - MOST} more cells (--full)")
    placed = tuned.places(compared)
    if len(placed) > 1:
        console.show_table("Mean place by tuning budget", _placed(placed))
    _print_cost(tuned.cost(results.runs, results.hits, trials), done)
    made = results.runs.loc[results.runs.index.isin(trials.loc[trials["role"] == "trial", "run"]), "status"]
    click.echo("trials: " + ", ".join(f"{count} {status}" for status, count in made.value_counts().items()))
    return console.outcome_of(results.runs.loc[[run.key for run in done.plan.runs]], done.outcome)


def _meaning(compared: pd.DataFrame) -> str:
    from optbench import stats

    criterion, target = compared["criterion"].iloc[0], stats.target_text(compared["target"].iloc[0])
    what = {**UNITS, "time_to_target": f"iterations to {target}", "val_accuracy": "held-out accuracy"}[criterion]
    return f"median {what} on the test seeds, and how many met {target}"


def _beside(compared: pd.DataFrame) -> pd.DataFrame:
    """One row a cell, the budgets side by side."""
    import pandas as pd

    from optbench import console

    accuracy = (compared["criterion"] == "val_accuracy").iloc[0]
    text = console.count if (compared["criterion"] == "time_to_target").iloc[0] else console.number
    names = ["problem", "optimizer", "schedule", *(n for n in ("clip", "batch") if compared[n].nunique() > 1)]
    wide = compared.pivot(index="study", columns="budget", values=["score", "success", "lr", "trial"])
    wide = wide.loc[list(dict.fromkeys(compared["study"]))]
    first = compared.drop_duplicates("study").set_index("study")
    table = {name: first[name] for name in names}
    budgets = sorted(set(compared["budget"]))
    headings = {budget: f"tuned {budget}" if budget else "default" for budget in budgets}
    for budget, heading in headings.items():
        table[heading] = (wide["score"][budget] * (-1 if accuracy else 1)).map(text)
    for budget in (budgets[0], budgets[-1]):
        table[f"met, {headings[budget]}"] = wide["success"][budget].map("{:.0%}".format)
    table["lr, default"] = wide["lr"][budgets[0]].map("{:.3g}".format)
    table[f"lr, {headings[budgets[-1]]}"] = wide["lr"][budgets[-1]].map("{:.3g}".format)
    return pd.DataFrame(table)


def _placed(placed: pd.DataFrame) -> pd.DataFrame:
    return placed.map("{:.1f}".format).reset_index()


def _print_cost(cost: pd.DataFrame, done: Done) -> None:
    runs, iterations = int(cost["runs"].sum()), cost["iterations"].sum()
    seconds = f", {done.trials.count_seconds:.1f} s" if done.trials is not None else ""
    each = cost["iterations"]
    click.echo(
        f"tuning: {len(cost)} cells, {runs} runs, {iterations:.3g} iterations{seconds}; "
        f"iterations a cell: {each.min():.3g} to {each.max():.3g}, median {each.median():.3g}"
    )


def save_plots(done: Done, results: Results, path: Path) -> list[Path]:
    """Save the figures of a matrix: the two usual ones, or for a tuned one that of its mode."""
    from optbench import plots

    runs = results.runs.loc[[run.key for run in done.plan.runs]]
    kinds: dict[str, Any] = dict.fromkeys(("convergence", "heatmap"), runs)
    if done.trials is not None:
        mine = done.of(results.trials)
        grid = mine["settings"].str.contains('"mode": "grid"', regex=False).all()
        every = results.runs.loc[results.runs.index.isin(mine["run"])]
        kinds = {"lr_sensitivity" if grid else "tuning_budget": every}
    files = []
    for kind, shown in kinds.items():
        target = path.with_name(f"{path.stem}-{kind}.png")
        plots.save(plots.KINDS[kind](shown, results), target)
        files.append(target)
    return files
