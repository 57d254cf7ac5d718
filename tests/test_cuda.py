"""The CUDA back end without a GPU: the contract in Numba's simulator, and what is said where there is no device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GROUPS = {
    "optimizers": "test_optimizer or test_hyperparameters",
    "schedules": "test_schedule or test_clipping",
    "problems": "test_problem",
    "large": "test_large",
}
REST = " and ".join(f"not ({group})" for group in GROUPS.values())

pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")


@pytest.mark.cuda
@pytest.mark.parametrize("group", [*GROUPS, "rest"])
def test_contract_in_the_simulator(group: str) -> None:
    # Before Numba is imported, hence in a process of its own. NumPy, not compiled code, does the arithmetic there, and
    # warns of what is meant to overflow.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning"]
    command += ["-W", "ignore::DeprecationWarning", "-k", GROUPS.get(group, REST), str(HERE / "cuda_contract.py")]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def _optbench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optbench", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.cuda
def test_without_a_gpu_there_is_one_sentence(tmp_path: Path) -> None:
    target = tmp_path / "r.db"
    cells = ("-p", "sphere", "-O", "gd", "--max-iter", "5", "-o", str(target))
    done = _optbench("run", *cells, "--backend", "cuda", CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("optbench: backend 'cuda' needs a GPU with its driver: ")
    assert not target.exists()


def test_backend_is_checked(tmp_path: Path) -> None:
    target = tmp_path / "r.db"
    cells = ("-p", "sphere", "-O", "gd", "--max-iter", "5", "-o", str(target))
    done = _optbench("run", *cells, "--backend", "cudaa")
    assert done.returncode == 2
    assert "unknown backend 'cudaa'. Did you mean 'cuda'? Known: cpu, cuda" in done.stderr
    done = _optbench("run", *cells, "--dtype", "float32")
    assert done.returncode == 2
    assert "dtype 'float32' goes with backend 'cuda': the CPU computes in float64" in done.stderr
    assert not target.exists()


def test_nothing_of_cuda_is_imported_otherwise() -> None:
    code = "import optbench, sys; optbench.minimize('sphere', 'gd', max_iter=3); print('numba.cuda' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
