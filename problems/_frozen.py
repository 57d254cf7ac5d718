"""Frozen losses of problems whose minimum is not known: ``data/frozen.json``, from tests/reference/make_frozen.py."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optbench.types import Frozen

FILE = Path(__file__).parent / "data" / "frozen.json"


def frozen_losses(name: str, settings: Mapping[str, Any]) -> Frozen | None:
    """Frozen losses of a problem with all its settings; None without any."""
    return _table().get(key_of(name, settings))


def key_of(name: str, settings: Mapping[str, Any]) -> str:
    """What the losses are filed under: the settings but those of a network's start."""
    start = {"init", "instance"} if "init" in settings else ()
    kept = {key: float(v) if type(v) is int else v for key, v in settings.items() if key not in start}
    return json.dumps([name, kept], sort_keys=True)


@functools.cache
def _table() -> dict[str, Frozen]:
    entries = json.loads(FILE.read_text(encoding="utf-8"))["losses"] if FILE.is_file() else []
    return {key_of(entry["problem"], entry["settings"]): Frozen(entry["start"], entry["best"]) for entry in entries}
