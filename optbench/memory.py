"""Where the arrays of a run lie in memory.

A load that follows a store to the same place of another page waits for that store, so arrays at arbitrary places can
double the time of a short loop. The memory that a run changes therefore starts a page, and small data end one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LANES, PAGE = 8, 512  # float64 of a cache line and of a page
FAR = 1 << 22  # float64 of an array that no cache holds: its place does not matter
NEAR = 4096  # float64 of data that are worth a copy: the size of a core's nearest cache


def padded(n: int) -> int:
    """`n` rounded up to whole cache lines."""
    return -(-n // LANES) * LANES


def aligned(count: int, start: int = 0) -> Array:
    """Zeros, shape (count,), that start at float `start` of a page, counted modulo its length."""
    raw = np.zeros(count + PAGE)
    skip = (-raw.ctypes.data // 8 + start) % PAGE
    return raw[skip : skip + count]


def together(record: Any) -> Any:
    """An encoded record with its arrays on cache lines: small ones at the end of a page, others copied where needed."""
    sizes = [padded(item.size) if isinstance(item, np.ndarray) else 0 for item in record]
    total = sum(sizes)
    if not 0 < total <= NEAR:
        return type(record)(*(on_cache_lines(item) if isinstance(item, np.ndarray) else item for item in record))
    block, at, items = aligned(total, -total), 0, []
    for item, size in zip(record, sizes, strict=True):
        if size:
            place = block[at : at + item.size].reshape(item.shape)
            place[...] = item
            item, at = place, at + size
        items.append(item)
    return type(record)(*items)


def on_cache_lines(values: Array) -> Array:
    """The array, or a copy where it starts inside a cache line: wide loads of its rows would touch two lines each."""
    if values.ctypes.data % (8 * LANES) == 0 or values.size > FAR:
        return values
    copy = aligned(values.size).reshape(values.shape)
    copy[...] = values
    return copy
