"""Whether there is a GPU, and which."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import Any

DTYPES = ("float64", "float32")


class BackendError(ValueError):
    """The CUDA back end cannot be used here; the message is one sentence that says why."""


@functools.cache
def require() -> Any:
    """The module ``numba.cuda``, with a device.

    Raises
    ------
    BackendError
        The package ``numba-cuda``, a driver or a device is missing.
    """
    try:
        importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        raise BackendError(
            "backend 'cuda' needs the package numba-cuda: pip install 'optbench[cuda]', or leave out the backend"
        ) from None
    from numba import cuda

    if simulated():
        return cuda
    if not cuda.is_available():
        reason = getattr(cuda.cuda_error(), "msg", None) if callable(getattr(cuda, "cuda_error", None)) else None
        text = " ".join(str(reason or "no CUDA device was found").split())
        raise BackendError(f"backend 'cuda' needs a GPU with its driver: {text.rstrip('.')}; leave out the backend")
    return cuda


def simulated() -> bool:
    """Whether kernels run in Numba's simulator, as Python."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


@functools.cache
def device_name() -> str:
    """Name of the device, as its driver gives it. Raises BackendError."""
    cuda = require()
    if simulated():
        return "simulator"
    name = cuda.get_current_device().name
    return str(name.decode() if isinstance(name, bytes) else name)


def facts() -> dict[str, Any]:
    """What a result on this device was measured with, for the environment record. Raises BackendError."""
    cuda = require()
    found = {"device": device_name(), "numba-cuda": importlib.metadata.version("numba-cuda")}
    if simulated():
        return found
    device, (_, total) = cuda.get_current_device(), cuda.current_context().get_memory_info()
    return {
        **found,
        "compute_capability": ".".join(map(str, device.compute_capability)),
        "multiprocessors": int(device.MULTIPROCESSOR_COUNT),
        "memory_bytes": int(total),
        "runtime": ".".join(map(str, cuda.runtime.get_version())),
    }


@functools.cache
def source_hash() -> str:
    """Hash of the sources that decide how a function is compiled for a GPU."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parent / "cuda").glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def free_memory() -> int:
    """Bytes of the device's memory that are free."""
    cuda = require()
    return 1 << 30 if simulated() else int(cuda.current_context().get_memory_info()[0])
