"""The directive ``run``: a code block that runs while its page is built, and what it printed and drew below it.

A figure in the site is thereby the one that the block above it makes. Blocks of one page share a folder and, in Python,
a namespace::

    ```{run} sh
    :figure: sweep.png
    :output:

    optbench sweep -p rosenbrock -O adam --vary lr=1e-4..1:log:9 -o sweep.db
    ```
"""

from __future__ import annotations

import posixpath
import shutil
from pathlib import Path
from typing import Any, ClassVar

from blocks import Page
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Run(SphinxDirective):
    """Run a block of ``python`` or ``sh``."""

    has_content = True
    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {
        "figure": directives.unchanged_required,  # files that the block writes, separated by spaces
        "alt": directives.unchanged,
        "width": directives.length_or_percentage_or_unitless,
        "output": directives.flag,  # show what it printed
        "lines": directives.positive_int,  # of the output, at most
    }

    def run(self) -> list[nodes.Node]:
        """Nodes of the code, the output, the figures."""
        [language] = self.arguments
        source = "\n".join(self.content)
        pages: dict[str, Page] = self.env.temp_data.setdefault("run_pages", {})
        docname = self.env.docname
        if docname not in pages:
            folder = Path(self.env.doctreedir).parent / "run" / docname
            shutil.rmtree(folder, ignore_errors=True)
            pages[docname] = Page(folder)
        printed = pages[docname].run(language, source)
        code = nodes.literal_block(source, source, language=language)
        self.set_source_info(code)
        return [code, *self._output(printed), *self._figures(pages[docname].folder)]

    def _output(self, printed: str) -> list[nodes.Node]:
        if "output" not in self.options or not printed.strip():
            return []
        lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
        most = self.options.get("lines", len(lines))
        text = "\n".join([*lines[:most], *(["..."] if len(lines) > most else [])])
        return [nodes.literal_block(text, text, language="text", classes=["run-output"])]

    def _figures(self, folder: Path) -> list[nodes.Node]:
        """Copies below the source folder, since the builder takes pictures from there alone."""
        made: list[nodes.Node] = []
        for name in self.options.get("figure", "").split():
            docname = self.env.docname.replace("/", "-")
            target = Path(self.env.srcdir) / "generated" / f"{docname}-{name}"
            target.parent.mkdir(exist_ok=True)
            shutil.copy(folder / name, target)
            uri = posixpath.join("/generated", target.name)
            picture = nodes.image(uri=uri, alt=self.options.get("alt", ""), classes=["run-figure"])
            if "width" in self.options:
                picture["width"] = self.options["width"]
            made.append(picture)
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("run", Run)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
