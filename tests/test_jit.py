"""The kernel engine: each claim about compiling and caching, in fresh processes."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from optbench import jit
from optbench.types import Problem

RUN = """
import optbench
from optbench import jit
{before}
r = optbench.minimize({problem!r}, optimizer={optimizer!r}, schedule="cosine", max_iter=50, targets=())
print(repr(r.fun))
print(sum(not kernel.cached for kernel in jit.loaded()), len(jit.loaded()))
"""

OWN = """
import optbench
from helper import scaled

@optbench.optimizer(lr=1e-3)
def mine(x, g, state, c):
    lr, params = c
    return x - lr * scaled(g), state
"""


def run(tmp_path: Path, before: str = "", problem: str = "beale", optimizer: str = "gd") -> tuple[float, int, int]:
    """F after 50 steps, kernels compiled and kernels loaded, in a process of its own."""
    env = {**os.environ, "OPTBENCH_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    code = RUN.format(before=before, problem=problem, optimizer=optimizer)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    value, counts = done.stdout.strip().splitlines()
    compiled, loaded = counts.split()
    return float(value), int(compiled), int(loaded)


def cache_files(tmp_path: Path) -> set[str]:
    return {str(path) for path in (tmp_path / "cache").rglob("*") if path.is_file()}


def test_second_process_compiles_nothing_and_adds_no_file(tmp_path: Path) -> None:
    first = run(tmp_path)
    files = cache_files(tmp_path)
    second = run(tmp_path)
    assert first[1] == first[2] == len(files) == 5  # driver, dash, objective, step, schedule
    assert second == (first[0], 0, 5)
    assert cache_files(tmp_path) == files


def test_new_combination_compiles_only_what_is_new(tmp_path: Path) -> None:
    run(tmp_path, problem="beale", optimizer="gd")
    run(tmp_path, problem="booth", optimizer="momentum")
    assert run(tmp_path, problem="beale", optimizer="momentum")[1] == 0
    assert run(tmp_path, problem="booth", optimizer="gd")[1] == 0


def test_edited_callee_in_another_file_is_seen_and_own_optimizer_is_cached(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    helper = tmp_path / "helper.py"
    helper.write_text("FACTOR = 1.0\ndef scaled(g):\n    return FACTOR * g\n")
    first = run(tmp_path, "import own", optimizer="mine")
    again = run(tmp_path, "import own", optimizer="mine")
    assert (again[0], again[1]) == (first[0], 0)
    helper.write_text("FACTOR = 1.0\ndef scaled(g):\n    return 2.0 * FACTOR * g\n")
    edited = run(tmp_path, "import own", optimizer="mine")
    assert edited[0] != first[0]
    assert edited[1] == 1
    helper.write_text("FACTOR = 0.5\ndef scaled(g):\n    return 2.0 * FACTOR * g\n")
    constant = run(tmp_path, "import own", optimizer="mine")
    assert constant[0] == pytest.approx(first[0], rel=1e-14)
    assert constant[1] == 1


def test_callee_reached_through_a_module_is_seen(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        OWN.replace("from helper import scaled", "import helper").replace("scaled(g)", "helper.FACTOR * g")
    )
    (tmp_path / "helper.py").write_text("FACTOR = 1.0\n")
    first = run(tmp_path, "import own", optimizer="mine")
    (tmp_path / "helper.py").write_text("FACTOR = 2.0\n")
    edited = run(tmp_path, "import own", optimizer="mine")
    assert edited[0] != first[0]


def test_damaged_cache_file_is_compiled_again(tmp_path: Path) -> None:
    first = run(tmp_path)
    for file in cache_files(tmp_path):
        Path(file).write_bytes(b"\x80\x04broken")
    assert run(tmp_path) == first


def test_import_and_run_without_a_writable_place(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    env = {**os.environ, "OPTBENCH_CACHE_DIR": str(tmp_path / "cache")}
    code = RUN.format(before="", problem="beale", optimizer="gd")
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.split()[1:] == ["5", "5"]
    assert done.stderr.count("no kernel can be cached") == 1
    assert (tmp_path / "cache").is_file()


def test_import_compiles_nothing(tmp_path: Path) -> None:
    env = {**os.environ, "OPTBENCH_CACHE_DIR": str(tmp_path / "cache")}
    code = "import optbench, optbench.harness; optbench.list_optimizers(); optbench.list_problems()"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert not (tmp_path / "cache").exists()


def test_old_folders_are_pruned(tmp_path: Path) -> None:
    for k in range(7):
        folder = tmp_path / f"old{k}"
        folder.mkdir()
        (folder / "kernel.o").write_bytes(b"")
        os.utime(folder, (k, k))
    jit._prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old3", "old4", "old5", "old6"]


def outer(x: float) -> float:
    return inner(x) + OFFSET


def inner(x: float) -> float:
    return 2.0 * x


OFFSET = 1.0


def test_fingerprint_covers_callees_and_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    before = jit.fingerprint(outer)
    assert jit.fingerprint(outer) == before
    monkeypatch.setitem(globals(), "OFFSET", 2.0)
    changed = jit.fingerprint(outer)
    monkeypatch.setitem(globals(), "inner", lambda x: 3.0 * x)
    assert len({before, changed, jit.fingerprint(outer)}) == 3


def test_arrays_are_promised_not_to_overlap() -> None:
    """The promise is an internal flag of Numba's: a version that ignores it would silently cost up to 2x."""

    def add(x, y):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            x[i] += y[i]

    compiled = jit.compiled(add)
    njit(lambda x, y: compiled(x, y))(np.zeros(3), np.ones(3))
    (signature,) = compiled.signatures
    definition = next(line for line in compiled.inspect_llvm(signature).splitlines() if line.startswith("define"))
    assert definition.count("noalias") >= 4  # return value, exception, x, y


