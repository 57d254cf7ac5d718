"""The contract of `cuda_contract` on a real device: ``pytest -m gpu tests/test_gpu.py``, or ``benchmarks/gpu.py``."""

from __future__ import annotations

import pytest

from optbench.devices import BackendError, require, simulated

try:
    require()
except BackendError as error:
    pytest.skip(str(error), allow_module_level=True)
if simulated():
    pytest.skip("Numba's simulator is on", allow_module_level=True)

from cuda_contract import *  # noqa: F403

pytestmark = pytest.mark.gpu
