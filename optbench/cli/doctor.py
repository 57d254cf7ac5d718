"""``optbench doctor``."""

from __future__ import annotations

import click

from optbench.cli.group import main


@main.command()
def doctor() -> None:
    """Versions, kernel cache, threads, clock resolution, noise and GPU of this machine."""
    import warnings

    from optbench import devices, jit
    from optbench.environment import environment

    record = environment()
    for name, version in record.pop("versions").items():
        click.echo(f"{name:<18} {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = jit.cache_folder()
    kernels = list(folder.glob("*.o")) if folder else []
    size = sum(path.stat().st_size for path in kernels) / 1e6
    click.echo(
        f"{'kernel cache':<18} {f'{folder} ({len(kernels)} kernels, {size:.1f} MB)' if folder else 'not writable'}"
    )
    for name, value in record.items():
        if name == "clock_resolution":
            value = f"{value * 1e9:.0f} ns"
        elif name == "noise":
            value = (
                f"{100 * value:.1f} % (spread of a fixed computation; above 10 %, timings of short runs are unreliable)"
            )
        elif name == "memory_bytes":
            value = f"{value / 2**30:.1f} GiB"
        elif isinstance(value, dict):
            value = ", ".join(f"{key}={item or 'unset'}" for key, item in value.items())
        click.echo(f"{name.replace('_', ' '):<18} {value}")
    try:
        gpu = ", ".join(f"{key}={value}" for key, value in devices.facts().items())
    except devices.BackendError as error:
        gpu = f"none: {error}"
    click.echo(f"{'gpu':<18} {gpu}")
