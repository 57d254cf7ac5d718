"""``optbench animate``."""

from __future__ import annotations

from pathlib import Path

import click

from optbench.cli.filters import filtered
from optbench.cli.group import main, sentences


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="GIF, or MP4 with ffmpeg.")
@click.option("--problem", help="Whose runs; needed where the file has runs of several.")
@click.option("--optimizer", help="Only this one.")
@click.option("--schedule", help="Only this one.")
@click.option("--seed", type=int, default=0, show_default=True, help="Whose runs.")
@click.option("--frames", type=int, default=100, show_default=True, help="Frames at most.")
@click.option("--fps", type=int, default=15, show_default=True, help="Frames a second.")
@click.option("--plane", metavar="P,Q|pca", help="Two parameters, or the principal plane of the paths.")
@click.option("--bounds", metavar="A..B,C..D", help="The frame.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only these runs, as in plot.")
def animate(
    results: Path,
    output: Path | None,
    problem: str | None,
    optimizer: str | None,
    schedule: str | None,
    seed: int,
    frames: int,
    fps: int,
    plane: str | None,
    bounds: str | None,
    where: tuple[str, ...],
) -> None:
    """Film the paths of runs through parameter space.

    Of a regression on one feature, or a classification on two, the model over the data moves beside them.
    """
    with sentences():
        from optbench.plots.animation import animation_of_runs, check_animation
        from optbench.store import load

        target = check_animation(output or results.with_name(f"{results.stem}-animation.gif"))
        film = animation_of_runs(
            filtered(load(results).runs, where), problem=problem, optimizer=optimizer, schedule=schedule, seed=seed,
            frames=frames, fps=fps, plane=plane, bounds=bounds,
        )  # fmt: skip
        click.echo(f"animate: {film.save(target)}")
