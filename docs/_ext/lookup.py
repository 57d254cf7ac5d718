"""Pages of the reference that are written from the code: the registry, and lists of public names.

They are made when Sphinx reads its configuration, below ``reference/generated``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FAMILIES = {  # module below optbench.problems: title of the page of its problems
    "hock_schittkowski": "Hock and Schittkowski's constrained problems",
    "more_garbow_hillstrom": "Moré, Garbow and Hillstrom's problems",
    "nist": "NIST's nonlinear regressions",
}
NAMESPACES = {"plots": "optbench.plots", "stats": "optbench.stats"}


def write(folder: Path) -> None:
    """Write all pages into `folder`; a page that is as it was keeps its time, so that it is not built again."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = dict(_registry()) | {f"api_{name}.md": _names(module) for name, module in NAMESPACES.items()}
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def public(module: str) -> list[str]:
    """Names of a module's ``__all__`` that have a docstring of their own: functions and classes."""
    home = importlib.import_module(module)
    return [
        name for name in home.__all__ if inspect.isroutine(getattr(home, name)) or inspect.isclass(getattr(home, name))
    ]


def _names(module: str) -> str:
    """Text of a page that lists the public names of a module."""
    home = importlib.import_module(module)
    lines = [f"# {module}", "", *_text(inspect.getdoc(home) or ""), "```{eval-rst}"]
    lines += [f".. currentmodule:: {module}", "", ".. autosummary::", "   :toctree: api", "   :nosignatures:", ""]
    return "\n".join([*lines, *(f"   {name}" for name in public(module)), "```", ""])


def _registry() -> Iterator[tuple[str, str]]:
    from optbench.registry import OPTIMIZERS, PROBLEMS, SCHEDULES

    families: dict[str, list[str]] = {}
    for name in PROBLEMS.names():
        part = PROBLEMS.get(name).make.__module__.split(".")
        families.setdefault(part[2] if part[2] in FAMILIES else "problems", []).append(name)
    for family, names in families.items():
        title = FAMILIES.get(family, "Test functions, data and networks")
        yield f"{family}.md", _page(title, "problem", PROBLEMS, names)
    constrained = [name for name in OPTIMIZERS.names() if type(OPTIMIZERS.get(name)).__name__ == "Lagrangian"]
    descent = [name for name in OPTIMIZERS.names() if type(OPTIMIZERS.get(name)).__name__ == "Descent"]
    first = [name for name in OPTIMIZERS.names() if name not in constrained + descent]
    yield "optimizers_first_order.md", _page("First-order optimizers", "optimizer", OPTIMIZERS, first)
    yield "optimizers_descent.md", _page("Methods with a search of their own", "optimizer", OPTIMIZERS, descent)
    yield "optimizers_constrained.md", _page("Methods for constraints", "optimizer", OPTIMIZERS, constrained)
    yield "schedules.md", _page("Learning-rate schedules", "schedule", SCHEDULES, SCHEDULES.names())


def _page(title: str, kind: str, registry: Any, names: Iterable[str]) -> str:
    """A table of the names, then a section for each: docstring, source, tags, settings."""
    names = list(names)
    lines = [f"# {title}", "", "| name | what it is |", "|---|---|"]
    for name in names:
        lines.append(f"| [`{name}`](#{kind}-{name.replace('_', '-')}) | {_plain(_first(registry.get(name)))} |")
    for name in names:
        lines += ["", *_section(kind, name, registry.get(name))]
    return "\n".join(lines) + "\n"


def _section(kind: str, name: str, item: Any) -> Iterator[str]:
    from optbench import console

    yield from (f"({kind}-{name.replace('_', '-')})=", f"## {name}", "")
    code = getattr(item, {"optimizer": "update", "schedule": "value"}.get(kind, ""), None)
    own = inspect.getdoc(code) if code else None
    yield from _text(item.doc.removesuffix(own) if own else item.doc)
    if code:
        yield from ("```python", inspect.getsource(code).rstrip(), "```", "")
    if item.source:
        yield from (f"**Source**: {_plain(item.source)}", "")
    if getattr(item, "tags", ()):
        yield from (f"**Tags**: {', '.join(item.tags)}", "")
    settings = [(key, text) for key, text in console.settings(kind, item) if key != "(none)"]
    if settings:
        yield from ("| setting | default |", "|---|---|")
        yield from (f"| `{key}` | `{text}` |" for key, text in settings)


def _first(item: Any) -> str:
    return item.doc.strip().split("\n\n")[0].replace("\n", " ")


def _text(doc: str) -> Iterator[str]:
    """Paragraphs of a docstring; a formula, which has a line break or an equals sign of its own, is set as written."""
    for paragraph in list(dict.fromkeys(doc.strip().split("\n\n"))):
        if _formula(paragraph):
            yield from ("```text", paragraph.rstrip(), "```", "")
        else:
            yield from (_plain(paragraph), "")


def _formula(paragraph: str) -> bool:
    """Whether a paragraph is mathematics: it has no sentence, or starts like a definition."""
    start = paragraph.lstrip().split(" = ")[0]
    return " = " in paragraph and len(start.split()) <= 4 and not start.endswith((":", "."))


def _plain(text: str) -> str:
    r"""Markdown that shows the text as it is, except for code between backticks.

    >>> _plain("a_1 * b in ``g``")
    'a\\_1 \\* b in `g`'
    """
    parts = text.replace("``", "`").split("`")
    shown = ["".join(f"\\{c}" if c in "*_<>[]{}$|#~" else c for c in part) for part in parts[::2]]
    code = [f"`{part}`" for part in parts[1::2]]
    return "".join(a + b for a, b in zip(shown, [*code, ""], strict=False))
