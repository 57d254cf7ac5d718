"""Imports go one way: a module imports only from lower layers, wherever in the file the import stands."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "optbench"

# Lowest first. A package counts as one entry; modules of one entry may import each other.
LAYERS = [
    ["records", "noalias", "memory", "parallel", "devices"],
    ["environment"],
    ["fingerprints", "jit", "codec"],
    ["coordinate", "evaluation"],
    ["pieces"],
    ["types", "methods", "outcome"],
    ["kernels", "registry"],
    ["clipping", "optimizers", "constrained", "schedules", "problems"],
    ["footprint", "models"],
    ["points"],
    ["loops"],
    ["entries"],
    ["search"],
    ["config", "labels"],
    ["single", "plan", "matrices", "vary"],
    ["harness"],
    ["cohort"],
    ["cuda"],
    ["storefile", "tables", "frames"],
    ["store", "export"],
    ["stats", "history", "workers", "runner", "optimize", "ensembles", "trajectories"],
    ["tuned"],
    ["curves"],
    ["swept", "sweep_table"],
    ["plots", "tuning", "sweeps"],
    ["api", "explanations"],
    ["console"],
    ["cli"],
    ["__main__"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def entry_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> set[str]:
    """Entries of the package that a file imports when it runs (not for type checkers alone)."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "optbench":
                found.update(alias.name for alias in node.names)
            elif node.module and node.module.startswith("optbench."):
                found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found.update(alias.name.split(".")[1] for alias in node.names if alias.name.startswith("optbench."))
        found |= imports_of(node)
    return found - {"__version__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_from_lower_layers(path: Path) -> None:
    own = entry_of(path)
    assert own in LEVEL, f"{own} has no layer: add it to LAYERS"
    for target in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        assert target in LEVEL, f"{target} has no layer"
        assert LEVEL[target] < LEVEL[own] or target in LAYERS[LEVEL[own]], f"{own} must not import {target}"


def test_every_layer_entry_exists() -> None:
    assert {entry_of(path) for path in FILES} | {"problems"} == set(LEVEL)


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import optbench",
        "import optbench.cli",
        "import optbench; optbench.list_problems(); optbench.list_optimizers(); optbench.list_schedules()",
        "import optbench; optbench.get_problem('rosenbrock', n=10)",
        "from optbench.plan import make_plan; from optbench.config import quick_config; quick_config",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    assert not modules_after(code) & {"numba", "llvmlite", "pandas", "matplotlib", "scipy", "sklearn", "pyarrow"}


def test_command_line_help_does_not_import_numpy() -> None:
    assert "numpy" not in modules_after("import optbench.cli")
