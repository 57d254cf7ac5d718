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
    """What the losses are filed under: the settings but those of a network's start, layers as a list of their units."""
    kept = {key: float(value) if type(value) is int else value for key, value in settings.items()}
    if "init" in kept:
        units, layers = settings["units"], settings["layers"]
        kept["hidden"] = [units] * layers if settings["hidden"] is None else list(settings["hidden"])
        for key in ("units", "layers", "init", "instance"):
            del kept[key]
    return json.dumps([name, kept], sort_keys=True)


@functools.cache
def _table() -> dict[str, Frozen]:
    entries = json.loads(FILE.read_text(encoding="utf-8"))["losses"] if FILE.is_file() else []
    return {key_of(entry["problem"], entry["settings"]): Frozen(entry["start"], entry["best"]) for entry in entries}
