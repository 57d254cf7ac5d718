"""``optbench list`` and ``optbench show``."""

from __future__ import annotations

from typing import Any

import click

from optbench.cli.group import FACTORS, main, sentences


@main.command("list")
@click.argument("kind", required=False, type=click.Choice([*FACTORS.values()]))
@click.option("--tag", help="Only problems with this tag.")
def list_(kind: str | None, tag: str | None) -> None:
    """Names of problems, optimizers and schedules."""
    from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown

    with sentences():
        items: dict[str, Any] = {"problems": PROBLEMS, "optimizers": OPTIMIZERS, "schedules": SCHEDULES}
        tags = {tag for name in PROBLEMS.names() for tag in PROBLEMS.get(name).tags}
        if tag is not None and tag not in tags:
            raise unknown("tag", tag, tags)
        if tag is not None and kind not in (None, "problems"):
            raise ValueError("--tag goes with problems")
        for name in [kind] if kind else ["problems"] if tag else items:
            names = [n for n in items[name].names() if tag is None or tag in PROBLEMS.get(n).tags]
            click.echo(f"{name} ({len(names)})")
            for entry in names:
                item = items[name].get(entry)
                note = ", ".join(item.tags) if name == "problems" else item.doc.strip().splitlines()[0]
                click.echo(f"  {entry:<22} {note}".rstrip())


@main.command()
@click.argument("name")
def show(name: str) -> None:
    """Formula, source, settings with their defaults and conventions of NAME."""
    from optbench import console
    from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES, unknown

    kinds: dict[str, Any] = {"problem": PROBLEMS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
    with sentences():
        found = {kind: registry.get(name) for kind, registry in kinds.items() if name in registry.names()}
        if not found:
            raise unknown("name", name, [n for registry in kinds.values() for n in registry.names()])
    for kind, item in found.items():
        click.echo(f"{kind} {name}\n\n{item.doc.strip()}\n")
        if item.source:
            click.echo(f"Source: {item.source}")
        if getattr(item, "tags", ()):
            click.echo(f"Tags: {', '.join(item.tags)}")
        click.echo("Settings:")
        for key, text in console.settings(kind, item):
            click.echo(f"  {key:<28} {text}")
