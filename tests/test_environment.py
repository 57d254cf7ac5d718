"""Records of what a result was measured with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from optbench.environment import commit, differences, environment


def test_the_record_is_complete() -> None:
    record = environment()
    assert record["versions"]["numba"][0].isdigit()
    assert record["cores"] >= 1
    assert record["commit"] is None or len(record["commit"].removesuffix("-dirty")) == 40


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_that_of_a_checkout_of_these_sources_alone(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *names, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "other.py").write_text("")
    git("add", "other.py")
    git("commit", "-qm", "first")
    inside = tmp_path / "site-packages"
    inside.mkdir()
    (inside / "__init__.py").write_text("")
    assert commit(inside) is None  # below a checkout, but no part of it
    git("add", ".")
    git("commit", "-qm", "second")
    assert commit(inside) == git("rev-parse", "HEAD")
    (inside / "__init__.py").write_text("changed = True")
    assert commit(inside) == git("rev-parse", "HEAD") + "-dirty"
    assert commit(tmp_path / "missing") is None


def test_differences_are_told_by_key_and_leave_the_moment_out() -> None:
    old = [{"python": "3.11", "versions": {"numba": "0.67", "numpy": "2"}, "noise": 0.1, "load_average": [1, 2]}]
    new = [
        {"python": "3.11", "versions": {"numba": "0.68", "numpy": "2"}, "noise": 0.2, "commit": "abc"},
        {"python": "3.11", "versions": {"numba": "0.69", "numpy": "2"}, "noise": 0.2, "commit": "abc"},
    ]
    assert differences(old, new) == {"versions.numba": (["0.67"], ["0.68", "0.69"]), "commit": (["unknown"], ["abc"])}
    assert differences(old, old) == {}
