"""The contract of `cuda_contract` on a real device: ``pytest -m gpu tests/test_gpu.py``, or ``benchmarks/gpu.py``."""

from __future__ import annotations

import pytest
from cuda_contract import *  # noqa: F403

from optbench.devices import BackendError, require, simulated

try:
    require()
    reason = "Numba's simulator is on" if simulated() else ""
except BackendError as error:
    reason = str(error)

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(bool(reason), reason=reason or "there is a GPU")]
