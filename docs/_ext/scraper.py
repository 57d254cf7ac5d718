"""The figures of a gallery script: matplotlib Figures and films that its last block made, without pyplot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

from optbench.plots.animation import Animation

DPI = 160


def figures(block: tuple[str, str, int], block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save every figure that the script's variables hold and no earlier block showed; reST that shows them."""
    seen: list[object] = block_vars.setdefault("shown_figures", [])  # which keeps them alive, so that none is mistaken
    paths: list[str] = []
    for value in list(block_vars["example_globals"].values()):
        if isinstance(value, (Figure, Animation)) and not any(value is shown for shown in seen):
            seen.append(value)
            path = Path(next(block_vars["image_path_iterator"]))
            if isinstance(value, Figure):
                value.savefig(path, dpi=DPI, facecolor="white")
            else:
                path = value.save(path.with_suffix(".gif"))
            paths.append(str(path))
    return figure_rst(paths, gallery_conf["src_dir"])


def _get_sg_image_scraper() -> Callable[..., str]:
    """What sphinx-gallery calls to find the scraper of a module that its configuration names."""
    return figures
