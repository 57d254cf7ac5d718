"""Documentation: every code block of every page runs, in order; pages that list things list all of them."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import optbench
from optbench import outcome, plots, stats, tables
from optbench.config import parse_config

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BUILT = {"_build", "auto_gallery", "generated"}  # by Sphinx
PAGES = sorted(path for path in DOCS.rglob("*.md") if not BUILT & set(path.relative_to(DOCS).parts))
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What README.md and CONTRIBUTING.md name, small.
MATRIX = """
problems = ["beale", "booth"]
optimizers = [{ name = "adam", lr = 1e-1 }, { name = "rmsprop", lr = 1e-2 }]
schedules = ["constant", "cosine"]
[budget]
max_iter = 500
seeds = 2
repeats = 1
"""
# Commands of README.md and CONTRIBUTING.md that do not run here, by how they start.
ELSEWHERE = {
    "python3 -m venv": "the first step of .ci/run",
    ".venv/bin/": "steps of .ci/run",
    "bash .ci/run": "runs these tests",
    "asv ": "has tests of its own, on repositories of their own",
    "optbench history": "reads what asv recorded",
    "python -m pip": "installs",
    "python benchmarks/": "measures for minutes",
}
LONG = (
    "optbench run ",
    "optbench sweep ",
    "optbench tune ",
)  # planned, not run, where they do not read the small matrix


def run_pages(folder: Path, *pages: Path) -> None:
    """Run all blocks of pages in one process, not this one: what they register stays there."""
    command: list[str | Path] = [sys.executable, "-W", "error", DOCS / "_ext" / "blocks.py", folder, *pages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part", ["", "howto", "reference", "tutorial"])
def test_blocks_of_the_pages_run(part: str, tmp_path: Path) -> None:
    pages = [page for page in PAGES if page.parent == DOCS / part]
    assert pages
    run_pages(tmp_path, *pages)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_blocks_of_the_repositorys_pages_run(name: str, tmp_path: Path) -> None:
    folder = tmp_path / Path(name).stem
    folder.mkdir()
    (folder / "matrix.toml").write_text(MATRIX)
    for file in ("old.db", "new.db"):
        optbench.run(tomllib.loads(MATRIX), folder / file, repeats=1)

    def small(block: re.Match[str]) -> str:
        return f"```{block[1]}\n{shortened(block[2]) if block[1] == 'sh' else block[2]}```"

    page = tmp_path / name
    page.write_text(FENCE.sub(small, (ROOT / name).read_text()))
    run_pages(tmp_path, page)


def shortened(source: str) -> str:
    """Commands of a block that can run here; long ones only plan."""
    kept = []
    for line in source.replace("\\\n", " ").splitlines():
        command = line.split("  #")[0].rstrip()
        if not command.strip() or command.startswith(("#", *ELSEWHERE)):
            continue
        plans = f"{command} ".startswith(LONG) and not any(word in command for word in (" -o ", "--dry-run"))
        kept.append(command + " --dry-run" * plans + "\n")
    return "".join(kept)


@pytest.mark.parametrize("path", [ROOT / "README.md", *PAGES], ids=lambda p: p.name)
def test_matrices_of_a_page_are_valid(path: Path, tmp_path: Path) -> None:
    for csv, target in (("sales.csv", "sales"), ("customers.csv", "churned")):
        text = (ROOT / "problems" / "data" / "sales.csv").read_text()
        if target == "churned":
            rows = text.split()[1:]
            text = "spending,churned\n" + "".join(f"{row.split(',')[0]},{k % 2}\n" for k, row in enumerate(rows))
        (tmp_path / csv).write_text(text)
    for info, source in FENCE.findall(path.read_text()):
        if info == "toml":
            matrix = {"problems": ["beale"], "optimizers": ["adam"], **tomllib.loads(source)}
            parse_config(matrix, base=tmp_path)


def test_a_block_that_does_not_run_says_why() -> None:
    for path in PAGES:
        text = path.read_text()
        for block in FENCE.finditer(text):
            if block[1] in ("console", "bash", "shell"):
                before = text[: block.start()].rstrip().rsplit("\n", 1)[-1]
                assert before.startswith("% not run: "), f"{path}: {block[2]}"


def rows(page: str, section: str) -> list[tuple[str, str]]:
    """First two columns of the table of a section, without their backticks."""
    text = (DOCS / page).read_text().split(f"## `{section}`")[1] if section else (DOCS / page).read_text()
    lines = re.findall(r"^\| `(\w+)` \| (.*?) \|", text.split("\n## ")[0], re.MULTILINE)
    return [(name, kind) for name, kind in lines]


def test_the_schema_page_has_every_column() -> None:
    assert rows("reference/results.md", "runs") == list(tables.RUN_COLUMNS.items())
    res_columns = {"hits", "traces", "times", "trials", "invocations"}
    assert set(re.findall(r"^## `(\w+)`", (DOCS / "reference/results.md").read_text(), re.MULTILINE)) == {
        "runs",
        *res_columns,
    }


def test_the_tables_have_the_columns_of_the_schema_page(tmp_path: Path) -> None:
    res = optbench.run(tomllib.loads(MATRIX), tmp_path / "r.db", repeats=1)
    for name in ("hits", "traces", "times", "trials", "invocations"):
        frame = getattr(res, name)
        found = [
            (str(column), "str" if "str" in str(kind).lower() else str(kind)) for column, kind in frame.dtypes.items()
        ]
        assert rows("reference/results.md", name) == found


def test_the_status_page_has_the_set() -> None:
    assert tuple(name for name, _ in rows("reference/statuses.md", "")) == outcome.STATUSES


def test_the_reference_has_every_public_name() -> None:
    listed = re.findall(r"^   (\w+)$", (DOCS / "reference" / "api.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(set(optbench.__all__) - {"__version__", "plots"})


def test_every_figure_is_in_the_gallery() -> None:
    scripts = "".join(path.read_text() for path in (DOCS / "gallery").glob("plot_*.py"))
    assert not {kind for kind in plots.KINDS if f"--kind {kind}" not in scripts}


@pytest.mark.parametrize("module", [optbench, plots, stats], ids=lambda m: m.__name__)
def test_examples_in_docstrings(module: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    items = {name: getattr(module, name) for name in module.__all__}  # type: ignore[attr-defined]
    runner = doctest.DocTestRunner()
    for name, item in items.items():
        if inspect.isroutine(item) or inspect.isclass(item):
            for test in doctest.DocTestFinder(recurse=False).find(item, name, globs={"optbench": optbench, **items}):
                runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
