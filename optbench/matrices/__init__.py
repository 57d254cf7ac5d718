"""Matrices that come with the package, one TOML file each, run by name: ``optbench run crowded_valley``."""

from __future__ import annotations

import importlib.resources
import tomllib
from pathlib import Path

from optbench.config import Config, load_config, parse_config, quick_config
from optbench.registry import unknown


def shipped_config(name: str) -> Config:
    """Read a matrix that comes with the package, by its name, or ``quick``. Raises UnknownName."""
    files = {Path(file.name).stem: file for file in importlib.resources.files(__name__).iterdir()}
    files = {stem: file for stem, file in files.items() if file.name == f"{stem}.toml"}
    if name == "quick":
        return quick_config()
    if name not in files:
        raise unknown("matrix", name, [*files, "quick"])
    return parse_config(tomllib.loads(files[name].read_text(encoding="utf-8")), f"{name}.toml")


def find_config(matrix: str | Path) -> Config:
    """Read a TOML file or, by a name without an ending that is no file, a matrix that comes with the package.

    Raises ConfigError, and UnknownName for such a name that is not known.
    """
    path = Path(matrix)
    is_name = path == Path(path.name) and not path.suffix and not path.exists()
    return shipped_config(path.name) if is_name else load_config(path)
