"""``optbench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from optbench import console
from optbench.cli.filters import filtered
from optbench.cli.group import FOLDER, main, sentences

if TYPE_CHECKING:
    import pandas as pd

    from optbench.store import Results

COSTS = ("iterations", "epochs", "evaluations", "seconds")
NOISY = 0.1  # spread of the environment's fixed computation above which times are unreliable


class _Part(NamedTuple):
    """Tables of a results file with a part of its runs."""

    runs: pd.DataFrame
    hits: pd.DataFrame


@main.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "-r",
    "--results",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Results file with both optimizers; default: the newest in optbench-results.",
)
@click.option(
    "--target",
    type=float,
    help="Accuracy to reach; default: 1e-6 if a compared run met it, else the smallest that one did.",
)
@click.option(
    "--on", type=click.Choice([*COSTS, *console.ENDS]), default="iterations", show_default=True, help="What counts."
)
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only runs with this value, problem=beale.")
@click.option("--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True)
@click.option("--full", is_flag=True, help="With two files: every run that changed, not only the first ten.")
def compare(a: str, b: str, results: Path | None, where: tuple[str, ...], full: bool, **options: Any) -> None:
    """Compare optimizers A and B of one results file, or results files A and B.

    An optimizer is a label or a name, alone or with a schedule: adam, adam/cosine. Both are compared seed by seed on
    what they have in common.

    Two files are compared run by run: what needs more or fewer iterations, what fails now, how the times changed, and
    how the environments differ. A file keeps the last result of a run only, so that to compare two commits each must
    have written a file of its own.
    """
    with sentences():
        from optbench.store import load

        files = [Path(name) for name in (a, b) if Path(name).is_file()]
        if len(files) == 2:
            if results is not None:
                raise ValueError("-r goes with two optimizers, not with two results files")
            old, new = ((path, load(path)) for path in files)
            _files(old, new, where, full, **options)
            return
        for name in (a, b):
            if (files or Path(name).suffix == ".db") and not Path(name).is_file():
                raise ValueError(f"A and B are two results files or two optimizers: there is no file {name!r}")
        path = results or _newest()
        _optimizers(path, load(path), a, b, where, **options)


def _newest() -> Path:
    found = sorted(FOLDER.glob("*.db"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError(f"there are no results in {FOLDER}: name a results file with -r")
    return found[-1]


# ----------------------------------------------------------------------------------------------- two optimizers


def _optimizers(
    path: Path, found: Results, a: str, b: str, where: tuple[str, ...], target: float | None, on: Any, alpha: float
) -> None:
    from optbench import stats, tuned

    runs, tables = filtered(found.runs, where), {"hits": found.hits}
    if len(found.trials):
        runs, tables = tuned.side_by_side(runs, tables, found.trials)
    table = stats.compare(_Part(runs, **tables), a, b, target=target, on=on, alpha=alpha)
    told = table.attrs["target"]
    console.show_table(
        f"{a} (A) and {b} (B) in {path}: {console.ENDS[on] if told is None else f'{on} to {stats.target_text(told)}'}",
        _pairs_table(table, _text_of(on), told is None),
        group="problem",
    )
    click.echo(_footnote(table, told is None))
    for line in _mixed(found, table.attrs["invocations"]):
        click.echo(line)
    click.echo(f"overall: {stats.overall(table)['verdict']}")


def _text_of(on: str) -> Any:
    return console.duration if on == "seconds" else console.number if on in console.ENDS else console.count


def _pairs_table(table: pd.DataFrame, text: Any, difference: bool) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {name: table[name] for name in ("problem", "schedule", "clip", "batch") if name in table}
    columns["n"] = table["pairs"]
    for side in "ab":
        columns[side.upper()] = console.spread(table, side + "{}", text, "_median")
    columns["B - A" if difference else "B / A"] = [
        _interval(*row) for row in table[["effect", "effect_low", "effect_high"]].to_numpy()
    ]
    columns["A/tie/B better"] = table[["a_better", "ties", "b_better"]].astype(str).agg("/".join, axis=1)
    for name in ("p", "p_corrected"):
        columns[name.replace("_", " ")] = table[name].map("{:.2g}".format)
    return pd.DataFrame({**columns, "verdict": table["verdict"]})


def _interval(middle: float, low: float, high: float) -> str:
    return "?" if middle != middle else f"{middle:.3g}" + ("" if low != low else f" [{low:.3g}, {high:.3g}]")


def _footnote(table: pd.DataFrame, difference: bool) -> str:
    from optbench.stats import smallest_p
    from optbench.stats.paired import EXACT

    alpha, fewest = table.attrs["alpha"], int(table["pairs"].min())
    effect = "B - A" if difference else "B / A"
    covers = 1 - float(smallest_p(fewest))
    small = f", which covers {100 * covers:.0f} % at most where n={fewest}" if covers < 1 - alpha else ""
    exact = "exact " if table["pairs"].max() <= EXACT else ""
    return (
        f"Medians [quartiles] over n seeds; median {effect} over pairs [{100 * (1 - alpha):g} % bootstrap "
        f"interval{small}]; p of the {exact}signed-rank test, corrected for {len(table)} rows after Holm."
    )


def _mixed(found: Results, numbers: list[int]) -> list[str]:
    """Lines that say so where the runs come from several environments."""
    from optbench.environment import differences

    records = [found.environments[number] for number in numbers]
    mixed = differences(records[:1], records)
    note = f"note: these runs come from {len(numbers)} invocations in different environments:"
    return [note, *(f"  {key}: {', '.join(values)}" for key, (_, values) in mixed.items())] if mixed else []


# --------------------------------------------------------------------------------------------- two results files


def _files(
    old: tuple[Path, Results],
    new: tuple[Path, Results],
    where: tuple[str, ...],
    full: bool,
    target: float | None,
    on: Any,
    alpha: float,
) -> None:
    from optbench import stats

    if on in console.ENDS:
        raise ValueError(f"results files are compared by a cost, --on {', '.join(COSTS)}, not by {on}")
    sides = [_Part(filtered(found.runs, where), found.hits) for _, found in (old, new)]
    pairs = stats.matched(*sides, target=target, on=on)
    table = stats.by_problem(pairs, alpha)
    for line in _environments(old, new, sides):
        click.echo(line)
    told = pairs.attrs["target"]
    goal = "no targets" if told is None else f"{on} to {stats.target_text(told)}"
    console.show_table(f"{old[0]} (A) and {new[0]} (B), run by run: {goal}", _changes_table(table))
    _print_changed(pairs[~pairs["identical"]], on, full)
    everything = stats.by_problem(pairs.assign(problem="all"), alpha)["verdict"].item()
    click.echo(
        f"overall: {len(pairs)} runs in both ({pairs.attrs['only_a']} more in A, {pairs.attrs['only_b']} in B; kernels "
        f"differ in {int(pairs['recompiled'].sum())}): {everything}"
    )


def _environments(old: tuple[Path, Results], new: tuple[Path, Results], sides: list[_Part]) -> list[str]:
    """Lines that say how the environments differ and whether one was noisy."""
    from optbench.environment import differences

    records = [
        [found.environments[number] for number in side.runs["invocation"].unique().tolist()]
        for (_, found), side in zip((old, new), sides, strict=True)
    ]
    changed = differences(*records)
    lines = [f"environment: {'the same' if not changed else 'what differs, A -> B'}"]
    lines += [f"  {key}: {', '.join(first)} -> {', '.join(second)}" for key, (first, second) in changed.items()]
    for name, each in zip("AB", records, strict=True):
        noise = max(record.get("noise", 0.0) for record in each)
        if noise > NOISY:
            lines.append(f"note: the machine of {name} was noisy ({100 * noise:.0f} %): its times are unreliable")
    return lines


def _changes_table(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {name: table[name] for name in ("problem", "runs", "identical")}
    for side in "ab":
        columns[f"met {side.upper()}"] = table[f"met_{side}"]
    columns["fewer/same/more"] = table[["fewer", "same", "more"]].astype(str).agg("/".join, axis=1)
    columns["p corrected"] = table["p_corrected"].map("{:.2g}".format)
    columns["time B / A"] = [_interval(*row) for row in table[["seconds", "seconds_low", "seconds_high"]].to_numpy()]
    return pd.DataFrame({**columns, "verdict": table["verdict"]})


def _print_changed(changed: pd.DataFrame, on: str, full: bool) -> None:
    """Runs that are not identical, those whose status changed first."""
    import pandas as pd

    if changed.empty:
        return
    order = (changed["status_a"] == changed["status_b"]).sort_values(kind="stable").index
    changed = changed.loc[order if full else order[: console.TOP]]
    text = _text_of(on)
    columns = {name: changed[name] for name in ("problem", "optimizer", "schedule", "clip", "batch", "seed")}
    for side in "ab":
        columns[f"status {side.upper()}"] = changed[f"status_{side}"]
        columns[f"{on} {side.upper()}"] = changed[f"cost_{side}"].map(text)
    console.show_table("Runs that changed", pd.DataFrame(columns))
    if len(order) > len(changed):
        click.echo(f"... and {len(order) - len(changed)} more (--full)")
