"""``optbench explain``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from optbench.cli.group import main, sentences
from optbench.cli.matrix import ENTRY, entry


@main.command()
@click.argument("problem", metavar=f"PROBLEM{ENTRY.removeprefix('NAME')}")
@click.option("--at", metavar="w=1,b=2", help="The point, by names or as numbers, 1,2. Default: the problem's start.")
@click.option(
    "-O", "--optimizer", metavar=ENTRY, help="Default: gd (lr = 0.1 on data); under constraints lagrange_newton."
)
@click.option("-s", "--schedule", metavar=ENTRY, help="Learning-rate schedule. Default: constant.")
@click.option("--clip", metavar="KIND=LIMIT", help="norm=1.0 or value=0.5.")
@click.option("--steps", type=int, help="How many steps, at most 50. Default: 1, of lagrange_newton 2.")
@click.option("--max-iter", type=click.IntRange(1), help="Length of the run that schedules refer to. Default: 100.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The figure. Default: PROBLEM-explain.png.")
@click.option("--plot/--no-plot", "plots", default=True, help="Draw data space and parameter space.")
def explain(
    problem: str,
    at: str | None,
    optimizer: str | None,
    schedule: str | None,
    clip: str | None,
    steps: int | None,
    max_iter: int | None,
    output: Path | None,
    plots: bool,
) -> None:
    """One point of PROBLEM and the next step of an optimizer, with the numbers put into the formulas.

    Linear models and networks named without settings come with data of one or two features.

    \b
    optbench explain linear_regression --at w=1,b=2
    optbench explain linear_regression:data=points.csv,target=y --at w=1,b=2 -O adam:lr=0.1 --steps 3
    optbench explain rosenbrock -O momentum:lr=0.001
    optbench explain circle_on_line
    """  # noqa: D301  (click's mark of a paragraph that is not wrapped)
    with sentences():
        from optbench.explanations import explain as make
        from optbench.plots import check_target, save

        if output is not None and not plots:
            raise ValueError("-o names a figure, and --no-plot draws none")
        name, settings = _named(problem)
        target = check_target(output or f"{name}-explain.png")
        method, params = _named(optimizer) if optimizer else (None, {})
        made = make(
            {"name": name, **settings} if settings else name,
            at,
            method,
            lr=params.pop("lr", None),
            params=params,
            schedule=entry(schedule) if schedule else None,
            clip=_clip(clip),
            steps=steps,
            max_iter=max_iter,
        )
        figure = made.figure() if plots and made.problem.n > 1 else None
        click.echo(made.text)
        if figure is not None:
            click.echo(f"\nplot:    {save(figure, target)}")
        elif plots:
            click.echo(f"\nno plot: {name} has one parameter")


def _named(text: str) -> tuple[str, dict[str, Any]]:
    """Name and settings of an entry."""
    made = entry(text)
    if isinstance(made, str):
        return made, {}
    return made.pop("name"), made


def _clip(text: str | None) -> Mapping[str, float] | None:
    if text is None or text == "none":
        return None
    return {key: value for key, value in entry(f"clip:{text}").items() if key != "name"}
