"""Figures and animations as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".pdf", ".png", ".svg")


def check_target(path: str | os.PathLike[str], what: str = "a figure", suffixes: Sequence[str] = SUFFIXES) -> Path:
    """The path, if a figure can be saved there. Raises ValueError for another ending or a folder that is not there."""
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise ValueError(f"{what} is saved as {', '.join(suffixes)}, not {target.suffix or target.name!r}")
    if not target.resolve().parent.is_dir():
        raise ValueError(f"{target}: the folder {target.parent} does not exist")
    return target


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (200 dpi), SVG or PDF, by the ending of `path`; the same figure gives the same bytes.

    Raises
    ------
    ValueError
        Another ending.
    """
    import matplotlib as mpl

    target = check_target(path)
    undated: dict[str, Any] = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with mpl.rc_context({"svg.hashsalt": "optbench", "pdf.fonttype": 42}):
        figure.savefig(target, dpi=200, metadata=undated[target.suffix.lower()])
    return target
