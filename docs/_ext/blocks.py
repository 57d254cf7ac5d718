"""Run the code blocks of a documentation page, in order, in one folder and one namespace.

The site's ``run`` directive does it while the page is built, ``tests/test_docs.py`` for all blocks of all pages:
``python blocks.py FOLDER PAGE ...``. A command ``optbench ...`` runs in this process, through the function that the
installed program calls.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import linecache
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

WIDTH = 110  # columns of a table in a page
_OPTION = re.compile(r":[\w-]+:")  # of a directive


class Block(NamedTuple):
    """A code block: its language, its text, and the line in the page where the text starts."""

    language: str
    source: str
    line: int


class CommandError(Exception):
    """A command ended with another exit code than 0."""


def blocks_of(page: Path) -> list[Block]:
    """Code blocks of a page in MyST or plain Markdown, those of the ``run`` directive by the language that they run."""
    from markdown_it import MarkdownIt

    found = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map is not None:
            language = token.info.strip().removeprefix("{run}").strip()
            options = sum(1 for _ in itertools.takewhile(_OPTION.match, token.content.splitlines()))
            source = "".join(token.content.splitlines(keepends=True)[options:])
            found.append(Block(language, source, token.map[0] + 2 + options))
    return found


class Page:
    """Where the blocks of one page run.

    Parameters
    ----------
    folder : Path
        Working directory; made where it is missing.
    """

    _count = itertools.count()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        module = ModuleType(f"page_{next(self._count)}")
        sys.modules[module.__name__] = module  # where annotations of classes that a block defines are looked up
        self.namespace: dict[str, Any] = vars(module)
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, language: str, source: str) -> str:
        """Run one block in the folder and return what it prints.

        Raises
        ------
        CommandError
            A command did not end with exit code 0.
        ValueError
            A language other than python and sh, or a command other than optbench.
        """
        if language not in ("python", "sh"):
            raise ValueError(f"a block of {language!r} cannot be run")
        with _within(self.folder), contextlib.redirect_stdout(io.StringIO()) as printed:
            if language == "python":
                self._python(source)
            else:
                for command in commands_of(source):
                    print(_command(command), end="")
        return printed.getvalue()

    def _python(self, source: str) -> None:
        """Execute, and print the value of a last line that is an expression, as a notebook does."""
        # A file of its own, so that what reads the source of a function finds it.
        name = self.folder / f"block_{next(self._count)}.py"
        name.write_text(source, encoding="utf-8")
        linecache.checkcache(str(name))
        tree = ast.parse(source, str(name))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(name), "exec"), self.namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(name), "eval"), self.namespace)
            if value is not None:
                print(value if hasattr(value, "to_string") else repr(value))


def commands_of(source: str) -> Iterator[list[str]]:
    """Commands of a shell block, one a line, without comments; a backslash at the end joins two lines."""
    for line in source.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


def _command(words: list[str]) -> str:
    from click.testing import CliRunner

    from optbench.cli import main

    if words[0] != "optbench":
        raise ValueError(f"only commands of optbench can be run here, not {shlex.join(words)!r}")
    result = CliRunner().invoke(main, words[1:], prog_name="optbench")
    if result.exit_code:
        raise CommandError(f"{shlex.join(words)}\nended with {result.exit_code}: {result.output}") from result.exception
    return result.stdout


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[None]:
    """The folder as working directory, and a fixed width of tables; runs stay in this process, which is faster."""
    from optbench.cli import matrix, sweep

    with contextlib.chdir(folder), mock.patch.dict(os.environ, COLUMNS=str(WIDTH)), contextlib.ExitStack() as stack:
        for module in (matrix, sweep):
            stack.enter_context(mock.patch.object(module, "cores", return_value=0))
        yield


def main(folder: Path, pages: Sequence[Path]) -> int:
    """Run all blocks that can be run, each page in a folder of its own; what fails is shown, the next page goes on."""
    failed = 0
    for path in pages:
        page = Page(folder / path.stem)
        block = Block("", "", 0)
        try:
            for block in blocks_of(path):
                if block.language in ("python", "sh"):
                    page.run(block.language, block.source)
        except Exception:
            failed += 1
            print(f"{path}, line {block.line}:\n{block.source}\n{traceback.format_exc()}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1]), list(map(Path, sys.argv[2:]))), 1))
