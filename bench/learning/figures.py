"""Where figures are kept: one file, a part for each setting and section, each written by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .kept import write

OUTPUT = Path("build/bench")


def keep(found: Mapping[str, Any]) -> dict[str, Any]:
    """Put these parts beside what is in the file already; returns all of it."""
    file = OUTPUT / "learning.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    every = before | dict(found)
    write(file, json.dumps(every, indent=1) + "\n")
    return every