def raising(x, g, data):  # type: ignore[no-untyped-def]
    if x[0] > 2.0:
        raise ValueError
    return 0.0


def printing(x, g, data):  # type: ignore[no-untyped-def]
    print(x[0])
    return 0.0


@pytest.mark.parametrize(("function", "word"), [(raising, "raises"), (printing, "prints")])
def test_kernel_that_raises_or_prints_is_refused(function: Callable[..., float], word: str) -> None:
    with pytest.raises(TypeError, match=f"{function.__name__} .*test_jit.* {word}"):
        Problem(function, [1.0], f_opt=0.0).fun([3.0])


def variant(body: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {"enum": enum, "np": np}
    exec(body, scope)
    made: Callable[..., Any] = scope["f"]
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "def h(x, k=1.0): return k * x\ndef f(x): return h(x)",
            "def h(x, k=3.0): return k * x\ndef f(x): return h(x)",
        ),
        ("def h(x, *, k=1.0): return k\ndef f(x): return h(x)", "def h(x, *, k=3.0): return k\ndef f(x): return h(x)"),
        ("A = np.ones((2, 3))\ndef f(x): return A[0, 1]", "A = np.ones((3, 2))\ndef f(x): return A[0, 1]"),
        ("def abs(x): return 1.0\ndef f(x): return abs(x)", "def abs(x): return 2.0\ndef f(x): return abs(x)"),
        (
            "class E(enum.IntEnum):\n  A = 1\ndef f(x): return x * E.A",
            "class E(enum.IntEnum):\n  A = 2\ndef f(x): return x * E.A",
        ),
    ],
    ids=["default", "keyword", "shape", "shadowed builtin", "enum"],
)
def test_fingerprint_tells_apart(one: str, other: str) -> None:
    assert jit.fingerprint(variant(one)) == jit.fingerprint(variant(one))
    assert jit.fingerprint(variant(one)) != jit.fingerprint(variant(other))


def test_own_function_goes_before_a_builtin_of_its_name() -> None:
    part = jit.lower(variant("def abs(x): return 1000.0\ndef f(x): return abs(x)"))
    assert njit(lambda x: part(x))(-3.0) == 1000.0


def test_cache_folder_depends_on_every_module_that_makes_kernels() -> None:
    for path in jit.PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(jit.PACKAGE).as_posix()
        if "compile_kernel(" in text or "jit.lower(" in text or "intrinsic" in text:
            assert name in jit.ENGINE or name.split("/")[0] in jit.ENGINE, name
