"""Sphinx configuration: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``; it needs no network."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import lookup  # noqa: E402

from optbench import __version__  # noqa: E402

os.environ.setdefault("COLUMNS", "110")
lookup.write(HERE / "reference" / "generated")

project = "optbench"
author = "the optbench developers"
project_copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # MathJax's files in the site: no network
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "myst_parser",
    "run",
]
exclude_patterns = ["_build", "gallery/GALLERY_HEADER.rst"]
REPOSITORY = {  # files that README.md and CONTRIBUTING.md link to, and the page that shows them
    "benchmarks/README.md": "benchmarks",
    "benchmarks": "benchmarks",
    "optbench/quick.toml": "reference/matrix",
    "CONTRIBUTING.md": "extending",
}

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections have the types
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_gallery"],
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("scraper",),
    "reset_modules": (),
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
    "min_reported_time": 1e9,
    "plot_gallery": True,
    "abort_on_example_error": False,
    "backreferences_dir": "auto_gallery/backreferences",
    "doc_module": ("optbench",),
}

html_theme = "pydata_sphinx_theme"
html_title = "optbench"
html_static_path = ["_static"]
html_css_files = ["optbench.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "navigation_depth": 3,
    "logo": {"text": "optbench"},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"quickstart": [], "index": []}


def link_repository(app: Any, doctree: Any) -> None:
    """Let links of included pages to files of the repository lead to the pages that show them."""
    from sphinx.addnodes import pending_xref

    for node in doctree.findall(pending_xref):
        if node.get("reftype") == "myst" and node["reftarget"] in REPOSITORY:
            node["refdomain"], node["reftarget"], node["reftargetid"] = "doc", REPOSITORY[node["reftarget"]], None


def plain_help(app: Any, context: Any, lines: list[str]) -> None:
    """Help texts are no reST: a word that ends in an underscore is no reference."""
    lines[:] = [re.sub(r"(\w)_(?!\w)", r"\1\\_", line) for line in lines]


def setup(app: Any) -> None:
    """Connect what included pages and help texts need."""
    app.connect("doctree-read", link_repository)
    app.connect("sphinx-click-process-description", plain_help)
